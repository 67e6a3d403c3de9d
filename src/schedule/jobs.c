/*-------------------------------------------------------------------------
 *
 * jobs.c
 *	  Giving our jobs to pg_cron, and taking them back.
 *
 * The jobs belong to the caller, as jobs of pg_cron do.  One is known to be
 * ours by its name, which holds this database's, and by the database that it
 * runs in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "core/compat.h"
#include "core/query.h"
#include "core/relation.h"
#include "core/report.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "schedule/jobs.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_schedule_maintenance);
PG_FUNCTION_INFO_V1(ops_unschedule_maintenance);

/* How far the next run is looked for; none of our jobs is that rare. */
#define AHEAD			(366 * USECS_PER_DAY)

/* Windows that are made where they are missing. */
static const struct
{
	const char *name;
	const char *frequency;
	OpsFrequency rule;
	const char *weekday;		/* NULL: daily, and so is that of sunday */
	int			nth;			/* 0: none */
	int			hours;			/* from starts_at */
	int			starts_at;		/* this hour */
	const char *note;
	const char *plan;
}			default_window[OPS_DUTY_WINDOWS] = {

	{
		.name = "nightly",
		.frequency = "daily",
		.rule = OPS_DAILY,
		.starts_at = 1,
		.hours = 2,
		.note = gettext_noop("made maintenance window \"%s\": every day 01:00 - 03:00, %s"),
		.plan = gettext_noop("would make maintenance window \"%s\": every day 01:00 - 03:00, %s"),
	},
	{
		.name = "sunday",
		.frequency = "weekly",
		.rule = OPS_WEEKLY,
		.weekday = "sunday",
		.starts_at = 2,
		.hours = 2,
		.note = gettext_noop("made maintenance window \"%s\": every Sunday 02:00 - 04:00, %s"),
		.plan = gettext_noop("would make maintenance window \"%s\": every Sunday 02:00 - 04:00, %s"),
	},
	{
		.name = "first_sunday",
		.frequency = "monthly",
		.rule = OPS_MONTHLY,
		.weekday = "sunday",
		.nth = 1,
		.starts_at = 2,
		.hours = 4,
		.note = gettext_noop("made maintenance window \"%s\": the first Sunday of every month 02:00 - 06:00, %s"),
		.plan = gettext_noop("would make maintenance window \"%s\": the first Sunday of every month 02:00 - 06:00, %s"),
	},
};

/* What a call asks for. */
typedef struct Request
{
	OpsCron		cron;
	bool		there;			/* pg_cron is */
	bool		dry_run;
	TimestampTz now;
	const char *database;
	const char *time_zone;
	const char *window_name[OPS_DUTY_WINDOWS];	/* NULL: no such jobs */
	OpsWindow  *window[OPS_DUTY_WINDOWS];
	const char *window_note[OPS_DUTY_WINDOWS];
	OpsCronJob *existing;
	int			nexisting;
} Request;

/* What becomes of one job. */
typedef struct Deed
{
	const OpsDuty *duty;
	OpsCronEntry entry;
	OpsCronJob *existing;		/* or NULL */
	const char *action;			/* NULL: nothing to do or to tell */
} Deed;

static List *duties_of_argument(FunctionCallInfo fcinfo, int place);
static const OpsDuty *find_duty(const char *name);
static void demand_login(void);
static void read_existing(Request *request);
static void find_window(Request *request, OpsDutyWindow which);
static bool window_is_there(const char *name);
static const char *zone_of_request(const Request *request);
static OpsWindow *make_window(OpsDutyWindow which, const char *zone);
static void insert_window(OpsDutyWindow which, const char *zone);
static Deed *plan_deed(Request *request, const OpsDuty *duty);
static OpsCronJob *find_existing(const Request *request, const char *name,
								 const char *database);
static void put_deed(ReturnSetInfo *rsinfo, const Request *request,
					 const Deed *deed);
static const char *note_of(const Request *request, const Deed *deed);
static bool may_run(const OpsDuty *duty);

/*
 * ops.schedule_maintenance(jobs text[], time_zone text, nightly_window text,
 * weekly_window text, monthly_window text, dry_run boolean)
 * RETURNS SETOF record
 *
 * Give our jobs to pg_cron; those that it has already are changed if they
 * differ.
 */
Datum
ops_schedule_maintenance(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Request		request = {.now = GetCurrentTimestamp()};
	List	   *entries = NIL;
	List	   *unwanted = NIL;
	List	   *deeds = NIL;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	request.database = get_database_name(MyDatabaseId);
	request.time_zone = ops_argument_text(fcinfo, 1, NULL);
	for (int i = 0; i < OPS_DUTY_WINDOWS; i++)
		request.window_name[i] = ops_argument_text(fcinfo, 2 + i, NULL);
	request.dry_run = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	if (!request.dry_run)
	{
		PreventCommandIfReadOnly("ops.schedule_maintenance()");
		PreventCommandDuringRecovery("ops.schedule_maintenance()");
		demand_login();
	}
	if (request.time_zone)
		(void) zone_of_request(&request);
	read_existing(&request);

	foreach(lc, duties_of_argument(fcinfo, 0))
	{
		Deed	   *deed = plan_deed(&request, (OpsDuty *) lfirst(lc));

		if (deed->action == NULL)
			continue;
		deeds = lappend(deeds, deed);
		if (strcmp(deed->action, "removed") == 0)
			unwanted = lappend(unwanted, deed->existing);
		else if (strcmp(deed->action, "kept") != 0)
			entries = lappend(entries, &deed->entry);
	}
	if (!request.dry_run)
	{
		ops_cron_schedule(&request.cron, entries);
		ops_cron_unschedule(&request.cron, unwanted);
	}
	foreach(lc, deeds)
		put_deed(rsinfo, &request, (Deed *) lfirst(lc));
	return (Datum) 0;
}

/*
 * ops.unschedule_maintenance(jobs text[]) RETURNS SETOF record
 *
 * Take our jobs of this database back from pg_cron: those of the caller, of a
 * superuser those of everybody.
 */
Datum
ops_unschedule_maintenance(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *duties = duties_of_argument(fcinfo, 0);
	List	   *unwanted = NIL;
	Request		request = {0};
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	PreventCommandIfReadOnly("ops.unschedule_maintenance()");
	PreventCommandDuringRecovery("ops.unschedule_maintenance()");
	ops_cron_demand(&request.cron);
	request.existing = ops_cron_read(&request.cron, false,
									 ops_duty_jobs(get_database_name(MyDatabaseId)),
									 &request.nexisting);
	for (int i = 0; i < request.nexisting; i++)
	{
		OpsCronJob *job = &request.existing[i];
		const OpsDuty *duty = ops_job_duty(&request.cron, job);

		if (duty && list_member_ptr(duties, duty) &&
			(superuser() || strcmp(job->role, GetUserNameFromId(GetUserId(), false)) == 0))
			unwanted = lappend(unwanted, job);
	}
	ops_cron_unschedule(&request.cron, unwanted);

	foreach(lc, unwanted)
	{
		Datum		values[2];
		bool		isnull[2] = {false};

		values[0] = CStringGetTextDatum(((OpsCronJob *) lfirst(lc))->name);
		values[1] = CStringGetTextDatum("removed");
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 isnull);
	}
	return (Datum) 0;
}

/*
 * The jobs that an argument names, each once; all for a null.
 */
static List *
duties_of_argument(FunctionCallInfo fcinfo, int place)
{
	List	   *duties = NIL;
	ListCell   *lc;

	if (PG_ARGISNULL(place))
	{
		for (int i = 0; i < ops_nduty; i++)
			duties = lappend(duties, unconstify(OpsDuty *, &ops_duty_table[i]));
		return duties;
	}
	foreach(lc, ops_argument_texts(fcinfo, place))
		duties = list_append_unique_ptr(duties,
										unconstify(OpsDuty *, find_duty(lfirst(lc))));
	return duties;
}

static const OpsDuty *
find_duty(const char *name)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < ops_nduty; i++)
	{
		if (strcmp(ops_duty_table[i].name, name) == 0)
			return &ops_duty_table[i];
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 ops_duty_table[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no job \"%s\"", name),
			 errhint("There are: %s.", names.data)));
}

/*
 * pg_cron takes jobs of a role that may not log in, and then cannot start
 * them.
 */
static void
demand_login(void)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID,
										ObjectIdGetDatum(GetUserId()));
	bool		login = HeapTupleIsValid(tuple) &&
	((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	if (!login)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("role \"%s\" may not log in, so pg_cron could not run its jobs",
						GetUserNameFromId(GetUserId(), false)),
				 errhint("Use SET ROLE to become a role that may.")));
}

/*
 * The jobs of the caller, by names that could be ours.  A dry run does
 * without pg_cron.
 */
static void
read_existing(Request *request)
{
	if (request->dry_run && !ops_cron_find(&request->cron))
		return;
	ops_cron_demand(&request->cron);
	request->there = true;
	request->existing = ops_cron_read(&request->cron, false,
									  ops_duty_jobs(request->database),
									  &request->nexisting);
}

/*
 * What is to be done about one job.
 */
static Deed *
plan_deed(Request *request, const OpsDuty *duty)
{
	Deed	   *deed = palloc0(sizeof(Deed));
	const OpsWindow *window = NULL;
	const char *window_name = NULL;

	deed->duty = duty;
	if (duty->cleans_cron && !request->there)
		return deed;
	deed->entry.name = ops_duty_job(duty, request->database);
	deed->entry.database = duty->cleans_cron ? request->cron.database :
		request->database;
	deed->existing = find_existing(request, deed->entry.name,
								   deed->entry.database);
	if (duty->window != OPS_NO_WINDOW)
	{
		window_name = request->window_name[duty->window];
		if (window_name == NULL)
		{
			if (deed->existing)
				deed->action = "removed";
			return deed;
		}
		find_window(request, duty->window);
		window = request->window[duty->window];
	}
	deed->entry.schedule = ops_duty_schedule(duty, window,
											 &request->cron.clock,
											 request->now);
	deed->entry.command = ops_duty_command(duty, window_name);
	deed->action = deed->existing == NULL ? "made" :
		strcmp(deed->existing->schedule, deed->entry.schedule) == 0 &&
		strcmp(deed->existing->command, deed->entry.command) == 0 ?
		"kept" : "changed";
	return deed;
}

/*
 * The caller's job of a name.  Names of long databases are shortened, so it
 * could be another one's.
 */
static OpsCronJob *
find_existing(const Request *request, const char *name, const char *database)
{
	const char *role = GetUserNameFromId(GetUserId(), false);

	for (int i = 0; i < request->nexisting; i++)
	{
		OpsCronJob *job = &request->existing[i];

		if (job->name == NULL || strcmp(job->name, name) != 0 ||
			strcmp(job->role, role) != 0)
			continue;
		if (strcmp(job->database, database) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("there is already a job \"%s\", which runs in database \"%s\"",
							name, job->database),
					 errhint("Remove it: SELECT cron.unschedule(" INT64_FORMAT ");",
							 job->id)));
		return job;
	}
	return NULL;
}

/*
 * The window of a kind that the caller named; a default one that is missing
 * is made.
 */
static void
find_window(Request *request, OpsDutyWindow which)
{
	const char *name = request->window_name[which];
	int			count;

	if (request->window[which])
		return;
	if (strcmp(name, default_window[which].name) == 0 &&
		!window_is_there(name))
	{
		const char *zone = zone_of_request(request);

		if (!request->dry_run)
			insert_window(which, zone);
		request->window[which] = make_window(which, zone);
		request->window_note[which] =
			psprintf(request->dry_run ? _(default_window[which].plan) :
					 _(default_window[which].note), name, zone);
		return;
	}
	request->window[which] = ops_windows_read_all(name, &count);
	if (!request->window[which]->enabled)
		request->window_note[which] =
			psprintf(_("maintenance window \"%s\" is switched off"), name);
}

static bool
window_is_there(const char *name)
{
	int			count;
	OpsWindow  *windows = ops_windows_read_all(NULL, &count);

	for (int i = 0; i < count; i++)
	{
		if (strcmp(windows[i].name, name) == 0)
			return true;
	}
	return false;
}

/*
 * The zone that the caller wants windows in, which is one of the server's
 * list.
 */
static const char *
zone_of_request(const Request *request)
{
	const char *zone = request->time_zone;

	if (zone == NULL)
		zone = pg_get_timezone_name(session_timezone);
	if (!DatumGetBool(DirectFunctionCall1(ops_time_zone_exists,
										  CStringGetTextDatum(zone))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", zone),
				 errhint("Give one that is listed in pg_timezone_names, as in time_zone => 'Europe/Prague'.")));
	return zone;
}

static OpsWindow *
make_window(OpsDutyWindow which, const char *zone)
{
	OpsWindow  *window = palloc0(sizeof(OpsWindow));

	window->name = default_window[which].name;
	window->frequency = default_window[which].rule;
	window->nth = default_window[which].nth;
	window->starts_at = default_window[which].starts_at * USECS_PER_HOUR;
	window->duration = default_window[which].hours * USECS_PER_HOUR;
	window->zone = pg_tzset(zone);
	window->enabled = true;
	return window;
}

/*
 * Somebody may be about to make it, too: then it is his.
 */
static void
insert_window(OpsDutyWindow which, const char *zone)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, INT4OID, INT4OID, INT4OID, TEXTOID};
	const char *weekday = default_window[which].weekday;
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];
	OpsQuery	query;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(default_window[which].name);
	values[1] = CStringGetTextDatum(default_window[which].frequency);
	values[2] = CStringGetTextDatum(weekday ? weekday : "");
	nulls[2] = weekday ? ' ' : 'n';
	values[3] = Int32GetDatum(default_window[which].nth);
	nulls[3] = default_window[which].nth != 0 ? ' ' : 'n';
	values[4] = Int32GetDatum(default_window[which].starts_at);
	values[5] = Int32GetDatum(default_window[which].hours);
	values[6] = CStringGetTextDatum(zone);
	ops_query_execute(&query, ops_own_relation_owner("maintenance_window"),
					  "INSERT INTO ops.maintenance_window (window_name, frequency, weekday, nth, starts_at, duration, time_zone, comment)"
					  " VALUES ($1, $2, $3, $4, pg_catalog.make_time($5, 0, 0), pg_catalog.make_interval(hours => $6), $7,"
					  " 'made by ops.schedule_maintenance()')"
					  " ON CONFLICT DO NOTHING",
					  lengthof(types), types, values, nulls);
	ops_query_end(&query);
}

static void
put_deed(ReturnSetInfo *rsinfo, const Request *request, const Deed *deed)
{
	OpsCronExpression expression;
	Datum		values[8];
	bool		isnull[8] = {false};
	TimestampTz next;

	values[0] = CStringGetTextDatum(deed->entry.name);
	values[1] = CStringGetTextDatum(deed->action);
	ops_report_text(&values[2], &isnull[2], deed->entry.schedule);
	ops_report_text(&values[3], &isnull[3], deed->entry.command);
	ops_report_text(&values[4], &isnull[4], deed->entry.database);
	ops_report_text(&values[5], &isnull[5],
					deed->duty->window == OPS_NO_WINDOW ? NULL :
					request->window_name[deed->duty->window]);
	isnull[6] = deed->entry.schedule == NULL ||
		(deed->existing && !deed->existing->active) ||
		!ops_cron_parse(deed->entry.schedule, &expression) ||
		!ops_cron_next(&expression, &request->cron.clock, request->now,
					   request->now + AHEAD, &next);
	if (!isnull[6])
		values[6] = TimestampTzGetDatum(next);
	ops_report_text(&values[7], &isnull[7], note_of(request, deed));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
}

/*
 * What the caller should know about a job besides.
 */
static const char *
note_of(const Request *request, const Deed *deed)
{
	List	   *notes = NIL;
	StringInfoData note;
	ListCell   *lc;

	if (deed->entry.schedule == NULL)
		return NULL;
	if (deed->duty->window != OPS_NO_WINDOW &&
		request->window_note[deed->duty->window])
		notes = lappend(notes, unconstify(char *, request->window_note[deed->duty->window]));
	if (deed->existing && !deed->existing->active)
		notes = lappend(notes,
						psprintf(_("the job is switched off; to switch it on: SELECT cron.alter_job(" INT64_FORMAT ", active => true)"),
								 deed->existing->id));
	if (!request->there)
		notes = lappend(notes, pstrdup(_("pg_cron is not loaded; the times of the schedule are in GMT")));
	for (int i = 0; i < request->nexisting; i++)
	{
		OpsCronJob *other = &request->existing[i];

		if (strcmp(other->name, deed->entry.name) == 0 &&
			strcmp(other->database, deed->entry.database) == 0 &&
			strcmp(other->role, GetUserNameFromId(GetUserId(), false)) != 0)
			notes = lappend(notes, psprintf(_("role %s has this job, too"),
											quote_identifier(other->role)));
	}
	if (!may_run(deed->duty))
		notes = lappend(notes,
						psprintf(_("role %s may not execute ops.%s()"),
								 quote_identifier(GetUserNameFromId(GetUserId(), false)),
								 deed->duty->routine));
	if (notes == NIL)
		return NULL;
	initStringInfo(&note);
	foreach(lc, notes)
		appendStringInfo(&note, "%s%s", note.len > 0 ? "; " : "",
						 (char *) lfirst(lc));
	return note.data;
}

/*
 * Whether the caller may do what the job will do as him.
 */
static bool
may_run(const OpsDuty *duty)
{
	Oid			types[] = {TEXTOID};
	Datum		values[1];
	OpsQuery	query;
	bool		may;

	if (duty->routine == NULL)
		return true;
	values[0] = CStringGetTextDatum(duty->routine);
	ops_query_execute(&query, InvalidOid,
					  "SELECT coalesce(pg_catalog.bool_and(pg_catalog.has_function_privilege(p.oid, 'EXECUTE')"
					  " AND pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE')), false)"
					  " FROM pg_catalog.pg_proc p"
					  " WHERE p.proname = $1 AND p.pronamespace ="
					  "  (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'ops')",
					  1, types, values, NULL);
	may = ops_query_bool(&query, 0, 1);
	ops_query_end(&query);
	return may;
}
