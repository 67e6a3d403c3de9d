/*-------------------------------------------------------------------------
 *
 * roots.c
 *	  Which index entries lead to a row.
 *
 * An index entry points to a root: a row version that is no heap-only one, or
 * what is left of it, a line pointer that redirects or is dead.  It leads to
 * a row if a version that a rewrite keeps follows from there.
 *
 * While a table's pages are read their roots are noted, so that entries of its
 * indexes can be matched with them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "bloat/roots.h"
#include "common/hashfn.h"
#include "utils/float.h"
#include "utils/memutils.h"

/* More is not needed to know a share, even if every page is read. */
#define MAX_BLOCKS 65536

/* The roots of one block; words is 0 where no block is. */
typedef struct BlockRoots
{
	BlockNumber block;
	uint16		words;			/* of each of the two bitmaps */
	uint16		nlive;
	uint16		ndead;
	uint64	   *bits;			/* live roots, then dead ones */
} BlockRoots;

/*
 * Where a table is read in part, what is near a block is what was read of the
 * same part of the table; of each of them so many pages, about.
 */
#define MAX_PARTS	256
#define PART_PAGES	6

/* Bits that tell most of the blocks that are not noted; a power of two. */
#define FILTER_BITS 65536

/*
 * A hash table of blocks, at most half full.  Most entries of an index point
 * to blocks that are not in it, and mostly one look at the filter tells.
 */
struct OpsHeapRoots
{
	MemoryContext context;
	BlockNumber stride;			/* one block in so many is noted */
	double		share;			/* of the table's blocks */
	double		live;			/* of the whole table, once it is known */
	double		dead;
	double		live_error;		/* standard error */
	double		share_error;	/* of the share that is dead */
	uint32		nblocks;
	uint32		nslots;			/* a power of two */
	BlockRoots *slots;
	BlockNumber table_blocks;
	uint32		nparts;			/* 0: not told apart */
	float		odds[MAX_PARTS];	/* of an entry to lead to a row of the
									 * part */
	uint64		filter[FILTER_BITS / 64];	/* of blocks modulo FILTER_BITS */
};

static BlockRoots *find_slot(const struct OpsHeapRoots *roots,
							 BlockNumber block);
static void double_slots(struct OpsHeapRoots *roots);
static void compare_parts(struct OpsHeapRoots *roots);
static uint32 part_of(const struct OpsHeapRoots *roots, BlockNumber block);

/*
 * In the current memory context, which has to last as long as the indexes
 * ask.
 */
struct OpsHeapRoots *
ops_roots_create(const OpsBloatMeasure *measure)
{
	struct OpsHeapRoots *roots = palloc0(sizeof(struct OpsHeapRoots));

	roots->context = CurrentMemoryContext;
	roots->stride = measure->exact ? measure->nblocks / MAX_BLOCKS + 1 : 1;
	roots->nslots = 16;
	roots->slots = palloc0(roots->nslots * sizeof(BlockRoots));
	return roots;
}

void
ops_roots_add(struct OpsHeapRoots *roots, BlockNumber block,
			  const OpsPageRoots *page)
{
	BlockRoots *entry;
	int			words = page->last / 64 + 1;

	if (block % roots->stride != 0)
		return;
	if (roots->nblocks >= roots->nslots / 2)
		double_slots(roots);

	roots->filter[block % FILTER_BITS / 64] |= UINT64CONST(1) << (block % 64);
	entry = find_slot(roots, block);
	if (entry->words == 0)
		roots->nblocks++;
	entry->block = block;
	entry->words = words;
	entry->nlive = page->nlive;
	entry->ndead = page->ndead;
	entry->bits = MemoryContextAlloc(roots->context,
									 2 * words * sizeof(uint64));
	memcpy(entry->bits, page->live, words * sizeof(uint64));
	memcpy(entry->bits + words, page->dead, words * sizeof(uint64));
}

void
ops_roots_finish(struct OpsHeapRoots *roots, const OpsBloatMeasure *measure)
{
	roots->live = measure->total[TOTAL_LIVE_ROOTS];
	roots->dead = measure->total[TOTAL_DEAD_ROOTS];
	roots->live_error = measure->roots_error;
	roots->share_error = measure->dead_roots_error;
	roots->share = 1;
	if (measure->nblocks > roots->nblocks &&
		!(measure->census && roots->stride == 1))
		roots->share = (double) roots->nblocks / measure->nblocks;
	roots->table_blocks = measure->nblocks;
	if (roots->share < 1 && roots->dead > 0)
		compare_parts(roots);
}

/*
 * Rows come and go together with their neighbours: old ones at the front,
 * those that were updated in one go at the end.
 */
static void
compare_parts(struct OpsHeapRoots *roots)
{
	uint32		nlive[MAX_PARTS] = {0};
	uint32		nall[MAX_PARTS] = {0};
	uint64		live = 0;
	uint64		all = 0;

	roots->nparts = Min(Max(roots->nblocks / PART_PAGES, 1), MAX_PARTS);
	for (uint32 i = 0; i < roots->nslots; i++)
	{
		const BlockRoots *entry = &roots->slots[i];
		uint32		part;

		if (entry->words == 0)
			continue;
		part = part_of(roots, entry->block);
		nlive[part] += entry->nlive;
		nall[part] += entry->nlive + entry->ndead;
	}
	for (uint32 i = 0; i < roots->nparts; i++)
	{
		live += nlive[i];
		all += nall[i];
	}
	for (uint32 i = 0; i < roots->nparts; i++)
	{
		roots->odds[i] = nall[i] == 0 || live == 0 ? 1 :
			((double) nlive[i] / nall[i]) / ((double) live / all);

		/* Other than dead entries these are not known to be. */
		roots->odds[i] = Max(roots->odds[i], FLT_EPSILON);
	}
}

static uint32
part_of(const struct OpsHeapRoots *roots, BlockNumber block)
{
	return (uint64) Min(block, roots->table_blocks - 1) * roots->nparts /
		roots->table_blocks;
}

double
ops_roots_live_error(const struct OpsHeapRoots *roots)
{
	return roots->live_error;
}

double
ops_roots_share_error(const struct OpsHeapRoots *roots)
{
	return roots->share_error;
}

double
ops_roots_share(const struct OpsHeapRoots *roots)
{
	return roots->share;
}

OpsRootState
ops_bloat_root(const struct OpsHeapRoots *roots, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);
	OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(tid);
	uint64		bit = UINT64CONST(1) << (offset % 64);
	int			word = offset / 64;
	const BlockRoots *entry;

	if ((roots->filter[block % FILTER_BITS / 64] &
		 UINT64CONST(1) << (block % 64)) == 0)
		return ROOT_UNKNOWN;
	entry = find_slot(roots, block);

	/* What is neither may have come since the page was read. */
	if (word >= entry->words)
		return ROOT_UNKNOWN;
	if (entry->bits[word] & bit)
		return ROOT_LIVE;
	if (entry->bits[entry->words + word] & bit)
		return ROOT_DEAD;
	return ROOT_UNKNOWN;
}

double
ops_bloat_root_odds(const struct OpsHeapRoots *roots, ItemPointer tid)
{
	switch (ops_bloat_root(roots, tid))
	{
		case ROOT_LIVE:
			return get_float8_infinity();
		case ROOT_DEAD:
			return 0;
		case ROOT_UNKNOWN:
			break;
	}
	return roots->nparts == 0 ? 1 :
		roots->odds[part_of(roots, ItemPointerGetBlockNumberNoCheck(tid))];
}

double
ops_bloat_live_roots(const struct OpsHeapRoots *roots)
{
	return roots->live;
}

double
ops_bloat_dead_roots(const struct OpsHeapRoots *roots)
{
	return roots->dead;
}

/*
 * Where a block is, or else the free slot for it.
 */
static BlockRoots *
find_slot(const struct OpsHeapRoots *roots, BlockNumber block)
{
	uint32		slot = murmurhash32(block);

	for (;; slot++)
	{
		BlockRoots *entry = &roots->slots[slot & (roots->nslots - 1)];

		if (entry->words == 0 || entry->block == block)
			return entry;
	}
}

static void
double_slots(struct OpsHeapRoots *roots)
{
	BlockRoots *old = roots->slots;
	uint32		nold = roots->nslots;

	roots->nslots = nold * 2;
	roots->slots = MemoryContextAllocZero(roots->context,
										  roots->nslots * sizeof(BlockRoots));
	for (uint32 i = 0; i < nold; i++)
	{
		if (old[i].words > 0)
			*find_slot(roots, old[i].block) = old[i];
	}
	pfree(old);
}
