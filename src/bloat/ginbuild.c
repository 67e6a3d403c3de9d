/*-------------------------------------------------------------------------
 *
 * ginbuild.c
 *	  How a build fills the entry pages of a GIN index.
 *
 * A build gathers entries in memory, sorted, and inserts them when
 * maintenance_work_mem is full and at the end.  A page that overflows is cut
 * in the middle whatever comes, so what fits into memory at once leaves pages
 * half full.  Every further round adds its rows to the entries that are
 * there: pages grow towards full, all at about the same time, and are cut
 * again.  So density goes up and down with the number of rounds, and a
 * constant will not do.  Also, an entry that outgrows a third of a page moves
 * its rows into a posting tree and leaves a hole.
 *
 * Therefore the rounds are played with the entries of the sampled pages, as
 * if the index had no others: their sizes are what matters, not their keys.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/gin_private.h"
#include "bloat/ginpages.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Rounds that are played; more are as if there were just so many. */
#define MAX_ROUNDS			48

/* Steps that a play can take, entries times rounds. */
#define MAX_STEPS			400000

/* Of 2^32 */
#define GOLDEN_RATIO		UINT32_C(2654435769)

/* How far the number of rounds can be off, relative. */
#define ROUNDS_DOUBT		0.08
#define SURELY_ONE_ROUND	0.92

/* Entries from which the number of rounds is reckoned. */
#define MAX_RECKONED		6000

/* Steps that close in on the number of rounds. */
#define HALVINGS			12

/* A posting list on an entry page: its first row is not compressed. */
#define LIST_HEADER			offsetof(GinPostingList, bytes)

/* Memory of a palloc'ed chunk before its data. */
#define CHUNK_HEADER		(sizeof(Size) * 2)

/* A leaf page: the keys it covers, whether they are there yet or not. */
typedef struct Leaf
{
	int			first;
	int			end;
	int			bytes;
} Leaf;

/* The pages of one round, in key order. */
typedef struct Leaves
{
	Leaf	   *leaf;
	int			count;
	int			space;
} Leaves;

typedef struct Play
{
	const OpsGinBuild *build;
	OpsGinEntry *entries;
	uint16	   *bytes;			/* of each entry as it is now, 0: not there */
	Leaves		before;			/* this round */
	Leaves		after;
} Play;

static void play_build(const OpsGinBuild *build, double rounds, int max_steps,
					   OpsGinBuilt *built);
static double count_rounds(const OpsGinBuild *build);
static double memory_of_round(const OpsGinBuild *build, double share);
static double dead_share(const OpsGinBuild *build, const OpsGinEntry *entry);
static double tree_rows(const OpsGinBuild *build, int i);
static double chunk(double bytes);
static double list_memory(double tids, double rounds);
static void play_round(Play *play, double end);
static int	entry_bytes(const Play *play, int i, double end);
static int	split(const Play *play, const Leaf *leaf, int *left_bytes);
static void add_leaf(Leaves *leaves, const Leaf *leaf);
static double inner_pages(const Play *play);

/*
 * Build it.
 *
 * Just before pages are full all at once, or lists become trees, a little less
 * memory in fact than here makes half of them more; so much is in doubt, and
 * the mean is the best guess.
 */
void
ops_gin_build(const OpsGinBuild *build, OpsGinBuilt *built)
{
	double		rounds = count_rounds(build);
	double		least;
	double		most;
	double		sum;

	play_build(build, rounds, MAX_STEPS, built);
	if (rounds <= SURELY_ONE_ROUND || built->bytes <= 0)
		return;
	least = most = sum = built->leaves / built->bytes;
	for (int i = -1; i <= 1; i += 2)
	{
		OpsGinBuilt other;
		double		leaves;

		play_build(build, Max(rounds * (1 + i * ROUNDS_DOUBT), 1),
				   MAX_STEPS / 3, &other);
		leaves = other.bytes > 0 ? other.leaves / other.bytes : least;
		least = Min(least, leaves);
		most = Max(most, leaves);
		sum += leaves;
	}
	built->leaves = built->bytes * sum / 3;
	built->sway = Max(most * 3 / sum - 1, 1 - least * 3 / sum);
}

/*
 * A row is stored as the distance from the one before, seven bits a byte.
 */
double
ops_gin_gap_bytes(double dead)
{
	return -log2(Max(1 - dead, 1e-3)) / 7;
}

/*
 * Keep the entries of one page in so many; returns how many are left.
 */
int
ops_gin_thin_out(OpsGinEntry *entries, int nentries, uint32 stride)
{
	int			kept = 0;

	for (int i = 0; i < nentries; i++)
	{
		if (entries[i].page % stride == 0)
			entries[kept++] = entries[i];
	}
	return kept;
}

static void
play_build(const OpsGinBuild *build, double rounds, int max_steps,
		   OpsGinBuilt *built)
{
	int			nrounds = (int) Max(Min(ceil(rounds), MAX_ROUNDS), 1);
	double		steps = (double) build->nentries * nrounds;
	Play		play = {.build = build};
	Leaf		root = {0};

	play.entries = palloc(build->nentries * sizeof(OpsGinEntry));
	memcpy(play.entries, build->entries,
		   build->nentries * sizeof(OpsGinEntry));
	root.end = ops_gin_thin_out(play.entries, build->nentries,
								(uint32) (steps / max_steps) + 1);
	play.bytes = palloc0((root.end + 1) * sizeof(uint16));
	add_leaf(&play.before, &root);

	for (int i = 0; i < nrounds; i++)
	{
		double		end = (i + 1) / Min(Max(rounds, 1), MAX_ROUNDS);
		Leaves		spent = play.before;

		CHECK_FOR_INTERRUPTS();
		play_round(&play, Min(end, 1));
		play.before = play.after;
		play.after = spent;
		play.after.count = 0;
	}

	memset(built, 0, sizeof(OpsGinBuilt));
	built->rounds = rounds;
	built->leaves = play.before.count;
	for (int i = 0; i < play.before.count; i++)
		built->bytes += play.before.leaf[i].bytes;
	built->inner = inner_pages(&play);
	if (root.end > 0 && root.end < build->nentries)
	{
		double		rest = (double) build->nentries / root.end;

		built->leaves *= rest;
		built->bytes *= rest;
		built->inner *= rest;
	}
	pfree(play.entries);
	pfree(play.bytes);
}

/*
 * Times that the entries fill the memory, the last time perhaps in part.
 */
static double
count_rounds(const OpsGinBuild *build)
{
	double		low = 1e-4;
	double		high = 1;
	double		share;
	double		memory = memory_of_round(build, 1);

	if (memory <= build->memory)
		return memory / build->memory;

	/* Memory grows in steps, where lists of a size are doubled. */
	for (int i = 0; i < HALVINGS; i++)
	{
		share = sqrt(low * high);
		if (memory_of_round(build, share) > build->memory)
			high = share;
		else
			low = share;
	}
	return 1 / sqrt(low * high);
}

/*
 * Memory that this share of the table takes.
 *
 * Rows of an entry fall into rounds at random, between its first and last
 * block.  In each round where it comes up it costs its key, too.
 */
static double
memory_of_round(const OpsGinBuild *build, double share)
{
	int			step = build->nentries / MAX_RECKONED + 1;
	double		memory = 0;

	for (int i = 0; i < build->nentries; i += step)
	{
		const OpsGinEntry *entry = &build->entries[i];
		double		tids = entry->ntids;
		double		span = ((double) entry->last - entry->first + 1) /
		Max(build->heap_blocks, 1);
		double		windows;
		double		rounds;

		if (entry->ntids == 0)
		{
			tids = tree_rows(build, i);
			span = 1;
		}

		/* The outermost of some random rows lie within their range. */
		else if (tids > 1)
			span = Min(span * (tids + 1) / (tids - 1), 1);
		tids = Max(tids * (1 - dead_share(build, entry)), 1);
		windows = Max(span / share, 1);
		rounds = Max(windows * (1 - pow(1 - 1 / windows, tids)), 1);
		memory += rounds * (sizeof(GinEntryAccumulator) +
							(entry->datum > 0 ? chunk(entry->datum) : 0) +
							list_memory(tids / rounds, windows));
	}
	return memory * step * share * build->scale;
}

/*
 * Rows of a posting tree: those of some that is known, or the mean.
 */
static double
tree_rows(const OpsGinBuild *build, int i)
{
	const OpsGinTree *tree;

	if (build->ntrees == 0)
		return build->tree_tids;
	tree = &build->trees[murmurhash32(i) % build->ntrees];
	if (tree->is_large)
		return build->large_tids;
	return tree->bytes / Max(build->tree_tid_bytes, 0.5);
}

/*
 * Share of an entry's rows that are left out.
 */
static double
dead_share(const OpsGinBuild *build, const OpsGinEntry *entry)
{
	if (build->dead == 0 || entry->ntids == 0)
		return build->dead;
	return entry->dead >= 0 ? entry->dead : build->dead;
}

/*
 * Bytes that the allocator takes for so many.
 */
static double
chunk(double bytes)
{
	double		size = 8;

	if (bytes > ALLOCSET_SEPARATE_THRESHOLD)
		return bytes + CHUNK_HEADER;
	while (size < bytes)
		size *= 2;
	return size + CHUNK_HEADER;
}

/*
 * Memory of an array of rows, which starts with five and doubles.
 *
 * Tids is a mean if there are several rounds; some arrays are longer then.
 */
static double
list_memory(double tids, double rounds)
{
	double		space = 5;
	double		deviation = sqrt(tids * (1 - 1 / rounds));
	double		longer;
	double		shorter;

	while (space < tids)
		space *= 2;
	if (deviation < 0.1)
		return chunk(space * sizeof(ItemPointerData));

	/* A logistic curve does for the normal distribution. */
	longer = 1 / (1 + exp(1.702 * (space + 0.5 - tids) / deviation));
	shorter = space == 5 ? 0 :
		1 / (1 + exp(1.702 * (tids - space / 2 - 0.5) / deviation));
	return longer * chunk(space * 2 * sizeof(ItemPointerData)) +
		shorter * chunk(space / 2 * sizeof(ItemPointerData)) +
		(1 - longer - shorter) * chunk(space * sizeof(ItemPointerData));
}

/*
 * Insert what the table has up to here, a share of it, in key order.
 *
 * The half of a page that was cut off to the right takes the next keys, if
 * they do not belong to the left half still.
 */
static void
play_round(Play *play, double end)
{
	for (int i = 0; i < play->before.count; i++)
	{
		Leaf		leaf = play->before.leaf[i];
		Leaf		waiting[8];
		int			nwaiting = 0;
		int			entry = leaf.first;

		for (;;)
		{
			if (entry >= leaf.end)
			{
				add_leaf(&play->after, &leaf);
				if (nwaiting == 0)
					break;
				leaf = waiting[--nwaiting];
				continue;
			}

			leaf.bytes -= play->bytes[entry];
			play->bytes[entry] = entry_bytes(play, entry, end);
			leaf.bytes += play->bytes[entry];
			if (leaf.bytes > (int) (GIN_ENTRY_ROOM - sizeof(ItemIdData)))
			{
				Leaf		right = leaf;
				int			bytes;

				leaf.end = right.first = split(play, &leaf, &bytes);
				right.bytes -= bytes;
				leaf.bytes = bytes;
				if (entry >= leaf.end || nwaiting == lengthof(waiting))
				{
					add_leaf(&play->after, &leaf);
					leaf = right;
				}
				else
					waiting[nwaiting++] = right;
			}
			entry++;
		}
	}
}

/*
 * Bytes of an entry, with line pointer, when so much of the table is in.
 *
 * Its rows are spread evenly between the first and the last one.
 */
static int
entry_bytes(const Play *play, int i, double end)
{
	const OpsGinBuild *build = play->build;
	const OpsGinEntry *entry = &play->entries[i];
	double		blocks = Max(build->heap_blocks, 1);
	double		tids = entry->ntids;
	double		tid_bytes = entry->tid_bytes;
	double		first = entry->first / blocks;
	double		last = ((double) entry->last + 1) / blocks;
	double		dead = dead_share(build, entry);
	double		list;

	/*
	 * What becomes of posting trees in the end, gin.c knows; but they begin
	 * as lists.
	 */
	if (entry->ntids == 0)
	{
		list = entry->key + LIST_HEADER + (1 - dead) * end *
			tree_rows(build, i) * build->tree_tid_bytes;
		if (end == 1 || list > GinMaxItemSize)
			list = entry->key;
		return (int) MAXALIGN((int) ceil(list)) + sizeof(ItemIdData);
	}
	if (dead > 0)
	{
		tid_bytes += ops_gin_gap_bytes(dead);

		/* A golden-ratio sequence rounds fairly and the same in each round. */
		tids = floor(tids * (1 - dead) + 0.001 +
					 ((uint32) i * GOLDEN_RATIO) / (PG_UINT32_MAX + 1.0) * 0.999);
		if (tids < 1)
			return 0;
	}
	if (end < 1 && entry->ntids == 1 && first >= end)
		return 0;
	if (end < 1 && last > first)
	{
		if (first >= end)
			return 0;
		tids = 1 + floor((tids - 1) * Min((end - first) / (last - first), 1));
	}

	list = entry->key + LIST_HEADER + (tids - 1) * tid_bytes;
	if (list > GinMaxItemSize)
		list = entry->key;
	return (int) MAXALIGN((int) ceil(list)) + sizeof(ItemIdData);
}

/*
 * Where a page that is too full is cut: the first entry of its right half.
 */
static int
split(const Play *play, const Leaf *leaf, int *left_bytes)
{
	int			bytes = 0;
	int			i = leaf->first;

	while (i < leaf->end - 1 && bytes <= leaf->bytes / 2)
		bytes += play->bytes[i++];
	*left_bytes = bytes;
	return i;
}

static void
add_leaf(Leaves *leaves, const Leaf *leaf)
{
	if (leaves->count == leaves->space)
	{
		leaves->space = Max(leaves->space * 2, 64);
		leaves->leaf = leaves->leaf ?
			repalloc_huge(leaves->leaf, leaves->space * sizeof(Leaf)) :
			palloc(leaves->space * sizeof(Leaf));
	}
	leaves->leaf[leaves->count++] = *leaf;
}

/*
 * Pages above the leaves: a key for each page below, cut in the middle, too.
 */
static double
inner_pages(const Play *play)
{
	double		bytes = 0;
	double		fanout;

	if (play->before.count <= 1)
		return 0;
	for (int i = 0; i < play->before.count; i++)
	{
		int			last = Max(play->before.leaf[i].end - 1, 0);

		bytes += play->entries[last].key + sizeof(ItemIdData);
	}
	fanout = Max(GIN_ENTRY_ROOM * 0.53 * play->before.count / bytes, 2);
	return play->before.count / (fanout - 1);
}
