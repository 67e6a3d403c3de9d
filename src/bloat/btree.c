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
#include "bloat/btree_pack.h"
#include "bloat/pointers.h"
#include "common/pg_prng.h"
#include "utils/rel.h"

#define TOTAL_PACKED_POINTERS	TOTAL_OWN_1
#define TOTAL_LEAVES			TOTAL_OWN_2
#define TOTAL_LEAF_FREE			TOTAL_OWN_3

/* Groups of equal keys that are packed once more without their dead rows. */
#define MOST_KEPT_GROUPS 200000

/* Above that many heap pointers, the dead ones are drawn all at once. */
#define MANY_POINTERS 48

/* Groups of that many heap pointers, or more, are alike. */
#define MANY_EQUAL 8

/* So many heap pointers as all others count as known to those of a class. */
#define PRIOR_KNOWN 20.0

/* A group that was packed, for another time. */
typedef struct KeptGroup
{
	uint16		key_size;
	uint16		pointers;		/* all, also those known to be ... */
	uint16		live;
	uint16		dead;
	bool		continues;
} KeptGroup;

typedef struct Packs
{
	OpsBtreePack mixed;
	OpsBtreePack runs;			/* full posting lists of one key */
} Packs;

typedef struct BtreeState
{
	bool		dedup;
	Packs		packs;
	OpsBtreeGroup group;		/* of equal keys, not packed yet */
	KeptGroup	fate;			/* the same */
	OpsBloatPointers pointers;
	KeptGroup  *kept;			/* NULL if not of use */
	int			nkept;
	double		known_live[MANY_EQUAL + 1]; /* by pointers of the group */
	double		known_dead[MANY_EQUAL + 1];
} BtreeState;

static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static void check_page(OpsBloatMeasure *measure, BlockNumber block,
					   Page page);
static void read_leaf(OpsBloatMeasure *measure, BtreeState *state,
					  BlockNumber block, Page page, double *totals);
static inline IndexTuple page_entry(OpsBloatMeasure *measure,
									BlockNumber block, Page page,
									ItemId item);
static inline void begin_entry(BtreeState *state, IndexTuple entry,
							   int key_size);
static inline bool same_key(IndexTuple a, IndexTuple b, int size);
static void flush_group(BtreeState *state, bool continues);
static inline int live_pointers(BtreeState *state, IndexTuple entry,
								int count);
static void keep_group(BtreeState *state);
static void init_packs(Packs *packs, Relation rel, bool dedup);
static void pack_group(Packs *packs, const OpsBtreeGroup *group);
static double packed_pages(const Packs *packs);
static double share_left(OpsBloatMeasure *measure, BtreeState *state,
						 double dead);
static void dead_by_size(BtreeState *state, double dead, double *share);
static int	draw_live(pg_prng_state *random, int pointers, double dead);
static int	round_live(pg_prng_state *random, int pointers, double live);
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
	init_packs(&state->packs, rel, state->dedup);
	ops_bloat_pointers_init(&state->pointers, measure,
							RelationGetIndexPredicate(rel) == NIL);
	if (state->pointers.roots && state->dedup)
		state->kept = palloc(MOST_KEPT_GROUPS * sizeof(KeptGroup));

	ops_bloat_sample(measure, BTREE_METAPAGE + 1, read_page, state);
	conclude(measure, state);
}

static void
read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block, Page page,
		  double *totals)
{
	BtreeState *state = arg;
	BTPageOpaque opaque;
	double		before = packed_pages(&state->packs);

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
		read_leaf(measure, state, block, page, totals);
		totals[TOTAL_NEED] = packed_pages(&state->packs) - before;
	}
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
	totals[TOTAL_FREE_BYTES] = PageGetFreeSpace(page);
	totals[TOTAL_LEAF_FREE] = PageGetFreeSpace(page);
	totals[TOTAL_LEAVES] = 1;
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
	if (state->kept)
		keep_group(state);
	if (group->pointers > 0)
		pack_group(&state->packs, group);
	group->key = NULL;
	group->pointers = 0;
}

/*
 * Heap pointers of an entry that do not lead to a row known to be gone.
 */
static inline int
live_pointers(BtreeState *state, IndexTuple entry, int count)
{
	OpsBloatPointers *pointers = &state->pointers;
	double		known_live = pointers->known_live;
	double		known_dead = pointers->known_dead;
	ItemPointer tids = BTreeTupleIsPosting(entry) ?
	BTreeTupleGetPosting(entry) : &entry->t_tid;
	int			live;

	if (pointers->roots == NULL)
		return count;
	live = ops_bloat_pointers_live(pointers, tids, count);
	state->fate.pointers += count;
	state->fate.live += (uint16) (pointers->known_live - known_live);
	state->fate.dead += (uint16) (pointers->known_dead - known_dead);
	return live;
}

static void
keep_group(BtreeState *state)
{
	KeptGroup  *fate = &state->fate;
	int			size = Min(fate->pointers, MANY_EQUAL);

	state->known_live[size] += fate->live;
	state->known_dead[size] += fate->dead;
	fate->key_size = (uint16) state->group.key_size;
	fate->continues = state->group.continues;
	if (state->nkept < MOST_KEPT_GROUPS && fate->pointers > 0)
		state->kept[state->nkept++] = *fate;
	memset(fate, 0, sizeof(*fate));
}

static void
init_packs(Packs *packs, Relation rel, bool dedup)
{
	ops_btree_pack_init(&packs->mixed, rel, dedup);
	ops_btree_pack_init(&packs->runs, rel, dedup);
}

/*
 * A key that fills pages fills them with posting lists of full size only,
 * which leave more or less of a page free than when mixed with others.
 */
static void
pack_group(Packs *packs, const OpsBtreeGroup *group)
{
	bool		run = group->continues && group->pointers >
	ops_btree_posting_pointers(&packs->runs, group->key_size);

	ops_btree_pack_group(run ? &packs->runs : &packs->mixed, group);
}

static double
packed_pages(const Packs *packs)
{
	return ops_btree_pack_pages(&packs->mixed) +
		ops_btree_pack_pages(&packs->runs);
}

/*
 * The share of the packed pages that is left when a share of the entries
 * goes.  A key that others share stays as long as one entry is left.
 *
 * If the only entries of their key are dead less often than others, entries
 * die because a row gets a new version with the same key.  Then it is not by
 * chance that one of a group is left.
 */
static double
share_left(OpsBloatMeasure *measure, BtreeState *state, double dead)
{
	Packs		all;
	Packs		left;
	pg_prng_state random;
	double		share[MANY_EQUAL + 1];
	bool		replaced;

	if (dead <= 0 || dead >= 1 || state->nkept == 0)
		return 1 - dead;

	dead_by_size(state, dead, share);
	replaced = share[1] < 0.5 * dead;
	init_packs(&all, measure->rel, true);
	init_packs(&left, measure->rel, true);
	pg_prng_seed(&random, measure->seed);
	for (int i = 0; i < state->nkept; i++)
	{
		KeptGroup  *kept = &state->kept[i];
		int			unknown = kept->pointers - kept->live - kept->dead;
		double		gone = share[Min(kept->pointers, MANY_EQUAL)];
		int			live;
		OpsBtreeGroup group = {
			.key_size = kept->key_size,
			.pointers = unknown + kept->live,
			.continues = kept->continues,
		};

		if (group.pointers == 0)
			continue;
		pack_group(&all, &group);
		if (replaced)
			live = round_live(&random, unknown,
							  kept->pointers * (1 - gone) - kept->live);
		else
			live = draw_live(&random, unknown, gone);
		group.pointers = kept->live + live;
		if (group.pointers > 0)
			pack_group(&left, &group);
	}
	return packed_pages(&left) / packed_pages(&all);
}

/*
 * The share of the heap pointers of groups of each size that is dead, as far
 * as is known, such that it comes to the share of all that is.
 */
static void
dead_by_size(BtreeState *state, double dead, double *share)
{
	double		known_live = 0;
	double		known_dead = 0;
	double		all = 0;
	double		gone = 0;
	double		common;

	for (int i = 0; i <= MANY_EQUAL; i++)
	{
		known_live += state->known_live[i];
		known_dead += state->known_dead[i];
	}
	common = known_live + known_dead > 0 ?
		known_dead / (known_live + known_dead) : dead;
	for (int i = 0; i <= MANY_EQUAL; i++)
		share[i] = (state->known_dead[i] + PRIOR_KNOWN * common) /
			(state->known_live[i] + state->known_dead[i] + PRIOR_KNOWN);

	for (int i = 0; i < state->nkept; i++)
	{
		KeptGroup  *kept = &state->kept[i];

		all += kept->pointers - kept->dead;
		gone += (kept->pointers - kept->live - kept->dead) *
			share[Min(kept->pointers, MANY_EQUAL)];
	}
	if (gone <= 0)
		return;
	for (int i = 0; i <= MANY_EQUAL; i++)
		share[i] = Min(share[i] * dead * all / gone, 1);
}

/*
 * So many of them, rounded up or down by chance.
 */
static int
round_live(pg_prng_state *random, int pointers, double live)
{
	live = floor(live + pg_prng_double(random));
	return (int) Min(Max(live, 0), pointers);
}

/*
 * How many of a group's entries are left, by chance.
 */
static int
draw_live(pg_prng_state *random, int pointers, double dead)
{
	double		sum = 0;
	int			live = 0;

	if (pointers <= MANY_POINTERS)
	{
		for (int i = 0; i < pointers; i++)
			live += pg_prng_double(random) >= dead;
		return live;
	}

	/* Twelve draws add up to a normal one. */
	for (int i = 0; i < 12; i++)
		sum += pg_prng_double(random) - 0.5;
	live = (int) rint(pointers * (1 - dead) +
					  sum * sqrt(pointers * dead * (1 - dead)));
	return Min(Max(live, 0), pointers);
}

static void
conclude(OpsBloatMeasure *measure, BtreeState *state)
{
	double		packed = measure->total[TOTAL_PACKED_POINTERS];
	double		error;
	double		dead = ops_bloat_pointers_dead(&state->pointers, packed,
											   &error);
	double		left = share_left(measure, state, dead);
	double		leaves = measure->total[TOTAL_NEED] * left;
	double		inner;
	double		margin = 0.005 * measure->nblocks + 0.5;

	if (measure->census)
		leaves = ceil(leaves - 1e-6);
	inner = ops_btree_pack_inner(&state->packs.mixed, &state->packs.runs,
								 leaves, measure->census);
	margin += 2 * error * measure->total[TOTAL_NEED];
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
