/*-------------------------------------------------------------------------
 *
 * window.c
 *	  When windows open and whether one is open: the functions in SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "schedule/window.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_next_window);
PG_FUNCTION_INFO_V1(ops_window_open);
PG_FUNCTION_INFO_V1(ops_window_occurrence);

/* A window and the occurrence of it that comes next. */
typedef struct ComingWindow
{
	const OpsWindow *window;
	bool		comes;
	OpsOccurrence occurrence;
} ComingWindow;

static OpsWindow *windows_of_argument(FunctionCallInfo fcinfo, int *count);
static ComingWindow *soonest(ComingWindow *coming, int count);
static void put_occurrence(ReturnSetInfo *rsinfo, const OpsWindow *window,
						   const OpsOccurrence *occurrence);

/*
 * ops.next_window(window_name text, after timestamptz, n integer)
 * RETURNS SETOF record
 *
 * The next n occurrences that start after an instant, of one window or of all
 * taken together.
 */
Datum
ops_next_window(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ComingWindow *coming;
	ComingWindow *next;
	OpsWindow  *windows;
	int			count;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	windows = windows_of_argument(fcinfo, &count);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	n = PG_GETARG_INT32(2);
	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n must not be negative")));

	coming = palloc(Max(count, 1) * sizeof(ComingWindow));
	for (int i = 0; i < count; i++)
	{
		coming[i].window = &windows[i];
		coming[i].comes = ops_window_next(&windows[i],
										  PG_GETARG_TIMESTAMPTZ(1),
										  &coming[i].occurrence);
	}

	while (n-- > 0 && (next = soonest(coming, count)) != NULL)
	{
		put_occurrence(rsinfo, next->window, &next->occurrence);
		next->comes = ops_window_next(next->window, next->occurrence.starts,
									  &next->occurrence);
	}
	return (Datum) 0;
}

/*
 * ops.window_open(window_name text, at timestamptz) RETURNS boolean
 *
 * Whether a window, or any of them, is open at an instant.
 */
Datum
ops_window_open(PG_FUNCTION_ARGS)
{
	OpsOccurrence occurrence;
	OpsWindow  *windows;
	int			count;
	bool		open = false;

	windows = windows_of_argument(fcinfo, &count);
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	for (int i = 0; i < count && !open; i++)
		open = ops_window_at(&windows[i], PG_GETARG_TIMESTAMPTZ(1),
							 &occurrence);
	PG_RETURN_BOOL(open);
}

/*
 * ops.window_occurrence(window_name text, at timestamptz)
 * RETURNS SETOF record
 *
 * The occurrence of a window, or of each of them, that is open at an instant.
 */
Datum
ops_window_occurrence(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	OpsOccurrence occurrence;
	OpsWindow  *windows;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	windows = windows_of_argument(fcinfo, &count);
	if (PG_ARGISNULL(1))
		return (Datum) 0;
	for (int i = 0; i < count; i++)
	{
		if (ops_window_at(&windows[i], PG_GETARG_TIMESTAMPTZ(1), &occurrence))
			put_occurrence(rsinfo, &windows[i], &occurrence);
	}
	return (Datum) 0;
}

static OpsWindow *
windows_of_argument(FunctionCallInfo fcinfo, int *count)
{
	const char *name = NULL;

	if (!PG_ARGISNULL(0))
		name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	return ops_windows_read(name, count);
}

/*
 * The window that starts next, the first by name of those that start at the
 * same instant; NULL when none ever does.
 */
static ComingWindow *
soonest(ComingWindow *coming, int count)
{
	ComingWindow *found = NULL;

	for (int i = 0; i < count; i++)
	{
		if (coming[i].comes &&
			(found == NULL ||
			 coming[i].occurrence.starts < found->occurrence.starts))
			found = &coming[i];
	}
	return found;
}

static void
put_occurrence(ReturnSetInfo *rsinfo, const OpsWindow *window,
			   const OpsOccurrence *occurrence)
{
	Datum		values[4];
	bool		isnull[4] = {false};

	values[0] = CStringGetTextDatum(window->name);
	values[1] = TimestampTzGetDatum(occurrence->starts);
	values[2] = TimestampTzGetDatum(occurrence->ends);
	values[3] = TimestampTzGetDatum(occurrence->notice_at);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
	pfree(DatumGetPointer(values[0]));
}
