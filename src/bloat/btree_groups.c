/*-------------------------------------------------------------------------
 *
 * btree_groups.c
 *	  Groups of equal keys, some of whose rows are gone.
 *
 * A key that several entries share stays as long as one of them does, so it
 * matters which of them go together.  When rows get new versions with the same
 * key, one of each group stays; when rows are deleted by that key, none does;
 * and there is everything in between.
 *
 * How often two of a group share their fate tells how far it is one or the
 * other.  Where enough of the table's pages were read there are such pairs;
 * else all rows of some groups are looked up in the table.
 *
 * Groups are then packed with all of their entries, and with those that are
 * left.  Entries of unknown fate are drawn from an urn, to which balls of the
 * color drawn are added, or from which they are taken.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/btree_groups.h"
#include "bloat/heappage.h"
#include "bloat/roots.h"
#include "miscadmin.h"
#include "storage/itemptr.h"

/* Groups that are packed once more without their dead rows. */
#define MOST_KEPT 16384

/* So many of them tell how much depends on which entries go together. */
#define ENOUGH_KEPT 1024

/* Groups of either kind whose rows are looked up, if they have to be. */
#define MOST_PROBES 256

/* So many pairs from different pages need no more. */
#define ENOUGH_PAIRS 400

/* So many entries without an equal, likewise */
#define ENOUGH_SINGLES 200

/* Less than this share of the entries being dead, or in groups, is little. */
#define LITTLE 0.02

/* Entries of a group that are drawn one by one; more follow their mean. */
#define MOST_DRAWN 48

/* So many heap pointers as all others count as known to those of a class. */
#define PRIOR_KNOWN 20.0

/* So many pairs, likewise. */
#define PRIOR_PAIRS 40.0

static void note_fates(OpsBtreeGroups *groups, int size);
static void note_pairs(OpsBtreeGroups *groups);
static void note_pair(OpsFatePairs *pairs, bool live, bool other,
					  double weight);
static void draw_probe(OpsBtreeGroups *groups, OpsProbes *probes);
static void keep_group(OpsBtreeGroups *groups);
static void probe(OpsBtreeGroups *groups, const OpsProbes *probes);
static void note_probed(OpsBtreeGroups *groups, const OpsProbedGroup *probed,
						const struct OpsHeapRoots *roots);
static void probe_page(OpsBtreeGroups *groups, OpsHeapReader *reader,
					   struct OpsHeapRoots *roots, BlockNumber block);
static int	compare_blocks(const void *a, const void *b);
static void dead_by_size(OpsBtreeGroups *groups, double dead, double singles,
						 double *share);
static double singles_error(const OpsBtreeGroups *groups, double dead);
static double likeness(const OpsFatePairs *pairs);
static double likeness_error(OpsBtreeGroups *groups);
static double pack_left(OpsBtreeGroups *groups, const double *share,
						double shift, int count);
static int	draw_live(pg_prng_state *random, const OpsKeptGroup *kept,
					  double live, double contagion);

OpsBtreeGroups *
ops_btree_groups_create(OpsBloatMeasure *measure, bool all_packed)
{
	OpsBtreeGroups *groups = palloc0(sizeof(OpsBtreeGroups));

	groups->measure = measure;
	groups->kept = palloc(MOST_KEPT * sizeof(OpsKeptGroup));
	groups->singles.group = palloc(MOST_PROBES * sizeof(OpsProbedGroup));
	groups->few.group = palloc(MOST_PROBES * sizeof(OpsProbedGroup));
	groups->all_packed = all_packed;
	groups->stride = 1;
	groups->heap_share = ops_roots_share(measure->roots);
	pg_prng_seed(&groups->random, measure->seed);
	return groups;
}

/*
 * Heap pointers of one entry of the group at hand.
 */
void
ops_btree_groups_add(OpsBtreeGroups *groups, ItemPointer tids,
					 const OpsRootState *fates, int count)
{
	OpsKeptGroup *current = &groups->current;

	groups->looked_up = true;
	for (int i = 0; i < count; i++)
	{
		if (current->pointers < OPS_MANY_EQUAL)
		{
			groups->tids[current->pointers] = tids[i];
			groups->fates[current->pointers] = fates[i];
		}
		current->pointers++;
		current->live += fates[i] == ROOT_LIVE;
		current->dead += fates[i] == ROOT_DEAD;
	}
}

void
ops_btree_groups_count(OpsBtreeGroups *groups, int count)
{
	groups->current.pointers += count;
}

void
ops_btree_groups_end(OpsBtreeGroups *groups, const OpsBtreeGroup *group)
{
	OpsKeptGroup *current = &groups->current;
	int			size = Min(current->pointers, OPS_MANY_EQUAL);

	if (current->pointers == 0)
		return;
	current->key_size = (uint16) group->key_size;
	current->continues = group->continues;
	if (groups->looked_up)
		note_fates(groups, size);
	keep_group(groups);
	memset(current, 0, sizeof(*current));
	groups->looked_up = false;
}

static void
note_fates(OpsBtreeGroups *groups, int size)
{
	const OpsKeptGroup *current = &groups->current;

	groups->pointers += current->pointers;
	groups->known_live[size] += current->live;
	groups->known_dead[size] += current->dead;
	if (current->live + current->dead > 1)
		note_pairs(groups);
	if (size < OPS_MANY_EQUAL)
		draw_probe(groups, size == 1 ? &groups->singles : &groups->few);
}

/*
 * Two rows of one page are known more often than two of different pages, and
 * count the less.
 */
static void
note_pairs(OpsBtreeGroups *groups)
{
	int			size = Min(groups->current.pointers, OPS_MANY_EQUAL);

	for (int i = 1; i < size; i++)
	{
		for (int j = 0; j < i; j++)
		{
			BlockNumber block = ItemPointerGetBlockNumberNoCheck(&groups->tids[i]);
			bool		same_page =
			block == ItemPointerGetBlockNumberNoCheck(&groups->tids[j]);

			if (groups->fates[i] == ROOT_UNKNOWN ||
				groups->fates[j] == ROOT_UNKNOWN)
				continue;
			if (!same_page)
				groups->known_pairs++;
			note_pair(&groups->pairs[size], groups->fates[i] == ROOT_LIVE,
					  groups->fates[j] == ROOT_LIVE,
					  same_page ? groups->heap_share : 1);
		}
	}
}

static void
note_pair(OpsFatePairs *pairs, bool live, bool other, double weight)
{
	pairs->pairs += weight;
	if (live == other)
		pairs->alike += weight;
	pairs->live += weight * (live + other);
}

/*
 * Each small group is as likely as the others to be looked up.
 */
static void
draw_probe(OpsBtreeGroups *groups, OpsProbes *probes)
{
	int			place = probes->count;

	probes->seen++;
	probes->pointers += groups->current.pointers;
	if (place < MOST_PROBES)
		probes->count++;
	else
	{
		double		draw = pg_prng_uint32(&groups->random) * probes->seen;

		draw /= UINT64CONST(1) << 32;
		if (draw >= MOST_PROBES)
			return;
		place = (int) draw;
	}
	probes->group[place].pointers = groups->current.pointers;
	memcpy(probes->group[place].tids, groups->tids, sizeof(groups->tids));
}

/*
 * When there is no more room, every second one has to do.
 */
static void
keep_group(OpsBtreeGroups *groups)
{
	OpsKeptGroup *kept;

	if (--groups->skip > 0)
		return;
	groups->skip = groups->stride;
	if (groups->nkept == MOST_KEPT)
	{
		groups->nkept /= 2;
		for (int i = 0; i < groups->nkept; i++)
			groups->kept[i] = groups->kept[i * 2];
		groups->stride *= 2;
	}
	kept = &groups->kept[groups->nkept++];
	*kept = groups->current;
	if (groups->all_packed)
		kept->live = kept->dead = 0;
}

double
ops_btree_groups_left(OpsBtreeGroups *groups, double dead, double *error)
{
	double		share[OPS_MANY_EQUAL + 1];
	int			some = Min(groups->nkept, ENOUGH_KEPT);
	double		usual;
	double		left;

	*error = 0;
	if (dead <= 0 || dead >= 1 || groups->nkept == 0)
		return 1 - dead;

	if (dead > LITTLE && groups->heap_share < 1)
	{
		double		known = groups->known_live[1] + groups->known_dead[1];
		double		singles = groups->singles.pointers / groups->pointers;

		if (known < ENOUGH_SINGLES && singles > LITTLE &&
			singles < 1 - LITTLE)
			probe(groups, &groups->singles);
		if (groups->known_pairs < ENOUGH_PAIRS &&
			groups->few.pointers > LITTLE * groups->pointers)
		{
			memset(groups->pairs, 0, sizeof(groups->pairs));
			groups->heap_share = 1;
			probe(groups, &groups->few);
		}
	}
	dead_by_size(groups, dead, 0, share);
	left = pack_left(groups, share, 0, groups->nkept);
	usual = pack_left(groups, share, 0, some);
	*error = pack_left(groups, share, likeness_error(groups), some) - usual;
	dead_by_size(groups, dead, singles_error(groups, dead), share);
	*error = hypot(*error, pack_left(groups, share, 0, some) - usual);
	return left;
}

/*
 * Look up the rows of the groups that were drawn, page after page.
 */
static void
probe(OpsBtreeGroups *groups, const OpsProbes *probes)
{
	Relation	heap = groups->measure->heap;
	BlockNumber nblocks = RelationGetNumberOfBlocks(heap);
	OpsBloatMeasure measure = {
		.rel = heap,
		.nblocks = nblocks,
		.horizon = groups->measure->horizon,
	};
	OpsHeapReader reader;
	BlockNumber *blocks = palloc(MOST_PROBES * OPS_MANY_EQUAL *
								 sizeof(BlockNumber));
	int			count = 0;

	measure.wants_roots = true;
	ops_heap_reader_begin(&reader, &measure, ops_heap_ignore_row);
	for (int i = 0; i < probes->count; i++)
	{
		for (int j = 0; j < probes->group[i].pointers; j++)
			blocks[count++] =
				ItemPointerGetBlockNumberNoCheck(&probes->group[i].tids[j]);
	}
	qsort(blocks, count, sizeof(BlockNumber), compare_blocks);
	for (int i = 0; i < count; i++)
	{
		if (blocks[i] < nblocks && (i == 0 || blocks[i] != blocks[i - 1]))
			probe_page(groups, &reader, measure.roots, blocks[i]);
	}

	for (int i = 0; i < probes->count; i++)
		note_probed(groups, &probes->group[i], measure.roots);
	memset(&groups->current, 0, sizeof(groups->current));
	pfree(blocks);
}

/*
 * What was found out about a group.
 */
static void
note_probed(OpsBtreeGroups *groups, const OpsProbedGroup *probed,
			const struct OpsHeapRoots *roots)
{
	int			size = probed->pointers;

	groups->current.pointers = size;
	for (int i = 0; i < size; i++)
	{
		groups->tids[i] = probed->tids[i];
		groups->fates[i] = ops_bloat_root(roots, &groups->tids[i]);
		if (groups->fates[i] == ROOT_LIVE)
			groups->known_live[size]++;
		else if (groups->fates[i] == ROOT_DEAD)
			groups->known_dead[size]++;
	}
	note_pairs(groups);
}

static void
probe_page(OpsBtreeGroups *groups, OpsHeapReader *reader,
		   struct OpsHeapRoots *roots, BlockNumber block)
{
	OpsBloatMeasure *measure = groups->measure;
	OpsBloatMeasure heap = {.rel = measure->heap,.roots = roots};
	double		totals[NUM_TOTALS] = {0};
	Buffer		buffer;
	Page		page;

	CHECK_FOR_INTERRUPTS();
	buffer = ReadBufferExtended(measure->heap, MAIN_FORKNUM, block,
								RBM_NORMAL, measure->ring);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (!PageIsNew(page))
	{
		ops_bloat_check_header(measure->heap, block, page);
		ops_heap_page(&heap, reader, block, page, totals);
	}
	UnlockReleaseBuffer(buffer);
}

static int
compare_blocks(const void *a, const void *b)
{
	BlockNumber left = *(const BlockNumber *) a;
	BlockNumber right = *(const BlockNumber *) b;

	return left < right ? -1 : left > right;
}

/*
 * The share of the heap pointers of groups of each size that is dead, as far
 * as is known, such that it comes to the share of all that is.  For those of
 * one pointer it can be tried how much depends on it.
 */
static void
dead_by_size(OpsBtreeGroups *groups, double dead, double singles,
			 double *share)
{
	double		known_live = 0;
	double		known_dead = 0;
	double		all = 0;
	double		gone = 0;
	double		common;

	for (int i = 0; i <= OPS_MANY_EQUAL; i++)
	{
		known_live += groups->known_live[i];
		known_dead += groups->known_dead[i];
	}
	common = (known_dead + PRIOR_KNOWN * dead) /
		(known_live + known_dead + PRIOR_KNOWN);
	for (int i = 0; i <= OPS_MANY_EQUAL; i++)
		share[i] = (groups->known_dead[i] + PRIOR_KNOWN * common) /
			(groups->known_live[i] + groups->known_dead[i] + PRIOR_KNOWN);
	share[1] = Min(share[1] + singles, 1);

	for (int i = 0; i < groups->nkept; i++)
	{
		OpsKeptGroup *kept = &groups->kept[i];

		all += kept->pointers - kept->dead;
		gone += (kept->pointers - kept->live - kept->dead) *
			share[Min(kept->pointers, OPS_MANY_EQUAL)];
	}
	if (gone <= 0)
		return;
	for (int i = 0; i <= OPS_MANY_EQUAL; i++)
		share[i] = Min(share[i] * dead * all / gone, 1);
}

/*
 * Standard error of the share of those that share their key with no other.
 */
static double
singles_error(const OpsBtreeGroups *groups, double dead)
{
	double		known = groups->known_live[1] + groups->known_dead[1];

	return sqrt(dead * (1 - dead) / (known + 1));
}

/*
 * The correlation of two of a group: 1 if they share their fate, 0 if they
 * have nothing to do with each other.
 */
static double
likeness(const OpsFatePairs *pairs)
{
	double		live;
	double		by_chance;

	if (pairs->pairs <= 0)
		return 0;
	live = pairs->live / (2 * pairs->pairs);
	by_chance = live * live + (1 - live) * (1 - live);
	if (by_chance > 0.999)
		return 0;
	return (pairs->alike / pairs->pairs - by_chance) / (1 - by_chance);
}

/*
 * Whatever the size of the group.
 */
static OpsFatePairs
all_pairs(OpsBtreeGroups *groups)
{
	OpsFatePairs all = {0};

	for (int i = 0; i <= OPS_MANY_EQUAL; i++)
	{
		all.pairs += groups->pairs[i].pairs;
		all.alike += groups->pairs[i].alike;
		all.live += groups->pairs[i].live;
	}
	return all;
}

/*
 * Standard error of it.
 */
static double
likeness_error(OpsBtreeGroups *groups)
{
	OpsFatePairs all = all_pairs(groups);
	double		live = all.pairs > 0 ? all.live / (2 * all.pairs) : 0.5;
	double		alike = (all.alike + 1) / (all.pairs + 2);
	double		unlike = Max(2 * live * (1 - live), 0.02);

	return Min(sqrt(alike * (1 - alike) / (all.pairs + 1)) / unlike, 0.5);
}

/*
 * The packed pages with what is left of the groups, as a share of those with
 * everything.
 */
static double
pack_left(OpsBtreeGroups *groups, const double *share, double shift,
		  int count)
{
	OpsFatePairs all = all_pairs(groups);
	double		common = likeness(&all) * all.pairs /
	(all.pairs + PRIOR_PAIRS);
	double		contagion[OPS_MANY_EQUAL + 1] = {0};
	OpsBtreePacks before;
	OpsBtreePacks after;
	pg_prng_state random;
	double		owed = 0;

	for (int i = 2; i <= OPS_MANY_EQUAL; i++)
	{
		double		pairs = groups->pairs[i].pairs;
		double		alike = (pairs * likeness(&groups->pairs[i]) +
							 PRIOR_PAIRS * common) / (pairs + PRIOR_PAIRS);

		alike = Min(Max(alike + shift, -1.0 / (i - 1)), 0.99);
		contagion[i] = alike / (1 - alike);
	}

	ops_btree_packs_init(&before, groups->measure->rel, true);
	ops_btree_packs_init(&after, groups->measure->rel, true);
	pg_prng_seed(&random, groups->measure->seed);
	for (int i = 0; i < count; i++)
	{
		OpsKeptGroup *kept = &groups->kept[i];
		int			size = Min(kept->pointers, OPS_MANY_EQUAL);
		OpsBtreeGroup group = {
			.key_size = kept->key_size,
			.pointers = kept->pointers - kept->dead,
			.continues = kept->continues,
		};

		if (group.pointers == 0)
			continue;
		ops_btree_packs_add(&before, &group);
		group.pointers = kept->live;
		if (kept->pointers > 1)
			group.pointers += draw_live(&random, kept, 1 - share[size],
										contagion[size]);
		else if (kept->live + kept->dead == 0)
		{
			/* Single ones go in turn. */
			owed += 1 - share[1];
			group.pointers = owed >= 1;
			owed -= group.pointers;
		}
		if (group.pointers > 0)
			ops_btree_packs_add(&after, &group);
	}
	return ops_btree_packs_pages(&after) / ops_btree_packs_pages(&before);
}

/*
 * How many of a group's heap pointers of unknown fate are live.
 *
 * Many take space in proportion to their number, so that it does not matter
 * which of them go together.
 */
static int
draw_live(pg_prng_state *random, const OpsKeptGroup *kept, double live,
		  double contagion)
{
	int			unknown = kept->pointers - kept->live - kept->dead;
	int			known = kept->live + kept->dead;
	int			known_live = kept->live;

	if (unknown > MOST_DRAWN)
		return (int) rint(unknown * live);

	for (int i = 0; i < unknown; i++)
	{
		double		balls = 1 + contagion * known;
		double		chance = live;

		if (balls > 0.001)
			chance = (live + contagion * known_live) / balls;
		known_live += pg_prng_uint32(random) < chance * PG_UINT32_MAX;
		known++;
	}
	return known_live - kept->live;
}

void
ops_btree_packs_init(OpsBtreePacks *packs, Relation rel, bool dedup)
{
	ops_btree_pack_init(&packs->mixed, rel, dedup);
	ops_btree_pack_init(&packs->runs, rel, dedup);
}

/*
 * A key that fills pages fills them with posting lists of full size only,
 * which leave more or less of a page free than when mixed with others.
 */
void
ops_btree_packs_add(OpsBtreePacks *packs, const OpsBtreeGroup *group)
{
	bool		run = group->continues && group->pointers >
	ops_btree_posting_pointers(&packs->runs, group->key_size);

	ops_btree_pack_group(run ? &packs->runs : &packs->mixed, group);
}

double
ops_btree_packs_pages(const OpsBtreePacks *packs)
{
	return ops_btree_pack_pages(&packs->mixed) +
		ops_btree_pack_pages(&packs->runs);
}
