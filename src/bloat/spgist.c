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

/* What a page has for its items and their line pointers. */
#define SPGIST_ROOM			SPGIST_PAGE_CAPACITY

/* Pages that are there from the start: counts, and two roots. */
#define FIXED_PAGES			(SPGIST_LAST_FIXED_BLKNO + 1)

static const OpsUsualFill usual_fills[] = {
	{"quad_point_ops", 0.777, 0.16, 0.70, 0.30},
	{"kd_point_ops", 0.64, 0.25, 0.60, 0.30},
	{"text_ops", 0.83, 0.18, 0.83, 0.25},
	{"box_ops", 0.78, 0.14, 0.70, 0.25},
	{"poly_ops", 0.845, 0.12, 0.75, 0.25},
	{"inet_ops", 0.69, 0.27, 0.69, 0.30},
	{"range_ops", 0.777, 0.17, 0.47, 0.40},
	{NULL, 0.77, 0.25, 0.65, 0.35}
};

#define INNER_FILL			0.80

#define MATCH_STRIDE		3

typedef struct SpgistState
{
	OpsModel	model;
	double		leaf_bytes;
	double		leaves;			/* with something on them */
	double		inner_bytes;
} SpgistState;

static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static double read_items(SpgistState *state, Page page, double *totals);

void
ops_bloat_spgist(OpsBloatMeasure *measure)
{
	SpgistState state = {0};
	OpsModelled modelled = {0};
	const OpsUsualFill *usual;
	double		fill;
	double		scale;
	double		inner;
	double		leaves;

	ops_model_init(&state.model, measure);
	ops_bloat_sample(measure, 0, read_page, &state);

	scale = ops_model_scale(&state.model, 0);
	measure->dead_entries = ops_model_dead_share(&state.model);

	usual = ops_model_usual_fill(measure->rel, usual_fills);
	fill = usual->fill;
	modelled.doubt = usual->doubt;
	if (ops_model_is_ordered(&state.model))
	{
		fill = usual->ordered;
		modelled.doubt = usual->ordered_doubt;
	}
	leaves = measure->total[TOTAL_NEED] / fill;

	/* The tree above is as large as its leaves were when they were full. */
	inner = scale * state.inner_bytes / (SPGIST_ROOM * INNER_FILL);
	if (state.leaves > 0)
		inner *= Min(leaves / (scale * state.leaves), 1);

	modelled.content = FIXED_PAGES + leaves + inner;
	modelled.live = FIXED_PAGES +
		(leaves + inner) * (1 - measure->dead_entries);
	ops_model_conclude(&state.model, &modelled);
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
			state->inner_bytes += bytes;
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
		if (match && i % MATCH_STRIDE == 0)
			ops_model_match(&state->model, &item->heapPtr);
	}
	if (leaf)
		ops_model_span(&state->model, first_row, last_row);
	totals[TOTAL_FREE_BYTES] += PageGetExactFreeSpace(page);
	return bytes;
}
