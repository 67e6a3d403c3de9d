/*-------------------------------------------------------------------------
 *
 * gistbuild.h
 *	  How a build that inserts row by row fills the leaves of a GiST index.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_GISTBUILD_H
#define OPS_GISTBUILD_H

#include "access/itup.h"
#include "utils/rel.h"

/* Leaf entries at random, out of those that were seen. */
typedef struct OpsGistEntries
{
	IndexTuple *entry;			/* NULL: none are kept of this index */
	int			count;
	uint32		chance;			/* entries whose number is below are kept */
} OpsGistEntries;

/* What came of it. */
typedef struct OpsGistBuilt
{
	double		fill;			/* of leaves, 0 if there was nothing to build */
	double		leaves;			/* that were played */
	int			halvings;		/* of the rows, 0: it was the whole index */
} OpsGistBuilt;

extern void ops_gist_entries_init(OpsGistEntries *entries, Relation index);
extern void ops_gist_entries_add(OpsGistEntries *entries, Relation index,
								 IndexTuple entry, Size length);
extern void ops_gist_entries_merge(OpsGistEntries *entries,
								   OpsGistEntries *others);
extern void ops_gist_build(const OpsGistEntries *entries, Relation index,
						   double rows, uint64 seed, OpsGistBuilt *built);

#endif							/* OPS_GISTBUILD_H */
