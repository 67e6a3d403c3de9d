/*-------------------------------------------------------------------------
 *
 * gin.c
 *	  What REINDEX would make of a GIN index.
 *
 * The entries and the rows they lead to are on the pages; entries that lost
 * all their rows stay for ever but are not built again.  What that comes to in
 * a new index is reckoned in ginmodel.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/gin_private.h"
#include "access/htup_details.h"
#include "bloat/ginpages.h"

/* Entries that are kept for playing a build. */
#define MAX_KEPT			131072

/* Rows to look up in the table for each entry, or segment of a tree. */
#define MATCHED				24
#define MATCHED_TO_KNOW		8

/* From this share of pages on, the pending list is read to its end. */
#define MANY_PENDING		0.03
#define MOST_READ			8192

/* A row as one number has so many bits for its place in the block. */
#define TID_OFFSET_BITS	11

/* Segments of a posting tree's leaf in which rows are counted. */
#define COUNTED_SEGMENTS	3

/* A page of the pending list before it is known what a row takes. */
#define PENDING_NEED		0.25

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
static void read_entry_leaf(OpsGinReading *state, Page page, double *totals);
static void read_entry(OpsGinReading *state, IndexTuple item, Size length,
					   double *totals);
static bool read_rows(OpsGinReading *state, IndexTuple item, Size length,
					  GinList *rows);
static void decode_rows(OpsGinReading *state, const GinPostingList * list,
						GinList *rows);
static int	datum_bytes(Relation index, IndexTuple item, int key);
static void keep_entry(OpsGinReading *state, const OpsGinEntry *entry);
static BlockNumber decode_list(OpsGinReading *state,
							   const GinPostingList * list, int rows);
static void match_row(OpsGinReading *state, uint64 row);
static void read_tree_leaf(OpsGinReading *state, Page page, double *totals);
static double count_tree_rows(OpsGinReading *state, Page page, int bytes);
static void read_pending(OpsGinReading *state, Page page, double *totals);
static void read_pending_row(OpsGinReading *state, IndexTuple item);

void
ops_bloat_gin(OpsBloatMeasure *measure)
{
	OpsGinReading state = {0};

	ops_model_init(&state.model, measure, false);
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
	state.tree_stride = 1;
	ops_bloat_sample(measure, 1, read_page, &state);
	ops_gin_read_trees(&state);
	ops_gin_conclude(&state);
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
	OpsGinReading *state = (OpsGinReading *) arg;

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
			state->pages.by_leaves[Min(leaves, GIN_TREE_FANOUT)]++;
		}
	}
	else if (GinPageIsLeaf(page))
		read_entry_leaf(state, page, totals);

	ops_model_saw(&state->model, block, page, -1);
}

static void
read_entry_leaf(OpsGinReading *state, Page page, double *totals)
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
read_entry(OpsGinReading *state, IndexTuple item, Size length, double *totals)
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
	else
		ops_gin_saw_tree(state, GinGetPostingTree(item));
	totals[TOTAL_LIVE]++;
	totals[TOTAL_NEED] += bytes / (GIN_ENTRY_ROOM * GIN_ENTRY_FILL);
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
read_rows(OpsGinReading *state, IndexTuple item, Size length, GinList *rows)
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
decode_rows(OpsGinReading *state, const GinPostingList * list, GinList *rows)
{
	const OpsBloatPointers *pointers = &state->model.pointers;
	double		live = pointers->known_live;
	double		dead = pointers->known_dead;

	rows->last = decode_list(state, list, rows->count);
	live = pointers->known_live - live;
	dead = pointers->known_dead - dead;
	if (live + dead == 0)
		return;
	state->known_rows += rows->count;
	state->dead_rows += rows->count * dead / (live + dead);
	if (live + dead >= Min(rows->count, MATCHED_TO_KNOW))
		rows->dead = dead / (live + dead);
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
keep_entry(OpsGinReading *state, const OpsGinEntry *entry)
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
decode_list(OpsGinReading *state, const GinPostingList * list, int rows)
{
	uint64		row = ((uint64) ItemPointerGetBlockNumberNoCheck(&list->first) <<
					   TID_OFFSET_BITS) |
	ItemPointerGetOffsetNumberNoCheck(&list->first);
	const unsigned char *at = list->bytes;
	const unsigned char *end = at + list->nbytes;
	int			stride = rows / MATCHED + 1;
	int			wait = list->nbytes % stride;

	if (state->model.pointers.roots == NULL)
		wait = -1;
	for (;;)
	{
		uint64		distance = 0;
		int			shift = 0;

		if (wait-- == 0)
		{
			match_row(state, row);
			wait = stride - 1;
		}
		if (at == end)
			break;
		do
		{
			distance |= (uint64) (*at & 0x7F) << shift;
			shift += 7;
		} while ((*at++ & 0x80) != 0 && at < end && shift < 49);
		row += distance;
	}
	return (BlockNumber) Min(row >> TID_OFFSET_BITS, MaxBlockNumber);
}

static void
match_row(OpsGinReading *state, uint64 row)
{
	ItemPointerData tid;
	OffsetNumber offset = row & ((1 << TID_OFFSET_BITS) - 1);
	uint64		block = row >> TID_OFFSET_BITS;

	if (offset == 0 || block > MaxBlockNumber)
		return;
	ItemPointerSet(&tid, (BlockNumber) block, offset);
	(void) ops_model_match(&state->model, &tid, 0);
}

/*
 * A leaf of a posting tree.
 *
 * Rows are counted in the first segments alone; the others are like them.
 */
static void
read_tree_leaf(OpsGinReading *state, Page page, double *totals)
{
	OpsGinPages *pages = &state->pages;
	int			bytes = ops_gin_leaf_bytes(page);
	double		tids;

	if (bytes < 0)
	{
		state->model.broken++;
		return;
	}
	tids = GinPageIsCompressed(page) ? count_tree_rows(state, page, bytes) :
		bytes / 2;
	if (bytes == 0)
		totals[TOTAL_UNUSED_PAGES] = 1;

	totals[TOTAL_POINTERS] += tids;
	totals[TOTAL_NEED] = bytes / (GIN_TREE_ROOM * GIN_TREE_FILL);
	totals[TOTAL_FREE_BYTES] += Max((int) GIN_TREE_ROOM - bytes, 0);
	pages->tree_leaves++;
	pages->tree_bytes += bytes;
	pages->tree_tids += tids;
	if (GinPageRightMost(page))
	{
		if (pages->last_leaves < GIN_MAX_LAST)
			pages->last_size[(int) pages->last_leaves] = bytes;
		pages->last_leaves++;
		pages->last_bytes += bytes;

		/* It will be a page however little is on it. */
		totals[TOTAL_NEED] = Min(totals[TOTAL_NEED] + 0.5, 1);
	}
}

static double
count_tree_rows(OpsGinReading *state, Page page, int bytes)
{
	const char *start = (const char *) GinDataLeafPageGetPostingList(page);
	const char *end = start + bytes;
	const char *at = start;
	const OpsBloatPointers *pointers = &state->model.pointers;
	double		live = pointers->known_live;
	double		dead = pointers->known_dead;
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
		if (state->model.pointers.roots)
			(void) decode_list(state, list, rows);
		tids += rows;
		at += SizeOfGinPostingList(list);
	}
	if (at == start)
		return 0;
	tids *= (double) bytes / (at - start);
	live = pointers->known_live - live;
	dead = pointers->known_dead - dead;
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
read_pending(OpsGinReading *state, Page page, double *totals)
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
read_pending_row(OpsGinReading *state, IndexTuple item)
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
	OpsRootState root;

	root = ops_model_match(&state->model, &item->t_tid, 0);
	if (root != ROOT_UNKNOWN)
	{
		entry.dead = root == ROOT_DEAD;
		state->known_waiting++;
		state->dead_waiting += entry.dead;
	}
	entry.datum = datum_bytes(measure->rel, item, entry.key);
	ops_gin_keys_add(state->keys, item, &entry);
}
