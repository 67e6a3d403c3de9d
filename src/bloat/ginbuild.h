/*-------------------------------------------------------------------------
 *
 * ginbuild.h
 *	  How a build fills the entry pages of a GIN index.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_GINBUILD_H
#define OPS_GINBUILD_H

#include "storage/block.h"

/* What an entry page has for its items and their line pointers. */
#define GIN_ENTRY_ROOM \
	(BLCKSZ - SizeOfPageHeaderData - MAXALIGN(sizeof(GinPageOpaqueData)))

/* An entry: its key, and the rows it leads to. */
typedef struct OpsGinEntry
{
	uint32		page;			/* that it was found on, counted from 0 */
	uint32		ntids;			/* 0: those of an average posting tree */
	BlockNumber first;			/* blocks of the table between which */
	BlockNumber last;			/* they lie */
	float		tid_bytes;		/* of each one but the first, compressed */
	uint16		key;			/* bytes of the item without its rows */
	uint16		datum;			/* bytes that a build keeps of the key */
	float		dead;			/* share of rows to leave out, -1: unknown */
	bool		waits;			/* in the pending list */
} OpsGinEntry;

/* A build: entries of a sample, in the order of keys page by page. */
typedef struct OpsGinBuild
{
	OpsGinEntry *entries;
	int			nentries;
	double		scale;			/* entries of the index, for each one here */
	BlockNumber heap_blocks;
	double		memory;			/* bytes that it can use */
	double		tree_tids;		/* rows of an average posting tree */
	double		tree_tid_bytes; /* of each of these */
	const struct OpsGinTree *trees; /* some trees, that stand for others */
	int			ntrees;
	double		large_tids;		/* rows of those that are too large to know */
	double		dead;			/* share of rows to leave out, 0: none,
								 * whatever the entries say */
} OpsGinBuild;

/* Entry pages that come of it, still of the sample alone. */
typedef struct OpsGinBuilt
{
	double		leaves;
	double		inner;
	double		bytes;			/* on the leaves */
	double		rounds;			/* times that memory was full */
	double		sway;			/* leaves more or less, with a few rounds more
								 * or less, relative */
} OpsGinBuilt;

/* Bytes that a row takes more when so many of those around it are gone. */
extern double ops_gin_gap_bytes(double dead);
extern int	ops_gin_thin_out(OpsGinEntry *entries, int nentries, uint32 stride);
extern void ops_gin_build(const OpsGinBuild *build, OpsGinBuilt *built);

#endif							/* OPS_GINBUILD_H */
