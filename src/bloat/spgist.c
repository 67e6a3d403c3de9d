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

#define INNER_FILL			0.80

/* Inner pages that show how full these are. */
#define ENOUGH_INNER		3

/* Half-widths, relative, of a play of the whole, a quarter, and less. */
#define DOUBT_WHOLE			0.06
#define DOUBT_QUARTER		0.13
#define DOUBT_PART			0.20

/* Where a part is less like the whole than that. */
static const OpsUsualFill part_fills[] = {
	{"range_ops", 0, 0.32, 0, 0.32},
	{NULL, 0, 0, 0, 0}
};

#define MATCH_STRIDE		3

/* Of the pages, one in so many has an entry that others are found by. */
#define GUIDE_STRIDE		16

/* Entries that are played at most: the price goes by these. */
#define MAX_PLAYED			12288

typedef struct SpgistState
{
	OpsModel	model;
	double		leaf_bytes;
	double		leaves;			/* with something on them */
	double		inner_bytes;
	double		inner_pages;
	OpsSpgEntries guides;		/* some entries */
	int			wait;			/* pages before the next of these */
} SpgistState;

static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static double read_items(SpgistState *state, Page page, double *totals);
static double whole_index(SpgistState *state, double share, double *doubt);
static double inner_fill(const SpgistState *state);
static double usual_fill(SpgistState *state, double *doubt);
static void play(SpgistState *state, double share, OpsSpgBuilt *built);
static void keep_guide(SpgistState *state, SpGistLeafTuple item, Size length);

void
ops_bloat_spgist(OpsBloatMeasure *measure)
{
	SpgistState state = {0};
	OpsModelled modelled = {0};
	double		doubt;

	ops_model_init(&state.model, measure);
	ops_spg_entries_init(&state.guides, measure->rel);
	ops_bloat_sample(measure, 0, read_page, &state);

	measure->dead_entries = ops_model_dead_share(&state.model);

	modelled.live = whole_index(&state, 1 - measure->dead_entries,
								&modelled.doubt);
	modelled.as_grown = true;

	/* What a build made of all of it shows how far the model is off. */
	modelled.content = measure->dead_entries > 0 ?
		whole_index(&state, 1, &doubt) : modelled.live;
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
	double		need = measure->total[TOTAL_NEED] * share;
	double		leaves;
	double		inner;
	OpsSpgBuilt built = {0};

	play(state, share, &built);
	if (built.fill > 0)
	{
		*doubt = built.halvings == 0 ? DOUBT_WHOLE :
			Max(built.halvings <= 2 ? DOUBT_QUARTER : DOUBT_PART,
				ops_model_usual_fill(measure->rel, part_fills)->doubt);
		leaves = need * built.shrinks / built.fill;
		inner = measure->total[TOTAL_LIVE] * share * built.inner_bytes /
			(SPGIST_ROOM * inner_fill(state));
	}
	else
	{
		leaves = need / usual_fill(state, doubt);
		inner = scale * state->inner_bytes / (SPGIST_ROOM * INNER_FILL);

		/* The tree above is as large as its leaves were when they were full. */
		if (state->leaves > 0)
			inner *= Min(leaves / (scale * state->leaves), 1);
	}
	return FIXED_PAGES + leaves + inner;
}

/*
 * How full inner pages are: nothing is ever deleted from these.
 */
static double
inner_fill(const SpgistState *state)
{
	if (state->inner_pages < ENOUGH_INNER)
		return INNER_FILL;
	return Max(state->inner_bytes / (state->inner_pages * SPGIST_ROOM), 0.2);
}

static double
usual_fill(SpgistState *state, double *doubt)
{
	const OpsUsualFill *usual = ops_model_usual_fill(state->model.measure->rel,
													 usual_fills);

	if (ops_model_is_ordered(&state->model))
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
	double		rows = measure->total[TOTAL_LIVE] * share;
	OpsSpgEntries entries;
	OpsSpgEntry **played;
	int			nplayed;

	ops_spg_entries_init(&entries, measure->rel);
	if (entries.cache == NULL || rows < 1)
		return;
	ops_spg_region(&entries, measure, &state->guides, share, MAX_PLAYED);
	for (; rows > entries.count; rows /= 2)
		built->halvings++;
	played = ops_spg_entries_pick(&entries, share, &nplayed);
	ops_spg_build(&entries, played, nplayed, measure->rel, measure->seed,
				  built);
}

static void
read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block, Page page,
		  double *totals)
{
	SpgistState *state = (SpgistState *) arg;

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
		}
		else if (bytes > 0)
		{
			state->leaf_bytes += bytes;
			state->leaves++;
			if (!SpGistBlockIsRoot(block))
				totals[TOTAL_NEED] = bytes / SPGIST_ROOM;
		}
	}

	if (block > SPGIST_LAST_FIXED_BLKNO)
		ops_model_saw(&state->model, block, page);
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
	bool		first = true;
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
		if (first && !SpGistPageStoresNulls(page))
			keep_guide(state, item, length);
		first = false;
		if (match && i % MATCH_STRIDE == 0)
			ops_model_match(&state->model, &item->heapPtr);
	}
	if (leaf)
		ops_model_span(&state->model, first_row, last_row);
	totals[TOTAL_FREE_BYTES] += PageGetExactFreeSpace(page);
	return bytes;
}

/*
 * Keep an entry of one page in some, if it has its whole value.
 */
static void
keep_guide(SpgistState *state, SpGistLeafTuple item, Size length)
{
	if (state->guides.suffixes || state->wait-- > 0)
		return;
	ops_spg_entries_add(&state->guides, state->model.measure, item, length,
						NULL, 0);
	state->wait = GUIDE_STRIDE - 1;
}
