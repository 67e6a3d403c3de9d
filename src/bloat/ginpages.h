/*-------------------------------------------------------------------------
 *
 * ginpages.h
 *	  What was found on the pages of a GIN index.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_GINPAGES_H
#define OPS_GINPAGES_H

#include "bloat/ginbuild.h"
#include "bloat/ginkeys.h"
#include "bloat/model.h"

/* Room of a posting tree's page, and what a build leaves of it. */
#define GIN_TREE_ROOM		GinDataPageMaxDataSize
#define GIN_TREE_FILL		0.975

/* Density of entry pages while nothing is known: after one round. */
#define GIN_ENTRY_FILL		0.52

/* Right-most leaves of posting trees that are remembered. */
#define GIN_MAX_LAST		4096

/* Most children of a posting tree's root. */
#define GIN_TREE_FANOUT		1024

/* Sums over the pages that were read. */
typedef struct OpsGinPages
{
	double		entry_bytes;	/* of entries that lead somewhere */
	double		entries;
	double		lost;			/* entries that lead nowhere */
	double		single_bytes;	/* of entries that lead to one row */
	double		singles;
	double		tree_bytes;		/* leaves of posting trees */
	double		tree_tids;
	double		tree_leaves;
	double		last_leaves;	/* the right-most ones, one of each tree */
	double		last_bytes;
	uint16		last_size[GIN_MAX_LAST];	/* bytes on the first of these */
	double		inner_trees;	/* trees of more than one leaf */
	uint32		by_leaves[GIN_TREE_FANOUT + 1]; /* of these, by number of
												 * leaves */
	double		tids;			/* in posting lists */
	double		list_bytes;		/* that they take there */
	double		pending;		/* rows that wait in the pending list */
	double		pending_pages;
} OpsGinPages;

/* A posting tree that was looked up. */
typedef struct OpsGinTree
{
	double		bytes;			/* of its rows */
	bool		is_large;		/* too large to know these */
} OpsGinTree;

/* Trees of which some are looked up. */
#define GIN_MAX_ROOTS		1024

typedef struct OpsGinReading
{
	OpsModel	model;
	OpsGinPages pages;
	OpsGinEntry *entries;
	int			nentries;
	int			space;
	uint32		npages;			/* of entries, read so far */
	uint32		stride;			/* entries of one in so many are kept */
	BlockNumber root[GIN_MAX_ROOTS];	/* of posting trees, one in so many */
	int			nroots;
	uint32		trees_seen;
	uint32		tree_stride;
	OpsGinTree *trees;			/* that were looked up */
	int			ntrees;
	double		known_rows;		/* that entries have whose dead rows are */
	double		dead_rows;		/* known, and the dead ones of these */
	double		known_waiting;	/* the same of the pending list */
	double		dead_waiting;
	struct OpsGinKeys *keys;	/* if the pending list matters */
	OpsGinMerged merged;		/* what it makes of the entries */
} OpsGinReading;

/* ginmodel.c */
extern void ops_gin_conclude(OpsGinReading *state);

/* gintrees.c */
extern void ops_gin_saw_tree(OpsGinReading *state, BlockNumber root);
extern void ops_gin_read_trees(OpsGinReading *state);
extern int	ops_gin_leaf_bytes(Page page);

#endif							/* OPS_GINPAGES_H */
