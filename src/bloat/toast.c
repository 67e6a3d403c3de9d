/*-------------------------------------------------------------------------
 *
 * toast.c
 *	  What VACUUM FULL of a table would make of its TOAST table.
 *
 * The chunks that stay are counted on the pages.  How much is lost between
 * them the pages do not tell, for in time later chunks fill the gaps, which a
 * rewrite does not.  The values that were seen tell, packed whole.  A table's
 * rows show them in the order of the rewrite, and also which of them belong
 * to columns that were dropped; if all rows were read there is nothing left
 * to estimate.  Where the rows are not known, a value's last chunk says how
 * many full ones come before it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/heappage.h"
#include "bloat/values.h"
#include "utils/memutils.h"

#define TOTAL_FULL_CHUNKS	TOTAL_OWN_1
#define TOTAL_LAST_CHUNKS	TOTAL_OWN_2
#define TOTAL_LAST_BYTES	TOTAL_OWN_3

/* No value has more chunks. */
#define MAX_CHUNKS ((int32) (MaxAllocSize / TOAST_MAX_CHUNK_SIZE + 1))

/* So many values tell well enough what is lost between them. */
#define ENOUGH_VALUES 300

/* Share of the relation that a sample may be off beyond its standard error. */
#define MARGIN 0.0075
#define MARGIN_KNOWN 0.005

typedef struct ToastReader
{
	OpsHeapReader reader;
	OpsToastValues values;		/* whose last chunks were seen */
	const OpsToastValues *rows; /* that the table's rows point to, or NULL */
} ToastReader;

static bool read_chunk(OpsHeapReader *reader, HeapTupleHeader tuple,
					   Size length, double *totals);
static void conclude_known(OpsBloatMeasure *measure,
						   const OpsToastValues *rows);
static const OpsToastValues *best_values(const ToastReader *toast);
static double packing_error(void *state);
static double estimate(OpsBloatMeasure *measure, const OpsToastValues *seen);
static double bytes_of(const double *totals, double lost);

void
ops_bloat_toast(OpsBloatMeasure *measure)
{
	ToastReader *toast = palloc(sizeof(ToastReader));
	const OpsToastValues *rows = measure->values;

	ops_heap_reader_begin(&toast->reader, measure, read_chunk);
	ops_values_begin(&toast->values);
	toast->rows = rows;

	/* If the need is known, few pages tell enough about the rest. */
	if (rows && rows->complete)
		measure->target = Max(measure->target, 1);
	else
		measure->own_error = packing_error;

	ops_bloat_sample(measure, 0, ops_heap_page, toast);

	if (rows && rows->complete)
		conclude_known(measure, rows);
	else
		ops_heap_reader_finish(measure, estimate(measure, best_values(toast)),
							   MARGIN);
}

/*
 * The sample of chunks has no say in it then, so its error does not matter.
 */
static void
conclude_known(OpsBloatMeasure *measure, const OpsToastValues *rows)
{
	double		pages = ops_packer_whole_pages(&rows->packer);
	double		margin = measure->census && rows->in_order ?
	0 : MARGIN_KNOWN * measure->nblocks;

	ops_heap_reader_finish(measure, pages, MARGIN_KNOWN);
	measure->pages_low = Max(pages - margin, 0);
	measure->pages_high = pages + margin;
}

static bool
read_chunk(OpsHeapReader *reader, HeapTupleHeader tuple, Size length,
		   double *totals)
{
	ToastReader *toast = (ToastReader *) reader;
	double		space = MAXALIGN(length) + sizeof(ItemIdData);
	Size		header = tuple->t_hoff + OPS_CHUNK_HEADER;
	int32		number;

	if (length <= header || length - header > TOAST_MAX_CHUNK_SIZE)
		return false;

	if (length - header == TOAST_MAX_CHUNK_SIZE)
	{
		totals[TOTAL_FULL_CHUNKS]++;
		totals[TOTAL_NEED] += OPS_FULL_CHUNK_BYTES / OPS_PAGE_ROOM;
		return true;
	}

	memcpy(&number, (char *) tuple + tuple->t_hoff + sizeof(Oid),
		   sizeof(number));
	if (number < 0 || number > MAX_CHUNKS)
		return false;
	totals[TOTAL_LAST_CHUNKS]++;
	totals[TOTAL_LAST_BYTES] += space;
	totals[TOTAL_NEED] += space / OPS_PAGE_ROOM;
	ops_values_add(&toast->values,
				   number * TOAST_MAX_CHUNK_SIZE + length - header);
	return true;
}

/*
 * Those of the table's rows come in the order of the rewrite.
 */
static const OpsToastValues *
best_values(const ToastReader *toast)
{
	const OpsToastValues *rows = toast->rows;

	if (rows && (rows->nlast >= ENOUGH_VALUES ||
				 rows->nlast >= toast->values.nlast))
		return rows;
	return &toast->values;
}

static double
packing_error(void *state)
{
	return ops_packer_error(&best_values(state)->packer);
}

/*
 * Pages after a rewrite, from the chunks that were counted.
 *
 * Long values are seen more often by their chunks than by their ends, so only
 * the loss is taken from whole values.
 */
static double
estimate(OpsBloatMeasure *measure, const OpsToastValues *seen)
{
	const OpsToastValues *rows = measure->values;
	double		bytes = bytes_of(measure->total, 0);
	double		pages;

	if (bytes <= 0)
		return 0;
	ops_heap_add_error(measure, ops_packer_error(&seen->packer));
	pages = measure->total[TOTAL_NEED] *
		bytes_of(measure->total, ops_values_lost(seen)) / bytes;
	if (rows)
	{
		double		error;
		double		kept = 1 - ops_values_shrink(rows, &error);

		pages *= kept;
		if (kept > 0)
			ops_heap_add_error(measure, error / kept);
	}
	return measure->census ? ceil(pages) : pages;
}

static double
bytes_of(const double *totals, double lost)
{
	return totals[TOTAL_FULL_CHUNKS] * OPS_FULL_CHUNK_BYTES +
		totals[TOTAL_LAST_BYTES] + totals[TOTAL_LAST_CHUNKS] * lost;
}
