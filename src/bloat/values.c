/*-------------------------------------------------------------------------
 *
 * values.c
 *	  Values in a TOAST table, packed as a rewrite stores them.
 *
 * It stores them whole, chunk after chunk.  A chunk that does not fit on the
 * page at hand goes to a new one, and what is left of the page stays empty.
 * How much that is depends on which values follow each other: a rewrite takes
 * them in the order of the table's rows, of one row the largest first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/values.h"
#include "utils/rel.h"

static Size chunk_length(Size size);

void
ops_values_begin(OpsToastValues *values)
{
	memset(values, 0, sizeof(*values));
	ops_packer_begin(&values->packer, 0);
}

/*
 * Adds a value of so many bytes.
 */
void
ops_values_add(OpsToastValues *values, Size size)
{
	Size		nfull = size / TOAST_MAX_CHUNK_SIZE;
	Size		last = size % TOAST_MAX_CHUNK_SIZE;

	ops_packer_add_many(&values->packer, chunk_length(TOAST_MAX_CHUNK_SIZE),
						nfull);
	values->nfull += nfull;
	if (last > 0)
	{
		ops_packer_add(&values->packer, chunk_length(last));
		values->nlast++;
	}
}

/*
 * Bytes that stay empty with each last chunk, beyond those between full ones.
 */
double
ops_values_lost(const OpsToastValues *values)
{
	Size		full = MAXALIGN(chunk_length(TOAST_MAX_CHUNK_SIZE));
	double		gap = OPS_FULL_CHUNK_BYTES - full - sizeof(ItemIdData);

	if (values->nlast == 0)
		return 0;
	return (values->packer.wasted - values->nfull * gap) / values->nlast;
}

/*
 * The share that a rewrite does not store again, since its columns were
 * dropped or it fits into the row now, less what moves the other way; with its
 * standard error if the rows are a sample.
 */
double
ops_values_shrink(const OpsToastValues *values, double *error)
{
	double		share;
	double		residuals;

	*error = 0;
	if (values->bytes <= 0)
		return 0;
	share = values->lost_bytes / values->bytes;
	residuals = values->lost_squares - 2 * share * values->products +
		share * share * values->squares;
	*error = sqrt(Max(residuals, 0)) / values->bytes;
	return share;
}

/*
 * For what the rows of a table point to; NULL if it has no TOAST table.
 */
OpsToastValues *
ops_values_create(Relation table, const OpsReform *reform)
{
	OpsToastValues *values;

	if (!OidIsValid(table->rd_rel->reltoastrelid))
		return NULL;
	values = palloc(sizeof(OpsToastValues));
	ops_values_begin(values);
	values->retoast = ops_retoast_begin(table, reform);
	return values;
}

Size
ops_values_add_row(OpsToastValues *values, HeapTupleHeader tuple, Size length)
{
	OpsRetoasted row;
	double		bytes;
	double		lost;

	if (!ops_retoast_row(values->retoast, tuple, length, &row))
		return 0;
	bytes = row.stored_before;
	lost = bytes;
	for (int i = 0; i < row.nstored; i++)
	{
		ops_values_add(values, row.stored[i]);
		lost -= row.stored[i];
	}
	values->bytes += bytes;
	values->lost_bytes += lost;
	values->squares += bytes * bytes;
	values->lost_squares += lost * lost;
	values->products += bytes * lost;
	return row.length;
}

static Size
chunk_length(Size size)
{
	return MAXALIGN(SizeofHeapTupleHeader) + OPS_CHUNK_HEADER + size;
}
