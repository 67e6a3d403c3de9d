/*-------------------------------------------------------------------------
 *
 * gistbuild.h
 *	  How a build fills the leaves of a GiST index: played with some of its
 *	  entries.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_GISTBUILD_H
#define OPS_GISTBUILD_H

#include "access/gist_private.h"
#include "access/itup.h"
#include "bloat/odds.h"

/* A leaf entry. */
typedef struct OpsGistEntry
{
	IndexTuple	item;
	OpsOdds		odds;			/* of leading to a row */
} OpsGistEntry;

/* Copies of leaf entries. */
typedef struct OpsGistEntries
{
	const OpsBloatMeasure *measure;
	OpsGistEntry *entry;
	int			count;
	int			space;
	double		bytes;			/* of these on pages */
	double		nulls;			/* entries that were skipped for a null */
	double		null_bytes;
	int			npages;
	int			nregions;
	bool		skips_nulls;	/* entries with a null are not wanted, */
	bool		skips_dead;		/* nor are dead ones: all of them are known */
} OpsGistEntries;

/* What came of it. */
typedef struct OpsGistBuilt
{
	double		fill;			/* of leaves, 0 if there was nothing to build */
	double		leaves;			/* that were played */
	int			halvings;		/* of the rows, 0: it was the whole index */
} OpsGistBuilt;

/* gistentries.c */
extern bool ops_gist_is_harmless(Relation index);
extern void ops_gist_entries_init(OpsGistEntries *entries,
								  const OpsBloatMeasure *measure,
								  bool skips_nulls);
extern bool ops_gist_entries_full(const OpsGistEntries *entries);
extern void ops_gist_entries_add(OpsGistEntries *entries, IndexTuple item,
								 Size length);
extern void ops_gist_entries_weigh(OpsGistEntries *entries);
extern IndexTuple * ops_gist_entries_pick(const OpsGistEntries *entries,
										  double share, int most, int *count);
extern void ops_gist_entries_free(OpsGistEntries *entries);

/* gistregion.c: entries of some regions, or of all leaves if that is possible */
extern void ops_gist_region(OpsGistEntries *entries,
							const BlockNumber *leaves, int nleaves,
							int first, int regions, double share,
							int wanted);
extern bool ops_gist_read_all(OpsGistEntries *entries);

/* gistbuild.c: of rows in the order of the table */
extern void ops_gist_build(IndexTuple * rows, int nrows, Relation index,
						   uint64 seed, OpsGistBuilt *built);

/* gistsort.c */
extern void ops_gist_sorted_build(IndexTuple * rows, int nrows, Relation index,
								  OpsGistBuilt *built);

#endif							/* OPS_GISTBUILD_H */
