/*-------------------------------------------------------------------------
 *
 * retoast.c
 *	  What a rewrite keeps in a row and what it stores out of line.
 *
 * It takes every value back in, compressed or not as it is, and decides anew.
 * So a value that went out of line next to another one comes back into the row
 * once that one is shorter, null, or its column dropped; and one that a new
 * column pushes over the limit leaves it.
 *
 * Values that are out of line are not fetched.  One that is not compressed
 * there did not get any shorter when that was tried; unless its column had the
 * storage EXTERNAL then, and has not any more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/heaptoast.h"
#include "access/toast_compression.h"
#include "access/toast_internals.h"
#include "access/tupmacs.h"
#include "bloat/retoast.h"
#include "utils/memutils.h"

/* How a value is represented in the row. */
typedef enum OpsValueForm
{
	VALUE_NULL,
	VALUE_FIXED,				/* no varlena */
	VALUE_SHORT,
	VALUE_LONG,					/* may become short when stored */
	VALUE_COMPRESSED,
	VALUE_EXTERNAL,
} OpsValueForm;

typedef struct OpsToastColumn
{
	OpsValueForm form;
	Size		size;			/* with its header */
	const char *data;			/* NULL: not at hand */
	bool		incompressible;
} OpsToastColumn;

static bool take_in(OpsRetoast *retoast, OpsRetoasted *result);
static bool fetch(const OpsRetoast *retoast, const OpsColumn *column,
				  const OpsRowValue *value, OpsToastColumn *entry,
				  double *before);
static void push_out(OpsRetoast *retoast, Size header, OpsRetoasted *result);
static Size data_size(const OpsRetoast *retoast);
static bool gets_short(const OpsColumn *column, const OpsToastColumn *value);
static int	biggest(const OpsRetoast *retoast, bool to_compress, bool main);
static void compress(OpsRetoast *retoast, int i);
static void store(OpsRetoast *retoast, int i, OpsRetoasted *result);

OpsRetoast *
ops_retoast_begin(Relation table, const OpsReform *reform)
{
	OpsRetoast *retoast = palloc(sizeof(OpsRetoast));
	int			ncolumns = reform->ncolumns;

	retoast->reform = reform;
	retoast->toast = table->rd_rel->reltoastrelid;
	retoast->target = RelationGetToastTupleTarget(table, TOAST_TUPLE_TARGET);
	retoast->values = palloc(ncolumns * sizeof(OpsRowValue));
	retoast->columns = palloc(ncolumns * sizeof(OpsToastColumn));
	retoast->stored = palloc(ncolumns * sizeof(Size));
	return retoast;
}

bool
ops_retoast_row(OpsRetoast *retoast, HeapTupleHeader tuple, Size length,
				OpsRetoasted *result)
{
	bool		has_nulls = false;
	Size		header = SizeofHeapTupleHeader;

	memset(result, 0, sizeof(*result));
	result->stored = retoast->stored;
	if (!ops_reform_values(retoast->reform, tuple, length, retoast->values) ||
		!take_in(retoast, result))
		return false;

	for (int i = 0; i < retoast->reform->ncolumns; i++)
		has_nulls |= retoast->columns[i].form == VALUE_NULL;
	if (has_nulls)
		header += BITMAPLEN(retoast->reform->ncolumns);
	header = MAXALIGN(header);

	/* A row that has nothing out of line is left alone if it is short. */
	if (retoast->any_fetched ||
		header + data_size(retoast) > TOAST_TUPLE_THRESHOLD)
		push_out(retoast, header, result);
	result->length = header + data_size(retoast);
	return true;
}

/*
 * All values as they are when none is out of line.
 */
static bool
take_in(OpsRetoast *retoast, OpsRetoasted *result)
{
	retoast->any_fetched = false;
	for (int i = 0; i < retoast->reform->ncolumns; i++)
	{
		const OpsColumn *column = &retoast->reform->columns[i];
		const OpsRowValue *value = &retoast->values[i];
		OpsToastColumn *entry = &retoast->columns[i];

		entry->size = value->size;
		entry->data = value->data;
		entry->incompressible = false;
		if (value->size == 0)
			entry->form = VALUE_NULL;
		else if (column->length != -1)
			entry->form = VALUE_FIXED;
		else if (VARATT_IS_1B_E(value->data))
		{
			if (!fetch(retoast, column, value, entry,
					   &result->stored_before))
				return false;
			retoast->any_fetched |= !column->dropped;
		}
		else if (VARATT_IS_1B(value->data))
			entry->form = VALUE_SHORT;
		else if (VARATT_IS_4B_C(value->data))
			entry->form = VALUE_COMPRESSED;
		else
			entry->form = VALUE_LONG;

		if (column->dropped)
			entry->form = VALUE_NULL;
	}
	return true;
}

static bool
fetch(const OpsRetoast *retoast, const OpsColumn *column,
	  const OpsRowValue *value, OpsToastColumn *entry, double *before)
{
	struct varatt_external pointer;

	if (value->size < VARHDRSZ_EXTERNAL + sizeof(pointer))
		return false;
	memcpy(&pointer, VARDATA_1B_E(value->data), sizeof(pointer));
	if (pointer.va_rawsize < VARHDRSZ || pointer.va_rawsize > MaxAllocSize)
		return false;

	/* Another table's values may be left from before 9.0. */
	if (pointer.va_toastrelid == retoast->toast)
		*before += VARATT_EXTERNAL_GET_EXTSIZE(pointer);

	entry->data = NULL;
	entry->form = VARATT_EXTERNAL_IS_COMPRESSED(pointer) ?
		VALUE_COMPRESSED : VALUE_LONG;
	entry->size = VARATT_EXTERNAL_GET_EXTSIZE(pointer) + VARHDRSZ;
	if (column->storage == TYPSTORAGE_PLAIN)
	{
		entry->form = VALUE_LONG;
		entry->size = pointer.va_rawsize;
	}
	return true;
}

/*
 * Compress and store out of line, in the order of heap_toast_insert_or_update:
 * the largest first, those of storage MAIN only when nothing else helps.
 */
static void
push_out(OpsRetoast *retoast, Size header, OpsRetoasted *result)
{
	Size		most = retoast->target - header;
	int			i;

	while (data_size(retoast) > most &&
		   (i = biggest(retoast, true, false)) >= 0)
	{
		if (retoast->reform->columns[i].storage == TYPSTORAGE_EXTENDED)
			compress(retoast, i);
		else
			retoast->columns[i].incompressible = true;
		if (retoast->columns[i].size > most)
			store(retoast, i, result);
	}
	while (data_size(retoast) > most &&
		   (i = biggest(retoast, false, false)) >= 0)
		store(retoast, i, result);
	while (data_size(retoast) > most &&
		   (i = biggest(retoast, true, true)) >= 0)
		compress(retoast, i);

	most = TOAST_TUPLE_TARGET_MAIN - header;
	while (data_size(retoast) > most &&
		   (i = biggest(retoast, false, true)) >= 0)
		store(retoast, i, result);
}

static Size
data_size(const OpsRetoast *retoast)
{
	Size		size = 0;

	for (int i = 0; i < retoast->reform->ncolumns; i++)
	{
		const OpsColumn *column = &retoast->reform->columns[i];
		const OpsToastColumn *value = &retoast->columns[i];

		switch (value->form)
		{
			case VALUE_NULL:
				break;
			case VALUE_SHORT:
				size += value->size;
				break;
			case VALUE_EXTERNAL:
				size += TOAST_POINTER_SIZE;
				break;
			case VALUE_LONG:
			case VALUE_FIXED:
			case VALUE_COMPRESSED:
				if (value->form == VALUE_LONG && gets_short(column, value))
					size += value->size - VARHDRSZ + VARHDRSZ_SHORT;
				else
					size = att_align_nominal(size, column->align) + value->size;
				break;
		}
	}
	return size;
}

static bool
gets_short(const OpsColumn *column, const OpsToastColumn *value)
{
	return column->packable &&
		value->size - VARHDRSZ + VARHDRSZ_SHORT <= VARATT_SHORT_MAX;
}

/*
 * The largest value that may be compressed, or stored out of line; -1 if there
 * is none that makes it worth while.
 */
static int
biggest(const OpsRetoast *retoast, bool to_compress, bool main)
{
	Size		size = MAXALIGN(TOAST_POINTER_SIZE);
	int			found = -1;

	for (int i = 0; i < retoast->reform->ncolumns; i++)
	{
		const OpsToastColumn *value = &retoast->columns[i];
		char		storage = retoast->reform->columns[i].storage;

		if (value->form != VALUE_SHORT && value->form != VALUE_LONG &&
			(value->form != VALUE_COMPRESSED || to_compress))
			continue;
		if (to_compress && value->incompressible)
			continue;
		if (main ? storage != TYPSTORAGE_MAIN :
			storage != TYPSTORAGE_EXTENDED && storage != TYPSTORAGE_EXTERNAL)
			continue;
		if (value->size > size)
		{
			found = i;
			size = value->size;
		}
	}
	return found;
}

/*
 * The value lies on a page that is locked, but there are hardly any.
 */
static void
compress(OpsRetoast *retoast, int i)
{
	OpsToastColumn *value = &retoast->columns[i];
	char		method = retoast->reform->columns[i].compression;
	struct varlena *compressed = NULL;

	if (value->data != NULL)
		compressed = (struct varlena *)
			DatumGetPointer(toast_compress_datum(PointerGetDatum(value->data),
												 method));
	if (compressed == NULL)
	{
		value->incompressible = true;
		return;
	}
	value->form = VALUE_COMPRESSED;
	value->size = VARSIZE(compressed);
	pfree(compressed);
}

static void
store(OpsRetoast *retoast, int i, OpsRetoasted *result)
{
	OpsToastColumn *value = &retoast->columns[i];

	retoast->stored[result->nstored++] = value->size -
		(value->form == VALUE_SHORT ? VARHDRSZ_SHORT : VARHDRSZ);
	value->form = VALUE_EXTERNAL;
}
