/*-------------------------------------------------------------------------
 *
 * pointers.h
 *	  Which of an index's heap pointers lead to no row any more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_POINTERS_H
#define OPS_POINTERS_H

#include "bloat/bloat.h"

/* Of the index pages that were read. */
typedef struct OpsBloatPointers
{
	const struct OpsHeapRoots *roots;	/* NULL if no row is known to be dead */
	bool		every_row;		/* the index has an entry for each row */
	bool		all_kept;		/* those known to be dead as well */
	double		looked_up;
	double		known_live;
	double		known_dead;
	double		known_runs;		/* of neighbours from one heap page */
	double		sized_live;		/* whose sizes were noted, and their bytes */
	double		sized_dead;
	double		live_bytes;
	double		dead_bytes;
	BlockNumber last_heap_block;
} OpsBloatPointers;

extern void ops_bloat_pointers_init(OpsBloatPointers *pointers,
									OpsBloatMeasure *measure,
									bool every_row);

/* How many of them are not known to lead to no row; and each, if asked for. */
extern int	ops_bloat_pointers_live(OpsBloatPointers *pointers,
									ItemPointer tids, int count,
									OpsRootState *fates);

/* How long an entry of this fate is. */
extern void ops_bloat_pointers_sized(OpsBloatPointers *pointers,
									 OpsRootState fate, Size size);

/* The share of the entries' bytes that is dead if this share of them is. */
extern double ops_bloat_pointers_dead_bytes(const OpsBloatPointers *pointers,
											double dead);

/*
 * The share of "kept" heap pointers (of the whole index, those known to be
 * dead left out) that is dead all the same, and its standard error.
 */
extern double ops_bloat_pointers_dead(const OpsBloatPointers *pointers,
									  double kept, double *error);

#endif							/* OPS_POINTERS_H */
