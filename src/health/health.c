/*-------------------------------------------------------------------------
 *
 * health.c
 *	  The SQL functions of the health room.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "core/compat.h"
#include "core/errors.h"
#include "core/page.h"
#include "funcapi.h"
#include "health/http.h"
#include "health/render.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_health);
PG_FUNCTION_INFO_V1(ops_checks);
PG_FUNCTION_INFO_V1(ops_check_list);
PG_FUNCTION_INFO_V1(ops_runbook);

#define CHECKS_COLUMNS	11
#define CHECK_LIST_COLUMNS	13

static const OpsFormat *format_argument(const char *name);
static OpsDepth depth_argument(const char *name);
static void put_result(ReturnSetInfo *rsinfo, const OpsRun *run,
					   const OpsResult *result);
static void put_check(ReturnSetInfo *rsinfo, const OpsFamily *family,
					  const OpsCheck *check);
static void set_limit(Datum *value, bool *isnull, double limit);
static void set_number(Datum *value, bool *isnull, double number);

/*
 * ops.health(format text, depth text, only text[], budget interval)
 * RETURNS jsonb
 *
 * Runs the checks and returns what they say as one document.  Raises an error
 * for an argument that names nothing, and for cancel, timeout and shutdown;
 * whatever else goes wrong is in the document.  Under PostgREST it sets the
 * status of the answer.
 *
 * Locks: AccessShareLock on catalogs, ops.threshold, ops.maintenance_mode and
 * ops.maintenance_window, for the time of reading.  A deep run locks a sequence (as nextval() does) or a table of a
 * known tool (as a reader does) for the time of reading it, if that can be
 * had at once; else it says who is in the way.
 * Privileges: whoever may execute it; what the caller may not see is
 * unknown.
 */
Datum
ops_health(PG_FUNCTION_ARGS)
{
	const OpsFormat *format = format_argument(ops_argument_text(fcinfo, 0, "default"));
	OpsDepth	depth = depth_argument(ops_argument_text(fcinfo, 1, "fast"));
	ArrayType  *wanted = PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2);
	Interval   *budget = PG_ARGISNULL(3) ? NULL : PG_GETARG_INTERVAL_P(3);
	OpsRun	   *run = ops_run(depth, wanted, budget);
	MemoryContext caller = MemoryContextSwitchTo(run->context);
	Jsonb	   *document = format->render(run);

	ops_http_answer(run);
	MemoryContextSwitchTo(caller);
	document = (Jsonb *) PG_DETOAST_DATUM_COPY(PointerGetDatum(document));
	MemoryContextDelete(run->context);
	PG_RETURN_JSONB_P(document);
}

/*
 * ops.checks(depth text, only text[], budget interval) RETURNS SETOF record
 *
 * The same run as ops.health(), a row for each check.
 */
Datum
ops_checks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	OpsDepth	depth = depth_argument(ops_argument_text(fcinfo, 0, "fast"));
	ArrayType  *wanted = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);
	Interval   *budget = PG_ARGISNULL(2) ? NULL : PG_GETARG_INTERVAL_P(2);
	MemoryContext caller;
	OpsRun	   *run;

	InitMaterializedSRF(fcinfo, 0);
	run = ops_run(depth, wanted, budget);
	caller = MemoryContextSwitchTo(run->context);
	for (int i = 0; i < run->nresults; i++)
		put_result(rsinfo, run, &run->results[i]);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(run->context);
	return (Datum) 0;
}

/*
 * ops.check_list() RETURNS SETOF record
 *
 * What checks there are, with their built-in limits.
 */
Datum
ops_check_list(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (const OpsFamily *family = ops_family_table; family->name; family++)
	{
		for (int i = 0; i < *family->count; i++)
			put_check(rsinfo, family, &family->checks[i]);
	}
	return (Datum) 0;
}

/*
 * ops.runbook(check_name text) RETURNS text
 *
 * The page for a check, in markdown.
 */
Datum
ops_runbook(PG_FUNCTION_ARGS)
{
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	for (const OpsPage *page = ops_page_table; page->name; page++)
	{
		if (strcmp(page->name, name) == 0)
			PG_RETURN_TEXT_P(cstring_to_text(page->markdown));
	}
	ereport(ERROR,
			(errcode(OPS_ERRCODE_UNDEFINED_CHECK),
			 errmsg("no check is named \"%s\"", name),
			 errhint("Valid names, family by family: %s.",
					 ops_check_names())));
}

static const OpsFormat *
format_argument(const char *name)
{
	StringInfoData names;

	initStringInfo(&names);
	for (const OpsFormat *format = ops_format_table; format->name; format++)
	{
		if (strcmp(format->name, name) == 0)
			return format;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 format->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no health document has the format \"%s\"", name),
			 errhint("Valid formats are: %s.", names.data)));
}

static OpsDepth
depth_argument(const char *name)
{
	if (strcmp(name, "fast") == 0)
		return OPS_FAST;
	if (strcmp(name, "deep") == 0)
		return OPS_DEEP;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no health check has the depth \"%s\"", name),
			 errhint("Valid depths are: fast, deep.")));
}

static void
put_result(ReturnSetInfo *rsinfo, const OpsRun *run, const OpsResult *result)
{
	Datum		values[CHECKS_COLUMNS] = {0};
	bool		isnull[CHECKS_COLUMNS] = {0};
	Jsonb	   *details = ops_render_details(run, result);

	ops_report_text(&values[0], &isnull[0], result->check->name);
	ops_report_text(&values[1], &isnull[1], ops_severity_name[result->severity]);
	ops_report_text(&values[2], &isnull[2], ops_status_name[result->status]);
	set_number(&values[3], &isnull[3], result->value);
	ops_report_text(&values[4], &isnull[4], result->check->unit);
	set_limit(&values[5], &isnull[5], result->warning);
	set_limit(&values[6], &isnull[6], result->critical);
	values[7] = BoolGetDatum(result->gates);
	ops_report_text(&values[8], &isnull[8], result->message);
	ops_report_text(&values[9], &isnull[9], result->remedy);
	if (details)
		values[10] = JsonbPGetDatum(details);
	else
		isnull[10] = true;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
}

static void
put_check(ReturnSetInfo *rsinfo, const OpsFamily *family,
		  const OpsCheck *check)
{
	static const char *const where[] = {"everywhere", "primary", "standby"};
	static const char *const audience[] = {"anybody", "pg_monitor", "superuser"};
	Datum		values[CHECK_LIST_COLUMNS] = {0};
	bool		isnull[CHECK_LIST_COLUMNS] = {0};

	ops_report_text(&values[0], &isnull[0], check->name);
	ops_report_text(&values[1], &isnull[1], family->name);
	ops_report_text(&values[2], &isnull[2], check->depth == OPS_FAST ? "fast" : "deep");
	ops_report_text(&values[3], &isnull[3], ops_severity_name[check->severity]);
	values[4] = BoolGetDatum(check->gates);
	ops_report_text(&values[5], &isnull[5], check->unit);
	set_limit(&values[6], &isnull[6], check->warning);
	set_limit(&values[7], &isnull[7], check->critical);
	values[8] = BoolGetDatum(check->lower_is_worse);
	ops_report_text(&values[9], &isnull[9], where[check->where]);
	ops_report_text(&values[10], &isnull[10], audience[check->audience]);
	ops_report_text(&values[11], &isnull[11], _(check->title));
	ops_report_text(&values[12], &isnull[12], check->remedy ? _(check->remedy) : NULL);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
}

/*
 * A limit as it was given; null if there is none.
 */
static void
set_limit(Datum *value, bool *isnull, double limit)
{
	*isnull = isnan(limit);
	*value = Float8GetDatum(limit);
}

/*
 * A number rounded as the document rounds it; null if it is none.
 */
static void
set_number(Datum *value, bool *isnull, double number)
{
	double		scale = ops_render_decimals(number) == 2 ? 100 : 10;

	*isnull = isnan(number);
	*value = Float8GetDatum(fabs(number) < 1e12 ? rint(number * scale) / scale : number);
}
