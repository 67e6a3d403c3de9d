/*-------------------------------------------------------------------------
 *
 * render.c
 *	  The health document in its default format.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xlog.h"
#include "core/guc.h"
#include "core/json.h"
#include "health/maintenance.h"
#include "health/render.h"
#include "mb/pg_wchar.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* Bytes of a text that somebody wrote. */
#define MAX_TEXT	1000

const OpsFormat ops_format_table[] = {
	{"default", ops_render_default},
	{NULL, NULL}
};

static void render_maintenance(OpsJsonbState *state, const OpsRun *run);
static void render_on(OpsJsonbState *state, const OpsRun *run,
					  const OpsMaintenanceState *on);
static void render_result(OpsJsonbState *state, const OpsRun *run,
						  const OpsResult *result);
static void render_culprits(OpsJsonbState *state, const OpsResult *result);
static void render_summary(OpsJsonbState *state, const OpsRun *run);
static void render_limit(OpsJsonbState *state, const char *key, double limit);
static const char *clipped(const char *string);
static const char *iso8601(TimestampTz instant);
static const char *or_null(const char *setting);

/*
 * The document of DESIGN's "The health document".
 */
Jsonb *
ops_render_default(const OpsRun *run)
{
	OpsJsonbState state = {0};

	ops_json_begin_object(&state, NULL);
	ops_json_text(&state, "status", ops_status_name[ops_run_status(run)]);
	ops_json_text(&state, "version", or_null(ops_guc_release));
	ops_json_text(&state, "env", or_null(ops_guc_environment));
	ops_json_text(&state, "environment", or_null(ops_guc_environment));
	ops_json_text(&state, "service",
				  psprintf(UINT64_FORMAT, GetSystemIdentifier()));
	ops_json_text(&state, "role", run->standby ? "standby" : "primary");
	ops_json_text(&state, "timestamp", iso8601(run->now));
	ops_json_text(&state, "depth", run->depth == OPS_FAST ? "fast" : "deep");
	ops_json_bool(&state, "truncated", run->truncated);
	if (run->note)
		ops_json_text(&state, "note", run->note);
	if (run->maintenance)
		render_maintenance(&state, run);

	ops_json_begin_object(&state, "checks");
	for (int i = 0; i < run->nresults; i++)
		render_result(&state, run, &run->results[i]);
	ops_json_end_object(&state);

	render_summary(&state, run);
	ops_json_number(&state, "latency_ms", ops_run_elapsed_ms(run), 3);
	ops_json_end_object(&state);
	return ops_json_finish(&state);
}

/*
 * The reason of an unknown result, the culprits of a bad one, and whether
 * maintenance is on meanwhile; NULL if there is nothing to say.
 */
Jsonb *
ops_render_details(const OpsRun *run, const OpsResult *result)
{
	OpsJsonbState state = {0};
	bool		maintenance = ops_maintenance_during(run, result);

	if (result->reason == OPS_REASON_NONE && result->nculprits == 0 &&
		!maintenance)
		return NULL;

	ops_json_begin_object(&state, NULL);
	if (result->reason != OPS_REASON_NONE)
		ops_json_text(&state, "reason", ops_reason_name[result->reason]);
	if (result->nculprits > 0)
		render_culprits(&state, result);
	if (maintenance)
		ops_json_bool(&state, "during_maintenance", true);
	ops_json_end_object(&state);
	return ops_json_finish(&state);
}

/*
 * How many decimals of a value are worth reading.
 */
int
ops_render_decimals(double value)
{
	return fabs(value) < 10 ? 2 : 1;
}

static void
render_maintenance(OpsJsonbState *state, const OpsRun *run)
{
	ListCell   *lc;

	ops_json_begin_array(state, "maintenance");
	foreach(lc, run->maintenance)
	{
		const OpsMaintenanceNote *note = lfirst(lc);

		ops_json_begin_object(state, NULL);
		ops_json_text(state, "kind", ops_maintenance_kind_name[note->kind]);
		ops_json_text(state, "status", note->on ? "on" : "unknown");
		if (note->on)
			render_on(state, run, note->on);
		else
			ops_json_text(state, "message", note->message);
		ops_json_end_object(state);
	}
	ops_json_end_array(state);
}

/*
 * Who switched the mode on is for those who may see other sessions.
 */
static void
render_on(OpsJsonbState *state, const OpsRun *run, const OpsMaintenanceState *on)
{
	if (on->kind == OPS_MAINTENANCE_WINDOW || run->monitor)
		ops_json_text(state, "name", on->name);
	ops_json_text(state, "since", iso8601(on->since));
	ops_json_text(state, "until", iso8601(on->until));
	ops_json_text(state, "reason", clipped(on->reason));
}

/*
 * What people write can be of any length; a document stays short.
 */
static const char *
clipped(const char *string)
{
	int			length = string ? strlen(string) : 0;

	if (length <= MAX_TEXT)
		return string;
	return pnstrdup(string, pg_mbcliplen(string, length, MAX_TEXT));
}

static void
render_result(OpsJsonbState *state, const OpsRun *run,
			  const OpsResult *result)
{
	ops_json_begin_object(state, result->check->name);
	ops_json_text(state, "status", ops_status_name[result->status]);
	ops_json_text(state, "severity", ops_severity_name[result->severity]);
	if (result->reason != OPS_REASON_NONE)
		ops_json_text(state, "reason", ops_reason_name[result->reason]);
	if (!isnan(result->value))
	{
		ops_json_number(state, "value", result->value,
						ops_render_decimals(result->value));
		ops_json_text(state, "unit", result->check->unit);
		render_limit(state, "warning", result->warning);
		render_limit(state, "critical", result->critical);
	}
	ops_json_text(state, "message", result->message);
	if (result->remedy)
		ops_json_text(state, "remedy", result->remedy);
	if (ops_maintenance_during(run, result))
		ops_json_bool(state, "during_maintenance", true);
	if (result->nculprits > 0)
	{
		ops_json_begin_object(state, "details");
		render_culprits(state, result);
		ops_json_end_object(state);
	}
	ops_json_end_object(state);
}

static void
render_culprits(OpsJsonbState *state, const OpsResult *result)
{
	ops_json_begin_array(state, "culprits");
	for (int i = 0; i < result->nculprits; i++)
	{
		const OpsCulprit *culprit = &result->culprit[i];

		ops_json_begin_object(state, NULL);
		if (culprit->pid != 0)
			ops_json_integer(state, "pid", culprit->pid);
		if (culprit->role)
			ops_json_text(state, "role", culprit->role);
		if (culprit->database)
			ops_json_text(state, "database", culprit->database);
		if (culprit->slot)
			ops_json_text(state, "slot", culprit->slot);
		if (culprit->schema_name)
			ops_json_text(state, "schema_name", culprit->schema_name);
		if (culprit->relation)
			ops_json_text(state, "relation", culprit->relation);
		if (culprit->name)
			ops_json_text(state, "name", culprit->name);
		if (culprit->note)
			ops_json_text(state, "note", culprit->note);
		if (!isnan(culprit->value))
			ops_json_number(state, "value", culprit->value,
							ops_render_decimals(culprit->value));
		ops_json_end_object(state);
	}
	ops_json_end_array(state);
}

static void
render_summary(OpsJsonbState *state, const OpsRun *run)
{
	int			count[OPS_NUM_STATUS] = {0};

	for (int i = 0; i < run->nresults; i++)
		count[run->results[i].status]++;

	ops_json_begin_object(state, "summary");
	for (OpsStatus status = OPS_OK; status <= OPS_FAIL; status++)
		ops_json_integer(state, ops_status_name[status], count[status]);
	ops_json_end_object(state);
}

/*
 * A limit, unless there is none.
 */
static void
render_limit(OpsJsonbState *state, const char *key, double limit)
{
	if (!isnan(limit) && !isinf(limit))
		ops_json_number(state, key, limit, 3);
}

/*
 * The instant in UTC, with milliseconds, as JavaScript would write it; NULL
 * if it never comes.
 */
static const char *
iso8601(TimestampTz instant)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_NOT_FINITE(instant) ||
		timestamp2tm(instant, NULL, &tm, &fsec, NULL, NULL) != 0)
		return NULL;
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
					tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, tm.tm_sec, (int) (fsec / 1000));
}

static const char *
or_null(const char *setting)
{
	return setting && setting[0] != '\0' ? setting : NULL;
}
