/*-------------------------------------------------------------------------
 *
 * gin.c
 *	  What REINDEX would make of a GIN index.
 *
 * The entries and the rows they lead to are on the pages; entries that lost
 * all their rows stay for ever but are not built again.  How full a build
 * makes entry pages depends on much, see ginbuild.c; posting trees it fills
 * to the brim.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/gin_private.h"
#include "access/htup_details.h"
#include "bloat/ginbuild.h"
#include "bloat/model.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"

/* Entries that are kept for playing a build. */
#define MAX_KEPT			131072

/* Room of a posting tree's page, and what a build leaves of it. */
#define TREE_ROOM			GinDataPageMaxDataSize
#define TREE_FILL			0.975

/* Density of entry pages while nothing is known: after one round. */
#define ENTRY_FILL			0.52

/* Rows to look up in the table for each page. */
#define MATCHED_PER_PAGE	48

/* A row as one number has so many bits for its place in the block. */
#define TID_OFFSET_BITS	11

/* Segments of a posting tree's leaf in which rows are counted. */
#define COUNTED_SEGMENTS	3

/* Bytes of a tree that a list could hold, and most children of a root. */
#define SMALL_TREE			(GinMaxItemSize - 64)
#define TREE_FANOUT			1024

/* A page of the pending list before it is known what a row takes. */
#define PENDING_NEED		0.25

/* Half-widths of the model, relative. */
#define TREE_DOUBT			0.02
#define ENTRY_DOUBT			0.03
#define SMALL_TREE_DOUBT	0.35
#define PENDING_DOUBT		0.60
#define ROUNDS_DOUBT		0.05

/* Bytes of memory that a byte on an entry page takes at most in a build. */
#define MEMORY_PER_BYTE		16

/* Sums over the pages that were read. */
typedef struct GinPages
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
	double		small_leaves;	/* of those, as small as a posting list */
	double		small_bytes;
	double		inner_trees;	/* trees of more than one leaf */
	uint32		by_leaves[TREE_FANOUT + 1]; /* of these, by number of leaves */
	double		tids;			/* in posting lists */
	double		list_bytes;		/* that they take there */
	double		pending;		/* rows that wait in the pending list */
	double		pending_pages;
} GinPages;

typedef struct GinReading
{
	OpsModel	model;
	GinPages	pages;
	OpsGinEntry *entries;
	int			nentries;
	int			space;
	uint32		npages;			/* of entries, read so far */
	uint32		stride;			/* entries of one in so many are kept */
	bool		spans;			/* rounds may matter: decode all rows */
	int			to_match;		/* rows left of this page */
} GinReading;

/* The rows of an entry. */
typedef struct GinList
{
	uint32		count;
	uint32		bytes;			/* of all but the first */
	BlockNumber first;			/* blocks of the first and the last one */
	BlockNumber last;
} GinList;

static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static void read_entry_leaf(GinReading *state, Page page, double *totals);
static void read_entry(GinReading *state, IndexTuple item, Size length,
					   double *totals);
static bool read_rows(GinReading *state, IndexTuple item, Size length,
					  GinList *rows);
static int	datum_bytes(Relation index, IndexTuple item, int key);
static void keep_entry(GinReading *state, const OpsGinEntry *entry);
static BlockNumber decode_list(GinReading *state, const GinPostingList * list);
static void match_row(GinReading *state, uint64 row);
static void read_tree_leaf(GinReading *state, Page page, double *totals);
static double count_tree_rows(GinReading *state, Page page, int bytes);
static void read_pending(GinReading *state, Page page, double *totals);
static void conclude(OpsBloatMeasure *measure, GinReading *state);
static double whole_index(OpsBloatMeasure *measure, const GinReading *state,
						  double dead, OpsGinBuilt *built);
static double pending_leaves(const GinPages *pages);
static double tree_pages(const GinPages *pages, double dead,
						 double *inlined);
static double live_bytes(const GinPages *pages, double dead);
static double tree_rounding(const GinPages *pages, double left);

void
ops_bloat_gin(OpsBloatMeasure *measure)
{
	GinReading	state = {0};

	ops_model_init(&state.model, measure);
	state.space = 4096;
	state.stride = 1;
	state.entries = palloc(state.space * sizeof(OpsGinEntry));
	state.spans = (double) measure->nblocks * BLCKSZ * MEMORY_PER_BYTE >
		maintenance_work_mem * 1024.0;

	/* Block 0 holds no more than counts. */
	ops_bloat_sample(measure, 1, read_page, &state);
	conclude(measure, &state);
}

static void
read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block, Page page,
		  double *totals)
{
	GinReading *state = (GinReading *) arg;

	state->to_match = measure->roots ? MATCHED_PER_PAGE : 0;
	if (!ops_page_is_sound(page, sizeof(GinPageOpaqueData)))
		state->model.broken++;
	else if (GinPageIsDeleted(page))
		totals[TOTAL_UNUSED_PAGES] = 1;
	else if (GinPageIsList(page))
		read_pending(state, page, totals);
	else if (GinPageIsData(page))
	{
		if (GinPageIsLeaf(page))
			read_tree_leaf(state, page, totals);
		else if (GinPageRightMost(page))
		{
			int			leaves = GinPageGetOpaque(page)->maxoff;

			state->pages.inner_trees++;
			state->pages.by_leaves[Min(leaves, TREE_FANOUT)]++;
		}
	}
	else if (GinPageIsLeaf(page))
		read_entry_leaf(state, page, totals);

	ops_model_saw(&state->model, block, page);
}

static void
read_entry_leaf(GinReading *state, Page page, double *totals)
{
	OffsetNumber last = PageGetMaxOffsetNumber(page);

	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		Size		length;
		IndexTuple	item = ops_page_item(page, i, &length);

		if (item != NULL && IndexTupleSize(item) <= length)
			read_entry(state, item, IndexTupleSize(item), totals);
		else
			state->model.broken++;
	}
	totals[TOTAL_FREE_BYTES] += PageGetExactFreeSpace(page);
	state->npages++;
}

static void
read_entry(GinReading *state, IndexTuple item, Size length, double *totals)
{
	OpsBloatMeasure *measure = state->model.measure;
	OpsGinEntry entry = {.key = length};
	GinList		rows = {0};
	Size		bytes = MAXALIGN(length) + sizeof(ItemIdData);

	if (!GinIsPostingTree(item))
	{
		if (GinGetNPosting(item) == 0)
		{
			state->pages.lost++;
			return;
		}
		if (!read_rows(state, item, length, &rows))
		{
			state->model.broken++;
			return;
		}
		entry.key = GinGetPostingOffset(item);
		entry.ntids = rows.count;
		entry.first = rows.first;
		entry.last = rows.last;
		if (rows.count > 1)
			entry.tid_bytes = (double) rows.bytes / (rows.count - 1);
		totals[TOTAL_POINTERS] += rows.count;
		state->pages.tids += rows.count;
		state->pages.list_bytes += rows.bytes;
		if (rows.count == 1)
		{
			state->pages.singles++;
			state->pages.single_bytes += bytes;
		}
	}
	totals[TOTAL_LIVE]++;
	totals[TOTAL_NEED] += bytes / (GIN_ENTRY_ROOM * ENTRY_FILL);
	state->pages.entries++;
	state->pages.entry_bytes += bytes;

	if (state->npages % state->stride == 0)
	{
		entry.page = state->npages;
		entry.datum = datum_bytes(measure->rel, item, entry.key);
		keep_entry(state, &entry);
	}
}

/*
 * The posting list of an entry; false if it makes no sense.
 */
static bool
read_rows(GinReading *state, IndexTuple item, Size length, GinList *rows)
{
	const char *end = (const char *) item + length;
	Size		offset = GinGetPostingOffset(item);
	const		GinPostingList *list = (const GinPostingList *) ((char *) item + offset);

	rows->count = GinGetNPosting(item);
	if (offset < sizeof(IndexTupleData) || offset > length ||
		offset != SHORTALIGN(offset))
		return false;

	/* Entries of an index from before 9.4 stay as they were. */
	if (!GinItupIsCompressed(item))
	{
		ItemPointer tids = (ItemPointer) list;

		if (offset + rows->count * sizeof(ItemPointerData) > length)
			return false;
		rows->first = ItemPointerGetBlockNumberNoCheck(&tids[0]);
		rows->last = ItemPointerGetBlockNumberNoCheck(&tids[rows->count - 1]);
		rows->bytes = rows->count - 1;
		return true;
	}

	if ((const char *) list + offsetof(GinPostingList, bytes) > end ||
		(const char *) list->bytes + list->nbytes > end)
		return false;
	rows->first = ItemPointerGetBlockNumberNoCheck(&list->first);
	rows->last = rows->first;
	rows->bytes = list->nbytes;
	if (state->spans || state->to_match > 0)
		rows->last = decode_list(state, list);
	return rows->count == 1 || rows->bytes >= rows->count - 1;
}

/*
 * Bytes that a build keeps of a key, 0 if it goes by value.
 */
static int
datum_bytes(Relation index, IndexTuple item, int key)
{
	TupleDesc	desc = RelationGetDescr(index);
	int			header = IndexInfoFindDataOffset(item->t_info);
	int			column = 1;

	/* With several columns, the key's column comes before it. */
	if (desc->natts > 1)
	{
		if (header + (int) sizeof(int16) > key)
			return 0;
		column = *(int16 *) ((char *) item + header);
		header += sizeof(int16);
	}
	if (column < 1 || column > desc->natts ||
		TupleDescAttr(desc, column - 1)->attbyval)
		return 0;

	/* The short header of a value on disk is a long one in memory. */
	return Max(key - header, 0) + VARHDRSZ - VARHDRSZ_SHORT;
}

static void
keep_entry(GinReading *state, const OpsGinEntry *entry)
{
	if (state->nentries == MAX_KEPT)
	{
		state->stride *= 2;
		state->nentries = ops_gin_thin_out(state->entries, state->nentries,
										   state->stride);
		if (entry->page % state->stride != 0)
			return;
	}
	if (state->nentries == state->space)
	{
		state->space *= 2;
		state->entries = repalloc_huge(state->entries,
									   state->space * sizeof(OpsGinEntry));
	}
	state->entries[state->nentries++] = *entry;
}

/*
 * Block of the last row of a list that lies within its page, and match rows
 * as long as there are some to match.
 *
 * Rows are numbers, each the distance from the one before in groups of seven
 * bits, low ones first, the high bit of a byte saying that more follow.
 */
static BlockNumber
decode_list(GinReading *state, const GinPostingList * list)
{
	uint64		row = ((uint64) ItemPointerGetBlockNumberNoCheck(&list->first) <<
					   TID_OFFSET_BITS) |
	ItemPointerGetOffsetNumberNoCheck(&list->first);
	uint64		distance = 0;
	int			shift = 0;

	match_row(state, row);
	for (int i = 0; i < list->nbytes; i++)
	{
		distance |= (uint64) (list->bytes[i] & 0x7F) << shift;
		shift += 7;
		if ((list->bytes[i] & 0x80) != 0 && shift < 49)
			continue;
		row += distance;
		distance = 0;
		shift = 0;
		if (state->to_match > 0)
			match_row(state, row);
		else if (!state->spans)
			break;
	}
	return (BlockNumber) Min(row >> TID_OFFSET_BITS, MaxBlockNumber);
}

static void
match_row(GinReading *state, uint64 row)
{
	ItemPointerData tid;
	OffsetNumber offset = row & ((1 << TID_OFFSET_BITS) - 1);
	uint64		block = row >> TID_OFFSET_BITS;

	if (state->to_match <= 0 || offset == 0 || block > MaxBlockNumber)
		return;
	state->to_match--;
	ItemPointerSet(&tid, (BlockNumber) block, offset);
	ops_model_match(&state->model, &tid);
}

/*
 * A leaf of a posting tree.
 *
 * Rows are counted in the first segments alone; the others are like them.
 */
static void
read_tree_leaf(GinReading *state, Page page, double *totals)
{
	GinPages   *pages = &state->pages;
	int			bytes;
	double		tids;

	if (GinPageIsCompressed(page))
	{
		bytes = (int) ((PageHeader) page)->pd_lower -
			(int) (MAXALIGN(SizeOfPageHeaderData) +
				   MAXALIGN(sizeof(ItemPointerData)));
		if (bytes < 0)
		{
			state->model.broken++;
			return;
		}
		tids = count_tree_rows(state, page, bytes);
	}
	else
	{
		tids = Min(GinPageGetOpaque(page)->maxoff,
				   TREE_ROOM / sizeof(ItemPointerData));
		bytes = tids * 2;
	}
	if (bytes == 0)
		totals[TOTAL_UNUSED_PAGES] = 1;

	totals[TOTAL_POINTERS] += tids;
	totals[TOTAL_NEED] = bytes / (TREE_ROOM * TREE_FILL);
	totals[TOTAL_FREE_BYTES] += Max((int) TREE_ROOM - bytes, 0);
	pages->tree_leaves++;
	pages->tree_bytes += bytes;
	pages->tree_tids += tids;
	if (GinPageRightMost(page))
	{
		pages->last_leaves++;
		pages->last_bytes += bytes;
		if (bytes < SMALL_TREE)
		{
			pages->small_leaves++;
			pages->small_bytes += bytes;
		}

		/* It will be a page however little is on it. */
		totals[TOTAL_NEED] = Min(totals[TOTAL_NEED] + 0.5, 1);
	}
}

static double
count_tree_rows(GinReading *state, Page page, int bytes)
{
	const char *start = (const char *) GinDataLeafPageGetPostingList(page);
	const char *end = start + bytes;
	const char *at = start;
	double		tids = 0;

	for (int i = 0; i < COUNTED_SEGMENTS &&
		 at + offsetof(GinPostingList, bytes) <= end; i++)
	{
		const		GinPostingList *list = (const GinPostingList *) at;

		if ((const char *) list->bytes + list->nbytes > end)
			break;
		if (state->to_match > 0)
			(void) decode_list(state, list);
		tids++;
		for (int j = 0; j < list->nbytes; j++)
			tids += (list->bytes[j] & 0x80) == 0;
		at += SizeOfGinPostingList(list);
	}
	return at > start ? tids * bytes / (at - start) : 0;
}

/*
 * A page of the pending list: rows that are not among the entries yet.
 */
static void
read_pending(GinReading *state, Page page, double *totals)
{
	OffsetNumber last = PageGetMaxOffsetNumber(page);

	state->pages.pending_pages++;
	state->pages.pending += last;
	totals[TOTAL_POINTERS] += last;
	totals[TOTAL_NEED] = PENDING_NEED;
}

static void
conclude(OpsBloatMeasure *measure, GinReading *state)
{
	OpsModelled modelled = {0};
	OpsGinBuilt built;
	double		scale = ops_model_scale(&state->model, 1);
	double		dead = ops_model_dead_share(&state->model);
	double		entries;

	measure->dead_entries = dead;
	modelled.content = whole_index(measure, state, 0, &built);
	modelled.live = dead > 0 ?
		whole_index(measure, state, dead, &built) : modelled.content;

	/*
	 * In doubt are entry pages, the more if there are several rounds, small
	 * posting trees, which are cut to whole pages, and keys of pending rows.
	 */
	entries = scale * built.leaves / Max(modelled.live, 1);
	modelled.doubt = TREE_DOUBT + Min(entries, 1) *
		(built.rounds > 1 ? ROUNDS_DOUBT + built.sway : ENTRY_DOUBT) +
		Min(scale * state->pages.inner_trees / Max(modelled.live, 1), 1) *
		SMALL_TREE_DOUBT +
		Min(scale * pending_leaves(&state->pages) / Max(modelled.live, 1), 1) *
		PENDING_DOUBT;

	ops_bloat_detail(measure, "lost_entries", scale * state->pages.lost, 0);
	ops_bloat_detail(measure, "pending_pages",
					 scale * state->pages.pending_pages, 0);
	ops_bloat_detail(measure, "build_rounds", built.rounds, 2);
	ops_model_conclude(&state->model, &modelled);
}

/*
 * Pages of a new index that leaves out this share of the rows.
 */
static double
whole_index(OpsBloatMeasure *measure, const GinReading *state, double dead,
			OpsGinBuilt *built)
{
	const GinPages *pages = &state->pages;
	double		scale = ops_model_scale(&state->model, 1);
	double		trees = Max(pages->last_leaves, 1);
	double		inlined;
	double		tree = tree_pages(pages, dead, &inlined);
	double		leaves;
	OpsGinBuild build = {
		.entries = state->entries,
		.nentries = state->nentries,
		.scale = scale,
		.heap_blocks = RelationGetNumberOfBlocks(measure->heap),
		.memory = maintenance_work_mem * 1024.0,
		.tree_tids = Max(pages->tree_tids / trees, 1),
		.tree_tid_bytes = pages->tree_bytes / Max(pages->tree_tids, 1),
		.dead = dead,
	};

	memset(built, 0, sizeof(OpsGinBuilt));

	/* What parallel workers gathered is merged before it is inserted. */
	if (ops_compat_can_build_parallel(measure->rel) &&
		plan_create_index_workers(RelationGetRelid(measure->heap),
								  RelationGetRelid(measure->rel)) > 0)
		build.memory = get_float8_infinity();
	if (state->nentries > 0)
	{
		double		kept = Max(pages->entries / state->nentries, 1);

		build.scale *= kept;
		ops_gin_build(&build, built);
		built->leaves *= kept;
		built->inner *= kept;
		built->bytes *= kept;
	}
	leaves = built->leaves;
	if (built->bytes > 0)
		leaves += inlined * built->leaves / built->bytes;

	leaves += pending_leaves(pages);

	/* The page of counts, and a root even if there is nothing below. */
	return 1 + Max(scale * (leaves + built->inner + tree), 1);
}

/*
 * Entry pages for the rows that wait in the pending list.
 *
 * As Good and Turing found, the next row has a new key as often as rows so
 * far are alone with theirs; else it takes what a row takes.
 */
static double
pending_leaves(const GinPages *pages)
{
	double		tids = pages->tids + pages->tree_tids;
	double		fresh;
	double		bytes;

	if (tids < 1)
		return pages->pending_pages;
	fresh = pages->singles / tids;
	bytes = (1 - fresh) * (pages->list_bytes + pages->tree_bytes) / tids;
	if (pages->singles > 0)
		bytes += fresh * pages->single_bytes / pages->singles;
	return pages->pending * bytes / (GIN_ENTRY_ROOM * ENTRY_FILL);
}

/*
 * Pages of the posting trees, and bytes of those that will be lists.
 *
 * A tree of one leaf is that page; of more, it has a root and its last leaf
 * is half full in the mean.
 */
static double
tree_pages(const GinPages *pages, double dead, double *inlined)
{
	double		trees = pages->last_leaves;
	double		large = Min(pages->inner_trees, trees);
	double		single = trees - large;
	double		left = live_bytes(pages, dead);
	double		small;
	double		large_bytes;

	*inlined = 0;
	if (trees <= 0)
		return 0;

	/* Of large trees, too, the last leaf can be small. */
	small = pages->small_leaves - large * SMALL_TREE / TREE_ROOM;
	small = Max(Min(small, single), 0);
	if (pages->small_leaves > 0)
		*inlined = small * left * pages->small_bytes / pages->small_leaves;

	if (large <= 0)
		return single - small;
	large_bytes = pages->tree_bytes - pages->last_bytes * single / trees;
	return single - small +
		large_bytes / (TREE_ROOM * TREE_FILL) * tree_rounding(pages, left);
}

/*
 * Share of the bytes of posting trees that is left without the dead rows.
 */
static double
live_bytes(const GinPages *pages, double dead)
{
	double		tid_bytes = pages->tree_bytes / Max(pages->tree_tids, 1);

	if (dead <= 0 || tid_bytes <= 0)
		return 1;
	return (1 - dead) * (1 + ops_gin_gap_bytes(dead) / tid_bytes);
}

/*
 * Pages of the trees of more than one leaf, for each page of their bytes.
 *
 * How much of the last leaf is used could be anything.  A tree that comes to
 * no more than a leaf needs no root, and one that comes to less than a third
 * of it goes back to the entry.
 */
static double
tree_rounding(const GinPages *pages, double left)
{
	double		room = TREE_ROOM * TREE_FILL;
	double		full_leaves = pages->tree_leaves - pages->last_leaves;
	double		density = 1;
	double		last_density;
	double		needed = 0;
	double		built = 0;

	if (full_leaves > 0)
		density = (pages->tree_bytes - pages->last_bytes) / full_leaves / room;
	last_density = 2 * pages->last_bytes / pages->last_leaves / room;
	for (int leaves = 2; leaves <= TREE_FANOUT; leaves++)
	{
		if (pages->by_leaves[leaves] == 0)
			continue;
		for (int quarter = 0; quarter < 4; quarter++)
		{
			double		used = quarter * 0.25 + 0.125;
			double		need = (leaves - 1) * Min(density, 1) +
			used * Min(last_density, 1);
			double		live = need * left;
			double		whole = ceil(live - 0.02);

			if (live * room < SMALL_TREE)
				whole = live * room / (GIN_ENTRY_ROOM * ENTRY_FILL);
			else if (whole > 1)
				whole++;		/* the root */
			needed += pages->by_leaves[leaves] * need;
			built += pages->by_leaves[leaves] * whole;
		}
	}
	return needed > 0 ? built / needed : left;
}
