/*-------------------------------------------------------------------------
 *
 * ginmodel.c
 *	  What a build makes of the entries of a GIN index.
 *
 * How full it leaves entry pages depends on much, see ginbuild.c; posting
 * trees it fills to the brim.  Of entries whose rows are partly dead, or wait
 * in the pending list, there will be fewer, or more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/gin_private.h"
#include "bloat/ginpages.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"

/* Runs of them that say half of what can be said. */
#define FEW_RUNS			100

#define NUM_CLASSES			6

/* Trees that have to be looked up to go by their sizes. */
#define MIN_TREES			8

/* Bytes of a tree that a list could hold. */
#define SMALL_TREE			(GinMaxItemSize - 64)

/* The page of counts, and a root even if there is nothing below */
#define EMPTY_PAGES			2

/* Half-widths of the model, relative. */
#define TREE_DOUBT			0.02
#define ENTRY_DOUBT			0.04
#define SMALL_TREE_DOUBT	0.35
#define PENDING_DOUBT		0.60
#define MERGED_DOUBT		0.15
#define ROUNDS_DOUBT		0.05

static double dead_share(const OpsGinReading *state);
static double merged_dead(const OpsGinReading *state);
static double waiting_dead(const OpsGinReading *state);
static void merge_pending(OpsGinReading *state);
static void guess_dead(OpsGinReading *state);
static int	class_of(const OpsGinEntry *entry);
static double whole_index(OpsBloatMeasure *measure, const OpsGinReading *state,
						  double dead, OpsGinBuilt *built);
static double large_tree_rows(const OpsGinReading *state,
							  const OpsGinBuild *build);
static double merged_trees(const OpsGinReading *state);
static double pending_leaves(const OpsGinPages *pages);
static double tree_pages(const OpsGinReading *state, double dead,
						 double *inlined);
static double known_tree_pages(const OpsGinReading *state, double left,
							   double added, double *inlined);
static double live_bytes(const OpsGinPages *pages, double dead);
static double tree_rounding(const OpsGinPages *pages, double left);

void
ops_gin_conclude(OpsGinReading *state)
{
	OpsBloatMeasure *measure = state->model.measure;
	OpsModelled modelled = {0};
	OpsGinBuilt built;
	double		scale = ops_model_scale(&state->model, 1);
	double		dead = dead_share(state);
	double		entries;

	measure->dead_entries = dead;
	if (state->keys)
		merge_pending(state);
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
		(state->keys ?
		 scale * state->pages.pending_pages / measure->nblocks * MERGED_DOUBT :
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
dead_share(const OpsGinReading *state)
{
	double		merged = state->pages.tids + state->pages.tree_tids;
	double		waiting = state->pages.pending;

	if (state->keys == NULL || merged + waiting == 0)
		return merged_dead(state);
	return (merged_dead(state) * merged + waiting_dead(state) * waiting) /
		(merged + waiting);
}

/*
 * Of those that entries lead to.
 *
 * Of long lists fewer are looked up, so each list counts by its length.  Then
 * a few say most, which only those should who know many rows.
 */
static double
merged_dead(const OpsGinReading *state)
{
	double		runs = state->model.pointers.known_runs;
	double		share = ops_model_dead_share(&state->model);
	double		weight = runs / (runs + FEW_RUNS);

	if (state->model.pointers.known_live +
		state->model.pointers.known_dead < GIN_MIN_KNOWN ||
		state->known_rows < GIN_MIN_KNOWN)
		return share;
	return weight * state->dead_rows / state->known_rows +
		(1 - weight) * share;
}

static double
waiting_dead(const OpsGinReading *state)
{
	if (state->known_waiting < GIN_MIN_KNOWN)
		return merged_dead(state);
	return state->dead_waiting / state->known_waiting;
}

/*
 * Take the entries as they are with the pending list merged.
 */
static void
merge_pending(OpsGinReading *state)
{
	ops_gin_keys_merged(state->keys, merged_dead(state), waiting_dead(state),
						&state->merged);
	state->entries = state->merged.entries;
	state->nentries = state->merged.nentries;
}

/*
 * Entries whose rows were not looked up die as often as others of their class
 * do: of one row or of more, out of the pending list or not.
 *
 * That can be less often than rows do: an updated row has both its versions
 * under a key that did not change.
 */
static void
guess_dead(OpsGinReading *state)
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
			known[class] >= GIN_MIN_KNOWN)
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
whole_index(OpsBloatMeasure *measure, const OpsGinReading *state, double dead,
			OpsGinBuilt *built)
{
	const OpsGinPages *pages = &state->pages;
	double		scale = ops_model_scale(&state->model, 1);
	double		trees = Max(pages->last_leaves, 1);
	double		inlined;
	double		tree = tree_pages(state, dead, &inlined);
	double		leaves;
	OpsGinBuild build = {
		.entries = state->entries,
		.nentries = state->nentries,
		.scale = scale,
		.heap_blocks = RelationGetNumberOfBlocks(measure->heap),
		.memory = maintenance_work_mem * 1024.0,
		.tree_tids = Max(pages->tree_tids / trees, 1),
		.tree_tid_bytes = pages->tree_bytes / Max(pages->tree_tids, 1),
		.trees = state->trees,
		.ntrees = state->ntrees,
		.dead = dead,
	};

	memset(built, 0, sizeof(OpsGinBuilt));
	if (scale * (pages->tids + pages->tree_tids + pages->pending) *
		(1 - dead) < 1)
		return EMPTY_PAGES;
	build.large_tids = large_tree_rows(state, &build);

	/* What parallel workers gathered is merged before it is inserted. */
	if (ops_compat_can_build_parallel(measure->rel) &&
		plan_create_index_workers(RelationGetRelid(measure->heap),
								  RelationGetRelid(measure->rel)) > 0)
		build.memory = get_float8_infinity();
	if (state->nentries > 0)
	{
		double		kept = state->keys ? state->merged.scale :
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

	return Max(1 + scale * (leaves + built->inner + tree), EMPTY_PAGES);
}

/*
 * Mean rows of trees that are too large to be looked up: what is left of all.
 */
static double
large_tree_rows(const OpsGinReading *state, const OpsGinBuild *build)
{
	double		bytes = build->tree_tids * build->tree_tid_bytes *
	state->ntrees;
	int			large = 0;

	for (int i = 0; i < state->ntrees; i++)
	{
		bytes -= state->trees[i].bytes;
		large += state->trees[i].is_large;
	}
	return Max(bytes / Max(large, 1) / Max(build->tree_tid_bytes, 0.5),
			   build->tree_tids);
}

/*
 * Posting trees that the pending list makes: these have a last leaf that is
 * half full, and a root if they have more.
 */
static double
merged_trees(const OpsGinReading *state)
{
	double		trees = state->merged.new_trees;
	double		leaves = state->merged.new_bytes /
	(GIN_TREE_ROOM * GIN_TREE_FILL);

	if (leaves > trees)
		return leaves + trees * 1.5;
	return Max(leaves, trees);
}

/*
 * Entry pages for the rows that wait in the pending list.
 *
 * As Good and Turing found, the next row has a new key as often as rows so
 * far are alone with theirs; else it takes what a row takes.
 */
static double
pending_leaves(const OpsGinPages *pages)
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
	return pages->pending * bytes / (GIN_ENTRY_ROOM * GIN_ENTRY_FILL);
}

/*
 * Pages of the posting trees, rows of the pending list that come to them
 * included, and bytes of those that will be lists.
 *
 * A tree of one leaf is that page; of more, it has a root and its last leaf
 * is half full in the mean.
 */
static double
tree_pages(const OpsGinReading *state, double dead, double *inlined)
{
	const OpsGinPages *pages = &state->pages;
	double		trees = pages->last_leaves;
	double		large = Min(pages->inner_trees, trees);
	double		single = trees - large;
	double		left = live_bytes(pages, dead);
	double		added = state->merged.tree_bytes / Max(trees, 1);
	double		leaves = 0;
	double		large_bytes;
	int			known = Min(trees, GIN_MAX_LAST);

	*inlined = 0;
	if (trees <= 0)
		return 0;
	if (state->ntrees >= MIN_TREES)
		return known_tree_pages(state, left, added, inlined);

	/* Which of the last leaves are the only ones, is not known. */
	for (int i = 0; i < known; i++)
	{
		double		live = pages->last_size[i] * left + added;

		if (live < SMALL_TREE)
			*inlined += live * single / known;
		else
			leaves += single / known;
	}
	if (large <= 0)
		return leaves;
	large_bytes = pages->tree_bytes - pages->last_bytes * single / trees;
	return leaves +
		(large_bytes * tree_rounding(pages, left) + large * added) /
		(GIN_TREE_ROOM * GIN_TREE_FILL);
}

/*
 * Pages of the posting trees, from their bytes and from what those that were
 * looked up take more than theirs, or less.
 */
static double
known_tree_pages(const OpsGinReading *state, double left, double added,
				 double *inlined)
{
	const OpsGinPages *pages = &state->pages;
	double		room = GIN_TREE_ROOM * GIN_TREE_FILL;
	double		more = 0;

	for (int i = 0; i < state->ntrees; i++)
	{
		double		live = state->trees[i].bytes * left + added;

		/* A root, and a last leaf that is half empty in the mean. */
		if (state->trees[i].is_large)
			more += 1.5;
		else if (live < SMALL_TREE)
		{
			*inlined += live;
			more -= live / room;
		}
		else
		{
			double		leaves = ceil(live / room);

			more += leaves + (leaves > 1) - live / room;
		}
	}
	*inlined *= pages->last_leaves / state->ntrees;
	return Max((pages->tree_bytes * left + pages->last_leaves * added) / room +
			   pages->last_leaves * more / state->ntrees, 0);
}

/*
 * Share of the bytes of posting trees that is left without the dead rows.
 */
static double
live_bytes(const OpsGinPages *pages, double dead)
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
tree_rounding(const OpsGinPages *pages, double left)
{
	double		room = GIN_TREE_ROOM * GIN_TREE_FILL;
	double		full_leaves = pages->tree_leaves - pages->last_leaves;
	double		density = 1;
	double		last_density;
	double		needed = 0;
	double		built = 0;

	if (full_leaves > 0)
		density = (pages->tree_bytes - pages->last_bytes) / full_leaves / room;
	last_density = 2 * pages->last_bytes / pages->last_leaves / room;
	for (int leaves = 2; leaves <= GIN_TREE_FANOUT; leaves++)
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
				whole = live * room / (GIN_ENTRY_ROOM * GIN_ENTRY_FILL);
			else if (whole > 1)
				whole++;		/* the root */
			needed += pages->by_leaves[leaves] * need;
			built += pages->by_leaves[leaves] * whole;
		}
	}
	return needed > 0 ? built / needed : left;
}
