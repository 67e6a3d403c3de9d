/*-------------------------------------------------------------------------
 *
 * btree.c
 *	  What a REINDEX of a B-tree would give back.
 *
 * The entries of the leaf pages that are read go through a packer that fills
 * pages as a build does (btree_pack.c).  Inner pages need nothing by
 * themselves: how many there are follows from the number of leaf pages.
 *
 * A REINDEX leaves out the entries whose row is gone (pointers.c).  Where the
 * heap pages that were read tell that of an entry, it does not get as far as
 * the packer; the others shrink by the share of them that is thought dead.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/nbtree.h"
#include "bloat/bloat.h"
#include "bloat/btree_groups.h"
#include "bloat/btree_inner.h"
#include "bloat/btree_pack.h"
#include "bloat/pointers.h"
#include "bloat/roots.h"
#include "utils/rel.h"

#define TOTAL_PACKED_POINTERS	TOTAL_OWN_1
#define TOTAL_LEAVES			TOTAL_OWN_2
#define TOTAL_LEAF_FREE			TOTAL_OWN_3

/*
 * If less than this share of the table's pages was read, the fate of few
 * entries is known, and one page of so many tells enough.
 */
#define FEW_KNOWN 0.3
#define THINNED 4

/*
 * If on so many leaves no more than this share of the entries had an equal,
 * on the others it does not matter either.
 */
#define ENOUGH_LEAVES 64
#define FEW_EQUAL 0.003

typedef struct BtreeState
{
	bool		dedup;
	bool		thinned;		/* look up heap pointers on some pages only */
	bool		looks_up;		/* on this page */
	int			nleaves;
	double		compared;		/* entries, and those of a key that */
	double		equal;			/* comes more than once */
	OpsBtreePacks packs;
	OpsBtreeGroup group;		/* of equal keys, not packed yet */
	OpsBloatPointers pointers;
	OpsBtreeGroups *groups;		/* NULL if not of use */
} BtreeState;

static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static bool goes_by_sizes(const BtreeState *state);
static bool all_differ(OpsBloatMeasure *measure, BtreeState *state,
					   BlockNumber block, Page page);
static void check_page(OpsBloatMeasure *measure, BlockNumber block,
					   Page page);
static void read_leaf(OpsBloatMeasure *measure, BtreeState *state,
					  BlockNumber block, Page page, double *totals);
static void read_sizes(OpsBloatMeasure *measure, BtreeState *state,
					   BlockNumber block, Page page, double *totals);
static inline int count_alike(OpsBloatMeasure *measure, BlockNumber block,
							  Page page, OffsetNumber first);
static inline IndexTuple page_entry(OpsBloatMeasure *measure,
									BlockNumber block, Page page,
									ItemId item);
static inline void begin_entry(BtreeState *state, IndexTuple entry,
							   int key_size);
static inline bool same_key(IndexTuple a, IndexTuple b, int size);
static void flush_group(BtreeState *state, bool continues);
static inline int live_pointers(BtreeState *state, IndexTuple entry,
								int count);
static void conclude(OpsBloatMeasure *measure, BtreeState *state);
static void conclude_dead(OpsBloatMeasure *measure, double dead,
						  double packed);
pg_noreturn static void corrupt_page(OpsBloatMeasure *measure,
									 BlockNumber block);

void
ops_bloat_btree(OpsBloatMeasure *measure)
{
	BtreeState *state = palloc0(sizeof(BtreeState));
	Relation	rel = measure->rel;

	state->dedup = BTGetDeduplicateItems(rel) &&
		!rel->rd_index->indisunique && _bt_allequalimage(rel, false);
	ops_btree_packs_init(&state->packs, rel, state->dedup);
	ops_bloat_pointers_init(&state->pointers, measure,
							RelationGetIndexPredicate(rel) == NIL);
	state->thinned = state->pointers.roots == NULL ? !measure->exact :
		ops_roots_share(measure->roots) < FEW_KNOWN;
	state->pointers.all_kept = state->thinned;
	if (state->pointers.roots && state->dedup)
		state->groups = ops_btree_groups_create(measure, state->thinned);

	if (!measure->exact)
		measure->inner_pages = ops_btree_inner_pages(measure);
	ops_bloat_sample(measure, BTREE_METAPAGE + 1, read_page, state);
	conclude(measure, state);
}

static void
read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block, Page page,
		  double *totals)
{
	BtreeState *state = arg;
	BTPageOpaque opaque;
	double		before = ops_btree_packs_pages(&state->packs);

	if (PageIsNew(page))
	{
		totals[TOTAL_UNUSED_PAGES] = 1;
		totals[TOTAL_FREE_BYTES] = BLCKSZ;
		return;
	}
	check_page(measure, block, page);
	opaque = BTPageGetOpaque(page);
	if (P_IGNORE(opaque))
	{
		totals[TOTAL_UNUSED_PAGES] = 1;
		totals[TOTAL_FREE_BYTES] = BLCKSZ;
	}
	else if (P_ISLEAF(opaque))
	{
		state->looks_up = state->pointers.roots != NULL &&
			(!state->thinned || state->nleaves % THINNED == 0);
		state->nleaves++;
		measure->skims = goes_by_sizes(state);
		if (!state->looks_up &&
			(measure->skims || all_differ(measure, state, block, page)))
			read_sizes(measure, state, block, page, totals);
		else
			read_leaf(measure, state, block, page, totals);
		totals[TOTAL_FREE_BYTES] = PageGetFreeSpace(page);
		totals[TOTAL_LEAF_FREE] = PageGetFreeSpace(page);
		totals[TOTAL_LEAVES] = 1;
		totals[TOTAL_NEED] = ops_btree_packs_pages(&state->packs) - before;
	}
	else
		totals[TOTAL_INNER_PAGES] = 1;
}

/*
 * Whether all that matters of most leaves is how long their entries are.
 */
static bool
goes_by_sizes(const BtreeState *state)
{
	return state->thinned &&
		(!state->dedup ||
		 (state->nleaves > ENOUGH_LEAVES &&
		  state->equal <= FEW_EQUAL * state->compared));
}

/*
 * Whether it does on a leaf whose entries all have keys of their own.
 */
static bool
all_differ(OpsBloatMeasure *measure, BtreeState *state, BlockNumber block,
		   Page page)
{
	OffsetNumber first = P_FIRSTDATAKEY(BTPageGetOpaque(page));
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	IndexTuple	previous = NULL;
	int			previous_size = 0;

	if (!state->thinned || state->groups)
		return false;
	for (OffsetNumber offset = first; offset <= last; offset++)
	{
		IndexTuple	entry = page_entry(measure, block, page,
									   PageGetItemId(page, offset));
		int			size = (int) IndexTupleSize(entry);

		if (BTreeTupleIsPosting(entry) ||
			(previous && size == previous_size &&
			 same_key(previous, entry, size)))
			return false;
		previous = entry;
		previous_size = size;
	}
	state->compared += last + 1 - first;
	return true;
}

/*
 * The parts that are gone by to find the items.
 */
static void
check_page(OpsBloatMeasure *measure, BlockNumber block, Page page)
{
	PageHeader	header = (PageHeader) page;

	if (header->pd_special != BLCKSZ - MAXALIGN(sizeof(BTPageOpaqueData)) ||
		header->pd_lower < SizeOfPageHeaderData ||
		header->pd_lower > header->pd_upper ||
		header->pd_upper > header->pd_special)
		corrupt_page(measure, block);
}

static void
read_leaf(OpsBloatMeasure *measure, BtreeState *state, BlockNumber block,
		  Page page, double *totals)
{
	BTPageOpaque opaque = BTPageGetOpaque(page);
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	double		pointers = 0;
	double		packed = 0;
	int			dead_bytes = 0;
	int			entries = 0;
	bool		continues = false;

	for (OffsetNumber offset = P_FIRSTDATAKEY(opaque); offset <= last; offset++)
	{
		ItemId		item = PageGetItemId(page, offset);
		IndexTuple	entry = page_entry(measure, block, page, item);
		int			size = (int) IndexTupleSize(entry);
		int			key_size = size;
		int			count = 1;
		int			live;

		if (BTreeTupleIsPosting(entry))
		{
			key_size = (int) BTreeTupleGetPostingOffset(entry);
			count = BTreeTupleGetNPosting(entry);
		}
		pointers += count;
		if (ItemIdIsDead(item))
		{
			dead_bytes += size + (int) sizeof(ItemIdData);
			continue;
		}

		begin_entry(state, entry, key_size);
		live = live_pointers(state, entry, count);
		state->group.pointers += live;
		if (live < count)
			dead_bytes += live == 0 ? size + (int) sizeof(ItemIdData) :
				(count - live) * (int) sizeof(ItemPointerData);
		entries += live > 0;
		packed += live;
	}

	/* Only a heap pointer tells the high key from the last entry. */
	if (!P_RIGHTMOST(opaque) && last >= P_HIKEY)
	{
		IndexTuple	high_key = page_entry(measure, block, page,
										  PageGetItemId(page, P_HIKEY));

		continues = BTreeTupleIsPivot(high_key) &&
			BTreeTupleGetHeapTID(high_key) != NULL;
	}
	flush_group(state, continues);
	ops_btree_pack_forget(&state->packs.mixed);
	ops_btree_pack_forget(&state->packs.runs);

	totals[TOTAL_LIVE] = entries;
	totals[TOTAL_POINTERS] = pointers;
	totals[TOTAL_PACKED_POINTERS] = packed;
	totals[TOTAL_DEAD_BYTES] = dead_bytes;
}

/*
 * Where neither equal keys nor single heap pointers matter, the line pointers
 * tell how long entries are.  Of a run of the same length only one is looked
 * at: in unique indexes, too, there are posting lists, of nulls for example.
 */
static void
read_sizes(OpsBloatMeasure *measure, BtreeState *state, BlockNumber block,
		   Page page, double *totals)
{
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	OffsetNumber offset = P_FIRSTDATAKEY(BTPageGetOpaque(page));
	double		packed = 0;
	int			entries = 0;
	int			dead_bytes = 0;

	while (offset <= last)
	{
		ItemId		item = PageGetItemId(page, offset);
		IndexTuple	entry = page_entry(measure, block, page, item);
		unsigned	length = ItemIdGetLength(item);
		int			count;

		if (BTreeTupleIsPosting(entry) && !ItemIdIsDead(item))
		{
			count = BTreeTupleGetNPosting(entry);
			ops_btree_pack_alike(&state->packs.mixed, entry,
								 (int) BTreeTupleGetPostingOffset(entry),
								 count);
			packed += count;
			entries++;
			offset++;
			continue;
		}
		count = count_alike(measure, block, page, offset);
		offset += count;
		if (ItemIdIsDead(item))
		{
			dead_bytes += count * (int) (length + sizeof(ItemIdData));
			totals[TOTAL_POINTERS] += count;
			continue;
		}
		ops_btree_pack_alike(&state->packs.mixed, entry, (int) length, count);
		packed += count;
		entries += count;
	}
	ops_btree_pack_forget(&state->packs.mixed);

	totals[TOTAL_LIVE] = entries;
	totals[TOTAL_POINTERS] += packed;
	totals[TOTAL_PACKED_POINTERS] = packed;
	totals[TOTAL_DEAD_BYTES] = dead_bytes;
}

/*
 * Items from this one on that are as long as it is, and dead if it is.
 */
static inline int
count_alike(OpsBloatMeasure *measure, BlockNumber block, Page page,
			OffsetNumber first)
{
	PageHeader	header = (PageHeader) page;
	ItemId		item = PageGetItemId(page, first);
	unsigned	length = item->lp_len;
	unsigned	flags = item->lp_flags;
	unsigned	lowest = header->pd_upper;
	unsigned	highest = header->pd_special - length;
	int			most = PageGetMaxOffsetNumber(page) + 1 - first;
	int			count = 1;

	for (; count < most; count++)
	{
		unsigned	offset = item[count].lp_off;

		if (item[count].lp_len != length || item[count].lp_flags != flags)
			break;
		if (offset < lowest || offset > highest || offset != MAXALIGN(offset))
			corrupt_page(measure, block);
	}
	return count;
}

/*
 * An entry that lies within its page, and its posting list within it.
 */
static inline IndexTuple
page_entry(OpsBloatMeasure *measure, BlockNumber block, Page page,
		   ItemId item)
{
	PageHeader	header = (PageHeader) page;
	unsigned	offset = ItemIdGetOffset(item);
	unsigned	length = ItemIdGetLength(item);
	IndexTuple	entry = (IndexTuple) ((char *) page + offset);
	Size		posting;

	if (offset < header->pd_upper || offset + length > header->pd_special ||
		offset != MAXALIGN(offset) || length < sizeof(IndexTupleData) ||
		IndexTupleSize(entry) < IndexInfoFindDataOffset(entry->t_info) ||
		IndexTupleSize(entry) > length)
		corrupt_page(measure, block);
	if (!BTreeTupleIsPosting(entry))
		return entry;

	posting = BTreeTupleGetPostingOffset(entry);
	if (BTreeTupleGetNPosting(entry) == 0 || posting != MAXALIGN(posting) ||
		posting < IndexInfoFindDataOffset(entry->t_info) ||
		posting + BTreeTupleGetNPosting(entry) * sizeof(ItemPointerData) >
		IndexTupleSize(entry))
		corrupt_page(measure, block);
	return entry;
}

/*
 * Entries of equal keys are packed together if a build would do so.
 */
static inline void
begin_entry(BtreeState *state, IndexTuple entry, int key_size)
{
	OpsBtreeGroup *group = &state->group;

	if (group->key != NULL)
	{
		if (state->dedup && group->key_size == key_size &&
			same_key(group->key, entry, key_size))
			return;
		flush_group(state, false);
	}
	group->key = entry;
	group->key_size = key_size;
}

/*
 * Mostly the first word tells, and a call of memcmp() is saved.
 */
static inline bool
same_key(IndexTuple a, IndexTuple b, int size)
{
	if (size >= sizeof(IndexTupleData) + sizeof(uint64) &&
		*(uint64 *) (a + 1) != *(uint64 *) (b + 1))
		return false;
	return IndexTupleHasNulls(a) == IndexTupleHasNulls(b) &&
		memcmp((char *) a + sizeof(IndexTupleData),
			   (char *) b + sizeof(IndexTupleData),
			   size - sizeof(IndexTupleData)) == 0;
}

static void
flush_group(BtreeState *state, bool continues)
{
	OpsBtreeGroup *group = &state->group;

	group->continues = continues;
	state->compared += group->pointers;
	if (group->pointers > 1)
		state->equal += group->pointers;
	if (state->groups)
		ops_btree_groups_end(state->groups, group);
	if (group->pointers > 0)
		ops_btree_packs_add(&state->packs, group);
	group->key = NULL;
	group->pointers = 0;
}

/*
 * Heap pointers of an entry that do not lead to a row known to be gone.
 */
static inline int
live_pointers(BtreeState *state, IndexTuple entry, int count)
{
	ItemPointer tids = BTreeTupleIsPosting(entry) ?
	BTreeTupleGetPosting(entry) : &entry->t_tid;
	OpsRootState fates[MaxTIDsPerBTreePage];
	int			live;

	if (!state->looks_up)
	{
		if (state->groups)
			ops_btree_groups_count(state->groups, count);
		return count;
	}
	live = ops_bloat_pointers_live(&state->pointers, tids, count, fates);
	if (state->groups)
		ops_btree_groups_add(state->groups, tids, fates, count);
	if (state->pointers.roots && count == 1)
		ops_bloat_pointers_sized(&state->pointers, fates[0],
								 MAXALIGN(IndexTupleSize(entry)) +
								 sizeof(ItemIdData));
	return state->thinned ? count : live;
}

static void
conclude(OpsBloatMeasure *measure, BtreeState *state)
{
	double		packed = measure->total[TOTAL_PACKED_POINTERS];
	double		error;
	double		dead = ops_bloat_pointers_dead(&state->pointers, packed,
											   &error);
	double		left_error = 0;
	double		left = state->groups ?
	ops_btree_groups_left(state->groups, dead, &left_error) : 1 - dead;
	double		shrinks = dead < 1 ?
	(1 - ops_bloat_pointers_dead_bytes(&state->pointers, dead)) / (1 - dead) : 1;
	double		leaves = measure->total[TOTAL_NEED] * left * shrinks;
	double		inner;
	double		margin = 0.005 * measure->nblocks + 0.5;

	if (measure->census)
		leaves = ceil(leaves - 1e-6);
	inner = ops_btree_pack_inner(&state->packs.mixed, &state->packs.runs,
								 leaves, measure->census);
	margin += 2.5 * hypot(error, left_error) * measure->total[TOTAL_NEED];
	if (dead > 0)
		margin += 0.005 * measure->nblocks;

	conclude_dead(measure, dead, packed);
	ops_bloat_conclude(measure, 1 + leaves + inner, margin);
}

/*
 * What the report says about entries, next to the pages.
 */
static void
conclude_dead(OpsBloatMeasure *measure, double dead, double packed)
{
	double	   *total = measure->total;
	double		leaf_space = BLCKSZ - SizeOfPageHeaderData -
	MAXALIGN(sizeof(BTPageOpaqueData));

	total[TOTAL_LIVE] *= 1 - dead;
	if (dead > 0)
	{
		double		used = total[TOTAL_LEAVES] * leaf_space -
		total[TOTAL_LEAF_FREE] - total[TOTAL_DEAD_BYTES];

		total[TOTAL_DEAD_BYTES] += dead * Max(used, 0);
	}
	if (total[TOTAL_POINTERS] > 0)
		measure->dead_entries =
			1 - packed * (1 - dead) / total[TOTAL_POINTERS];

	ops_bloat_detail(measure, "dead_entries_pct",
					 100 * measure->dead_entries, 1);
	ops_bloat_detail(measure, "deleted_pages", total[TOTAL_UNUSED_PAGES], 0);
	if (total[TOTAL_LEAVES] > 0)
		ops_bloat_detail(measure, "leaf_density_pct",
						 100 - 100 * total[TOTAL_LEAF_FREE] /
						 (total[TOTAL_LEAVES] * leaf_space), 1);
}

static void
corrupt_page(OpsBloatMeasure *measure, BlockNumber block)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("page %u of index \"%s\" is corrupt", block,
					RelationGetRelationName(measure->rel))));
}
