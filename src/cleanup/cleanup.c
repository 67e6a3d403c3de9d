/*-------------------------------------------------------------------------
 *
 * cleanup.c
 *	  ops.cleanup_old_rows(), ops.run_cleanup() and ops.cancel_cleanup().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "cleanup/job.h"
#include "commands/trigger.h"
#include "core/attempt.h"
#include "core/procedure.h"
#include "core/query.h"
#include "core/relation.h"
#include "core/report.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_cleanup_old_rows);
PG_FUNCTION_INFO_V1(ops_run_cleanup);
PG_FUNCTION_INFO_V1(ops_cancel_cleanup);

/* What a batch inside the caller's transaction may take: nothing is gained by
 * more of them. */
#define ATOMIC_BATCH_MS	100

/* Arguments of ops.run_cleanup(), and where its results begin. */
enum
{
	RUN_POLICY_NAME,
	RUN_MAX_ROWS,
	RUN_MAX_DURATION,
	RUN_STOP_AT,
	RUN_MAINTENANCE_WINDOW,
	RUN_DUTY,
	RUN_BATCH_TARGET,
	RUN_MAX_LAG_BYTES,
	RUN_MAX_LAG,
	RUN_STANDBYS,
	RUN_MAX_WAL_RATE,
	RUN_MAX_SESSIONS,
	RUN_MAX_WAITERS,
	RUN_YIELD_TO_CHECKPOINTS,
	RUN_ON_PRESSURE,
	RUN_PROGRESS,
	RUN_COMPRESS_WAL,
};

#define NUM_ROW_COLUMNS		13
#define NUM_TOTAL_COLUMNS	8

/* A table, and what is known of its old rows. */
typedef struct Counted
{
	OpsTarget  *target;
	OpsEstimate *estimate;		/* NULL: not known, because of */
	ErrorData  *trouble;		/* this, or a guard */
} Counted;

/* What was asked for, and what became of it. */
typedef struct Call
{
	OpsJob		job;
	bool		by_name;		/* one table or policy: its failure is an
								 * error */
	List	   *policies;
	List	   *outcomes;

	const OpsRetention *policy; /* of the attempt to find its tables */
	List	   *counted;		/* its tables */
} Call;

static void demand_triggers(void);
static List *wanted_policies(const char *name);
static OpsRetention *policy_of_arguments(FunctionCallInfo fcinfo);
static void run_policies(Call *call);
static void find_targets(Call *call, const OpsRetention *policy);
static void expand(void *arg);
static bool read_again(Call *call);
static void count(Counted *counted);
static void estimate(void *arg);
static void raise_failure(const OpsOutcome *outcome);
static void warn(const OpsOutcome *outcome);
static void put_row(ReturnSetInfo *rsinfo, const OpsOutcome *outcome);
static void read_limits(FunctionCallInfo fcinfo, OpsJob *job);
static TimestampTz end_of_window(const char *name);
static void read_throttle(FunctionCallInfo fcinfo, OpsThrottle *throttle);
static TimestampTz end_of(FunctionCallInfo fcinfo, int place,
						  const char *name);
static bool wants_compression(FunctionCallInfo fcinfo);
static Datum totals(FunctionCallInfo fcinfo, const Call *call);

/*
 * ops.cleanup_old_rows(target, time_column, keep, policy_name, ...)
 *
 * Deletes old rows in the caller's transaction, not more than max_rows of all
 * tables together.  Returns one row for each table: batches, pages, bytes of
 * WAL, milliseconds of the longest batch, rows that others had locked, and
 * why it stopped.
 *
 * Takes RowExclusiveLock, if it can be had at once, and waits for a row no
 * longer than 10 ms.  The caller needs the privileges of the role that the
 * policy runs as.  Where one table or policy is asked for, a guard or a
 * failure is an error; else it is told in the row.
 */
Datum
ops_cleanup_old_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Call		call = {.job = {.batch_ms = ATOMIC_BATCH_MS}};
	OpsRetention *policy;
	const char *name;
	ListCell   *lc;

	PreventCommandDuringRecovery("ops.cleanup_old_rows()");
	PreventCommandIfReadOnly("ops.cleanup_old_rows()");
	PreventCommandIfParallelMode("ops.cleanup_old_rows()");
	demand_triggers();
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();

	call.job.context = CurrentMemoryContext;
	call.job.throttle.duty = 1;
	call.job.max_rows = PG_ARGISNULL(9) ? -1 : ops_argument_positive(fcinfo, 9, "max_rows");
	call.job.stop_at = end_of(fcinfo, 10, "max_duration");
	policy = policy_of_arguments(fcinfo);
	name = ops_argument_text(fcinfo, 3, NULL);
	call.by_name = policy || name;
	call.policies = policy ? list_make1(policy) : wanted_policies(name);
	run_policies(&call);
	foreach(lc, call.outcomes)
	{
		const OpsOutcome *outcome = lfirst(lc);

		if (call.by_name)
			raise_failure(outcome);
		put_row(rsinfo, outcome);
	}
	SPI_finish();
	return (Datum) 0;
}

/*
 * ops.run_cleanup(policy_name, ...)
 *
 * Deletes all that the policies, or one, call old, and commits after each
 * batch.  Returns the sums.  Cannot be called inside a transaction block.
 *
 * Locks and privileges are as for ops.cleanup_old_rows(); a whole partition
 * that is old goes with a lock that is tried for some time.  A guard or a
 * failure is an error where one policy is asked for, after its log is
 * written, and else a warning.
 */
Datum
ops_run_cleanup(PG_FUNCTION_ARGS)
{
	const char *name = ops_argument_text(fcinfo, RUN_POLICY_NAME, NULL);
	Call		call = {.job = {.may_commit = true}};
	MemoryContext caller = CurrentMemoryContext;
	Datum		result;
	ListCell   *lc;

	PreventCommandDuringRecovery("ops.run_cleanup()");
	if (!ops_procedure_may_commit(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("ops.run_cleanup() cannot run inside a transaction block"),
				 errdetail("It commits after each batch."),
				 errhint("Call it as a statement of its own, which in a job of pg_cron is the only one, or use ops.cleanup_old_rows().")));
	PreventCommandIfReadOnly("ops.run_cleanup()");
	demand_triggers();
	SPI_connect_ext(SPI_OPT_NONATOMIC);

	call.job.context = CurrentMemoryContext;
	read_limits(fcinfo, &call.job);
	read_throttle(fcinfo, &call.job.throttle);
	call.by_name = name != NULL;
	if (name)
		name = pstrdup(name);
	ops_procedure_commit();
	call.policies = wanted_policies(name);
	run_policies(&call);
	foreach(lc, call.outcomes)
	{
		if (call.by_name)
			raise_failure(lfirst(lc));
		warn(lfirst(lc));
	}
	MemoryContextSwitchTo(caller);
	result = totals(fcinfo, &call);
	SPI_finish();
	return result;
}

/*
 * ops.cancel_cleanup(run_id)
 *
 * Asks a run to stop after its batch, which it sees within milliseconds, or a
 * quarter of a second where it waits for others.  The caller needs the
 * privileges of the role that the run deletes as, or of the one that called.
 */
Datum
ops_cancel_cleanup(PG_FUNCTION_ARGS)
{
	Oid			types[] = {INT8OID, OIDOID};
	Datum		values[] = {PG_GETARG_DATUM(0), ObjectIdGetDatum(GetUserId())};
	Oid			owner = ops_own_relation_owner("cleanup_run");
	OpsQuery	query;
	bool		found;

	PreventCommandDuringRecovery("ops.cancel_cleanup()");
	PreventCommandIfReadOnly("ops.cancel_cleanup()");
	ops_query_execute(&query, owner,
					  "SELECT pg_has_role($2, o.oid, 'USAGE')"
					  " OR pg_has_role($2, c.oid, 'USAGE')"
					  " FROM ops.cleanup_run r"
					  " LEFT JOIN pg_roles o ON o.rolname = r.run_as"
					  " LEFT JOIN pg_roles c ON c.rolname = r.started_by"
					  " WHERE r.run_id = $1 AND r.status = 'running'",
					  lengthof(types), types, values, NULL);
	found = query.nrows == 1;
	if (found && !ops_query_bool(&query, 0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to stop run " INT64_FORMAT,
						PG_GETARG_INT64(0)),
				 errdetail("It takes the privileges of the role that deletes or of the one that called.")));
	ops_query_end(&query);
	if (!found)
		PG_RETURN_BOOL(false);
	ops_query_execute(&query, owner,
					  "UPDATE ops.cleanup_run SET cancel_requested = true"
					  " WHERE run_id = $1 AND status = 'running'",
					  1, types, values, NULL);
	found = query.nrows == 1;
	ops_query_end(&query);
	PG_RETURN_BOOL(found);
}

/*
 * A session that replays what happened elsewhere fires no triggers, so that
 * foreign keys would not hold.
 */
static void
demand_triggers(void)
{
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("old rows cannot be deleted while session_replication_role is replica"),
				 errdetail("Foreign keys and triggers would not fire."),
				 errhint("SET session_replication_role = origin;")));
}

/*
 * The policy of this name, or all that are enabled and that the caller may
 * run.
 */
static List *
wanted_policies(const char *name)
{
	List	   *wanted = NIL;
	ListCell   *lc;

	if (name)
	{
		OpsRetention *policy = ops_retention_by_name(name);

		ops_retention_demand_right(policy);
		return list_make1(policy);
	}
	foreach(lc, ops_retention_all())
	{
		OpsRetention *policy = lfirst(lc);

		if (policy->enabled && has_privs_of_role(GetUserId(), policy->run_as))
			wanted = lappend(wanted, policy);
	}
	return wanted;
}

/*
 * The policy that arguments describe; NULL if they name no table.
 */
static OpsRetention *
policy_of_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
	{
		for (int i = 1; i < 8; i++)
		{
			if (i != 3 && !PG_ARGISNULL(i))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("a target is needed"),
						 errhint("Policies say all this themselves, see ops.alter_retention().")));
		}
		return NULL;
	}
	if (!PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target and policy_name exclude one another")));
	return ops_retention_of_call(PG_GETARG_OID(0),
								 ops_argument_text(fcinfo, 1, NULL),
								 PG_ARGISNULL(2) ? NULL : PG_GETARG_INTERVAL_P(2),
								 ops_argument_text(fcinfo, 4, NULL),
								 ops_argument_text(fcinfo, 5, NULL),
								 ops_argument_text(fcinfo, 6, NULL),
								 PG_ARGISNULL(7) ? InvalidOid : PG_GETARG_OID(7),
								 ops_argument_texts(fcinfo, 8));
}

/*
 * One policy after the other, and one table after the other.
 */
static void
run_policies(Call *call)
{
	ListCell   *lc;

	foreach(lc, call->policies)
	{
		ListCell   *lc2;

		find_targets(call, lfirst(lc));
		foreach(lc2, call->counted)
		{
			const Counted *counted = lfirst(lc2);

			if (!counted->target->young)
				call->outcomes = lappend(call->outcomes,
										 ops_run_target(&call->job,
														counted->target,
														counted->estimate,
														counted->trouble));
		}
	}
}

/*
 * The tables of a policy.  One that is broken does not keep the others from
 * their work.
 */
static void
find_targets(Call *call, const OpsRetention *policy)
{
	ErrorData  *error;

	call->policy = policy;
	error = ops_attempt(expand, call);
	if (error == NULL)
		return;
	if (call->by_name)
		ReThrowError(error);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("policy \"%s\" was not run: %s", policy->name,
					error->message)));
	call->counted = NIL;
}

static void
expand(void *arg)
{
	Call	   *call = arg;
	List	   *targets;
	List	   *estimates = NIL;
	ListCell   *lc;

	call->counted = NIL;
	if (call->job.may_commit && !read_again(call))
		return;
	targets = ops_cleanup_targets(call->policy,
								  GetCurrentTransactionStartTimestamp());
	foreach(lc, targets)
	{
		Counted    *counted = palloc0(sizeof(Counted));

		CHECK_FOR_INTERRUPTS();
		counted->target = lfirst(lc);

		/* In the caller's transaction its rows go, as from any table. */
		if (!call->job.may_commit)
			counted->target->expired = false;
		ops_cleanup_guards(counted->target);
		if (ops_cleanup_stop(counted->target) == NULL)
			count(counted);
		call->counted = lappend(call->counted, counted);
		estimates = lappend(estimates, counted->estimate);
	}
	ops_cleanup_weigh_all(targets, estimates);
}

/*
 * A policy as it is now: the ones before it can have taken hours, in which it
 * was changed, say to hold rows back, or dropped.  False if it was disabled.
 */
static bool
read_again(Call *call)
{
	call->policy = ops_retention_by_name(call->policy->name);
	ops_retention_demand_right(call->policy);
	return call->by_name || call->policy->enabled;
}

/*
 * What the guards have to know before anything goes.
 */
static void
count(Counted *counted)
{
	counted->estimate = palloc0(sizeof(OpsEstimate));
	if (counted->target->young && counted->target->reltuples > 0)
		counted->estimate->total = counted->target->reltuples;
	else
		counted->trouble = ops_attempt(estimate, counted);
	if (counted->trouble)
		counted->estimate = NULL;
}

static void
estimate(void *arg)
{
	Counted    *counted = arg;

	ops_cleanup_estimate(counted->target, false, counted->estimate);
}

static void
raise_failure(const OpsOutcome *outcome)
{
	if (outcome->guard)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("old rows of table %s were not deleted: %s",
						outcome->target->name, outcome->guard->message),
				 errdetail("The guard \"%s\" stopped it.", outcome->guard->name),
				 outcome->guard->remedy ? errhint("%s", outcome->guard->remedy) : 0));
	if (strcmp(outcome->status, "failed") == 0)
		ereport(ERROR,
				(errcode(outcome->error_code),
				 errmsg("old rows of table %s were not all deleted: %s",
						outcome->target->name, outcome->error)));
}

static void
warn(const OpsOutcome *outcome)
{
	if (outcome->guard || outcome->error)
		ereport(WARNING,
				(errmsg("old rows of table %s were not all deleted: %s",
						outcome->target->name,
						outcome->error ? outcome->error : outcome->stopped)));
}

static void
put_row(ReturnSetInfo *rsinfo, const OpsOutcome *outcome)
{
	const OpsTarget *target = outcome->target;
	Datum		values[NUM_ROW_COLUMNS];
	bool		nulls[NUM_ROW_COLUMNS] = {false};

	ops_report_text(&values[0], &nulls[0], target->policy->name);
	values[1] = ObjectIdGetDatum(target->relid);
	values[2] = TimestampTzGetDatum(target->cutoff);
	values[3] = Int64GetDatum(outcome->deleted);
	values[4] = Int64GetDatum(outcome->batches);
	values[5] = Int64GetDatum(outcome->pages);
	values[6] = Int64GetDatum(outcome->wal_bytes);
	values[7] = Float8GetDatum(outcome->longest_ms);
	values[8] = Int64GetDatum(outcome->skipped);
	values[9] = BoolGetDatum(outcome->finished);
	ops_report_text(&values[10], &nulls[10], outcome->stopped);
	values[11] = Int64GetDatum(outcome->run_id);
	nulls[11] = outcome->run_id == 0;
	ops_report_text(&values[12], &nulls[12], outcome->error);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
read_limits(FunctionCallInfo fcinfo, OpsJob *job)
{
	job->max_rows = PG_ARGISNULL(RUN_MAX_ROWS) ? -1
		: ops_argument_positive(fcinfo, RUN_MAX_ROWS, "max_rows");
	job->stop_at = end_of(fcinfo, RUN_MAX_DURATION, "max_duration");
	if (!PG_ARGISNULL(RUN_STOP_AT))
	{
		TimestampTz stop_at = PG_GETARG_TIMESTAMPTZ(RUN_STOP_AT);

		if (job->stop_at == 0 || stop_at < job->stop_at)
			job->stop_at = stop_at;
	}
	if (!PG_ARGISNULL(RUN_MAINTENANCE_WINDOW))
	{
		TimestampTz end = end_of_window(ops_argument_text(fcinfo, RUN_MAINTENANCE_WINDOW, NULL));

		if (job->stop_at == 0 || end < job->stop_at)
			job->stop_at = end;
	}
	job->batch_ms = ops_argument_ms(fcinfo, RUN_BATCH_TARGET, "batch_target");
	job->progress_ms = (int) Min(ops_argument_ms(fcinfo, RUN_PROGRESS, "progress"),
								 INT_MAX);
	job->reported = GetCurrentTimestamp();
	job->compress = wants_compression(fcinfo);
}

/*
 * When a maintenance window closes that is open now; none of that name is an
 * error, and one that is closed lets nothing begin.
 *
 * Rooms do not know one another in C; this one is asked in SQL.
 */
static TimestampTz
end_of_window(const char *name)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	TimestampTz end = GetCurrentTimestamp();
	OpsQuery	query;
	bool		isnull;

	ops_query_execute(&query, ops_own_relation_owner("cleanup_run"),
					  "SELECT (extract(epoch FROM max(w.ends)) * 1000000)::int8"
					  " FROM ops.window_occurrence($1, clock_timestamp()) w",
					  lengthof(types), types, values, NULL);
	if (query.nrows == 1)
	{
		int64		epoch_us = ops_query_int64(&query, 0, 1, &isnull);

		if (!isnull)
			end = epoch_us - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	}
	ops_query_end(&query);
	return end;
}

static void
read_throttle(FunctionCallInfo fcinfo, OpsThrottle *throttle)
{
	const char *on_pressure = ops_argument_text(fcinfo, RUN_ON_PRESSURE, "wait");

	throttle->owner = ops_own_relation_owner("cleanup_run");
	if (!PG_ARGISNULL(RUN_DUTY))
		throttle->duty = PG_GETARG_FLOAT8(RUN_DUTY);
	if (!PG_ARGISNULL(RUN_DUTY) &&
		!(throttle->duty > 0 && throttle->duty <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("duty must be more than 0 and at most 1")));
	throttle->max_lag_bytes = ops_argument_positive(fcinfo, RUN_MAX_LAG_BYTES, "max_lag_bytes");
	throttle->max_lag_ms = ops_argument_ms(fcinfo, RUN_MAX_LAG, "max_lag");
	throttle->standbys = ops_argument_texts(fcinfo, RUN_STANDBYS);
	throttle->max_wal_rate = ops_argument_positive(fcinfo, RUN_MAX_WAL_RATE, "max_wal_rate");
	if (!PG_ARGISNULL(RUN_MAX_SESSIONS))
		throttle->max_sessions = PG_GETARG_INT32(RUN_MAX_SESSIONS);
	if (!PG_ARGISNULL(RUN_MAX_WAITERS))
		throttle->max_waiters = PG_GETARG_INT32(RUN_MAX_WAITERS);
	throttle->yield_to_checkpoints = !PG_ARGISNULL(RUN_YIELD_TO_CHECKPOINTS) &&
		PG_GETARG_BOOL(RUN_YIELD_TO_CHECKPOINTS);
	if (strcmp(on_pressure, "stop") != 0 && strcmp(on_pressure, "wait") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_pressure must be \"wait\" or \"stop\"")));
	throttle->stop = strcmp(on_pressure, "stop") == 0;
}

static TimestampTz
end_of(FunctionCallInfo fcinfo, int place, const char *name)
{
	double		ms = ops_argument_ms(fcinfo, place, name);

	if (ms == 0 || ms > (double) PG_INT64_MAX / 4000)
		return 0;
	return GetCurrentTimestamp() + (int64) (ms * 1000);
}

/*
 * Only superusers may ask for compressed WAL; where it is compressed anyway
 * nothing changes.
 */
static bool
wants_compression(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(RUN_COMPRESS_WAL) || !PG_GETARG_BOOL(RUN_COMPRESS_WAL))
		return false;
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set wal_compression"),
				 errhint("Only superusers may; or set it for the server.")));
	return wal_compression == 0;
}

static Datum
totals(FunctionCallInfo fcinfo, const Call *call)
{
	OpsOutcome	sum = {.finished = true};
	TupleDesc	desc;
	Datum		values[NUM_TOTAL_COLUMNS];
	bool		nulls[NUM_TOTAL_COLUMNS] = {false};
	ListCell   *lc;

	foreach(lc, call->outcomes)
	{
		const OpsOutcome *outcome = lfirst(lc);

		sum.deleted += outcome->deleted;
		sum.batches += outcome->batches;
		sum.pages += outcome->pages;
		sum.wal_bytes += outcome->wal_bytes;
		sum.longest_ms = Max(sum.longest_ms, outcome->longest_ms);
		sum.skipped += outcome->skipped;
		sum.finished = sum.finished && outcome->finished;
		if (sum.stopped == NULL && outcome->stopped)
			sum.stopped = psprintf("%s: %s", outcome->target->name,
								   outcome->stopped);
	}
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(sum.deleted);
	values[1] = Int64GetDatum(sum.batches);
	values[2] = Int64GetDatum(sum.pages);
	values[3] = Int64GetDatum(sum.wal_bytes);
	values[4] = Float8GetDatum(sum.longest_ms);
	values[5] = Int64GetDatum(sum.skipped);
	values[6] = BoolGetDatum(sum.finished);
	ops_report_text(&values[7], &nulls[7], sum.stopped);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}
