/*-------------------------------------------------------------------------
 *
 * spgbuild.h
 *	  How a build fills the leaves of an SP-GiST index.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SPGBUILD_H
#define OPS_SPGBUILD_H

#include "access/spgist_private.h"
#include "utils/rel.h"

/* Leaf entries at random, out of those that were seen. */
typedef struct OpsSpgEntries
{
	SpGistCache *cache;			/* NULL: none are kept of this index */
	SpGistLeafTuple *entry;
	int			count;
	uint32		chance;			/* entries whose number is below are kept */
} OpsSpgEntries;

/* What came of it. */
typedef struct OpsSpgBuilt
{
	double		fill;			/* of leaves, 0 if there was nothing to build */
	double		leaves;			/* that were played */
	int			halvings;		/* of the rows, 0: it was the whole index */
} OpsSpgBuilt;

extern void ops_spg_entries_init(OpsSpgEntries *entries, Relation index);
extern void ops_spg_entries_add(OpsSpgEntries *entries, SpGistLeafTuple entry,
								Size length);
extern SpGistLeafTuple *ops_spg_entries_pick(const OpsSpgEntries *entries,
											 double share, int *count);
extern void ops_spg_build(const OpsSpgEntries *entries, Relation index,
						  double rows, uint64 seed, OpsSpgBuilt *built);

#endif							/* OPS_SPGBUILD_H */
