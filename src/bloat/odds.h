/*-------------------------------------------------------------------------
 *
 * odds.h
 *	  How likely entries that were kept of an index lead to a row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ODDS_H
#define OPS_ODDS_H

#include "bloat/bloat.h"

/* Of an entry; those of a list come one after the other, as lists do. */
typedef struct OpsOdds
{
	float		odds;			/* see ops_bloat_root_odds */
	int			list;			/* the page, or part of one, that it is on */
	int			region;			/* of the index */
} OpsOdds;

/* The first of an array of structures of this size. */
extern void ops_odds_weigh(OpsOdds *first, int count, Size size,
						   const struct OpsHeapRoots *roots);

#endif							/* OPS_ODDS_H */
