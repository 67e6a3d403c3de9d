/*-------------------------------------------------------------------------
 *
 * spgbuild.h
 *	  How a build fills the leaves of an SP-GiST index: played with some of
 *	  its entries.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SPGBUILD_H
#define OPS_SPGBUILD_H

#include "access/spgist_private.h"
#include "bloat/odds.h"

/* A leaf entry. */
typedef struct OpsSpgEntry
{
	Datum		value;			/* the whole of it, not what a leaf keeps */
	int			size;			/* of the leaf tuple if that keeps the whole */
	ItemPointerData row;
	OpsOdds		odds;			/* of leading to a row */
} OpsSpgEntry;

/* All that is below one inner tuple; or the whole index. */
typedef struct OpsSpgRegion
{
	int			level;			/* as operator classes count them */
	bool		whole;
} OpsSpgRegion;

#define OPS_SPG_REGIONS		16

/* Copies of leaf entries. */
typedef struct OpsSpgEntries
{
	SpGistCache *cache;			/* NULL: none are kept of this index */
	bool		suffixes;		/* leaves keep what follows the way down */
	OpsSpgEntry *entry;
	int			count;
	int			space;
	Size		text_bytes;		/* of their values, if leaves keep suffixes */
	int			nlists;
	uint32		chance;			/* some: those whose number is below */
	OpsSpgRegion region[OPS_SPG_REGIONS];
	int			nregions;
} OpsSpgEntries;

/* What came of it. */
typedef struct OpsSpgBuilt
{
	bool		fits_root;		/* all of it does */
	double		fill;			/* of leaves, 0 if there was nothing to build */
	double		shrinks;		/* bytes of leaves, for each that the same
								 * entries take now */
	double		inner_bytes;	/* of inner tuples, for each row */
	double		leaves;			/* that were played */
	int			halvings;		/* of the rows, 0: it was the whole index */
} OpsSpgBuilt;

/* spgentries.c */
extern void ops_spg_entries_init(OpsSpgEntries *entries, Relation index);
extern bool ops_spg_entries_full(const OpsSpgEntries *entries);
extern void ops_spg_entries_cut(OpsSpgEntries *entries, int count);
extern void ops_spg_entries_add(OpsSpgEntries *entries,
								const OpsBloatMeasure *measure,
								SpGistLeafTuple item, Size length,
								const char *way, int way_length);
extern void ops_spg_entries_add_some(OpsSpgEntries *entries,
									 const OpsBloatMeasure *measure,
									 SpGistLeafTuple item, Size length);
extern void ops_spg_entries_weigh(OpsSpgEntries *entries,
								  const OpsBloatMeasure *measure);
extern void ops_spg_entries_thin_out(OpsSpgEntries *entries);
extern OpsSpgEntry **ops_spg_entries_pick(const OpsSpgEntries *entries,
										  double share, double most,
										  int *count);

/* spgregion.c */
extern void ops_spg_region(OpsSpgEntries *entries,
						   const OpsBloatMeasure *measure,
						   const OpsSpgEntries *guides, double share,
						   double rows, int most);

/* spgbuild.c: of rows in the order of the table */
extern void ops_spg_build(const OpsSpgEntries *entries, OpsSpgEntry **rows,
						  int nrows, Relation index, uint64 seed,
						  OpsSpgBuilt *built);

#endif							/* OPS_SPGBUILD_H */
