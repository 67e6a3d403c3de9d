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
#include "bloat/ginkeys.h"
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

/* Rows to look up in the table for each entry, or segment of a tree. */
#define MATCHED				24
#define MATCHED_TO_KNOW		8

/* From this share of pages on, the pending list is read to its end. */
#define MANY_PENDING		0.03
#define MOST_READ			8192

/* Entries, or rows, that have to be looked up to know a dead share. */
#define MIN_KNOWN			50
#define NUM_CLASSES			6

/* Right-most leaves of posting trees that are remembered. */
#define MAX_LAST			4096

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
#define ENTRY_DOUBT			0.04
#define SMALL_TREE_DOUBT	0.35
#define PENDING_DOUBT		0.60
#define ROUNDS_DOUBT		0.05

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
	uint16		last_size[MAX_LAST];	/* bytes on the first of these */
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
	double		known_rows;		/* that entries have whose dead rows are */
	double		dead_rows;		/* known, and the dead ones of these */
	double		known_waiting;	/* the same of the pending list */
	double		dead_waiting;
	OpsGinKeys *keys;			/* if the pending list matters */
	double		kept;			/* entries for each one merged */
	double		merged_bytes;	/* that this adds to posting trees */
	double		new_trees;		/* and posting trees that it makes */
} GinReading;

/* The rows of an entry. */
typedef struct GinList
{
	uint32		count;
	uint32		bytes;			/* of all but the first */
	BlockNumber first;			/* blocks of the first and the last one */
	BlockNumber last;
	float		dead;			/* share of them, -1: unknown */
} GinList;

static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static double pending_share(const OpsBloatMeasure *measure);
static void read_entry_leaf(GinReading *state, Page page, double *totals);
static void read_entry(GinReading *state, IndexTuple item, Size length,
					   double *totals);
static bool read_rows(GinReading *state, IndexTuple item, Size length,
					  GinList *rows);
static void decode_rows(GinReading *state, const GinPostingList * list,
						GinList *rows);
static int	datum_bytes(Relation index, IndexTuple item, int key);
static void keep_entry(GinReading *state, const OpsGinEntry *entry);
static BlockNumber decode_list(GinReading *state, const GinPostingList * list,
							   int rows);
static void match_row(GinReading *state, uint64 row);
static void read_tree_leaf(GinReading *state, Page page, double *totals);
static double count_tree_rows(GinReading *state, Page page, int bytes);
static void read_pending(GinReading *state, Page page, double *totals);
static void read_pending_row(GinReading *state, IndexTuple item);
static void conclude(OpsBloatMeasure *measure, GinReading *state);
static double dead_share(const GinReading *state);
static double merged_dead(const GinReading *state);
static double waiting_dead(const GinReading *state);
static void merge_pending(OpsBloatMeasure *measure, GinReading *state);
static void guess_dead(GinReading *state);
static int	class_of(const OpsGinEntry *entry);
static double whole_index(OpsBloatMeasure *measure, const GinReading *state,
						  double dead, OpsGinBuilt *built);
static double merged_trees(const GinReading *state);
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

	/* Block 0 holds no more than counts. */
	if (pending_share(measure) >= MANY_PENDING &&
		measure->nblocks <= MOST_READ)
	{
		state.keys = ops_gin_keys_create();
		measure->first_sample = Max(measure->first_sample,
									(int) measure->nblocks);
	}
	ops_bloat_sample(measure, 1, read_page, &state);
	conclude(measure, &state);
}

/*
 * Share of pages that are a pending list, as the first page counts them.
 */
static double
pending_share(const OpsBloatMeasure *measure)
{
	double		share = 0;
	Buffer		buffer;
	Page		page;

	if (measure->nblocks <= GIN_METAPAGE_BLKNO)
		return 0;
	buffer = ReadBufferExtended(measure->rel, MAIN_FORKNUM, GIN_METAPAGE_BLKNO,
								RBM_NORMAL, measure->ring);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (!PageIsNew(page))
		share = (double) GinPageGetMeta(page)->nPendingPages /
			measure->nblocks;
	UnlockReleaseBuffer(buffer);
	return share;
}

static void
read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block, Page page,
		  double *totals)
{
	GinReading *state = (GinReading *) arg;

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
	OpsGinEntry entry = {.key = length,.dead = -1};
	GinList		rows = {.dead = -1};
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
		entry.dead = rows.dead;
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

	entry.datum = datum_bytes(measure->rel, item, entry.key);
	if (state->keys)
		ops_gin_keys_add(state->keys, item, &entry);
	else if (state->npages % state->stride == 0)
	{
		entry.page = state->npages;
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
	decode_rows(state, list, rows);
	return rows->count == 1 || rows->bytes >= rows->count - 1;
}

/*
 * Where the rows of a list end, and which share of them is dead.
 */
static void
decode_rows(GinReading *state, const GinPostingList * list, GinList *rows)
{
	OpsModel   *model = &state->model;
	uint64		live = model->live;
	uint64		dead = model->dead;

	rows->last = decode_list(state, list, rows->count);
	live = model->live - live;
	dead = model->dead - dead;
	if (live + dead == 0)
		return;
	state->known_rows += rows->count;
	state->dead_rows += (double) rows->count * dead / (live + dead);
	if (live + dead >= Min(rows->count, MATCHED_TO_KNOW))
		rows->dead = (double) dead / (live + dead);
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
 * Block of the last row of a list that lies within its page; some of its
 * rows, evenly spread, are looked up in the table.
 *
 * Rows are numbers, each the distance from the one before in groups of seven
 * bits, low ones first, the high bit of a byte saying that more follow.
 */
static BlockNumber
decode_list(GinReading *state, const GinPostingList * list, int rows)
{
	uint64		row = ((uint64) ItemPointerGetBlockNumberNoCheck(&list->first) <<
					   TID_OFFSET_BITS) |
	ItemPointerGetOffsetNumberNoCheck(&list->first);
	uint64		distance = 0;
	int			shift = 0;
	int			stride = rows / MATCHED + 1;
	int			wait = list->nbytes % stride;

	for (int i = 0;; i++)
	{
		if (shift == 0 && wait-- == 0)
		{
			match_row(state, row);
			wait = stride - 1;
		}
		if (i == list->nbytes)
			break;
		distance |= (uint64) (list->bytes[i] & 0x7F) << shift;
		shift += 7;
		if ((list->bytes[i] & 0x80) != 0 && shift < 49)
			continue;
		row += distance;
		distance = 0;
		shift = 0;
	}
	return (BlockNumber) Min(row >> TID_OFFSET_BITS, MaxBlockNumber);
}

static void
match_row(GinReading *state, uint64 row)
{
	ItemPointerData tid;
	OffsetNumber offset = row & ((1 << TID_OFFSET_BITS) - 1);
	uint64		block = row >> TID_OFFSET_BITS;

	if (state->model.measure->roots == NULL || offset == 0 ||
		block > MaxBlockNumber)
		return;
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
		if (pages->last_leaves < MAX_LAST)
			pages->last_size[(int) pages->last_leaves] = bytes;
		pages->last_leaves++;
		pages->last_bytes += bytes;

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
	uint64		live = state->model.live;
	uint64		dead = state->model.dead;
	double		tids = 0;

	for (int i = 0; i < COUNTED_SEGMENTS &&
		 at + offsetof(GinPostingList, bytes) <= end; i++)
	{
		const		GinPostingList *list = (const GinPostingList *) at;
		int			rows;

		if ((const char *) list->bytes + list->nbytes > end)
			break;
		rows = 1;
		for (int j = 0; j < list->nbytes; j++)
			rows += (list->bytes[j] & 0x80) == 0;
		(void) decode_list(state, list, rows);
		tids += rows;
		at += SizeOfGinPostingList(list);
	}
	if (at == start)
		return 0;
	tids *= (double) bytes / (at - start);
	live = state->model.live - live;
	dead = state->model.dead - dead;
	if (live + dead > 0)
	{
		state->known_rows += tids;
		state->dead_rows += tids * dead / (live + dead);
	}
	return tids;
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
	for (OffsetNumber i = FirstOffsetNumber; state->keys && i <= last; i++)
	{
		Size		length;
		IndexTuple	item = ops_page_item(page, i, &length);

		if (item != NULL && IndexTupleSize(item) <= length &&
			IndexTupleSize(item) > sizeof(IndexTupleData))
			read_pending_row(state, item);
		else
			state->model.broken++;
	}
}

static void
read_pending_row(GinReading *state, IndexTuple item)
{
	OpsBloatMeasure *measure = state->model.measure;
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(&item->t_tid);
	OpsGinEntry entry = {
		.key = IndexTupleSize(item),
		.ntids = 1,
		.first = block,
		.last = block,
		.dead = -1,
		.waits = true,
	};

	if (measure->roots)
	{
		OpsRootState root = ops_bloat_root(measure->roots, &item->t_tid);

		state->model.live += root == ROOT_LIVE;
		state->model.dead += root == ROOT_DEAD;
		if (root != ROOT_UNKNOWN)
		{
			entry.dead = root == ROOT_DEAD;
			state->known_waiting++;
			state->dead_waiting += entry.dead;
		}
	}
	entry.datum = datum_bytes(measure->rel, item, entry.key);
	ops_gin_keys_add(state->keys, item, &entry);
}

static void
conclude(OpsBloatMeasure *measure, GinReading *state)
{
	OpsModelled modelled = {0};
	OpsGinBuilt built;
	double		scale = ops_model_scale(&state->model, 1);
	double		dead = dead_share(state);
	double		entries;

	measure->dead_entries = dead;
	if (state->keys)
		merge_pending(measure, state);
	guess_dead(state);
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
		(state->keys ? 0 :
		 Min(scale * pending_leaves(&state->pages) / Max(modelled.live, 1),
			 1) * PENDING_DOUBT);

	ops_bloat_detail(measure, "lost_entries", scale * state->pages.lost, 0);
	ops_bloat_detail(measure, "pending_pages",
					 scale * state->pages.pending_pages, 0);
	ops_bloat_detail(measure, "build_rounds", built.rounds, 2);
	ops_model_conclude(&state->model, &modelled);
}

/*
 * Share of all rows that are dead.
 */
static double
dead_share(const GinReading *state)
{
	double		merged = state->pages.tids + state->pages.tree_tids;
	double		waiting = state->pages.pending;

	if (state->keys == NULL || merged + waiting == 0)
		return merged_dead(state);
	return (merged_dead(state) * merged + waiting_dead(state) * waiting) /
		(merged + waiting);
}

/*
 * Of those that entries lead to.  Of long lists fewer are looked up.
 */
static double
merged_dead(const GinReading *state)
{
	if (state->model.live + state->model.dead < MIN_KNOWN ||
		state->known_rows < MIN_KNOWN)
		return ops_model_dead_share(&state->model);
	return state->dead_rows / state->known_rows;
}

static double
waiting_dead(const GinReading *state)
{
	if (state->known_waiting < MIN_KNOWN)
		return merged_dead(state);
	return state->dead_waiting / state->known_waiting;
}

/*
 * Take the entries as they are with the pending list merged.
 */
static void
merge_pending(OpsBloatMeasure *measure, GinReading *state)
{
	state->entries = ops_gin_keys_merged(state->keys,
										 merged_dead(state),
										 waiting_dead(state),
										 &state->nentries, &state->kept,
										 &state->merged_bytes,
										 &state->new_trees);
}

/*
 * Entries whose rows were not looked up die as often as others of their class
 * do: of one row or of more, out of the pending list or not.
 *
 * That can be less often than rows do: an updated row has both its versions
 * under a key that did not change.
 */
static void
guess_dead(GinReading *state)
{
	double		known[NUM_CLASSES] = {0};
	double		dead[NUM_CLASSES] = {0};

	for (int i = 0; i < state->nentries; i++)
	{
		const OpsGinEntry *entry = &state->entries[i];

		if (entry->ntids == 0 || entry->dead < 0)
			continue;
		known[class_of(entry)]++;
		dead[class_of(entry)] += entry->dead;
	}
	for (int i = 0; i < state->nentries; i++)
	{
		OpsGinEntry *entry = &state->entries[i];
		int			class = class_of(entry);

		if (entry->ntids > 0 && entry->dead < 0 &&
			known[class] >= MIN_KNOWN)
			entry->dead = dead[class] / known[class];
	}
}

static int
class_of(const OpsGinEntry *entry)
{
	return Min(entry->ntids, 3) - 1 + (entry->waits ? 3 : 0);
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
		double		kept = state->keys ? state->kept :
		Max(pages->entries / state->nentries, 1);

		build.scale *= kept;
		ops_gin_build(&build, built);
		built->leaves *= kept;
		built->inner *= kept;
		built->bytes *= kept;
	}
	leaves = built->leaves;
	if (built->bytes > 0)
		leaves += inlined * built->leaves / built->bytes;

	if (state->keys == NULL)
		leaves += pending_leaves(pages);
	else
		tree += merged_trees(state);

	/* The page of counts, and a root even if there is nothing below. */
	return 1 + Max(scale * (leaves + built->inner + tree), 1);
}

/*
 * Pages that the pending list adds to posting trees, or for new ones: these
 * have a last leaf that is half full, and a root if they have more.
 */
static double
merged_trees(const GinReading *state)
{
	double		leaves = state->merged_bytes / (TREE_ROOM * TREE_FILL);

	if (leaves > state->new_trees)
		return leaves + state->new_trees * 1.5;
	return Max(leaves, state->new_trees);
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
	double		leaves = 0;
	double		large_bytes;
	int			known = Min(trees, MAX_LAST);

	*inlined = 0;
	if (trees <= 0)
		return 0;

	/* Which of the last leaves are the only ones, is not known. */
	for (int i = 0; i < known; i++)
	{
		double		live = pages->last_size[i] * left;

		if (live < SMALL_TREE)
			*inlined += live * single / known;
		else
			leaves += single / known;
	}
	if (large <= 0)
		return leaves;
	large_bytes = pages->tree_bytes - pages->last_bytes * single / trees;
	return leaves +
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
