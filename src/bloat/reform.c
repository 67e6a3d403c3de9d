/*-------------------------------------------------------------------------
 *
 * reform.c
 *	  How long a row is once it is formed anew.
 *
 * A rewrite takes rows apart and forms them again: values of columns that were
 * dropped become null, columns added since the row was stored become part of
 * it, as nulls or with the default they got without a rewrite.  What becomes
 * of values that are stored out of line is the matter of retoast.c.
 *
 * Rows are taken apart where they lie, on a page that nobody vouches for, so
 * each length is checked before it is followed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupdesc_details.h"
#include "access/tupmacs.h"
#include "bloat/reform.h"

static bool is_as_formed(const OpsReform *reform, HeapTupleHeader tuple,
						 int ncolumns);
static bool locate(const OpsColumn *column, const char *data, Size limit,
				   Size *start, Size *end);
static bool has_null_bitmap(HeapTupleHeader tuple, int ncolumns);
static bool varlena_size(const char *value, Size limit, Size *size);
static Size append(const OpsColumn *column, Size size, const char *value,
				   Size value_size);
static Size append_default(const OpsColumn *column, Size size);
static void default_value(const OpsColumn *column, OpsRowValue *value);

OpsReform *
ops_reform_begin(TupleDesc desc)
{
	OpsReform  *reform = palloc(sizeof(OpsReform));

	reform->ncolumns = desc->natts;
	reform->ndropped = 0;
	reform->dropped = palloc(desc->natts * sizeof(int));
	reform->columns = palloc0(desc->natts * sizeof(OpsColumn));

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		OpsColumn  *column = &reform->columns[i];

		column->length = attribute->attlen;
		column->align = attribute->attalign;
		column->storage = attribute->attstorage;
		column->compression = attribute->attcompression;
		column->by_value = attribute->attbyval;
		column->packable = attribute->attlen == -1 &&
			attribute->attstorage != TYPSTORAGE_PLAIN;
		column->dropped = attribute->attisdropped;
		if (column->dropped)
			reform->dropped[reform->ndropped++] = i;
		else if (attribute->atthasmissing && desc->constr &&
				 desc->constr->missing &&
				 desc->constr->missing[i].am_present)
		{
			column->has_default = true;
			column->value = desc->constr->missing[i].am_value;
		}
	}
	return reform;
}

/*
 * Length of a row formed anew, or 0 if it cannot be taken apart.  What
 * dropped columns take in it now is added to "dropped".
 */
Size
ops_reform_length(const OpsReform *reform, HeapTupleHeader tuple, Size length,
				  Size *dropped)
{
	int			ncolumns = Min(HeapTupleHeaderGetNatts(tuple),
							   reform->ncolumns);
	bool		has_nulls = (tuple->t_infomask & HEAP_HASNULL) != 0;
	bool		needs_nulls = false;
	const char *data = (const char *) tuple + tuple->t_hoff;
	Size		limit = length - tuple->t_hoff;
	Size		offset = 0;
	Size		size = 0;
	Size		header;

	if (is_as_formed(reform, tuple, ncolumns))
		return length;
	if (has_nulls && !has_null_bitmap(tuple, ncolumns))
		return 0;

	for (int i = 0; i < ncolumns; i++)
	{
		const OpsColumn *column = &reform->columns[i];
		Size		start = offset;

		if (has_nulls && att_isnull(i, tuple->t_bits))
		{
			needs_nulls = true;
			continue;
		}
		if (!locate(column, data, limit, &start, &offset))
			return 0;
		if (column->dropped)
		{
			needs_nulls = true;
			*dropped += offset - start;
		}
		else
			size = append(column, size, data + start, offset - start);
	}

	for (int i = ncolumns; i < reform->ncolumns; i++)
	{
		if (reform->columns[i].has_default)
			size = append_default(&reform->columns[i], size);
		else
			needs_nulls = true;
	}

	header = SizeofHeapTupleHeader;
	if (needs_nulls)
		header += BITMAPLEN(reform->ncolumns);
	return MAXALIGN(header) + size;
}

bool
ops_reform_values(const OpsReform *reform, HeapTupleHeader tuple,
				  Size length, OpsRowValue *values)
{
	int			ncolumns = Min(HeapTupleHeaderGetNatts(tuple),
							   reform->ncolumns);
	bool		has_nulls = (tuple->t_infomask & HEAP_HASNULL) != 0;
	const char *data = (const char *) tuple + tuple->t_hoff;
	Size		offset = 0;

	if (has_nulls && !has_null_bitmap(tuple, ncolumns))
		return false;

	memset(values, 0, reform->ncolumns * sizeof(OpsRowValue));
	for (int i = 0; i < ncolumns; i++)
	{
		const OpsColumn *column = &reform->columns[i];
		Size		start = offset;

		if (has_nulls && att_isnull(i, tuple->t_bits))
			continue;
		if (!locate(column, data, length - tuple->t_hoff, &start, &offset))
			return false;
		values[i].data = data + start;
		values[i].size = offset - start;
	}
	for (int i = ncolumns; i < reform->ncolumns; i++)
	{
		if (reform->columns[i].has_default)
			default_value(&reform->columns[i], &values[i]);
	}
	return true;
}

/*
 * Whether the row was formed by the columns the table has now: all are there,
 * and those dropped are null.
 */
static bool
is_as_formed(const OpsReform *reform, HeapTupleHeader tuple, int ncolumns)
{
	if (ncolumns < reform->ncolumns)
		return false;
	if (reform->ndropped == 0)
		return true;
	if (!(tuple->t_infomask & HEAP_HASNULL) ||
		!has_null_bitmap(tuple, ncolumns))
		return false;
	for (int i = 0; i < reform->ndropped; i++)
	{
		if (!att_isnull(reform->dropped[i], tuple->t_bits))
			return false;
	}
	return true;
}

/*
 * Whether the row's header has room for the bitmap it says it has.
 */
static bool
has_null_bitmap(HeapTupleHeader tuple, int ncolumns)
{
	return SizeofHeapTupleHeader + BITMAPLEN(ncolumns) <= tuple->t_hoff;
}

/*
 * Finds the value that follows after "start", and its end.
 */
static bool
locate(const OpsColumn *column, const char *data, Size limit,
	   Size *start, Size *end)
{
	Size		offset = *start;
	Size		size;

	if (offset >= limit)
		return false;

	/* A short header is not aligned, and no padding looks like one. */
	if (column->length != -1 || data[offset] == 0)
		offset = att_align_nominal(offset, column->align);
	if (offset >= limit)
		return false;

	if (column->length > 0)
		size = column->length;
	else if (column->length == -2)
		size = strnlen(data + offset, limit - offset) + 1;
	else if (!varlena_size(data + offset, limit - offset, &size))
		return false;

	if (size > limit - offset)
		return false;
	*start = offset;
	*end = offset + size;
	return true;
}

static bool
varlena_size(const char *value, Size limit, Size *size)
{
	if (VARATT_IS_1B_E(value))
	{
		if (limit < VARHDRSZ_EXTERNAL ||
			VARTAG_1B_E(value) != VARTAG_ONDISK)
			return false;
		*size = VARSIZE_EXTERNAL(value);
	}
	else if (VARATT_IS_1B(value))
		*size = VARSIZE_1B(value);
	else if (limit < VARHDRSZ || VARSIZE_4B(value) < VARHDRSZ)
		return false;
	else
		*size = VARSIZE_4B(value);
	return true;
}

/*
 * The size of a row's data with one more value.
 */
static Size
append(const OpsColumn *column, Size size, const char *value, Size value_size)
{
	if (column->length == -1)
	{
		if (column->packable && VARATT_CAN_MAKE_SHORT(value))
			return size + VARATT_CONVERTED_SHORT_SIZE(value);
		if (VARATT_IS_1B(value))
			return size + value_size;
	}
	return att_align_nominal(size, column->align) + value_size;
}

static Size
append_default(const OpsColumn *column, Size size)
{
	OpsRowValue value;

	default_value(column, &value);
	if (value.data == NULL)
		return att_align_nominal(size, column->align) + value.size;
	return append(column, size, value.data, value.size);
}

static void
default_value(const OpsColumn *column, OpsRowValue *value)
{
	value->size = column->length;
	value->data = NULL;
	if (column->by_value)
		return;
	value->data = DatumGetPointer(column->value);
	if (column->length == -1)
		value->size = VARSIZE_ANY(value->data);
	else if (column->length == -2)
		value->size = strlen(value->data) + 1;
}
