/*-------------------------------------------------------------------------
 *
 * runlog.c
 *	  Runs of maintenance as they are written down.
 *
 * The tables belong to the owner of the extension and are written as that
 * role, whoever runs.  Every change is committed by the caller at once: a
 * server that is killed leaves the truth.
 *
 * What is written of a run at work is written in subtransactions: whoever is
 * cancelled in the middle finds himself outside of the query, and can write
 * that down.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "core/attempt.h"
#include "core/query.h"
#include "core/report.h"
#include "miscadmin.h"
#include "schedule/maintain.h"
#include "utils/builtins.h"

/* A statement that writes. */
typedef struct Writing
{
	const OpsMaintenance *run;
	const char *sql;
	int			nargs;
	Oid		   *types;
	Datum	   *values;
	const char *nulls;
} Writing;

/* Steps to write down. */
typedef struct Adding
{
	OpsMaintenance *run;
	List	   *steps;
} Adding;

static OpsStep *read_step(const OpsQuery *query, uint64 row);
static void add_steps(void *arg);
static void add_step(OpsMaintenance *run, OpsStep *step);
static void execute(const OpsMaintenance *run, const char *sql, int nargs,
					Oid *types, Datum *values, const char *nulls);
static void attempt(OpsWork work, void *arg);
static void write_down(void *arg);

/*
 * Whether the occurrence of the window has had its run.  One that was cut off
 * or could not work does not count.
 */
bool
ops_runlog_has_run(const OpsMaintenance *run)
{
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID};
	Datum		values[3];
	bool		isnull;
	OpsQuery	query;
	bool		found;

	values[0] = CStringGetTextDatum(run->window);
	values[1] = TimestampTzGetDatum(run->occurrence);
	ops_report_texts(&values[2], &isnull, run->tasks);
	ops_query_execute(&query, run->owner,
					  "SELECT FROM ops.maintenance_run r"
					  " WHERE r.window_name = $1 AND r.occurrence = $2"
					  " AND r.tasks = $3"
					  " AND r.status IN ('done', 'stopped', 'cancelled')",
					  lengthof(types), types, values, NULL);
	found = query.nrows > 0;
	ops_query_end(&query);
	return found;
}

/*
 * The process that holds the lock of a run in this database; 0 if it is gone.
 */
int
ops_runlog_runner(const OpsMaintenance *run)
{
	Oid			types[] = {OIDOID, INT4OID, OIDOID};
	Datum		values[] = {
		ObjectIdGetDatum(MAINTENANCE_LOCK_CLASS),
		Int32GetDatum(MAINTENANCE_LOCK_KIND),
		ObjectIdGetDatum(MyDatabaseId),
	};
	OpsQuery	query;
	int64		pid = 0;
	bool		isnull;

	ops_query_execute(&query, run->owner,
					  "SELECT pid::int8 FROM pg_locks"
					  " WHERE locktype = 'advisory' AND granted AND classid = 0"
					  " AND objid = $1 AND objsubid = $2 AND database = $3",
					  lengthof(types), types, values, NULL);
	if (query.nrows > 0)
		pid = ops_query_int64(&query, 0, 1, &isnull);
	ops_query_end(&query);
	return (int) pid;
}

/*
 * Begin a run.
 *
 * Runs that were cut off are called so: the caller holds the lock, so they
 * are gone.
 */
void
ops_runlog_start(OpsMaintenance *run)
{
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID, NAMEOID,
	INT4OID, TIMESTAMPTZOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "      ";
	bool		isnull;
	OpsQuery	query;

	execute(run,
			"WITH cut AS (UPDATE ops.maintenance_run r"
			" SET status = 'interrupted',"
			" ended_at = coalesce((SELECT max(coalesce(s.ended_at, s.started_at))"
			" FROM ops.maintenance_step s WHERE s.run_id = r.run_id), r.started_at)"
			" WHERE r.status = 'running' RETURNING r.run_id)"
			" UPDATE ops.maintenance_step s SET status = CASE s.status"
			" WHEN 'running' THEN 'interrupted' ELSE 'skipped' END,"
			" error = 'the server or the session ended first'"
			" FROM cut WHERE cut.run_id = s.run_id"
			" AND s.status IN ('running', 'planned')",
			0, NULL, NULL, NULL);

	ops_query_set_text(&values[0], &nulls[0], run->window);
	values[1] = TimestampTzGetDatum(run->occurrence);
	if (run->window == NULL)
		nulls[1] = 'n';
	ops_report_texts(&values[2], &isnull, run->tasks);
	values[3] = DirectFunctionCall1(namein,
									CStringGetDatum(GetUserNameFromId(run->role, false)));
	values[4] = Int32GetDatum(MyProcPid);
	values[5] = TimestampTzGetDatum(run->stop_at);
	ops_query_execute(&query, run->owner,
					  "INSERT INTO ops.maintenance_run AS r (window_name,"
					  " occurrence, tasks, started_by, pid, stop_at)"
					  " VALUES ($1, $2, $3, $4, $5, $6) RETURNING r.run_id",
					  lengthof(types), types, values, nulls);
	run->run_id = ops_query_int64(&query, 0, 1, &isnull);
	ops_query_end(&query);
}

/*
 * End a run; steps that did not have their turn are called skipped.
 */
void
ops_runlog_end(const OpsMaintenance *run)
{
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "    ";

	values[0] = Int64GetDatum(run->run_id);
	values[1] = CStringGetTextDatum(run->status);
	ops_query_set_text(&values[2], &nulls[2], run->stopped);
	ops_query_set_text(&values[3], &nulls[3], run->error);
	execute(run,
			"UPDATE ops.maintenance_run SET status = $2, stopped = $3,"
			" error = $4, ended_at = clock_timestamp() WHERE run_id = $1",
			lengthof(types), types, values, nulls);
	execute(run,
			"UPDATE ops.maintenance_step SET error = coalesce($3, $4, $2),"
			" status = CASE status WHEN 'running' THEN 'cancelled' ELSE 'skipped' END,"
			" ended_at = CASE status WHEN 'running' THEN clock_timestamp() END"
			" WHERE run_id = $1 AND status IN ('running', 'planned')",
			lengthof(types), types, values, nulls);
}

/*
 * What there is to do, about everything or one relation, in order.
 */
List *
ops_runlog_plan(const OpsMaintenance *run, List *tasks, Oid about)
{
	Oid			types[] = {TEXTARRAYOID, OIDOID, TIMESTAMPTZOID, OIDOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "    ";
	bool		isnull;
	MemoryContext caller = CurrentMemoryContext;
	List	   *steps = NIL;
	OpsQuery	query;

	ops_report_texts(&values[0], &isnull, tasks);
	if (isnull)
		return NIL;
	values[1] = ObjectIdGetDatum(run->role);
	values[2] = TimestampTzGetDatum(run->stop_at);
	values[3] = ObjectIdGetDatum(about);
	if (!OidIsValid(about))
		nulls[3] = 'n';
	ops_query_execute(&query, run->owner,
					  "SELECT s.task, s.relid::int8, s.object, s.command,"
					  " s.reason, (EXTRACT(epoch FROM s.expected) * 1000)::float8,"
					  " CASE s.action WHEN 'run' THEN 'planned'"
					  " WHEN 'report' THEN 'reported' ELSE 'skipped' END, s.note"
					  " FROM ops.maintenance_steps($1, $2, $3, $4) s"
					  " ORDER BY s.priority, s.weight, s.object COLLATE \"C\","
					  " s.command COLLATE \"C\"",
					  lengthof(types), types, values, nulls);
	MemoryContextSwitchTo(caller);	/* steps outlive the query */
	for (uint64 row = 0; row < query.nrows; row++)
		steps = lappend(steps, read_step(&query, row));
	ops_query_end(&query);
	return steps;
}

static OpsStep *
read_step(const OpsQuery *query, uint64 row)
{
	OpsStep    *step = palloc0(sizeof(OpsStep));
	bool		isnull;

	step->task = ops_query_text(query, row, 1);
	step->relid = (Oid) ops_query_int64(query, row, 2, &isnull);
	step->object = ops_query_text(query, row, 3);
	step->command = ops_query_text(query, row, 4);
	step->reason = ops_query_text(query, row, 5);
	step->expected_ms = ops_query_float8(query, row, 6, &isnull);
	if (isnull)
		step->expected_ms = -1;
	step->status = ops_query_text(query, row, 7);
	step->error = ops_query_text(query, row, 8);
	return step;
}

/*
 * Write down steps that are planned, or that will be left to others.
 */
void
ops_runlog_add(OpsMaintenance *run, List *steps)
{
	Adding		adding = {.run = run,.steps = steps};

	attempt(add_steps, &adding);
}

static void
add_steps(void *arg)
{
	Adding	   *adding = arg;
	ListCell   *lc;

	foreach(lc, adding->steps)
		add_step(adding->run, lfirst(lc));
}

static void
add_step(OpsMaintenance *run, OpsStep *step)
{
	Oid			types[] = {INT8OID, INT4OID, TEXTOID, TEXTOID, OIDOID, TEXTOID,
	TEXTOID, FLOAT8OID, TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "          ";
	Writing		writing = {
		.run = run,
		.sql = "INSERT INTO ops.maintenance_step (run_id, step_no, task, object,"
		" relid, command, reason, expected, status, error)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7,"
		" make_interval(secs => $8 / 1000), $9, $10)",
		.nargs = lengthof(types),
		.types = types,
		.values = values,
		.nulls = nulls,
	};

	step->number = ++run->nsteps;
	values[0] = Int64GetDatum(run->run_id);
	values[1] = Int32GetDatum(step->number);
	values[2] = CStringGetTextDatum(step->task);
	ops_query_set_text(&values[3], &nulls[3], step->object);
	values[4] = ObjectIdGetDatum(step->relid);
	if (!OidIsValid(step->relid))
		nulls[4] = 'n';
	values[5] = CStringGetTextDatum(step->command);
	values[6] = CStringGetTextDatum(step->reason);
	values[7] = Float8GetDatum(step->expected_ms);
	if (step->expected_ms < 0)
		nulls[7] = 'n';
	values[8] = CStringGetTextDatum(step->status);
	ops_query_set_text(&values[9], &nulls[9], step->error);
	write_down(&writing);
}

void
ops_runlog_step_starts(const OpsMaintenance *run, const OpsStep *step)
{
	Oid			types[] = {INT8OID, INT4OID};
	Datum		values[] = {
		Int64GetDatum(run->run_id), Int32GetDatum(step->number),
	};

	execute(run,
			"UPDATE ops.maintenance_step SET status = 'running',"
			" started_at = clock_timestamp(),"
			" bytes_before = CASE WHEN task = 'reindex' THEN ops.relation_bytes(relid)"
			" ELSE ops.family_bytes(relid) END"
			" WHERE run_id = $1 AND step_no = $2",
			lengthof(types), types, values, NULL);
}

void
ops_runlog_step_ends(const OpsMaintenance *run, const OpsStep *step)
{
	Oid			types[] = {INT8OID, INT4OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "     ";

	values[0] = Int64GetDatum(run->run_id);
	values[1] = Int32GetDatum(step->number);
	values[2] = CStringGetTextDatum(step->status);
	ops_query_set_text(&values[3], &nulls[3], step->sqlerrcode == 0 ? NULL :
					   unpack_sql_state(step->sqlerrcode));
	ops_query_set_text(&values[4], &nulls[4], step->error);
	execute(run,
			"UPDATE ops.maintenance_step SET status = $3, sqlstate = $4,"
			" error = $5, ended_at = clock_timestamp(),"
			" bytes_after = CASE WHEN started_at IS NULL THEN NULL"
			" WHEN task = 'reindex' THEN ops.relation_bytes(to_regclass(object))"
			" ELSE ops.family_bytes(relid) END"
			" WHERE run_id = $1 AND step_no = $2",
			lengthof(types), types, values, nulls);
}

static void
execute(const OpsMaintenance *run, const char *sql, int nargs, Oid *types,
		Datum *values, const char *nulls)
{
	Writing		writing = {run, sql, nargs, types, values, nulls};

	attempt(write_down, &writing);
}

static void
attempt(OpsWork work, void *arg)
{
	ErrorData  *error = ops_attempt(work, arg);

	if (error)
		ReThrowError(error);
}

static void
write_down(void *arg)
{
	const Writing *writing = arg;
	OpsQuery	query;

	ops_query_execute(&query, writing->run->owner, writing->sql,
					  writing->nargs, writing->types, writing->values,
					  writing->nulls);
	ops_query_end(&query);
}
