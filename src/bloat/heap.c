/*-------------------------------------------------------------------------
 *
 * heap.c
 *	  What VACUUM FULL would make of a table.
 *
 * It forms each row anew, decides once more what to store out of line, and
 * fills page after page, in the order in which it finds the rows, as far as
 * the fillfactor allows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/heappage.h"
#include "bloat/packer.h"
#include "bloat/reform.h"
#include "bloat/values.h"

/* Share of the relation that a sample may be off beyond its standard error. */
#define MARGIN 0.005

typedef struct TableReader
{
	OpsHeapReader reader;
	OpsReform  *reform;
	OpsPacker	packer;
	OpsToastValues *values;		/* NULL without a TOAST table */

	/* the page read last */
	BlockNumber block;
	int			nrows;			/* that were kept of it */
	Size		largest;
	bool		is_full;		/* and packed just as it is */

	/* what there was of all pages, and what was kept */
	double		line_pointers;
	double		kept;
	double		owed;			/* pages that should have been closed */
} TableReader;

static void measure_roots(OpsBloatMeasure *measure);
static void read_table_page(OpsBloatMeasure *measure, void *state,
							BlockNumber block, Page page, double *totals);
static double packing_error(void *state);
static bool read_row(OpsHeapReader *reader, HeapTupleHeader tuple,
					 Size length, double *totals);

void
ops_bloat_heap(OpsBloatMeasure *measure)
{
	TableReader *table;
	double		ratio = 1;

	if (measure->kind == BLOAT_TOAST)
	{
		ops_bloat_toast(measure);
		return;
	}
	if (measure->only_roots)
	{
		measure_roots(measure);
		return;
	}

	table = palloc0(sizeof(TableReader));
	ops_heap_reader_begin(&table->reader, measure, read_row);
	table->reform = ops_reform_begin(RelationGetDescr(measure->rel));
	ops_packer_begin(&table->packer, table->reader.reserve);
	table->values = measure->values =
		ops_values_create(measure->rel, table->reform);

	measure->own_error = packing_error;
	ops_bloat_sample(measure, 0, read_table_page, table);

	/* Versions of one row share values, so held back ones count twice. */
	if (table->values)
	{
		table->values->complete = measure->census &&
			measure->total[TOTAL_HELD_BYTES] == 0;
		table->values->in_order = measure->in_order;
	}

	/* From what rows of each length take to what they took together. */
	if (table->packer.charged > 0)
		ratio = ops_packer_pages(&table->packer) / table->packer.charged;
	ops_heap_add_error(measure, packing_error(table));

	ops_heap_reader_finish(measure, measure->in_order ?
						   ops_packer_whole_pages(&table->packer) :
						   measure->total[TOTAL_NEED] * ratio, MARGIN);
}

/*
 * Which rows are gone, and nothing about those that are left.
 */
static void
measure_roots(OpsBloatMeasure *measure)
{
	OpsHeapReader *reader = palloc(sizeof(OpsHeapReader));

	ops_heap_reader_begin(reader, measure, ops_heap_ignore_row);
	ops_bloat_sample(measure, 0, ops_heap_page, reader);
	ops_heap_reader_finish(measure, measure->nblocks, 0);
}

/*
 * A full page ends where the next row did not fit.  If that row is not of the
 * sample, the first one of another page must not take its place: it may well
 * fit, and a table without a gap would seem to have some.
 *
 * But that next row may be gone, and the one after it fit.  So of such pages
 * only a share is closed, as large as the share of rows that are kept.
 */
static void
read_table_page(OpsBloatMeasure *measure, void *state, BlockNumber block,
				Page page, double *totals)
{
	TableReader *table = state;
	OpsPacker  *packer = &table->packer;

	if (table->is_full && !measure->in_order && block != table->block + 1)
	{
		table->owed += table->kept / table->line_pointers;
		if (table->owed >= 1)
		{
			table->owed--;
			ops_packer_close(packer);
		}
	}

	table->nrows = 0;
	table->largest = 0;
	ops_heap_page(measure, state, block, page, totals);
	table->block = block;
	table->line_pointers += PageGetMaxOffsetNumber(page);
	table->kept += table->nrows;
	table->is_full = table->nrows == PageGetMaxOffsetNumber(page) &&
		table->nrows == packer->items &&
		packer->room < table->largest + packer->reserve;
}

static double
packing_error(void *state)
{
	TableReader *table = state;

	return ops_packer_error(&table->packer);
}

static bool
read_row(OpsHeapReader *reader, HeapTupleHeader tuple, Size length,
		 double *totals)
{
	TableReader *table = (TableReader *) reader;
	Size		dropped = 0;
	Size		formed = ops_reform_length(table->reform, tuple, length,
										   &dropped);

	if (formed == 0)
		return false;
	if (table->values && (tuple->t_infomask & HEAP_HASEXTERNAL ||
						  formed > TOAST_TUPLE_THRESHOLD))
	{
		formed = ops_values_add_row(table->values, tuple, length);
		if (formed == 0)
			return false;
	}
	table->nrows++;
	table->largest = Max(table->largest, formed);
	totals[TOTAL_NEED] += ops_packer_add(&table->packer, formed);
	totals[TOTAL_DROPPED_BYTES] += dropped;
	return true;
}
