/*-------------------------------------------------------------------------
 *
 * maintain.c
 *	  ops.run_maintenance(): the routine work, done at the right hour.
 *
 * A job calls it every few minutes, and here it is decided whether it is
 * time: the window has to be open, and this occurrence of it must not have
 * had its run.  So it does not matter what zone the job's clock is in, or
 * whether a minute was missed.
 *
 * One run at a time for a database: an advisory lock of our own tells one
 * that works from one that was cut off.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "core/procedure.h"
#include "core/relation.h"
#include "core/report.h"
#include "core/worker.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "schedule/maintain.h"
#include "schedule/window.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(ops_run_maintenance);
PG_FUNCTION_INFO_V1(ops_maintenance_tasks);
PG_FUNCTION_INFO_V1(ops_demand_tasks);
PG_FUNCTION_INFO_V1(ops_may_maintain);
PG_FUNCTION_INFO_V1(ops_relation_bytes);

/* Parameters of ops.run_maintenance(), in order; then come the results. */
enum
{
	MAINTENANCE_WINDOW,
	TASKS,
	MAX_DURATION,
	WAIT,
	AGAIN,
	GRACE,
	LOCK_TIMEOUT,
	STEP_TIMEOUT,
	COST_DELAY,
	MAX_SESSIONS,
	MAX_WAITERS,
	MAX_LAG_BYTES,
	MAX_LAG,
	ON_PRESSURE,
	NUM_PARAMETERS
};

#define NUM_RESULTS		5

/* How long a run takes at most that has no window and was told nothing. */
#define DEFAULT_MS		(2 * 60 * 60 * 1000.0)

/* Nobody sees the end of what takes longer: a hundred years. */
#define ENDLESS_MS		(100 * 365 * 86400000.0)

/* In the order in which they are done. */
static const struct
{
	const char *name;
	bool		usual;
}			task_list[] = {
	{"retention", false},
	{"leftovers", true},
	{"vacuum", true},
	{"analyze", true},
	{"reindex", true},
	{"learn", true},
	{"audit", false},
	{"report", true},
};

static void demand_place(FunctionCallInfo fcinfo);
static List *known_tasks(FunctionCallInfo fcinfo, int place);
static bool is_known(const char *name);
static void read_arguments(FunctionCallInfo fcinfo, OpsMaintenance *run);
static void read_pressure(FunctionCallInfo fcinfo, OpsThrottle *throttle);
static int	count_argument(FunctionCallInfo fcinfo, int place,
						   const char *name);
static bool is_time(OpsMaintenance *run, bool again);
static void detach(FunctionCallInfo fcinfo, OpsMaintenance *run);
static char *same_call(FunctionCallInfo fcinfo);
static void work(OpsMaintenance *run, bool again);
static bool take_lock(void);
static void release_lock(void);
static void run_logged(OpsMaintenance *run);
static void end_after_error(OpsMaintenance *run);
static void log_cancel(OpsMaintenance *run);
static void raise_failure(const OpsMaintenance *run);
static Datum results(FunctionCallInfo fcinfo, const OpsMaintenance *run);

/*
 * ops.run_maintenance(maintenance_window, tasks, ...)
 *
 * Does what ops.maintenance_plan() says, each step as a statement of its own
 * in a background worker, as the caller.  With a window's name nothing is
 * done, and that is no error, while the window is closed or when its
 * occurrence has had its run.  Cannot be called inside a transaction block.
 *
 * A step waits for a lock on its table no longer than lock_timeout, and ends
 * if somebody else waits so long for the step.  Steps that do not fit into
 * what is left of the time are not begun; what is not done then is cancelled
 * after the grace.
 */
Datum
ops_run_maintenance(PG_FUNCTION_ARGS)
{
	OpsMaintenance run = {.status = "done"};
	MemoryContext caller = CurrentMemoryContext;
	bool		again = !PG_ARGISNULL(AGAIN) && PG_GETARG_BOOL(AGAIN);
	Datum		result;

	demand_place(fcinfo);
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	run.context = CurrentMemoryContext;
	read_arguments(fcinfo, &run);
	if (!is_time(&run, again))
		ereport(NOTICE, (errmsg("nothing was done: %s", run.stopped)));
	else if (!PG_ARGISNULL(WAIT) && !PG_GETARG_BOOL(WAIT))
		detach(fcinfo, &run);
	else
		work(&run, again);
	raise_failure(&run);
	MemoryContextSwitchTo(caller);
	result = results(fcinfo, &run);
	SPI_finish();
	return result;
}

static void
demand_place(FunctionCallInfo fcinfo)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("ops.run_maintenance() cannot run during recovery"),
				 errdetail("A standby gets what is done on its primary.")));
	if (!ops_procedure_may_commit(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("ops.run_maintenance() cannot run inside a transaction block"),
				 errdetail("It commits after each step."),
				 errhint("Call it as a statement of its own, which in a job of pg_cron is the only one.")));
	PreventCommandIfReadOnly("ops.run_maintenance()");
}

/*
 * ops.maintenance_tasks() RETURNS text[]
 */
Datum
ops_maintenance_tasks(PG_FUNCTION_ARGS)
{
	List	   *tasks = NIL;
	Datum		value;
	bool		isnull;

	for (int i = 0; i < lengthof(task_list); i++)
		tasks = lappend(tasks, unconstify(char *, task_list[i].name));
	ops_report_texts(&value, &isnull, tasks);
	PG_RETURN_DATUM(value);
}

/*
 * ops.demand_tasks(tasks text[]) RETURNS text[]
 *
 * The tasks in the order in which they are done; the usual ones for null.
 */
Datum
ops_demand_tasks(PG_FUNCTION_ARGS)
{
	Datum		value;
	bool		isnull;

	ops_report_texts(&value, &isnull, known_tasks(fcinfo, 0));
	PG_RETURN_DATUM(value);
}

static List *
known_tasks(FunctionCallInfo fcinfo, int place)
{
	List	   *given = ops_argument_texts(fcinfo, place);
	List	   *tasks = NIL;
	ListCell   *lc;

	if (given == NIL && !PG_ARGISNULL(place))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no task is named"),
				 errhint("Null stands for the usual tasks.")));
	foreach(lc, given)
	{
		if (!is_known(lfirst(lc)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there is no task \"%s\"", (char *) lfirst(lc)),
					 errhint("SELECT ops.maintenance_tasks();")));
	}
	for (int i = 0; i < lengthof(task_list); i++)
	{
		bool		wanted = given == NIL && task_list[i].usual;

		foreach(lc, given)
			wanted |= strcmp(lfirst(lc), task_list[i].name) == 0;
		if (wanted)
			tasks = lappend(tasks, pstrdup(task_list[i].name));
	}
	return tasks;
}

static bool
is_known(const char *name)
{
	for (int i = 0; i < lengthof(task_list); i++)
	{
		if (strcmp(name, task_list[i].name) == 0)
			return true;
	}
	return false;
}

static void
read_arguments(FunctionCallInfo fcinfo, OpsMaintenance *run)
{
	double		max_ms = ops_argument_ms(fcinfo, MAX_DURATION, "max_duration");

	run->owner = ops_own_relation_owner("maintenance_run");
	run->role = GetUserId();
	run->window = ops_argument_text(fcinfo, MAINTENANCE_WINDOW, NULL);
	run->tasks = known_tasks(fcinfo, TASKS);
	if (max_ms == 0 && run->window == NULL)
		max_ms = DEFAULT_MS;
	run->stop_at = max_ms == 0 || max_ms > ENDLESS_MS ? DT_NOEND :
		GetCurrentTimestamp() + (int64) (max_ms * 1000);
	run->grace_ms = ops_argument_ms(fcinfo, GRACE, "grace");
	run->lock_ms = ops_argument_ms(fcinfo, LOCK_TIMEOUT, "lock_timeout");
	if (run->lock_ms < 1 || run->lock_ms > 3600000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lock_timeout must be between 1 ms and an hour")));
	run->step_ms = ops_argument_ms(fcinfo, STEP_TIMEOUT, "step_timeout");
	run->cost_delay = PG_ARGISNULL(COST_DELAY) ? 0
		: PG_GETARG_FLOAT8(COST_DELAY);
	if (!(run->cost_delay >= 0 && run->cost_delay <= 100))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("vacuum_cost_delay must be between 0 and 100 ms")));
	run->throttle.owner = run->owner;
	read_pressure(fcinfo, &run->throttle);
}

static void
read_pressure(FunctionCallInfo fcinfo, OpsThrottle *throttle)
{
	const char *on_pressure = ops_argument_text(fcinfo, ON_PRESSURE, "wait");

	throttle->max_lag_bytes = ops_argument_positive(fcinfo, MAX_LAG_BYTES,
													"max_lag_bytes");
	throttle->max_lag_ms = ops_argument_ms(fcinfo, MAX_LAG, "max_lag");
	throttle->max_sessions = count_argument(fcinfo, MAX_SESSIONS,
											"max_sessions");
	throttle->max_waiters = count_argument(fcinfo, MAX_WAITERS, "max_waiters");
	throttle->stop = strcmp(on_pressure, "stop") == 0;
	if (!throttle->stop && strcmp(on_pressure, "wait") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_pressure must be \"wait\" or \"stop\"")));
}

/*
 * As ops_argument_positive().
 */
static int
count_argument(FunctionCallInfo fcinfo, int place, const char *name)
{
	if (PG_ARGISNULL(place))
		return 0;
	if (PG_GETARG_INT32(place) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be greater than zero", name)));
	return PG_GETARG_INT32(place);
}

/*
 * Whether the window is open and this occurrence has not had its run; if not,
 * the run says why.  Without a window it is always time.
 */
static bool
is_time(OpsMaintenance *run, bool again)
{
	TimestampTz now = GetCurrentTimestamp();
	OpsOccurrence occurrence;
	OpsWindow  *windows;
	int			count;

	if (run->window == NULL)
		return true;
	windows = ops_windows_read(run->window, &count);
	if (count == 0)
		run->stopped = psprintf(_("maintenance window \"%s\" is switched off"),
								run->window);
	else if (ops_window_at(&windows[0], now, &occurrence))
	{
		run->occurrence = occurrence.starts;
		run->stop_at = Min(run->stop_at, occurrence.ends);
		if (!again && ops_runlog_has_run(run))
			run->stopped = psprintf(_("this occurrence of maintenance window \"%s\" has had its run"),
									run->window);
	}
	else if (ops_window_next(&windows[0], now, &occurrence))
		run->stopped = psprintf(_("maintenance window \"%s\" is closed until %s"),
								run->window,
								timestamptz_to_str(occurrence.starts));
	else
		run->stopped = psprintf(_("maintenance window \"%s\" does not open any more"),
								run->window);
	return run->stopped == NULL;
}

/*
 * Let a background worker call the same, and return.
 */
static void
detach(FunctionCallInfo fcinfo, OpsMaintenance *run)
{
	OpsSetting	settings[] = {
		{"default_transaction_read_only", "off"},
		{"IntervalStyle", GetConfigOption("IntervalStyle", false, false)},
	};
	OpsCommand	command = {
		.sql = same_call(fcinfo),
		.role = run->role,
		.settings = settings,
		.nsettings = lengthof(settings),
	};
	OpsCommandResult result;
	OpsWorker  *worker = ops_worker_start(&command, &result);
	int			pid = worker ? ops_worker_detach(worker, &result) : 0;

	if (pid != 0)
	{
		ereport(NOTICE,
				(errmsg("maintenance goes on in process %d", pid),
				 errhint("SELECT * FROM ops.maintenance_progress;")));
		return;
	}

	/* It can have ended already, as there was nothing to do. */
	if (result.end == OPS_COMMAND_DONE)
		return;
	run->status = "failed";
	run->error_code = result.sqlerrcode;
	run->error = result.message;
}

static char *
same_call(FunctionCallInfo fcinfo)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			parameter[NUM_PARAMETERS] = {
		{"maintenance_window", TEXTOID},
		{"tasks", TEXTARRAYOID},
		{"max_duration", INTERVALOID},
		{"wait", BOOLOID},
		{"again", BOOLOID},
		{"grace", INTERVALOID},
		{"lock_timeout", INTERVALOID},
		{"step_timeout", INTERVALOID},
		{"vacuum_cost_delay", FLOAT8OID},
		{"max_sessions", INT4OID},
		{"max_waiters", INT4OID},
		{"max_lag_bytes", INT8OID},
		{"max_lag", INTERVALOID},
		{"on_pressure", TEXTOID},
	};
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "CALL ops.run_maintenance(");
	for (int i = 0; i < NUM_PARAMETERS; i++)
	{
		Oid			output;
		bool		is_varlena;

		if (i == WAIT)
			continue;
		appendStringInfo(&sql, "%s%s => ", i > 0 ? ", " : "",
						 parameter[i].name);
		if (PG_ARGISNULL(i))
		{
			appendStringInfoString(&sql, "NULL");
			continue;
		}
		getTypeOutputInfo(parameter[i].type, &output, &is_varlena);
		appendStringInfo(&sql, "%s::%s",
						 quote_literal_cstr(OidOutputFunctionCall(output, PG_GETARG_DATUM(i))),
						 format_type_be_qualified(parameter[i].type));
	}
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/*
 * Do it here.
 */
static void
work(OpsMaintenance *run, bool again)
{
	OpsCommandResult why_not;

	if (!ops_worker_possible(run->role, &why_not))
	{
		run->status = "failed";
		run->error_code = why_not.sqlerrcode;
		run->error = why_not.message;
		return;
	}
	if (!take_lock())
	{
		run->stopped = psprintf(_("another run is at work in this database, process %d"),
								ops_runlog_runner(run));
		ereport(NOTICE, (errmsg("nothing was done: %s", run->stopped)));
		return;
	}
	PG_TRY();
	{
		/* The other one may have ended just now; its run is committed. */
		ops_procedure_commit();
		MemoryContextSwitchTo(run->context);
		if (is_time(run, again))
			run_logged(run);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(run->context);
		end_after_error(run);
		PG_RE_THROW();
	}
	PG_END_TRY();
	release_lock();
}

static void
run_logged(OpsMaintenance *run)
{
	ops_runlog_start(run);
	ops_procedure_commit();
	run->safe = true;
	ops_maintain(run);
	ops_runlog_end(run);
	run->safe = false;
	ops_procedure_commit();
}

/*
 * The lock is given back whatever happens, for the session goes on.
 */
static void
end_after_error(OpsMaintenance *run)
{
	PG_TRY();
	{
		if (run->safe)
			log_cancel(run);
	}
	PG_CATCH();
	{
		release_lock();
		PG_RE_THROW();
	}
	PG_END_TRY();
	release_lock();
}

/*
 * Somebody cancelled the statement; the step has been ended.  The log can
 * still say so, and if it cannot, the next run does.
 */
static void
log_cancel(OpsMaintenance *run)
{
	ErrorData  *error = CopyErrorData();

	FlushErrorState();
	run->safe = false;
	ops_procedure_rollback();
	run->status = error->sqlerrcode == ERRCODE_QUERY_CANCELED ?
		"cancelled" : "failed";
	run->error = error->message;
	ops_runlog_end(run);
	ops_procedure_commit();
	ReThrowError(error);
}

/*
 * One run at a time for a database, held through commits.
 */
static bool
take_lock(void)
{
	LOCKTAG		tag;
	LockAcquireResult result;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, MAINTENANCE_LOCK_CLASS,
						 MAINTENANCE_LOCK_KIND);
	result = LockAcquire(&tag, ExclusiveLock, true, true);
	if (result == LOCKACQUIRE_ALREADY_HELD)
	{
		(void) LockRelease(&tag, ExclusiveLock, true);
		return false;
	}
	return result != LOCKACQUIRE_NOT_AVAIL;
}

static void
release_lock(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, MAINTENANCE_LOCK_CLASS,
						 MAINTENANCE_LOCK_KIND);
	(void) LockRelease(&tag, ExclusiveLock, true);
}

static void
raise_failure(const OpsMaintenance *run)
{
	if (strcmp(run->status, "failed") != 0)
		return;
	ereport(ERROR,
			(errcode(run->error_code),
			 errmsg("maintenance could not be done: %s", run->error),
			 run->error_code == ERRCODE_INSUFFICIENT_RESOURCES ?
			 errhint("Each step takes a background worker: see max_worker_processes.") : 0));
}

static Datum
results(FunctionCallInfo fcinfo, const OpsMaintenance *run)
{
	TupleDesc	desc;
	Datum		values[NUM_RESULTS];
	bool		nulls[NUM_RESULTS];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(run->run_id);
	values[1] = Int32GetDatum(run->done);
	values[2] = Int32GetDatum(run->skipped);
	values[3] = Int32GetDatum(run->failed);
	for (int i = 0; i < NUM_RESULTS - 1; i++)
		nulls[i] = run->run_id == 0;
	ops_report_text(&values[4], &nulls[4], run->stopped);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

/*
 * ops.may_maintain(role, relid)
 */
Datum
ops_may_maintain(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(1);

	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) ||
		!SearchSysCacheExists1(AUTHOID, PG_GETARG_DATUM(0)))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(ops_compat_may_maintain(relid, PG_GETARG_OID(0)));
}

/*
 * ops.relation_bytes(relid)
 */
Datum
ops_relation_bytes(PG_FUNCTION_ARGS)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, PG_GETARG_DATUM(0));
	int64		bytes = -1;

	if (HeapTupleIsValid(tuple))
	{
		bytes = ops_relation_file_size((Form_pg_class) GETSTRUCT(tuple));
		ReleaseSysCache(tuple);
	}
	if (bytes < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(bytes);
}
