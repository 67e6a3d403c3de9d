/*-------------------------------------------------------------------------
 *
 * cron.c
 *	  pg_cron: where it is, and what it has.
 *
 * It keeps the jobs of all databases in one, which need not be this one.  Each
 * thing we do there is one statement that gives one text, so that it can be
 * done here as well as by a background worker there; with the rights of the
 * caller in both cases, and with pg_cron's own functions.  What the worker
 * does is done at once: it is not undone with the caller's transaction.
 *
 * The schema is always called cron.  Where pg_cron is not installed anybody can
 * have made one of that name to have his code run by whoever looks there; so
 * the catalogs are asked first whether what we use is the extension's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "core/attempt.h"
#include "core/guc.h"
#include "core/process.h"
#include "core/query.h"
#include "core/relation.h"
#include "core/worker.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "schedule/cron.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* How long we wait for the other database, and how much it may tell. */
#define THERE_MS		10000
#define THERE_BYTES		(1024 * 1024)

/* Only so many of the newest runs are looked at. */
#define NEWEST_RUNS		"100000"

/* Whether an object is part of the extension pg_cron. */
#define IS_MEMBER(class, object) \
	"EXISTS (SELECT FROM pg_catalog.pg_depend d" \
	" JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid" \
	" WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass" \
	" AND d.deptype = 'e' AND e.extname = 'pg_cron'" \
	" AND d.classid = '" class "'::pg_catalog.regclass" \
	" AND d.objid = " object ")"

/* Whether all that we use of the schema cron is pg_cron's own. */
#define GENUINE_QUERY \
	"SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_proc p" \
	"  WHERE p.pronamespace = n.oid" \
	"  AND p.proname IN ('schedule', 'schedule_in_database', 'unschedule')" \
	"  AND NOT " IS_MEMBER("pg_catalog.pg_proc", "p.oid") ")" \
	" AND (SELECT count(*) FROM pg_catalog.pg_class c" \
	"  WHERE c.relnamespace = n.oid" \
	"  AND c.relname IN ('job', 'job_run_details')" \
	"  AND " IS_MEMBER("pg_catalog.pg_class", "c.oid") ") = 2" \
	" FROM pg_catalog.pg_namespace n WHERE n.nspname = 'cron'"

/* Microseconds of 1970, of what may be no instant at all. */
#define MICROSECONDS(column) \
	"CASE WHEN pg_catalog.isfinite(" column ")" \
	" THEN (extract(epoch FROM " column ") * 1000000)::pg_catalog.int8 END"

#define UNIX_EPOCH_USECS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* pg_cron's tables here. */
typedef struct Tables
{
	Oid			relid[2];
	Oid			owner;
} Tables;

/* A statement that is tried, here. */
typedef struct Statement
{
	Oid			role;			/* InvalidOid: the caller */
	const char *sql;
	bool		writes;
	char	   *answer;
} Statement;

static bool setting(const char *name, const char **value);
static pg_tz *zone_of_setting(void);
static const char *ask(const OpsCron *cron, Oid role, const char *sql,
					   bool writes);
static const char *ask_here(Oid role, const char *sql, bool writes);
static const char *ask_there(const OpsCron *cron, const char *sql);
static void run_statement(void *arg);
pg_noreturn static void report_refused(const OpsCron *cron, int sqlerrcode,
									   const char *message,
									   const char *detail, const char *hint);
static void lock_tables(Tables *tables);
static void lock_table(const char *name, Oid relid);
static const char *jobs_query(List *names);
static void read_job(const OpsQuery *query, uint64 row, OpsCronJob *job);
static TimestampTz instant(const OpsQuery *query, uint64 row, int column);
static bool is_privilege(int sqlerrcode);

/*
 * Look where pg_cron is; false if the server has not loaded it.
 */
bool
ops_cron_find(OpsCron *cron)
{
	const char *value;

	ops_cron_absent(cron);
	if (!setting("cron.database_name", &value))
		return false;
	cron->database = pstrdup(value);
	cron->here = strcmp(value, get_database_name(MyDatabaseId)) == 0;
	cron->keeps_runs = !setting("cron.log_run", &value) ||
		strcmp(value, "off") != 0;
	cron->clock.zone = zone_of_setting();
	cron->clock.both_days = setting("cron.match_dom_and_dow", &value) &&
		strcmp(value, "on") == 0;
	return true;
}

/*
 * What to go by where there is none.
 */
void
ops_cron_absent(OpsCron *cron)
{
	memset(cron, 0, sizeof(*cron));
	cron->clock.zone = pg_tzset("GMT");
}

/*
 * A setting that pg_cron has made; who gives one of this name a value before
 * pg_cron is loaded makes a placeholder, which says nothing.
 */
static bool
setting(const char *name, const char **value)
{
	*value = GetConfigOption(name, true, false);
	return *value != NULL &&
		(GetConfigOptionFlags(name, true) & GUC_CUSTOM_PLACEHOLDER) == 0;
}

/*
 * The zone that schedules are read in; GMT before pg_cron could be told.
 */
static pg_tz *
zone_of_setting(void)
{
	const char *value;
	pg_tz	   *zone = NULL;

	if (setting("cron.timezone", &value))
		zone = pg_tzset(value);
	return zone ? zone : pg_tzset("GMT");
}

/*
 * Look where pg_cron is, and raise an error if it cannot be used.
 */
void
ops_cron_demand(OpsCron *cron)
{
	const char *answer;

	if (!ops_cron_find(cron))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pg_cron is not loaded"),
				 errdetail("Jobs are started by pg_cron, which is not among shared_preload_libraries."),
				 errhint("Install the package postgresql-%s-cron, add pg_cron to shared_preload_libraries, restart the server, and run CREATE EXTENSION pg_cron; or let system cron or systemd start what ops.schedule_maintenance(dry_run => true) shows.",
						 PG_MAJORVERSION)));
	answer = ask(cron, InvalidOid, GENUINE_QUERY, false);
	if (answer == NULL || strcmp(answer, "t") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pg_cron is loaded, but not installed in database \"%s\"",
						cron->database),
				 errdetail("Schema \"cron\" is missing there, or what it has is not the extension's."),
				 errhint("Run in that database: CREATE EXTENSION pg_cron;")));
}

/*
 * Whether the process that starts pg_cron's jobs is there.
 */
bool
ops_cron_launcher_runs(void)
{
	const OpsActivity *activity = ops_activity_read();

	for (int i = 0; i < activity->count; i++)
	{
		const char *type;

		if (activity->backend[i].type != B_BG_WORKER)
			continue;
		type = GetBackgroundWorkerTypeByPid(activity->backend[i].pid);
		if (type && strcmp(type, "pg_cron launcher") == 0)
			return true;
	}
	return false;
}

/*
 * Run a statement where pg_cron is, and give its answer, which may be NULL.
 *
 * Another role than the caller's can be had here only.
 */
static const char *
ask(const OpsCron *cron, Oid role, const char *sql, bool writes)
{
	if (!cron->here)
		return ask_there(cron, sql);
	if (OidIsValid(role))
		return ask_here(role, sql, writes);
	else
	{
		Statement	statement = {.sql = sql,.writes = writes};
		ErrorData  *error = ops_attempt(run_statement, &statement);

		if (error)
			report_refused(cron, error->sqlerrcode, error->message,
						   error->detail, error->hint);
		return statement.answer;
	}
}

static void
run_statement(void *arg)
{
	Statement  *statement = (Statement *) arg;
	const char *answer = ask_here(statement->role, statement->sql,
								  statement->writes);

	statement->answer = answer ? pstrdup(answer) : NULL;
}

static const char *
ask_here(Oid role, const char *sql, bool writes)
{
	MemoryContext caller = CurrentMemoryContext;
	OpsScope	scope;
	OpsQuery	query;
	char	   *answer = NULL;

	/* A long history makes it look expensive enough to be compiled. */
	ops_scope_enter(&scope, InvalidOid);
	ops_scope_set("jit", "off");
	if (writes)
		ops_query_execute(&query, role, sql, 0, NULL, NULL, NULL);
	else
		ops_query_run(&query, role, sql);
	if (query.nrows > 0)
		answer = ops_query_text(&query, 0, 1);
	if (answer)
		answer = MemoryContextStrdup(caller, answer);
	ops_query_end(&query);
	ops_scope_leave(&scope);
	return answer;
}

/*
 * The worker takes locks of that database only, where we have none, so that
 * it cannot wait for us.
 */
static const char *
ask_there(const OpsCron *cron, const char *sql)
{
	const OpsSetting settings[] = {
		{"lock_timeout", psprintf("%dms", ops_guc_lock_timeout)},
		{"application_name", "operations_runbook"},
		{"jit", "off"},
	};
	const OpsCommand command = {
		.sql = sql,
		.role = GetUserId(),
		.settings = settings,
		.nsettings = lengthof(settings),
		.timeout_ms = THERE_MS,
		.database = cron->database,
		.answer_size = THERE_BYTES,
		.independent = true,
	};
	OpsCommandResult result;

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pg_cron keeps its jobs in database \"%s\"",
						cron->database),
				 errdetail("On a standby no background worker can be started to ask there."),
				 errhint("Ask the primary, or connect to database \"%s\".",
						 cron->database)));
	ops_worker_run(&command, &result);
	if (result.end != OPS_COMMAND_DONE)
		report_refused(cron, result.sqlerrcode, result.message, result.detail,
					   result.hint);
	return result.answer;
}

/*
 * Pass on what was said, with what can be done about it.
 */
static void
report_refused(const OpsCron *cron, int sqlerrcode, const char *message,
			   const char *detail, const char *hint)
{
	const char *role = quote_identifier(GetUserNameFromId(GetUserId(), false));

	ereport(ERROR,
			(errcode(sqlerrcode),
			 errmsg("pg_cron in database \"%s\" cannot be used: %s",
					cron->database, message ? message : ""),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) :
			 is_privilege(sqlerrcode) && cron->here ? errhint("A superuser can run here: GRANT USAGE ON SCHEMA cron TO %s;",
															  role) :
			 is_privilege(sqlerrcode) ? errhint("A superuser can run there: GRANT USAGE ON SCHEMA cron TO %s; GRANT EXECUTE ON FUNCTION cron.schedule_in_database(text, text, text, text, text, boolean) TO %s;",
												role, role) : 0));
}

static bool
is_privilege(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE;
}

/*
 * Read jobs with what became of them.
 */
OpsCronJob *
ops_cron_read(const OpsCron *cron, bool as_owner, List *names, int *count)
{
	Tables		tables = {0};
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[1];
	OpsQuery	query;
	OpsCronJob *jobs;
	const char *answer;

	if (cron->here)
		lock_tables(&tables);
	answer = ask(cron, as_owner ? tables.owner : InvalidOid,
				 jobs_query(names), false);
	for (int i = 0; cron->here && i < lengthof(tables.relid); i++)
		ops_relation_unlock(tables.relid[i]);
	values[0] = CStringGetTextDatum(answer ? answer : "[]");
	ops_query_execute(&query, InvalidOid,
					  "SELECT x.* FROM ROWS FROM (pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb) AS ("
					  "id int8, name text, database text, role text, schedule text, command text, active bool,"
					  " last_status text, last_message text, last_start int8, last_end int8,"
					  " running int8, running_since int8, finished bool, failures int8,"
					  " interrupted bool, failed_at int8)) WITH ORDINALITY AS x"
					  " ORDER BY x.ordinality",
					  1, types, values, NULL);
	MemoryContextSwitchTo(caller);
	*count = query.nrows;
	jobs = palloc0(Max(*count, 1) * sizeof(OpsCronJob));
	for (int i = 0; i < *count; i++)
		read_job(&query, i, &jobs[i]);
	ops_query_end(&query);
	MemoryContextSwitchTo(caller);
	return jobs;
}

static void
read_job(const OpsQuery *query, uint64 row, OpsCronJob *job)
{
	bool		isnull;

	job->id = ops_query_int64(query, row, 1, &isnull);
	job->name = ops_query_text(query, row, 2);
	job->database = ops_query_text(query, row, 3);
	job->role = ops_query_text(query, row, 4);
	job->schedule = ops_query_text(query, row, 5);
	job->command = ops_query_text(query, row, 6);
	job->active = ops_query_bool(query, row, 7);
	job->last_status = ops_query_text(query, row, 8);
	job->last_message = ops_query_text(query, row, 9);
	job->last_start = instant(query, row, 10);
	job->last_end = instant(query, row, 11);
	job->running = ops_query_int64(query, row, 12, &isnull);
	job->running_since = instant(query, row, 13);
	job->finished = ops_query_bool(query, row, 14);
	job->failures = ops_query_int64(query, row, 15, &isnull);
	job->interrupted = ops_query_bool(query, row, 16);
	job->failed_at = instant(query, row, 17);
}

static TimestampTz
instant(const OpsQuery *query, uint64 row, int column)
{
	bool		isnull;
	int64		microseconds = ops_query_int64(query, row, column, &isnull);

	return isnull ? 0 : microseconds - UNIX_EPOCH_USECS;
}

/*
 * Get hold of pg_cron's tables here without waiting.
 *
 * They must be its own and of one owner, as whom they may be read.
 */
static void
lock_tables(Tables *tables)
{
	static const char *const names[lengthof(tables->relid)] = {
		"job", "job_run_details",
	};
	Oid			schema = get_namespace_oid("cron", true);
	Oid			extension = get_extension_oid("pg_cron", true);

	for (int i = 0; i < lengthof(names); i++)
	{
		Oid			relid = get_relname_relid(names[i], schema);
		Oid			owner = InvalidOid;

		if (OidIsValid(relid) && OidIsValid(extension) &&
			getExtensionOfObject(RelationRelationId, relid) == extension)
		{
			lock_table(names[i], relid);
			owner = ops_relation_owner(relid);
		}
		if (!OidIsValid(owner) || (i > 0 && owner != tables->owner))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("the extension \"%s\" has no relation \"%s\" of its own",
							"pg_cron", names[i]),
					 errhint("Update the extension.")));
		tables->relid[i] = relid;
		tables->owner = owner;
	}
}

static void
lock_table(const char *name, Oid relid)
{
	int			holder;

	if (!ops_relation_try_lock(relid, &holder))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("table %s is locked by process %d",
						quote_qualified_identifier("cron", name), holder)));
}

/*
 * One json array of the jobs.
 *
 * A run that the server's restart cut off is over, although its row may still
 * call it running; later versions of pg_cron say so by a failure.  Rows of
 * runs that had not even started have no time: they are as old as their
 * numbers.
 */
static const char *
jobs_query(List *names)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql,
						   "WITH recent AS MATERIALIZED ("
						   " SELECT r.jobid, r.runid, r.status, r.return_message, r.start_time, r.end_time,"
						   "  NOT pg_catalog.pg_is_in_recovery() AND r.start_time < pg_catalog.pg_postmaster_start_time() AS before"
						   " FROM cron.job_run_details r"
						   " WHERE r.runid > (SELECT max(m.runid) FROM cron.job_run_details m) - " NEWEST_RUNS
						   "), known AS MATERIALIZED ("
						   " SELECT r.*, CASE WHEN r.status = 'succeeded' THEN r.status"
						   "  WHEN r.status = 'failed' AND r.return_message = 'server restarted' THEN 'interrupted'"
						   "  WHEN r.status = 'failed' THEN r.status"
						   "  WHEN r.before OR r.start_time IS NULL AND r.runid <"
						   "   (SELECT max(b.runid) FROM recent b WHERE b.before) THEN 'interrupted'"
						   "  ELSE 'running' END AS fate"
						   " FROM recent r"
						   "), total AS ("
						   " SELECT k.jobid, max(k.runid) AS newest,"
						   "  max(k.runid) FILTER (WHERE k.fate = 'succeeded') AS good,"
						   "  max(k.runid) FILTER (WHERE k.fate IN ('failed', 'interrupted')) AS bad,"
						   "  count(*) FILTER (WHERE k.fate = 'running') AS running,"
						   "  min(k.start_time) FILTER (WHERE k.fate = 'running') AS running_since"
						   " FROM known k GROUP BY k.jobid"
						   "), failed AS ("
						   " SELECT k.jobid, count(*) AS failures"
						   " FROM known k JOIN total t ON t.jobid = k.jobid"
						   " WHERE k.fate IN ('failed', 'interrupted') AND k.runid > coalesce(t.good, 0)"
						   " GROUP BY k.jobid"
						   ") SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(q) ORDER BY q.name COLLATE \"C\", q.id), '[]')::text"
						   " FROM (SELECT j.jobid AS id, j.jobname::text AS name, j.database, j.username AS role,"
						   "  j.schedule, j.command, j.active,"
						   "  n.fate AS last_status, pg_catalog.left(n.return_message, 1000) AS last_message,"
						   "  " MICROSECONDS("n.start_time") " AS last_start,"
						   "  " MICROSECONDS("n.end_time") " AS last_end,"
						   "  coalesce(t.running, 0) AS running,"
						   "  " MICROSECONDS("t.running_since") " AS running_since,"
						   "  coalesce(t.good, t.bad) IS NOT NULL AS finished,"
						   "  coalesce(f.failures, 0) AS failures,"
						   "  coalesce(b.fate = 'interrupted', false) AS interrupted,"
						   "  " MICROSECONDS("coalesce(b.end_time, b.start_time)") " AS failed_at"
						   " FROM cron.job j"
						   " LEFT JOIN total t ON t.jobid = j.jobid"
						   " LEFT JOIN failed f ON f.jobid = j.jobid"
						   " LEFT JOIN known n ON n.runid = t.newest"
						   " LEFT JOIN known b ON b.runid = t.bad");
	foreach(lc, names)
		appendStringInfo(&sql, "%s%s", lc == list_head(names) ?
						 " WHERE j.jobname::text IN (" : ", ",
						 quote_literal_cstr((char *) lfirst(lc)));
	appendStringInfo(&sql, "%s) q", names ? ")" : "");
	return sql.data;
}

/*
 * Make jobs, or give jobs of these names other schedules and commands.
 *
 * What runs in pg_cron's own database needs no privilege besides the schema's.
 */
void
ops_cron_schedule(const OpsCron *cron, List *entries)
{
	StringInfoData sql;
	ListCell   *lc;

	if (entries == NIL)
		return;
	initStringInfo(&sql);
	foreach(lc, entries)
	{
		const OpsCronEntry *entry = (OpsCronEntry *) lfirst(lc);
		bool		there = strcmp(entry->database, cron->database) != 0;

		appendStringInfo(&sql, "%s%s(%s::text, %s::text, %s::text",
						 lc == list_head(entries) ? "SELECT " : ", ",
						 there ? "cron.schedule_in_database" : "cron.schedule",
						 quote_literal_cstr(entry->name),
						 quote_literal_cstr(entry->schedule),
						 quote_literal_cstr(entry->command));
		if (there)
			appendStringInfo(&sql, ", %s::text",
							 quote_literal_cstr(entry->database));
		appendStringInfoChar(&sql, ')');
	}
	(void) ask(cron, InvalidOid, sql.data, true);
}

/*
 * Remove jobs.
 */
void
ops_cron_unschedule(const OpsCron *cron, List *jobs)
{
	StringInfoData sql;
	ListCell   *lc;

	if (jobs == NIL)
		return;
	initStringInfo(&sql);
	foreach(lc, jobs)
		appendStringInfo(&sql, "%scron.unschedule(" INT64_FORMAT "::int8)",
						 lc == list_head(jobs) ? "SELECT " : ", ",
						 ((OpsCronJob *) lfirst(lc))->id);
	(void) ask(cron, InvalidOid, sql.data, true);
}
