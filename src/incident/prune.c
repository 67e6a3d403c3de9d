/*-------------------------------------------------------------------------
 *
 * prune.c
 *	  The history and the logs of the extension do not grow for ever.
 *
 * Nobody waits for rows of these tables, so each is done by one statement.
 * Whoever wants a log kept for another time makes a policy for its table
 * (ops.add_runbook_retention() makes some): then the policy decides, and the
 * table is left alone here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "core/compat.h"
#include "core/query.h"
#include "core/relation.h"
#include "core/report.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_prune_history);

#define PRUNE_COLUMNS	3

typedef struct History
{
	const char *name;			/* of a table in our schema */
	const char *prune;			/* deletes what is older than $1 */
} History;

/*
 * What belongs to a run goes when its row has gone.
 */
static const History histories[] = {
	{
		"health_history",
		"DELETE FROM ops.health_history h"
		" WHERE h.recorded_at < least($1, (SELECT max(l.recorded_at)"
		" FROM ops.health_history l))"
	},
	{
		"audit_history",
		"DELETE FROM ops.audit_history h"
		" WHERE h.recorded_at < least($1, (SELECT max(l.recorded_at)"
		" FROM ops.audit_history l))"
	},

	/*
	 * A partition that was being detached is finished by what the log says of
	 * it; the check of retention asks for the last run and the last that was
	 * done.
	 */
	{
		"cleanup_run",
		"DELETE FROM ops.cleanup_run r"
		" WHERE r.ended_at < $1 AND r.status <> 'running'"
		" AND NOT (r.detaching AND r.status <> 'done')"
		" AND r.run_id NOT IN (SELECT max(l.run_id) FROM ops.cleanup_run l"
		" GROUP BY l.policy_name, l.status = 'done')"
	},
	{
		"cleanup_batch",
		"DELETE FROM ops.cleanup_batch b WHERE b.ended_at < $1"
		" AND NOT EXISTS (SELECT FROM ops.cleanup_run r WHERE r.run_id = b.run_id)"
	},

	/*
	 * A window does not run twice in the same occurrence for what the log
	 * says of it.
	 */
	{
		"maintenance_run",
		"DELETE FROM ops.maintenance_run r"
		" WHERE r.ended_at < $1 AND r.status <> 'running'"
		" AND r.run_id NOT IN (SELECT max(l.run_id) FROM ops.maintenance_run l"
		" GROUP BY l.window_name, l.tasks, l.status = 'done')"
	},
	{
		"maintenance_step",
		"DELETE FROM ops.maintenance_step s WHERE NOT EXISTS"
		" (SELECT FROM ops.maintenance_run r WHERE r.run_id = s.run_id)"
	},
};

static TimestampTz cutoff_argument(FunctionCallInfo fcinfo);
static int64 prune(const History *history, TimestampTz cutoff,
				   const char **note);
static const char *policy_about(Oid relid);

/*
 * ops.prune_history(keep interval) RETURNS SETOF record
 *
 * Errors: 22004 and 22023 for an interval that keeps nothing; 25006 on a
 * standby and in a read-only transaction.
 */
Datum
ops_prune_history(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz cutoff = cutoff_argument(fcinfo);

	InitMaterializedSRF(fcinfo, 0);
	PreventCommandDuringRecovery("ops.prune_history()");
	PreventCommandIfReadOnly("ops.prune_history()");
	for (int i = 0; i < lengthof(histories); i++)
	{
		const char *note = NULL;
		Datum		values[PRUNE_COLUMNS];
		bool		isnull[PRUNE_COLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(psprintf("ops.%s", histories[i].name));
		values[1] = Int64GetDatum(prune(&histories[i], cutoff, &note));
		ops_report_text(&values[2], &isnull[2], note);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 isnull);
	}
	return (Datum) 0;
}

/*
 * The instant from before which rows go.
 */
static TimestampTz
cutoff_argument(FunctionCallInfo fcinfo)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz cutoff;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("keep must not be null")));
	cutoff = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
													 TimestampTzGetDatum(now),
													 PG_GETARG_DATUM(0)));
	if (cutoff >= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("keep must be more than zero")));
	return cutoff;
}

/*
 * Delete from one table; how many rows, and a note if it was left alone.
 */
static int64
prune(const History *history, TimestampTz cutoff, const char **note)
{
	Oid			relid = ops_own_relation(history->name);
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(cutoff)};
	const char *policy = policy_about(relid);
	OpsQuery	query;
	int64		deleted;
	int			holder;

	if (policy)
	{
		*note = psprintf(_("left to the retention policy \"%s\""), policy);
		return 0;
	}

	/* In nobody's way but that of another call. */
	if (!ops_relation_try_lock_mode(relid, ShareUpdateExclusiveLock, &holder))
	{
		*note = psprintf(_("locked by process %d"), holder);
		return 0;
	}
	ops_query_execute(&query, ops_relation_owner(relid), history->prune,
					  lengthof(types), types, values, NULL);
	deleted = (int64) query.nrows;
	ops_query_end(&query);
	return deleted;
}

/*
 * The policy that says how long rows of a table are kept, or NULL.
 */
static const char *
policy_about(Oid relid)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(relid)};
	char	   *policy = NULL;
	OpsQuery	query;

	ops_query_execute(&query, ops_own_relation_owner("retention_policy"),
					  "SELECT p.policy_name FROM ops.retention_policy p"
					  " WHERE p.enabled AND p.relation::oid = $1"
					  " ORDER BY p.policy_name COLLATE \"C\" LIMIT 1",
					  lengthof(types), types, values, NULL);
	if (query.nrows > 0)
		policy = MemoryContextStrdup(caller, ops_query_text(&query, 0, 1));
	ops_query_end(&query);
	return policy;
}
