/*-------------------------------------------------------------------------
 *
 * log.c
 *	  What was deleted, written down in the transaction that deletes it.
 *
 * The tables of the log belong to the owner of the extension and are written
 * as that role, whoever deletes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "cleanup/job.h"
#include "core/json.h"
#include "core/query.h"
#include "core/relation.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

static Jsonb *plan_json(const OpsEstimate *estimate);
static void set_role(Datum *value, char *null, Oid role);

/*
 * Begin a run; returns its number.
 *
 * Runs of the same table that were cut off are called so: whoever holds the
 * table's advisory lock, as the caller does, knows that they are gone.
 */
int64
ops_log_start(const OpsTarget *target, const char *method,
			  const OpsEstimate *estimate, int64 job_id)
{
	Oid			types[] = {TEXTOID, TEXTOID, OIDOID, NAMEOID, NAMEOID, INT4OID,
	TIMESTAMPTZOID, TEXTOID, TEXTOID, JSONBOID, INT8OID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	Oid			owner = ops_own_relation_owner("cleanup_run");
	OpsQuery	query;
	bool		isnull;
	int64		run_id;

	values[0] = ObjectIdGetDatum(target->relid);
	ops_query_execute(&query, owner,
					  "UPDATE ops.cleanup_run r"
					  " SET status = 'interrupted', deleted = b.deleted,"
					  " batches = b.batches, pages = b.pages,"
					  " longest_ms = b.ms,"
					  " ended_at = coalesce(b.ended_at, r.started_at)"
					  " FROM (SELECT u.run_id, count(c.run_id) AS batches,"
					  " coalesce(sum(c.deleted), 0) AS deleted,"
					  " coalesce(sum(c.pages), 0) AS pages,"
					  " coalesce(max(c.ms), 0) AS ms, max(c.ended_at) AS ended_at"
					  " FROM ops.cleanup_run u LEFT JOIN ops.cleanup_batch c"
					  " ON c.run_id = u.run_id"
					  " WHERE u.status = 'running' AND u.relid = $1"
					  " GROUP BY u.run_id) b"
					  " WHERE r.run_id = b.run_id",
					  1, &types[2], values, NULL);
	ops_query_end(&query);

	memset(nulls, ' ', sizeof(nulls));
	ops_query_set_text(&values[0], &nulls[0], target->policy->name);
	values[1] = CStringGetTextDatum(target->name);
	values[2] = ObjectIdGetDatum(target->relid);
	set_role(&values[3], &nulls[3], target->run_as);
	set_role(&values[4], &nulls[4], GetUserId());
	values[5] = Int32GetDatum(MyProcPid);
	values[6] = TimestampTzGetDatum(target->cutoff);
	ops_query_set_text(&values[7], &nulls[7], target->predicate);
	ops_query_set_text(&values[8], &nulls[8], method);
	if (estimate)
		values[9] = JsonbPGetDatum(plan_json(estimate));
	else
		nulls[9] = 'n';
	values[10] = Int64GetDatum(job_id);
	if (job_id == 0)
		nulls[10] = 'n';
	ops_query_execute(&query, owner,
					  "INSERT INTO ops.cleanup_run AS r (policy_name, relation,"
					  " relid, run_as, started_by, pid, cutoff, predicate,"
					  " method, plan, job_id)"
					  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
					  " coalesce($11, currval('ops.cleanup_run_run_id_seq')))"
					  " RETURNING r.run_id",
					  lengthof(types), types, values, nulls);
	run_id = ops_query_int64(&query, 0, 1, &isnull);
	ops_query_end(&query);
	return run_id;
}

/*
 * The process whose run holds a table's advisory lock; 0 if it is gone.
 */
int
ops_log_runner(Oid relid)
{
	Oid			types[] = {OIDOID, OIDOID, INT4OID, OIDOID};
	Datum		values[] = {
		ObjectIdGetDatum(relid),
		ObjectIdGetDatum(RUN_LOCK_CLASS),
		Int32GetDatum(RUN_LOCK_KIND),
		ObjectIdGetDatum(MyDatabaseId),
	};
	OpsQuery	query;
	int64		pid = 0;
	bool		isnull;

	ops_query_execute(&query, ops_own_relation_owner("cleanup_run"),
					  "SELECT pid::int8 FROM pg_locks"
					  " WHERE locktype = 'advisory' AND granted AND classid = $1"
					  " AND objid = $2 AND objsubid = $3 AND database = $4",
					  lengthof(types), types, values, NULL);
	if (query.nrows > 0)
		pid = ops_query_int64(&query, 0, 1, &isnull);
	ops_query_end(&query);
	return (int) pid;
}

/*
 * Write down a batch; true if somebody asked the run to stop.
 *
 * The plan is kept for the session: this happens hundreds of times a second.
 */
bool
ops_log_batch(int64 run_id, int64 batch_no, const OpsBatch *batch, double ms)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT8OID, INT4OID, INT8OID, INT8OID, INT4OID,
	INT4OID, FLOAT4OID};
	Datum		values[] = {
		Int64GetDatum(run_id),
		Int32GetDatum((int32) batch_no),
		Int64GetDatum((int64) batch->runs[0].first),
		Int64GetDatum((int64) batch->runs[batch->nruns - 1].last),
		Int32GetDatum(batch->pages),
		Int32GetDatum((int32) batch->deleted),
		Float4GetDatum((float4) ms),
	};
	OpsScope	scope;
	bool		cancelled = true;
	bool		isnull;

	ops_scope_enter(&scope, ops_own_relation_owner("cleanup_batch"));
	SPI_connect();
	if (plan == NULL)
	{
		SPIPlanPtr	made = SPI_prepare("WITH made AS (INSERT INTO ops.cleanup_batch"
									   " (run_id, batch_no, first_block, last_block,"
									   " pages, deleted, ms)"
									   " VALUES ($1, $2, $3, $4, $5, $6, $7))"
									   " SELECT r.cancel_requested"
									   " FROM ops.cleanup_run r"
									   " WHERE r.run_id = $1",
									   lengthof(types), types);

		if (made == NULL)
			elog(ERROR, "could not prepare a query: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(made);
		plan = made;
	}
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "a batch could not be written down");

	/* A run whose row somebody deleted has nowhere to report to. */
	if (SPI_processed == 1)
		cancelled = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0],
											   SPI_tuptable->tupdesc, 1,
											   &isnull));
	SPI_finish();
	ops_scope_leave(&scope);
	return cancelled;
}

/*
 * Whether somebody asked the run to stop.
 */
bool
ops_log_cancelled(int64 run_id)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(run_id)};
	OpsQuery	query;
	bool		cancelled;

	ops_query_execute(&query, ops_own_relation_owner("cleanup_run"),
					  "SELECT r.cancel_requested FROM ops.cleanup_run r"
					  " WHERE r.run_id = $1",
					  lengthof(types), types, values, NULL);
	cancelled = query.nrows == 0 || ops_query_bool(&query, 0, 1);
	ops_query_end(&query);
	return cancelled;
}

/*
 * Whether a partition is about to leave its table.  From then on, should the
 * run be cut off, it is this log that knows where the table belongs.
 */
void
ops_log_detaching(int64 run_id, bool detaching)
{
	Oid			types[] = {INT8OID, BOOLOID};
	Datum		values[] = {Int64GetDatum(run_id), BoolGetDatum(detaching)};
	OpsQuery	query;

	ops_query_execute(&query, ops_own_relation_owner("cleanup_run"),
					  "UPDATE ops.cleanup_run SET detaching = $2"
					  " WHERE run_id = $1",
					  lengthof(types), types, values, NULL);
	ops_query_end(&query);
}

/*
 * Partitions that the last run over them began to detach and did not finish,
 * as oids.  Not those that have another name now, and what is detached only
 * if it was to be dropped.
 */
List *
ops_log_detachings(const char *policy_name)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(policy_name)};
	OpsQuery	query;
	List	   *relids = NIL;
	MemoryContext caller = CurrentMemoryContext;
	bool		isnull;

	ops_query_execute(&query, ops_own_relation_owner("cleanup_run"),
					  "SELECT c.oid::int8 FROM ops.cleanup_run r"
					  " JOIN ops.retention_policy p USING (policy_name)"
					  " JOIN pg_class c ON c.oid = r.relid"
					  " JOIN pg_namespace n ON n.oid = c.relnamespace"
					  " WHERE r.policy_name = $1 AND r.detaching"
					  " AND r.started_at >= p.created_at"
					  " AND r.status <> 'done' AND c.relkind = 'r'"
					  " AND (c.relispartition OR r.method = 'drop partition')"
					  " AND r.relation = format('%I.%I', n.nspname, c.relname)"
					  " AND NOT EXISTS (SELECT FROM ops.cleanup_run x"
					  " WHERE x.policy_name = r.policy_name"
					  " AND x.relid = r.relid AND x.run_id > r.run_id)"
					  " ORDER BY c.oid",
					  lengthof(types), types, values, NULL);
	for (uint64 i = 0; i < query.nrows; i++)
	{
		Oid			relid = (Oid) ops_query_int64(&query, i, 1, &isnull);
		MemoryContext spi = MemoryContextSwitchTo(caller);

		relids = lappend_oid(relids, relid);
		MemoryContextSwitchTo(spi);
	}
	ops_query_end(&query);
	return relids;
}

/*
 * End a run.
 */
void
ops_log_end(const OpsOutcome *outcome)
{
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID,
	INT8OID, FLOAT8OID, INT8OID, TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	OpsQuery	query;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(outcome->run_id);
	values[1] = CStringGetTextDatum(outcome->status);
	ops_query_set_text(&values[2], &nulls[2], outcome->stopped);
	values[3] = Int64GetDatum(outcome->deleted);
	values[4] = Int64GetDatum(outcome->batches);
	values[5] = Int64GetDatum(outcome->pages);
	values[6] = Int64GetDatum(outcome->wal_bytes);
	values[7] = Float8GetDatum(outcome->longest_ms);
	values[8] = Int64GetDatum(outcome->skipped);
	ops_query_set_text(&values[9], &nulls[9], outcome->error);
	ops_query_set_text(&values[10], &nulls[10], outcome->method);
	ops_query_execute(&query, ops_own_relation_owner("cleanup_run"),
					  "UPDATE ops.cleanup_run SET status = $2, stopped = $3,"
					  " deleted = $4, batches = $5, pages = $6,"
					  " wal_bytes = $7, longest_ms = $8, skipped = $9,"
					  " error = $10, method = $11,"
					  " ended_at = clock_timestamp()"
					  " WHERE run_id = $1",
					  lengthof(types), types, values, nulls);
	ops_query_end(&query);
}

static Jsonb *
plan_json(const OpsEstimate *estimate)
{
	OpsJsonbState state = {0};

	ops_json_begin_object(&state, NULL);
	ops_json_integer(&state, "rows", (int64) estimate->rows);
	ops_json_integer(&state, "rows_low", (int64) estimate->low);
	ops_json_integer(&state, "rows_high", (int64) estimate->high);
	ops_json_integer(&state, "table_rows", (int64) estimate->total);
	ops_json_integer(&state, "bytes", (int64) estimate->bytes);
	ops_json_end_object(&state);
	return ops_json_finish(&state);
}

/*
 * The name of a role; null if it was dropped.
 */
static void
set_role(Datum *value, char *null, Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	if (name)
		*value = DirectFunctionCall1(namein, CStringGetDatum(name));
	else
		*null = 'n';
}
