/*-------------------------------------------------------------------------
 *
 * report.c
 *	  ops.bloat_report(), and its summary for the health check.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/result.h"
#include "bloat/summary.h"
#include "core/json.h"
#include "core/report.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* The narrowest half-width that may be asked for, in points. */
#define MIN_TARGET		0.01
#define MAX_TARGET		50.0

/* The health check wants to know roughly, and soon. */
#define SUMMARY_TARGET	0.03

enum Column
{
	COLUMN_RELATION,
	COLUMN_PARENT,
	COLUMN_KIND,
	COLUMN_SIZE,
	COLUMN_RECLAIMABLE,
	COLUMN_LOW,
	COLUMN_HIGH,
	COLUMN_PERCENT,
	COLUMN_DEAD,
	COLUMN_HELD_BACK,
	COLUMN_REUSABLE,
	COLUMN_TRUNCATABLE,
	COLUMN_SIZE_AFTER,
	COLUMN_DISK_NEEDED,
	COLUMN_LIVE_ROWS,
	COLUMN_SAMPLED,
	COLUMN_TOTAL,
	COLUMN_METHOD,
	COLUMN_ACTION,
	COLUMN_COMMAND,
	COLUMN_REASON,
	COLUMN_NOTE,
	COLUMN_DETAILS,
	NUM_COLUMNS
};

static void read_request(FunctionCallInfo fcinfo, OpsBloatRequest *request);
static void return_result(const OpsBloatResult *result, ReturnSetInfo *rsinfo);
static void return_space(const OpsBloatResult *result, Datum *values, bool *nulls);
static bool has_rows(const OpsBloatResult *result);
static const char *method_of(const OpsBloatMeasure *measure);
static Jsonb *details_of(const OpsBloatResult *result);
static void summarize_one(OpsBloatSummary *summary, const OpsBloatResult *result);

PG_FUNCTION_INFO_V1(ops_bloat_report);

/*
 * ops.bloat_report(relation, min_size, target_pp, exact)
 *
 * What a rewrite would give back, one row for each relation, TOAST table and
 * index, and one for the sum over the partitions of a table; sorted by what is
 * there for sure.  Sizes in bytes, target_pp in points of a relation's size.
 *
 * Reads a sample of the pages of relations under AccessShareLock, one after
 * the other; what is locked is not waited for but noted.  Writes nothing, sets
 * no hint bits.  Rows that the caller may not scan (pg_stat_scan_tables, or
 * SELECT on the table) have a note in place of figures.
 */
Datum
ops_bloat_report(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	OpsBloatRequest request = {0};
	MemoryContext report;
	MemoryContext caller;
	ListCell   *lc;

	read_request(fcinfo, &request);
	InitMaterializedSRF(fcinfo, 0);
	report = AllocSetContextCreate(CurrentMemoryContext,
								   "operations_runbook bloat report",
								   ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(report);
	foreach(lc, ops_bloat_collect(&request))
		return_result(lfirst(lc), rsinfo);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(report);
	return (Datum) 0;
}

static void
read_request(FunctionCallInfo fcinfo, OpsBloatRequest *request)
{
	double		target = PG_ARGISNULL(2) ? 1.5 : PG_GETARG_FLOAT8(2);

	request->relation = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
	request->min_size = PG_ARGISNULL(1) ? 1024 * 1024 : PG_GETARG_INT64(1);
	request->exact = PG_ARGISNULL(3) ? false : PG_GETARG_BOOL(3);
	request->target = target / 100;
	if (!PG_ARGISNULL(0) && !OidIsValid(request->relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID 0 does not exist")));
	if (request->min_size < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_size must not be negative")));
	if (isnan(target) || target < MIN_TARGET || target > MAX_TARGET)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target_pp must be between %g and %g", MIN_TARGET, MAX_TARGET),
				 errdetail("It is half the width of the interval that is aimed at, in points of a relation's size."),
				 errhint("For the exact figure use exact => true, which reads every page.")));
}

static void
return_result(const OpsBloatResult *result, ReturnSetInfo *rsinfo)
{
	Datum		values[NUM_COLUMNS] = {0};
	bool		nulls[NUM_COLUMNS];
	Oid			parent = result->table != result->relation ? result->table :
	result->root;

#define TEXT(column, string) \
	ops_report_text(&values[COLUMN_##column], &nulls[COLUMN_##column], string)
#define SET(column, datum) \
	(values[COLUMN_##column] = (datum), nulls[COLUMN_##column] = false)

	memset(nulls, true, sizeof(nulls));
	SET(RELATION, ObjectIdGetDatum(result->relation));
	if (OidIsValid(parent))
		SET(PARENT, ObjectIdGetDatum(parent));
	TEXT(KIND, result->kind_name);
	SET(SIZE, Int64GetDatum(result->size));
	if (result->measured)
	{
		return_space(result, values, nulls);
		SET(DISK_NEEDED, Int64GetDatum(result->verdict.disk_needed));
		SET(SAMPLED, Int64GetDatum(result->measure.sampled));
		SET(TOTAL, Int64GetDatum(result->measure.nblocks));
		TEXT(METHOD, method_of(&result->measure));
		TEXT(ACTION, result->verdict.action);
		TEXT(COMMAND, result->verdict.command);
		TEXT(REASON, result->verdict.reason);
		SET(DETAILS, JsonbPGetDatum(details_of(result)));
	}
	TEXT(NOTE, result->note);
#undef TEXT
#undef SET

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
return_space(const OpsBloatResult *result, Datum *values, bool *nulls)
{
	const OpsBloatMeasure *measure = &result->measure;
	int64		reclaimable = ops_bloat_bytes(measure, measure->pages_after);

#define BYTES(column, bytes) \
	(values[COLUMN_##column] = Int64GetDatum((int64) rint(bytes)), \
	 nulls[COLUMN_##column] = false)

	BYTES(RECLAIMABLE, reclaimable);
	BYTES(LOW, ops_bloat_bytes(measure, measure->pages_high));
	BYTES(HIGH, ops_bloat_bytes(measure, measure->pages_low));
	values[COLUMN_PERCENT] =
		Float8GetDatum(result->size > 0 ? rint(1000.0 * reclaimable / result->size) / 10 : 0);
	nulls[COLUMN_PERCENT] = false;
	BYTES(DEAD, measure->total[TOTAL_DEAD_BYTES]);
	BYTES(REUSABLE, measure->total[TOTAL_FREE_BYTES]);
	BYTES(TRUNCATABLE, (double) measure->truncatable * BLCKSZ);
	BYTES(SIZE_AFTER, rint(measure->pages_after) * BLCKSZ);
	if (has_rows(result))
	{
		BYTES(HELD_BACK, measure->total[TOTAL_HELD_BYTES]);
		BYTES(LIVE_ROWS, measure->total[TOTAL_LIVE]);
	}
#undef BYTES
}

/*
 * Whether rows of a table were counted, as opposed to entries of an index.
 */
static bool
has_rows(const OpsBloatResult *result)
{
	return result->kind == BLOAT_HEAP || result->kind == BLOAT_TOAST;
}

static const char *
method_of(const OpsBloatMeasure *measure)
{
	if (measure->modelled)
		return "model";
	if (measure->census)
		return "census";
	return measure->with_map ? "sample+fsm" : "sample";
}

static Jsonb *
details_of(const OpsBloatResult *result)
{
	OpsJsonbState state = {0};
	ListCell   *lc;

	ops_json_begin_object(&state, NULL);
	if (result->nparts > 0)
	{
		ops_json_integer(&state, "partitions", result->nparts);
		ops_json_integer(&state, "not_measured", result->nmissing);
		ops_json_integer(&state, "advised", result->nadvised);
	}
	foreach(lc, result->measure.details)
	{
		const OpsBloatDetail *detail = lfirst(lc);

		ops_json_number(&state, detail->key, detail->value, detail->decimals);
	}
	ops_json_end_object(&state);
	return ops_json_finish(&state);
}

/*
 * The largest relations, roughly; see summary.h.
 */
void
ops_bloat_summarize(OpsBloatSummary *summary)
{
	OpsBloatRequest request = {
		.min_size = summary->min_size,
		.largest = summary->most,
		.target = SUMMARY_TARGET,
		.until = summary->until,
	};
	double		low = 0;
	double		high = 0;
	ListCell   *lc;

	foreach(lc, ops_bloat_collect(&request))
	{
		const OpsBloatResult *result = lfirst(lc);
		int64		reclaimable;
		double		below;
		double		above;

		/* What its partitions say already. */
		if (result->nparts > 0)
			continue;
		summarize_one(summary, result);
		if (!result->measured)
			continue;
		reclaimable = ops_bloat_bytes(&result->measure,
									  result->measure.pages_after);
		below = reclaimable - ops_bloat_bytes(&result->measure,
											  result->measure.pages_high);
		above = ops_bloat_bytes(&result->measure, result->measure.pages_low) -
			reclaimable;
		low += below * below;
		high += above * above;
	}
	summary->low = Max(summary->reclaimable - (int64) sqrt(low), 0);
	summary->high = summary->reclaimable + (int64) sqrt(high);
}

static void
summarize_one(OpsBloatSummary *summary, const OpsBloatResult *result)
{
	const OpsBloatMeasure *measure = &result->measure;
	OpsBloatSummaryItem *item;

	summary->eligible++;
	if (!result->measured)
	{
		summary->skipped++;
		return;
	}
	summary->measured++;
	summary->size += result->size;
	summary->reclaimable += ops_bloat_bytes(measure, measure->pages_after);
	if (strcmp(result->verdict.action, "none") == 0)
		return;
	summary->advised++;

	/* They come with the largest low end first. */
	if (summary->nworst == OPS_BLOAT_MAX_WORST)
		return;
	item = &summary->worst[summary->nworst++];
	item->schema_name = get_namespace_name(result->namespace);
	item->relation = get_rel_name(result->relation);
	item->size = result->size;
	item->reclaimable = ops_bloat_bytes(measure, measure->pages_after);
	item->low = ops_bloat_bytes(measure, measure->pages_high);
	item->high = ops_bloat_bytes(measure, measure->pages_low);
	item->action = result->verdict.action;
	item->command = result->verdict.command;
}
