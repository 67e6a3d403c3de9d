/*-------------------------------------------------------------------------
 *
 * gist.c
 *	  What REINDEX would make of a GiST index.
 *
 * If all of its operator classes can sort, a build sorts the rows, gathers
 * four pages of them and lets the operator class cut those to pieces that fit
 * on a page; else it inserts row by row.  How full that leaves a page is the
 * operator class's affair; the density here is what was measured.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/gist_private.h"
#include "access/htup_details.h"
#include "bloat/gistbuild.h"
#include "bloat/model.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

/* What a page has for its items and their line pointers. */
#define GIST_ROOM			GiSTPageSize

/* Of the entries of a page, one in so many is looked up in the table. */
#define MATCH_STRIDE		3

/* Regions that a part of an index is taken from. */
#define REGIONS				2
#define SORTED_REGIONS		1

/*
 * An index that only grew is about as large as a build makes it.  A glance, a
 * play of so much less than a part, will do if it says no less than this.
 */
#define GLANCE				4
#define AS_IT_IS			0.97

/* Half-widths, relative, of a play of all, a quarter, a sixteenth, less. */
#define DOUBT_WHOLE			0.06
#define DOUBT_QUARTER		0.16
#define DOUBT_PART			0.18
#define DOUBT_LITTLE		0.20

/* Densities of builds that insert row by row and are not played. */
static const OpsUsualFill usual_fills[] = {
	{"gist_trgm_ops", 0.635, 0.08, 0.635, 0.10},
	{"gist_geo*", 0.60, 0.25, 0.50, 0.25},
	{"gist_hstore_ops", 0.60, 0.25, 0.60, 0.25},
	{"gist_ltree_ops", 0.60, 0.25, 0.50, 0.25},
	{"gist_cube_ops", 0.55, 0.25, 0.50, 0.25},
	{"gist_seg_ops", 0.60, 0.25, 0.50, 0.25},
	{"gist__*", 0.60, 0.30, 0.60, 0.30},
	{"gist_text_ops", 0.60, 0.12, 0.45, 0.15},
	{"gist_numeric_ops", 0.62, 0.14, 0.45, 0.10},
	{"gist_*", 0.65, 0.18, 0.45, 0.10},
	{"range_ops", 0.45, 0.10, 0.45, 0.10},
	{"multirange_ops", 0.45, 0.15, 0.45, 0.15},
	{"box_ops", 0.475, 0.10, 0.465, 0.12},
	{"poly_ops", 0.53, 0.18, 0.53, 0.18},
	{"circle_ops", 0.59, 0.12, 0.55, 0.20},
	{"inet_ops", 0.54, 0.15, 0.54, 0.20},
	{"tsvector_ops", 0.85, 0.15, 0.85, 0.15},
	{NULL, 0.60, 0.25, 0.50, 0.25}
};

/*
 * Of builds that sort.  Pieces of four pages of items that are all of a size,
 * halved and halved again by count, just fit; else they can be too long.
 */
static const OpsUsualFill sorted_fills[] = {
	{"point_ops", 0.667, 0.09, 0.667, 0.10},
	{"range_ops", 0.83, 0.14, 0.80, 0.25},
	{"gist_geo*", 0.667, 0.20, 0.667, 0.20},
	{"gist_*", 0.79, 0.20, 0.79, 0.20},
	{NULL, 0.70, 0.25, 0.75, 0.25}
};
static const OpsUsualFill halved_fill = {"gist_*", 0.985, 0.04, 0.985, 0.04};

/*
 * Entries that are played at most, of a whole index or else of a part of it;
 * and of so many parts that they come to about as many.  Builds of the same
 * rows in another order differ by some percent, so only a whole play is right
 * to the point, and a large part is better than small ones.  Signatures take
 * long to compare, ranges and addresses longer than numbers.
 */
typedef struct PlayLimits
{
	const char *opclass;
	int			whole;
	int			part;
	int			all_parts;
} PlayLimits;

static const PlayLimits play_limits[] = {
	{"gist_trgm_ops", 8192, 8192, 8192},
	{"tsvector_ops", 4096, 4096, 4096},
	{"inet_ops", 32768, 28672, 28672},
	{"range_ops", 32768, 28672, 28672},
	{NULL, 57344, 28672, 49152}
};

#define MAX_PARTS			3

typedef struct GistState
{
	OpsModel	model;
	double		leaf_bytes;
	double		items;
	double		uneven;			/* leaf items not as long as the one before */
	double		nulls;			/* of the items, if they are apart */
	double		null_bytes;
	double		inner_bytes;
	double		downlinks;
	bool		sorts;			/* the build does */
	bool		nulls_apart;	/* it never puts them on a page with others */
	BlockNumber *leaves;		/* that were read, and are not empty */
	int			nleaves;
	int			space;
	bool		counted;		/* all entries that lead to rows, one by one */
} GistState;

static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static void read_leaf(GistState *state, BlockNumber block, Page page,
					  double *totals);
static void keep_leaf(GistState *state, BlockNumber block);
static void read_inner(GistState *state, Page page);
static double played_fill(GistState *state, double share, double *doubt);
static double fill_of(GistState *state, const PlayLimits *limits,
					  double rows, double share, double *doubt);
static bool play_all(GistState *state, double share, OpsGistBuilt *built);
static void count_all(GistState *state, double share,
					  const OpsGistEntries *entries);
static void play_part(GistState *state, double wanted, double share,
					  double from, OpsGistBuilt *built);
static void build(GistState *state, IndexTuple * rows, int nrows,
				  OpsGistBuilt *built);
static const PlayLimits *limits_of(Relation index);
static double whole_index(const GistState *state, double share, double fill);
static double expected_fill(GistState *state, double *doubt);
static double with_nulls(const GistState *state, double share, double fill);
static bool build_sorts(Relation index);

void
ops_bloat_gist(OpsBloatMeasure *measure)
{
	GistState	state = {0};
	OpsModelled modelled = {0};
	double		fill = 0;

	ops_model_init(&state.model, measure,
				   RelationGetIndexPredicate(measure->rel) == NIL);
	state.sorts = build_sorts(measure->rel);
	state.nulls_apart = !state.sorts &&
		IndexRelationGetNumberOfAttributes(measure->rel) == 1;
	ops_bloat_sample(measure, 0, read_page, &state);

	measure->dead_entries = ops_model_dead_share(&state.model);
	if (measure->dead_entries > 0 || measure->learns ||
		!ops_model_is_untouched(&state.model))
		fill = played_fill(&state, 1 - measure->dead_entries, &modelled.doubt);
	modelled.by_chance = fill > 0;
	if (fill == 0)
		fill = expected_fill(&state, &modelled.doubt);
	fill = with_nulls(&state, 1 - measure->dead_entries, fill);
	modelled.live = whole_index(&state, 1 - measure->dead_entries, fill);
	modelled.as_grown = !state.sorts;
	modelled.counted = state.counted;

	/*
	 * What a build made of all of it shows how far a density is off.  A play
	 * is off by chance alone, and another one would be again.
	 */
	modelled.content = modelled.by_chance && measure->dead_entries > 0 ?
		measure->nblocks : whole_index(&state, 1, fill);
	ops_model_conclude(&state.model, &modelled);
}

/*
 * How full a build leaves the leaves, with this share of the entries; 0 if it
 * cannot be played.
 */
static double
played_fill(GistState *state, double share, double *doubt)
{
	OpsBloatMeasure *measure = state->model.measure;
	const PlayLimits *limits = limits_of(measure->rel);
	double		rows = measure->total[TOTAL_LIVE] * share *
	(1 - state->nulls / Max(state->items, 1));
	double		fill;

	if (!ops_gist_is_harmless(measure->rel) || rows < 1)
		return 0;
	if (share == 1 && !measure->learns)
	{
		int			glance = limits->part / GLANCE;
		PlayLimits	little = {NULL, glance, glance, glance};

		fill = fill_of(state, &little, rows, share, doubt);
		if (fill == 0 || rows <= glance ||
			whole_index(state, 1, with_nulls(state, 1, fill)) >=
			AS_IT_IS * measure->nblocks)
			return fill;
	}
	return fill_of(state, limits, rows, share, doubt);
}

static double
fill_of(GistState *state, const PlayLimits *limits, double rows, double share,
		double *doubt)
{
	OpsGistBuilt built = {0};
	int			parts;
	int			halved = 0;
	int			halvings;
	double		filled = 0;
	double		leaves = 0;

	if (rows <= limits->whole && play_all(state, share, &built))
	{
		*doubt = DOUBT_WHOLE;
		return built.fill;
	}
	do
	{
		rows /= 2;
		halved++;
	} while (rows > limits->part);
	parts = (int) Min(rint(limits->all_parts / rows), 1 << halved);
	parts = Min(Max(parts, 1), MAX_PARTS);

	halvings = halved;
	for (int i = 0; i < parts; i++)
	{
		memset(&built, 0, sizeof(built));
		built.halvings = halved;
		play_part(state, rows, share, (double) i / parts, &built);
		filled += built.fill * built.leaves;
		leaves += built.leaves;
		halvings = Max(halvings, built.halvings);
	}
	*doubt = halvings <= 2 ? DOUBT_QUARTER :
		halvings <= 4 ? DOUBT_PART : DOUBT_LITTLE;
	return leaves > 0 ? filled / leaves : 0;
}

/*
 * Build an index of all rows; false if they are too many to keep.
 */
static bool
play_all(GistState *state, double share, OpsGistBuilt *built)
{
	OpsBloatMeasure *measure = state->model.measure;
	OpsGistEntries entries;
	bool		are_all;

	ops_gist_entries_init(&entries, measure, state->nulls_apart);
	are_all = ops_gist_read_all(&entries);
	if (are_all)
	{
		IndexTuple *rows;
		int			nrows;

		if (share < 1)
			ops_gist_entries_weigh(&entries);
		rows = ops_gist_entries_pick(&entries, share, entries.count, &nrows);
		build(state, rows, nrows, built);
		pfree(rows);
		if (share == 1 || entries.skips_dead)
			count_all(state, share, &entries);
	}
	ops_gist_entries_free(&entries);
	return are_all;
}

/*
 * Where just the rows that are left were read, all of them, nothing has to be
 * scaled up from a sample.
 */
static void
count_all(GistState *state, double share, const OpsGistEntries *entries)
{
	OpsBloatMeasure *measure = state->model.measure;

	state->items = entries->count + entries->nulls;
	state->nulls = entries->nulls;
	state->leaf_bytes = entries->bytes + entries->null_bytes;
	state->null_bytes = entries->null_bytes;
	measure->total[TOTAL_LIVE] = state->items / share;
	measure->total[TOTAL_NEED] = state->leaf_bytes / GIST_ROOM /
		ops_model_bytes_left(&state->model, share);
	measure->need_error = 0;
	state->counted = true;
}

/*
 * Build an index of so many rows of regions of this one, the first of which
 * begins somewhere from 0 to 1.
 */
static void
play_part(GistState *state, double wanted, double share, double from,
		  OpsGistBuilt *built)
{
	OpsBloatMeasure *measure = state->model.measure;
	OpsGistEntries entries;
	IndexTuple *rows;
	int			nrows;

	ops_gist_entries_init(&entries, measure, state->nulls_apart);
	ops_gist_region(&entries, state->leaves, state->nleaves,
					(int) (from * state->nleaves),
					state->sorts ? SORTED_REGIONS : REGIONS, share,
					(int) wanted);
	if (share < 1)
		ops_gist_entries_weigh(&entries);
	rows = ops_gist_entries_pick(&entries, share, (int) wanted + 1, &nrows);

	/* Parts that are nearly all dead have fewer: a smaller index of these. */
	if (nrows > 0 && wanted > nrows * 1.05)
	{
		do
		{
			wanted /= 2;
			built->halvings++;
		} while (wanted > nrows);
		pfree(rows);
		rows = ops_gist_entries_pick(&entries, share, (int) wanted + 1,
									 &nrows);
	}
	build(state, rows, nrows, built);
	pfree(rows);
	ops_gist_entries_free(&entries);
}

static void
build(GistState *state, IndexTuple * rows, int nrows, OpsGistBuilt *built)
{
	OpsBloatMeasure *measure = state->model.measure;

	if (state->sorts)
		ops_gist_sorted_build(rows, nrows, measure->rel, built);
	else
		ops_gist_build(rows, nrows, measure->rel, measure->seed, built);
}

static const PlayLimits *
limits_of(Relation index)
{
	const PlayLimits *limits = play_limits;
	NameData	name;

	ops_model_opclass(index, &name);
	while (limits->opclass && strcmp(limits->opclass, NameStr(name)) != 0)
		limits++;
	return limits;
}

static void
read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block, Page page,
		  double *totals)
{
	GistState  *state = (GistState *) arg;

	if (!ops_page_is_sound(page, sizeof(GISTPageOpaqueData)) ||
		GistPageGetOpaque(page)->gist_page_id != GIST_PAGE_ID)
		state->model.broken++;
	else if (GistPageIsDeleted(page))
		totals[TOTAL_UNUSED_PAGES] = 1;
	else if (GistPageIsLeaf(page))
		read_leaf(state, block, page, totals);
	else
		read_inner(state, page);

	/* A sorted build writes the root last. */
	if (block != GIST_ROOT_BLKNO)
		ops_model_saw(&state->model, block, page, -1);
}

static void
read_leaf(GistState *state, BlockNumber block, Page page, double *totals)
{
	OpsBloatMeasure *measure = state->model.measure;
	bool		match = measure->roots != NULL;
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	BlockNumber first_row = MaxBlockNumber;
	BlockNumber last_row = 0;
	Size		previous = 0;
	double		bytes = 0;

	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		Size		length;
		IndexTuple	item = ops_page_item(page, i, &length);
		BlockNumber row;

		if (item == NULL)
		{
			state->model.broken++;
			continue;
		}
		row = ItemPointerGetBlockNumberNoCheck(&item->t_tid);
		first_row = Min(first_row, row);
		last_row = Max(last_row, row);
		totals[TOTAL_POINTERS]++;
		length = MAXALIGN(length) + sizeof(ItemIdData);
		if (ItemIdIsDead(PageGetItemId(page, i)))
		{
			totals[TOTAL_DEAD_BYTES] += length;
			continue;
		}
		totals[TOTAL_LIVE]++;
		state->items++;
		state->uneven += previous != 0 && length != previous;
		previous = length;
		bytes += length;
		if (state->nulls_apart && IndexTupleHasNulls(item))
		{
			state->nulls++;
			state->null_bytes += length;
		}
		if (match && i % MATCH_STRIDE == 0)
			(void) ops_model_match(&state->model, &item->t_tid, length);
	}

	ops_model_span(&state->model, first_row, last_row);
	if (bytes == 0)
		totals[TOTAL_UNUSED_PAGES] = 1;
	else
		keep_leaf(state, block);
	state->leaf_bytes += bytes;
	totals[TOTAL_FREE_BYTES] += PageGetExactFreeSpace(page);
	totals[TOTAL_NEED] = bytes / GIST_ROOM;
}

static void
keep_leaf(GistState *state, BlockNumber block)
{
	if (state->nleaves == state->space)
	{
		state->space = Max(state->space * 2, 512);
		state->leaves = state->leaves ?
			repalloc_huge(state->leaves, state->space * sizeof(BlockNumber)) :
			palloc(state->space * sizeof(BlockNumber));
	}
	state->leaves[state->nleaves++] = block;
}

static void
read_inner(GistState *state, Page page)
{
	OffsetNumber last = PageGetMaxOffsetNumber(page);

	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		Size		length;

		if (ops_page_item(page, i, &length) == NULL)
			continue;
		state->downlinks++;
		state->inner_bytes += MAXALIGN(length) + sizeof(ItemIdData);
	}
}

/*
 * Leaves for this share of the entries, and the pages above them: a downlink
 * for each page below.
 */
static double
whole_index(const GistState *state, double share, double fill)
{
	double		leaves = state->model.measure->total[TOTAL_NEED] *
	ops_model_bytes_left(&state->model, share) / fill;
	double		bytes = state->downlinks > 0 ?
	state->inner_bytes / state->downlinks :
	state->leaf_bytes / Max(state->model.measure->total[TOTAL_LIVE], 1);
	double		fanout = GIST_ROOM * fill / Max(bytes, 16);

	if (leaves * fill <= 1)
		return 1;
	return leaves + Max(leaves / Max(fanout - 1, 1), 1);
}

static double
expected_fill(GistState *state, double *doubt)
{
	Relation	index = state->model.measure->rel;
	const OpsUsualFill *usual;

	if (!state->sorts)
		usual = ops_model_usual_fill(index, usual_fills);
	else
	{
		usual = ops_model_usual_fill(index, sorted_fills);
		if (usual->opclass &&
			strcmp(usual->opclass, halved_fill.opclass) == 0 &&
			state->uneven <= state->items * 0.01)
			usual = &halved_fill;
	}
	if (ops_model_is_ordered(&state->model))
	{
		*doubt = usual->ordered_doubt;
		return usual->ordered;
	}
	*doubt = usual->doubt;
	return usual->fill;
}

/*
 * How full leaves are, those of nulls among them.
 *
 * Inserts never put a null on a page with other keys.  They halve a full page
 * of nulls, put both halves behind all others, and go for the first page that
 * will do, more often than not: so all but a few of these are half full.
 */
static double
with_nulls(const GistState *state, double share, double fill)
{
	GiSTOptions *options = (GiSTOptions *) state->model.measure->rel->rd_options;
	int			fillfactor = options ? options->fillfactor :
	GIST_DEFAULT_FILLFACTOR;
	double		part;
	double		rows;
	double		size;
	double		most;

	if (state->nulls == 0)
		return fill;
	part = state->null_bytes / state->leaf_bytes;
	rows = state->model.measure->total[TOTAL_LIVE] * share *
		state->nulls / state->items;
	size = state->null_bytes / state->nulls;
	most = floor((GIST_ROOM - BLCKSZ * (100 - fillfactor) / 100) / size);
	if (rows > most)
		rows = (most + 1) / 2;
	return 1 / ((1 - part) / fill + part * GIST_ROOM / Max(rows * size, 1));
}

/*
 * Whether a build sorts: if it is not told to buffer instead, and if every
 * operator class can.
 */
static bool
build_sorts(Relation index)
{
	GiSTOptions *options = (GiSTOptions *) index->rd_options;

	if (options && options->buffering_mode == GIST_OPTION_BUFFERING_ON)
		return false;
	for (int i = 1; i <= IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		if (!OidIsValid(index_getprocid(index, i, GIST_SORTSUPPORT_PROC)))
			return false;
	}
	return true;
}
