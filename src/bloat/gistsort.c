/*-------------------------------------------------------------------------
 *
 * gistsort.c
 *	  How a build that sorts fills the leaves of a GiST index.
 *
 * It gathers four full pages of the sorted rows and lets the operator class
 * split all of these at once, in halves, until each piece fits on a page.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/gistbuild.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"

/* Full pages that are split together. */
#define GATHERED			4

typedef struct Order
{
	Relation	index;
	int			nkeys;
	SortSupport keys;
} Order;

static void prepare_order(Order *order, Relation index);
static int	compare_entries(const void *a, const void *b, void *arg);
static int	count_pages(Relation index, GISTSTATE * state, Page page,
						IndexTuple * rows, int nrows);

void
ops_gist_sorted_build(IndexTuple * rows, int nrows, Relation index,
					  OpsGistBuilt *built)
{
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(before,
												  "operations_runbook GiST sorted build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext temporary = AllocSetContextCreate(context,
													"operations_runbook GiST split",
													ALLOCSET_DEFAULT_SIZES);
	Order		order;
	GISTSTATE  *state;
	Page		page;
	int			first = 0;
	int			gathered = 0;
	Size		free = 0;
	double		bytes = 0;
	double		pending = 0;

	built->fill = built->leaves = 0;
	MemoryContextSwitchTo(context);
	prepare_order(&order, index);
	qsort_arg(rows, nrows, sizeof(IndexTuple), compare_entries, &order);
	state = initGISTstate(index);
	state->tempCxt = temporary;
	page = palloc(BLCKSZ);
	gistinitpage(page, F_LEAF);

	MemoryContextSwitchTo(temporary);
	for (int i = 0; i < nrows; i++)
	{
		Size		size = MAXALIGN(IndexTupleSize(rows[i])) + sizeof(ItemIdData);

		CHECK_FOR_INTERRUPTS();
		if (size > free)
		{
			if (gathered == GATHERED)
			{
				built->leaves += count_pages(index, state, page, rows + first,
											 i - first);
				MemoryContextReset(temporary);
				bytes += pending;
				pending = 0;
				gathered = 0;
				first = i;
			}
			gathered++;
			free = GiSTPageSize;
		}
		free -= Min(size, free);
		pending += size;
	}
	if (built->leaves > 0)
		built->fill = bytes / (built->leaves * GiSTPageSize);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
}

static void
prepare_order(Order *order, Relation index)
{
	order->index = index;
	order->nkeys = IndexRelationGetNumberOfKeyAttributes(index);
	order->keys = palloc0(order->nkeys * sizeof(SortSupportData));
	for (int i = 0; i < order->nkeys; i++)
	{
		SortSupport key = &order->keys[i];

		key->ssup_cxt = CurrentMemoryContext;
		key->ssup_collation = index->rd_indcollation[i];
		key->ssup_attno = i + 1;
		PrepareSortSupportFromGistIndexRel(index, key);
	}
}

static int
compare_entries(const void *a, const void *b, void *arg)
{
	const Order *order = (const Order *) arg;
	IndexTuple	left = *(const IndexTuple *) a;
	IndexTuple	right = *(const IndexTuple *) b;

	for (int i = 0; i < order->nkeys; i++)
	{
		bool		left_null;
		bool		right_null;
		Datum		left_value = index_getattr(left, i + 1,
											   RelationGetDescr(order->index),
											   &left_null);
		Datum		right_value = index_getattr(right, i + 1,
												RelationGetDescr(order->index),
												&right_null);
		int			result = ApplySortComparator(left_value, left_null,
												 right_value, right_null,
												 &order->keys[i]);

		if (result != 0)
			return result;
	}
	return ItemPointerCompare(&left->t_tid, &right->t_tid);
}

/*
 * Pages that the operator class makes of these rows.
 */
static int
count_pages(Relation index, GISTSTATE * state, Page page, IndexTuple * rows,
			int nrows)
{
	int			pages = 0;

	for (SplitPageLayout * part = gistSplit(index, page, rows, nrows, state);
		 part != NULL; part = part->next)
		pages++;
	return pages;
}
