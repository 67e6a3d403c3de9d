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
static int	larger_first(const void *a, const void *b);

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
 * The share that belongs to columns that were dropped, with its standard error
 * if the rows are a sample.
 */
double
ops_values_dropped(const OpsToastValues *values, double *error)
{
	double		share;
	double		residuals;

	*error = 0;
	if (values->dropped_bytes <= 0)
		return 0;
	share = values->dropped_bytes / values->bytes;
	residuals = values->dropped_squares - 2 * share * values->products +
		share * share * values->squares;
	*error = sqrt(Max(residuals, 0)) / values->bytes;
	return share;
}

/*
 * For what the rows of a table point to; NULL if it has no TOAST table.
 */
OpsToastValues *
ops_values_create(Relation table)
{
	OpsToastValues *values;

	if (!OidIsValid(table->rd_rel->reltoastrelid))
		return NULL;
	values = palloc(sizeof(OpsToastValues));
	ops_values_begin(values);
	values->toast = table->rd_rel->reltoastrelid;
	values->row = palloc(RelationGetNumberOfAttributes(table) *
						 sizeof(OpsExternal));
	return values;
}

/*
 * False if the row cannot be taken apart.
 */
bool
ops_values_add_row(OpsToastValues *values, const OpsReform *reform,
				   HeapTupleHeader tuple, Size length)
{
	int			nvalues = ops_reform_external(reform, tuple, length,
											  values->row);
	double		bytes = 0;
	double		dropped = 0;

	if (nvalues < 0)
		return false;
	if (nvalues > 1)
		qsort(values->row, nvalues, sizeof(OpsExternal), larger_first);

	for (int i = 0; i < nvalues; i++)
	{
		const OpsExternal *value = &values->row[i];

		if (value->toast != values->toast)
			continue;
		bytes += value->size;
		if (value->dropped)
			dropped += value->size;
		else
			ops_values_add(values, value->size);
	}
	values->bytes += bytes;
	values->dropped_bytes += dropped;
	values->squares += bytes * bytes;
	values->dropped_squares += dropped * dropped;
	values->products += bytes * dropped;
	return true;
}

static Size
chunk_length(Size size)
{
	return MAXALIGN(SizeofHeapTupleHeader) + OPS_CHUNK_HEADER + size;
}

static int
larger_first(const void *a, const void *b)
{
	Size		left = ((const OpsExternal *) a)->size;
	Size		right = ((const OpsExternal *) b)->size;

	return left < right ? 1 : left > right ? -1 : 0;
}
