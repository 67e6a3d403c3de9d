/*-------------------------------------------------------------------------
 *
 * spgist.c
 *	  What REINDEX would make of an SP-GiST index.
 *
 * A build inserts row by row, as the index has grown.  What deletions leave
 * behind on the pages, redirections and placeholders, it does not make.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/spgist_private.h"
#include "bloat/model.h"
#include "bloat/spgbuild.h"
#include "common/hashfn.h"

/* What a page has for its items and their line pointers. */
#define SPGIST_ROOM			SPGIST_PAGE_CAPACITY

/* Pages that are there from the start: counts, and two roots. */
#define FIXED_PAGES			(SPGIST_LAST_FIXED_BLKNO + 1)

static const OpsUsualFill usual_fills[] = {
	{"quad_point_ops", 0.777, 0.16, 0.70, 0.30},
	{"kd_point_ops", 0.64, 0.25, 0.60, 0.30},
	{"text_ops", 0.80, 0.21, 0.80, 0.25},
	{"box_ops", 0.78, 0.14, 0.70, 0.25},
	{"poly_ops", 0.845, 0.12, 0.75, 0.25},
	{"inet_ops", 0.69, 0.27, 0.69, 0.30},
	{"range_ops", 0.777, 0.17, 0.47, 0.40},
	{NULL, 0.77, 0.25, 0.65, 0.35}
};

/*
 * How full a build leaves inner pages, which counts as much as so many of them
 * that were seen; what inserts and VACUUM left behind is emptier than that.
 */
#define INNER_FILL			0.72
#define LEAST_INNER_FILL	0.60
#define FEW_INNER			3

/* Inner pages that are left empty, at least, if there are as many others. */
#define FEW_IDLE			2

/* Half-widths, relative, of a play of the whole, a quarter, and less. */
#define DOUBT_WHOLE			0.06
#define DOUBT_QUARTER		0.10
#define DOUBT_PART			0.13

/*
 * Entries without a value are not played: all are alike, so that a full page
 * of them is not halved, but goes on elsewhere.
 */
#define NULL_FILL			0.95
#define NULL_INNER			0.02
#define NULL_DOUBT			0.05

/* Where a part is less like the whole than that. */
static const OpsUsualFill part_fills[] = {
	{"range_ops", 0, 0.16, 0, 0.16},
	{NULL, 0, 0, 0, 0}
};

#define MATCH_STRIDE		3

/* Pages, one in so many, whose values are compared with each other. */
#define COMPARED_STRIDE		8

/* Share of values that come up again, from which on they are not few. */
#define FEW_ALIKE			0.05

/* Entries that are played at most: the price goes by these. */
#define MAX_PLAYED			49152

/*
 * Builds of the same rows in another order differ, those of k-d trees by 10 %
 * in size.  So it is worth while to have all entries of not too many pages.
 */
#define SMALL_PAGES			1024

typedef struct SpgistState
{
	OpsModel	model;
	double		leaf_bytes;
	double		leaves;			/* with something on them */
	double		inner_bytes;
	double		inner_pages;	/* with something on them, and */
	double		inner_every_third[3];	/* by number, the root apart */
	OpsSpgEntries some;			/* entries, if leaves keep whole values */
	int			npages;			/* leaves that were read */
	double		items;			/* leaf tuples, and those without a value, */
	double		nulls;			/* which have pages of their own and are not */
	double		null_bytes;		/* played */
	double		compared;		/* entries with others of their page, and */
	double		alike;			/* how many have the value of another */
} SpgistState;

static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static double read_items(SpgistState *state, Page page, double *totals);
static double whole_index(SpgistState *state, double share, double *doubt);
static double inner_fill(const SpgistState *state);
static double idle_pages(const SpgistState *state, double inner);
static double usual_fill(SpgistState *state, double *doubt);
static void play(SpgistState *state, double share, OpsSpgBuilt *built);
static bool any_will_do(const SpgistState *state);
static bool has_all(const SpgistState *state, double rows, double share,
					int most);
static void compare_values(SpgistState *state, Page page);

void
ops_bloat_spgist(OpsBloatMeasure *measure)
{
	SpgistState state = {0};
	OpsModelled modelled = {0};
	double		doubt;

	ops_model_init(&state.model, measure,
				   RelationGetIndexPredicate(measure->rel) == NIL);
	state.model.tidied = true;
	ops_spg_entries_init(&state.some, measure->rel);
	if (state.some.cache)
		measure->small = SMALL_PAGES;
	ops_bloat_sample(measure, 0, read_page, &state);

	measure->dead_entries = ops_model_dead_share(&state.model);
	modelled.as_grown = true;

	modelled.live = modelled.content = measure->nblocks;
	if (measure->dead_entries > 0 || measure->learns ||
		!ops_model_is_untouched(&state.model))
	{
		modelled.live = modelled.content =
			whole_index(&state, 1 - measure->dead_entries, &modelled.doubt);
		modelled.by_chance = state.some.cache != NULL;
	}

	/*
	 * What a build made of all of it shows how far a density is off.  A play
	 * is off by chance alone, and another one would be again.
	 */
	if (measure->dead_entries > 0 && ops_model_is_untouched(&state.model))
		modelled.content = modelled.by_chance ? measure->nblocks :
			whole_index(&state, 1, &doubt);
	ops_model_conclude(&state.model, &modelled);
}

/*
 * Pages of a new index with this share of the entries: as it plays out, or as
 * usual.
 */
static double
whole_index(SpgistState *state, double share, double *doubt)
{
	OpsBloatMeasure *measure = state->model.measure;
	double		scale = ops_model_scale(&state->model, 0);
	double		need = measure->total[TOTAL_NEED] *
	ops_model_bytes_left(&state->model, share);
	double		part = state->null_bytes / Max(state->leaf_bytes, 1);
	double		null_pages = need * part / NULL_FILL * (1 + NULL_INNER);
	double		leaves;
	double		inner;
	OpsSpgBuilt built = {0};

	need *= 1 - part;
	play(state, share, &built);
	if (measure->total[TOTAL_LIVE] * share < 1 ||
		(built.fits_root && built.halvings == 0))
	{
		*doubt = DOUBT_WHOLE;
		return FIXED_PAGES + null_pages;
	}
	if (built.fill > 0)
	{
		double		nulls = state->nulls / Max(state->items, 1);

		*doubt = built.halvings == 0 ? DOUBT_WHOLE :
			Max(built.halvings <= 2 ? DOUBT_QUARTER : DOUBT_PART,
				ops_model_usual_fill(measure->rel, part_fills)->doubt);
		leaves = need * built.shrinks / built.fill;
		*doubt += NULL_DOUBT * nulls;
		inner = measure->total[TOTAL_LIVE] * share * (1 - nulls) *
			built.inner_bytes / (SPGIST_ROOM * inner_fill(state));
	}
	else
	{
		leaves = need / usual_fill(state, doubt);
		inner = scale * state->inner_bytes / (SPGIST_ROOM * INNER_FILL);

		/* The tree above is as large as its leaves were when they were full. */
		if (state->leaves > 0)
			inner *= Min(leaves / (scale * state->leaves), 1);
	}
	return FIXED_PAGES + leaves + inner + idle_pages(state, inner) + null_pages;
}

/*
 * How full inner pages are.
 */
static double
inner_fill(const SpgistState *state)
{
	double		full = state->inner_bytes / SPGIST_ROOM + FEW_INNER * INNER_FILL;

	return Max(full / (state->inner_pages + FEW_INNER), LEAST_INNER_FILL);
}

/*
 * Pages for inner tuples that a build takes and leaves empty.
 *
 * What does not fit on the page of the tuple above goes to a page of another
 * kind, by its number modulo three.  Numbers come as they come, so that on
 * average one page of another kind is taken, too, for each that is wanted; it
 * is kept for tuples of its kind, of which there may be fewer.
 */
static double
idle_pages(const SpgistState *state, double inner)
{
	const double *third = state->inner_every_third;
	double		sum = third[0] + third[1] + third[2];
	double		most = Max(Max(third[0], third[1]), third[2]);
	double		share = (3 * most - sum) / (2 * (sum + FEW_INNER));

	return Max(inner * share, Min(inner, FEW_IDLE));
}

static double
usual_fill(SpgistState *state, double *doubt)
{
	const OpsUsualFill *usual = ops_model_usual_fill(state->model.measure->rel,
													 usual_fills);

	if (ops_model_is_ordered(&state->model) || state->some.suffixes)
	{
		*doubt = usual->ordered_doubt;
		return usual->ordered;
	}
	*doubt = usual->doubt;
	return usual->fill;
}

/*
 * Build an index of this share of the entries, or parts of it.
 */
static void
play(SpgistState *state, double share, OpsSpgBuilt *built)
{
	OpsBloatMeasure *measure = state->model.measure;
	double		rows = measure->total[TOTAL_LIVE] * share *
	(1 - state->nulls / Max(state->items, 1));
	int			most = MAX_PLAYED;
	OpsSpgEntries region;
	OpsSpgEntries *entries = &state->some;
	OpsSpgEntry **played;
	int			nplayed;

	if (state->some.cache == NULL || rows < 1)
		return;

	/* A deep tree takes longer.  All of them leave nothing to chance. */
	if (state->some.suffixes)
		most = MAX_PLAYED * 4 / 3;
	else if (ops_model_is_ordered(&state->model))
		most = MAX_PLAYED * 2 / 3;
	if (has_all(state, rows, share, most * 2))
		most *= 2;
	if (any_will_do(state) || has_all(state, rows, share, most))
	{
		entries->nregions = 1;
		entries->region[0].level = 0;
		entries->region[0].whole = true;
		while (rows > Min(entries->count * share * 1.03, most))
		{
			rows /= 2;
			built->halvings++;
		}
	}
	else
	{
		entries = &region;
		ops_spg_entries_init(entries, measure->rel);
		ops_spg_region(entries, measure, &state->some, share, rows, most);
		while (rows > entries->count)
		{
			rows /= 2;
			built->halvings++;
		}
		rows = entries->count;
	}
	if (share < 1)
		ops_spg_entries_weigh(entries, measure);
	played = ops_spg_entries_pick(entries, share, rows, &nplayed);
	ops_spg_build(entries, played, nplayed, measure->rel, measure->seed,
				  built);
}

static void
read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block, Page page,
		  double *totals)
{
	SpgistState *state = (SpgistState *) arg;
	int			live = -1;

	if (!ops_page_is_sound(page, sizeof(SpGistPageOpaqueData)) ||
		SpGistPageGetOpaque(page)->spgist_page_id != SPGIST_PAGE_ID)
		state->model.broken++;
	else if (!SpGistPageIsMeta(page))
	{
		double		bytes = read_items(state, page, totals);

		if (bytes == 0 && !SpGistBlockIsRoot(block))
			totals[TOTAL_UNUSED_PAGES] = 1;
		if (!SpGistPageIsLeaf(page))
		{
			state->inner_bytes += bytes;
			state->inner_pages += bytes > 0;
			if (bytes > 0 && !SpGistBlockIsRoot(block))
				state->inner_every_third[block % 3]++;
		}
		else
			live = (int) bytes;
		if (live > 0)
		{
			if (SpGistPageStoresNulls(page))
				state->null_bytes += bytes;
			state->leaf_bytes += bytes;
			state->leaves++;
			if (!SpGistBlockIsRoot(block))
				totals[TOTAL_NEED] = bytes / SPGIST_ROOM;
		}
	}

	if (block > SPGIST_LAST_FIXED_BLKNO)
		ops_model_saw(&state->model, block, page, live);
}

/*
 * Bytes of a page's live items, line pointers included.
 *
 * Tuples of both kinds of pages begin with their state; those that are not
 * live say nothing else that matters here.
 */
static double
read_items(SpgistState *state, Page page, double *totals)
{
	bool		leaf = SpGistPageIsLeaf(page);
	bool		match = leaf && state->model.measure->roots != NULL;
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	BlockNumber first_row = MaxBlockNumber;
	BlockNumber last_row = 0;
	bool		all = state->some.cache &&
	state->some.cache->attLeafType.attlen > 0;
	double		bytes = 0;

	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		Size		length;
		SpGistLeafTuple item = ops_page_item(page, i, &length);

		if (item == NULL)
		{
			state->model.broken++;
			continue;
		}
		if (item->tupstate != SPGIST_LIVE)
			continue;
		bytes += MAXALIGN(length) + sizeof(ItemIdData);
		if (!leaf)
			continue;
		first_row = Min(first_row,
						ItemPointerGetBlockNumberNoCheck(&item->heapPtr));
		last_row = Max(last_row,
					   ItemPointerGetBlockNumberNoCheck(&item->heapPtr));
		totals[TOTAL_LIVE]++;
		totals[TOTAL_POINTERS]++;
		state->items++;
		state->nulls += SpGistPageStoresNulls(page) ? 1 : 0;
		if (!SpGistPageStoresNulls(page) && !state->some.suffixes &&
			(all || i == last))
			ops_spg_entries_add_some(&state->some,
									 state->model.measure, item, length);
		if (match && i % MATCH_STRIDE == 0)
			(void) ops_model_match(&state->model, &item->heapPtr,
								   MAXALIGN(length) + sizeof(ItemIdData));
	}
	if (leaf)
	{
		state->some.nlists++;
		ops_spg_entries_thin_out(&state->some);
		ops_model_span(&state->model, first_row, last_row);
	}
	if (leaf && all && state->npages++ % COMPARED_STRIDE == 0)
		compare_values(state, page);
	totals[TOTAL_FREE_BYTES] += PageGetExactFreeSpace(page);
	return bytes;
}

/*
 * Whether entries from all over the index do as well as whole parts of it: if
 * these are points or boxes of their own, there are only fewer of them then.
 */
static bool
any_will_do(const SpgistState *state)
{
	return state->some.cache->attLeafType.attlen > 0 &&
		state->compared > 0 &&
		state->alike < state->compared * FEW_ALIKE;
}

/*
 * Whether the entries that were kept are all, and not too many to be played.
 */
static bool
has_all(const SpgistState *state, double rows, double share, int most)
{
	return state->some.cache->attLeafType.attlen > 0 && rows <= most &&
		rows <= state->some.count * share * 1.03;
}

/*
 * Of a page, count entries with a value that one before has.
 */
static void
compare_values(SpgistState *state, Page page)
{
	int			length = state->some.cache->attLeafType.attlen;
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	uint32		slot[512] = {0};

	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		Size		size;
		SpGistLeafTuple item = ops_page_item(page, i, &size);
		uint32		hash;

		if (item == NULL || item->tupstate != SPGIST_LIVE ||
			SGLTHDRSZ(SGLT_GET_HASNULLMASK(item)) + length > size)
			continue;
		hash = hash_bytes((unsigned char *) SGLTDATAPTR(item), length);
		state->compared++;
		state->alike += slot[hash % lengthof(slot)] == hash;
		slot[hash % lengthof(slot)] = hash;
	}
}
