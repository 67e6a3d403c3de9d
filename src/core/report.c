/*-------------------------------------------------------------------------
 *
 * report.c
 *	  What every room's rows have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "core/report.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"

const char *const ops_severity_name[] = {"P0", "P1", "P2", "P3"};

void
ops_report_text(Datum *value, bool *isnull, const char *string)
{
	*isnull = string == NULL;
	if (string)
		*value = CStringGetTextDatum(string);
}

/*
 * A text[] of the strings; null if there are none.
 */
void
ops_report_texts(Datum *value, bool *isnull, List *strings)
{
	Datum	   *texts;
	int			ntexts = 0;
	ListCell   *lc;

	*isnull = strings == NIL;
	if (strings == NIL)
		return;
	texts = palloc(list_length(strings) * sizeof(Datum));
	foreach(lc, strings)
		texts[ntexts++] = CStringGetTextDatum((char *) lfirst(lc));
	*value = PointerGetDatum(construct_array(texts, ntexts, TEXTOID, -1,
											 false, TYPALIGN_INT));
}

const char *
ops_argument_text(FunctionCallInfo fcinfo, int place,
				  const char *default_value)
{
	if (PG_ARGISNULL(place))
		return default_value;
	return text_to_cstring(PG_GETARG_TEXT_PP(place));
}

/*
 * The elements of a text[] argument; null ones are left out.
 */
List *
ops_argument_texts(FunctionCallInfo fcinfo, int place)
{
	List	   *strings = NIL;
	Datum	   *texts;
	bool	   *isnull;
	int			ntexts;

	if (PG_ARGISNULL(place))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(place), TEXTOID, -1, false,
					  TYPALIGN_INT, &texts, &isnull, &ntexts);
	for (int i = 0; i < ntexts; i++)
	{
		if (!isnull[i])
			strings = lappend(strings, TextDatumGetCString(texts[i]));
	}
	return strings;
}

/*
 * A number that has to be above zero; 0 if it is null.
 */
int64
ops_argument_positive(FunctionCallInfo fcinfo, int place, const char *name)
{
	int64		value;

	if (PG_ARGISNULL(place))
		return 0;
	value = PG_GETARG_INT64(place);
	if (value <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be greater than zero", name)));
	return value;
}

/*
 * Milliseconds of an interval that has to be above zero; 0 if it is null.
 */
double
ops_argument_ms(FunctionCallInfo fcinfo, int place, const char *name)
{
	double		ms;

	if (PG_ARGISNULL(place))
		return 0;
	ms = ops_interval_ms(PG_GETARG_INTERVAL_P(place));
	if (ms <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be greater than zero", name)));
	return ms;
}

double
ops_interval_ms(const Interval *span)
{
	if (span == NULL)
		return 0;
	return span->time / 1000.0 +
		(span->day + span->month * (double) DAYS_PER_MONTH) * 86400000.0;
}
