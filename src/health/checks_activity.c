/*-------------------------------------------------------------------------
 *
 * checks_activity.c
 *	  Checks of what sessions and processes are doing.
 *
 * Source: the shared process and status arrays, see activity.c.  What counts
 * is what an application would notice: client backends, the session that
 * asks left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/twophase.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "health/activity.h"
#include "postmaster/autovacuum.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* From this many waiters on, somebody blocks more than one colleague. */
#define MANY_WAITERS	3

/* Seconds of waiting from which on the lock table is asked for the blocker. */
#define WORTH_ASKING	1

/* How long a crash is news. */
#define CRASH_FAILS_FOR	3600
#define CRASH_WARNS_FOR	86400

/* Sessions of one role or one database. */
typedef struct SessionCount
{
	Oid			id;
	int			sessions;
} SessionCount;

static OpsCulprit *name_backend(OpsResult *result, const OpsBackend *backend,
								double value);

/*
 * A client's backend other than our own.
 */
static bool
is_client(const OpsBackend *backend)
{
	return backend->type == B_BACKEND && backend->pid != MyProcPid;
}

static bool
is_idle_in_transaction(const OpsBackend *backend)
{
	return backend->state == STATE_IDLEINTRANSACTION ||
		backend->state == STATE_IDLEINTRANSACTION_ABORTED;
}

/*
 * database: whether new sessions are let in and can write.
 *
 * That it answers at all is what it mostly says.
 */
static void
probe_database(OpsRun *run, OpsResult *result)
{
	const char *read_only = GetConfigOptionResetString("default_transaction_read_only");
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Form_pg_database database;
	bool		open;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	database = (Form_pg_database) GETSTRUCT(tuple);
	open = database->datallowconn && database->datconnlimit != 0;
	if (!open)
	{
		const char *name = quote_identifier(NameStr(database->datname));

		ops_result_at_least(result, OPS_FAIL);
		ops_result_value(result, 0, "%s", _("refusing new connections"));
		ops_result_remedy(result,
						  "ALTER DATABASE %s ALLOW_CONNECTIONS true; ALTER DATABASE %s CONNECTION LIMIT -1;",
						  name, name);
	}
	else if (!run->standby && read_only && strcmp(read_only, "on") == 0)
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, 1, "%s", _("accepting connections, but new transactions are read-only"));
		ops_result_remedy(result,
						  "SELECT * FROM pg_catalog.pg_db_role_setting; SHOW default_transaction_read_only;");
	}
	else
		ops_result_value(result, 1, "%s", run->standby ?
						 _("accepting read-only connections") :
						 _("accepting connections"));
	ReleaseSysCache(tuple);
}

/*
 * Count a session; the array has room for every session there can be.
 */
static int
count_session(SessionCount *counts, int ncounts, Oid id)
{
	for (int i = 0; i < ncounts; i++)
	{
		if (counts[i].id == id)
		{
			counts[i].sessions++;
			return ncounts;
		}
	}
	counts[ncounts].id = id;
	counts[ncounts].sessions = 1;
	return ncounts + 1;
}

/*
 * Superusers are let in whatever their limit is.
 */
static int
role_connection_limit(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	int			limit = -1;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_authid form = (Form_pg_authid) GETSTRUCT(tuple);

		if (!form->rolsuper)
			limit = form->rolconnlimit;
		ReleaseSysCache(tuple);
	}
	return limit;
}

static int
database_connection_limit(Oid database)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	int			limit = -1;

	if (HeapTupleIsValid(tuple))
	{
		limit = ((Form_pg_database) GETSTRUCT(tuple))->datconnlimit;
		ReleaseSysCache(tuple);
	}
	return limit;
}

/*
 * connections: slots in use, of those that ordinary roles can take; or of a
 * role's or a database's own limit, whichever is fuller.
 */
static void
probe_connections(OpsRun *run, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);
	SessionCount *roles = palloc(activity->count * sizeof(SessionCount));
	SessionCount *databases = palloc(activity->count * sizeof(SessionCount));
	int			slots = MaxConnections - ops_compat_reserved_connections();
	int			nroles = 0;
	int			ndatabases = 0;
	int			used = 0;
	double		worst;

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];

		if (backend->type != B_BACKEND)
			continue;
		used++;
		nroles = count_session(roles, nroles, backend->role);
		ndatabases = count_session(databases, ndatabases, backend->database);
	}

	worst = 100.0 * used / Max(slots, 1);
	if (used >= slots)
		result->severity = OPS_P0;
	ops_result_value(result, worst, _("%d of %d slots in use"), used, slots);

	for (int i = 0; i < nroles; i++)
	{
		int			limit = role_connection_limit(roles[i].id);
		double		percent = limit > 0 ? 100.0 * roles[i].sessions / limit : 0;
		OpsCulprit *culprit = ops_result_culprit(result, Max(percent, 0.001 * roles[i].sessions));

		if (culprit)
		{
			culprit->role = ops_role_name(roles[i].id);
			culprit->note = limit >= 0 ?
				psprintf(_("%d sessions, limit %d"), roles[i].sessions, limit) :
				psprintf(_("%d sessions"), roles[i].sessions);
		}
		if (percent > worst)
		{
			worst = percent;
			ops_result_value(result, worst, _("%d of %d connections of role \"%s\" in use"),
							 roles[i].sessions, limit, ops_role_name(roles[i].id));
		}
	}
	for (int i = 0; i < ndatabases; i++)
	{
		int			limit = database_connection_limit(databases[i].id);
		double		percent = limit > 0 ? 100.0 * databases[i].sessions / limit : 0;

		if (percent > worst)
		{
			worst = percent;
			ops_result_value(result, worst, _("%d of %d connections of database \"%s\" in use"),
							 databases[i].sessions, limit,
							 ops_database_name(databases[i].id));
		}
	}
}

/*
 * Say how to stop a process.  One that is idle has nothing to cancel.
 */
static void
suggest_stop(const OpsActivity *activity, OpsResult *result, int pid)
{
	bool		idle = false;

	for (int i = 0; i < activity->count; i++)
	{
		if (activity->backend[i].pid == pid)
			idle = is_idle_in_transaction(&activity->backend[i]);
	}
	if (idle)
		ops_result_remedy(result, "SELECT pg_terminate_backend(%d);", pid);
	else
		ops_result_remedy(result, "SELECT pg_cancel_backend(%d);", pid);
}

/*
 * idle_in_tx: the client that has been idle in its transaction for longest.
 */
static void
probe_idle_in_tx(OpsRun *run, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);
	double		longest = 0;
	int			sessions = 0;

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];
		OpsCulprit *culprit;
		double		seconds;

		if (!is_client(backend) || !is_idle_in_transaction(backend))
			continue;
		sessions++;
		seconds = ops_seconds_since(run, backend->state_start);
		longest = Max(longest, seconds);
		culprit = name_backend(result, backend, seconds);
		if (culprit)
			culprit->note = TransactionIdIsValid(backend->xmin) ||
				TransactionIdIsValid(backend->xid) ?
				_("holds back vacuum") : _("holds locks only");
	}
	if (sessions == 0)
		ops_result_value(result, 0, "%s", _("no session is idle in a transaction"));
	else
		ops_result_value(result, longest,
						 ngettext("%d session is idle in a transaction, for %s",
								  "%d sessions are idle in transactions, the longest for %s",
								  sessions),
						 sessions, ops_duration(longest));
	if (result->nculprits > 0)
		ops_result_remedy(result, "SELECT pg_terminate_backend(%d);",
						  result->culprit[0].pid);
	ops_activity_distrust(run, result);
}

/*
 * long_tx: the client whose transaction has been open for longest.
 */
static void
probe_long_tx(OpsRun *run, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);
	double		longest = 0;

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];
		double		seconds;

		if (!is_client(backend) || backend->xact_start == 0)
			continue;
		seconds = ops_seconds_since(run, backend->xact_start);
		longest = Max(longest, seconds);
		name_backend(result, backend, seconds);
	}
	ops_result_value(result, longest, _("the longest open transaction has lasted %s"),
					 ops_duration(longest));
	if (result->nculprits > 0)
		suggest_stop(activity, result, result->culprit[0].pid);
	ops_activity_distrust(run, result);
}

/*
 * long_query: the client whose statement has been running for longest.
 */
static void
probe_long_query(OpsRun *run, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);
	double		longest = 0;

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];
		double		seconds;

		if (!is_client(backend) || backend->state != STATE_RUNNING)
			continue;
		seconds = ops_seconds_since(run, backend->query_start);
		longest = Max(longest, seconds);
		name_backend(result, backend, seconds);
	}
	ops_result_value(result, longest, _("the longest statement has run for %s"),
					 ops_duration(longest));
	if (result->nculprits > 0)
		suggest_stop(activity, result, result->culprit[0].pid);
	ops_activity_distrust(run, result);
}

/*
 * The processes that block this one, as text, and one of them.
 *
 * Looks into the lock table, so it is for the few who wait.
 */
static const char *
blockers_of(int pid, int *one)
{
	ArrayType  *blockers = DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids,
																  Int32GetDatum(pid)));
	int			nblockers = ArrayGetNItems(ARR_NDIM(blockers), ARR_DIMS(blockers));
	int32	   *pids = (int32 *) ARR_DATA_PTR(blockers);
	StringInfoData list;

	*one = nblockers > 0 ? pids[0] : 0;
	initStringInfo(&list);
	for (int i = 0; i < nblockers; i++)
	{
		if (i > 0)
			appendStringInfoString(&list, ", ");
		if (pids[i] == 0)
			appendStringInfoString(&list, _("a prepared transaction"));
		else
			appendStringInfo(&list, "%d", pids[i]);
	}
	return list.data;
}

/*
 * The process at the head of the queue that this one waits in, 0 if the wait
 * was over before we looked.
 */
static int
head_of_queue(int pid)
{
	int			head = 0;

	/* Longer chains exist, but somebody to start with is found by then. */
	for (int i = 0; i < 10; i++)
	{
		int			blocker;

		(void) blockers_of(pid, &blocker);
		if (blocker == 0)
			break;
		pid = head = blocker;
	}
	return head;
}

/*
 * blocked: who waits for a heavyweight lock, and behind whom.
 */
static void
probe_blocked(OpsRun *run, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);
	double		longest = 0;
	int			waiting = 0;
	int			long_waiting = 0;

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];
		double		seconds;

		if (backend->wait_start == 0 || backend->pid == MyProcPid)
			continue;
		waiting++;
		seconds = ops_seconds_since(run, backend->wait_start);
		longest = Max(longest, seconds);
		if (seconds >= result->warning)
			long_waiting++;
		name_backend(result, backend, seconds);
	}

	if (waiting == 0)
	{
		ops_result_value(result, 0, "%s", _("nobody waits for a lock"));
		return;
	}
	ops_result_value(result, longest,
					 ngettext("%d process waits for a lock, for %s",
							  "%d processes wait for locks, the longest for %s",
							  waiting),
					 waiting, ops_duration(longest));
	if (long_waiting >= MANY_WAITERS)
		ops_result_at_least(result, OPS_FAIL);
	for (int i = 0; i < result->nculprits; i++)
	{
		OpsCulprit *culprit = &result->culprit[i];
		const char *blockers;
		int			blocker;

		if (culprit->value < WORTH_ASKING)
			continue;
		blockers = blockers_of(culprit->pid, &blocker);
		if (blockers[0] != '\0')
			culprit->note = psprintf(_("blocked by %s"), blockers);
	}
	if (longest >= result->warning)
	{
		int			head = head_of_queue(result->culprit[0].pid);

		if (head != 0)
			suggest_stop(activity, result, head);
	}
}

/*
 * prepared: the oldest transaction that was prepared and not finished.
 */
static void
probe_prepared(OpsRun *run, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);
	double		longest = 0;

	for (int i = 0; i < activity->nprepared; i++)
	{
		const OpsPrepared *prepared = &activity->prepared[i];
		double		seconds = ops_seconds_since(run, prepared->prepared);
		OpsCulprit *culprit = ops_result_culprit(result, seconds);

		longest = Max(longest, seconds);
		if (culprit == NULL)
			continue;
		culprit->name = prepared->gid;
		culprit->role = ops_role_name(prepared->role);
		culprit->database = ops_database_name(prepared->database);
		culprit->value = seconds;
	}
	if (activity->nprepared == 0)
		ops_result_value(result, 0, "%s", _("no prepared transaction"));
	else
	{
		ops_result_value(result, longest,
						 ngettext("%d prepared transaction, for %s",
								  "%d prepared transactions, the oldest for %s",
								  activity->nprepared),
						 activity->nprepared, ops_duration(longest));
		ops_result_remedy(result, "ROLLBACK PREPARED %s;",
						  quote_literal_cstr(result->culprit[0].name));
	}
}

/*
 * autovacuum_workers: for how long no worker has been free.
 */
static void
probe_autovacuum_workers(OpsRun *run, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);
	double		shortest = get_float8_infinity();
	int			workers = ops_compat_autovacuum_workers();
	int			busy = 0;

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];
		double		seconds;

		if (backend->type != B_AUTOVAC_WORKER)
			continue;
		busy++;
		seconds = ops_seconds_since(run, backend->started);
		shortest = Min(shortest, seconds);
		name_backend(result, backend, seconds);
	}

	if (!AutoVacuumingActive())
	{
		ops_result_at_least(result, OPS_FAIL);
		ops_result_value(result, 0, "%s", _("autovacuum is switched off"));
		ops_result_remedy(result, "ALTER SYSTEM SET autovacuum = on; ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf();");
	}
	else if (busy < workers)
		ops_result_value(result, 0, _("%d of %d autovacuum workers busy"),
						 busy, workers);
	else
		ops_result_value(result, shortest,
						 _("all %d autovacuum workers have been busy for %s"),
						 busy, ops_duration(shortest));
}

/*
 * notify_queue: how full the queue of NOTIFY is.
 */
static void
probe_notify_queue(OpsRun *run, OpsResult *result)
{
	LOCAL_FCINFO(call, 0);
	double		percent;

	InitFunctionCallInfoData(*call, NULL, 0, InvalidOid, NULL, NULL);
	percent = 100 * DatumGetFloat8(pg_notification_queue_usage(call));
	ops_result_value(result, percent, _("%.1f %% of the notification queue in use"),
					 percent);
}

/*
 * restarts: how long ago the server started, and whether after a crash.
 *
 * After a crash the postmaster lives on and starts its children anew, so the
 * checkpointer is younger than the server.  A crash that took the postmaster
 * along cannot be told from an ordinary start this way.
 */
static void
probe_restarts(OpsRun *run, OpsResult *result)
{
	TimestampTz reset = ops_activity(run)->checkpointer_started;
	double		seconds;

	if (reset - PgStartTime > 3 * USECS_PER_SEC)
	{
		seconds = ops_seconds_since(run, reset);
		if (seconds < CRASH_FAILS_FOR)
			ops_result_at_least(result, OPS_FAIL);
		else if (seconds < CRASH_WARNS_FOR)
			ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, seconds, _("restarted after a crash %s ago"),
						 ops_duration(seconds));
		return;
	}
	seconds = ops_seconds_since(run, PgStartTime);
	ops_result_value(result, seconds, _("started %s ago"), ops_duration(seconds));
}

/*
 * lock_table: share of the shared lock table in use.
 */
static void
probe_lock_table(OpsRun *run, OpsResult *result)
{
	LockData   *data = GetLockStatusData();
	double		capacity = (double) max_locks_per_xact *
	(MaxBackends + max_prepared_xacts);
	int			locks = 0;
	double		percent;

	/* Fast-path locks lie elsewhere. */
	for (int i = 0; i < data->nelements; i++)
	{
		if (!data->locks[i].fastpath)
			locks++;
	}
	percent = 100 * locks / capacity;
	ops_result_value(result, percent, _("%d of about %.0f places in the lock table taken"),
					 locks, capacity);
}

/*
 * Name a process; the result is where to add to its facts, or NULL.
 */
static OpsCulprit *
name_backend(OpsResult *result, const OpsBackend *backend, double value)
{
	OpsCulprit *culprit = ops_result_culprit(result, value);

	if (culprit)
	{
		culprit->pid = backend->pid;
		culprit->role = ops_role_name(backend->role);
		culprit->database = ops_database_name(backend->database);
		culprit->value = value;
	}
	return culprit;
}

const OpsCheck ops_activity_checks[] = {
	{
		.name = "database",
		.title = gettext_noop("new sessions are let in and can write"),
		.severity = OPS_P0,
		.gates = true,
		.warning = NAN,
		.critical = NAN,
		.probe = probe_database,
	},
	{
		.name = "connections",
		.title = gettext_noop("connection slots in use, overall or of a role's or database's limit"),
		.unit = "percent",
		.severity = OPS_P1,
		.warning = 80,
		.critical = 90,
		.probe = probe_connections,
		.remedy = gettext_noop("SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC;"),
	},
	{
		.name = "idle_in_tx",
		.title = gettext_noop("longest time a session has been idle in a transaction"),
		.unit = "seconds",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 300,
		.critical = 900,
		.probe = probe_idle_in_tx,
	},
	{
		.name = "long_tx",
		.title = gettext_noop("age of the oldest open transaction of a client"),
		.unit = "seconds",
		.severity = OPS_P2,
		.audience = OPS_FOR_MONITOR,
		.warning = 300,
		.critical = 1800,
		.probe = probe_long_tx,
	},
	{
		.name = "long_query",
		.title = gettext_noop("longest-running statement of a client"),
		.unit = "seconds",
		.severity = OPS_P2,
		.audience = OPS_FOR_MONITOR,
		.warning = 300,
		.critical = 1800,
		.probe = probe_long_query,
	},
	{
		.name = "blocked",
		.title = gettext_noop("longest wait for a lock"),
		.unit = "seconds",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 30,
		.critical = 120,
		.probe = probe_blocked,
		.remedy = gettext_noop("SELECT pid, pg_blocking_pids(pid), wait_event, query FROM pg_stat_activity WHERE wait_event_type = 'Lock';"),
	},
	{
		.name = "prepared",
		.title = gettext_noop("age of the oldest prepared transaction"),
		.unit = "seconds",
		.severity = OPS_P1,
		.warning = 60,
		.critical = 600,
		.probe = probe_prepared,
	},
	{
		.name = "autovacuum_workers",
		.title = gettext_noop("time for which no autovacuum worker has been free"),
		.unit = "seconds",
		.severity = OPS_P2,
		.where = OPS_ON_PRIMARY,
		.audience = OPS_FOR_MONITOR,
		.warning = 900,
		.critical = NAN,
		.probe = probe_autovacuum_workers,
		.remedy = gettext_noop("SELECT pid, query_start, query FROM pg_stat_activity WHERE backend_type = 'autovacuum worker';"),
	},
	{
		.name = "notify_queue",
		.title = gettext_noop("share of the NOTIFY queue in use"),
		.unit = "percent",
		.severity = OPS_P2,
		.where = OPS_ON_PRIMARY,
		.warning = 50,
		.critical = 75,
		.probe = probe_notify_queue,
		.remedy = gettext_noop("SELECT pid, usename, state, xact_start FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start;"),
	},
	{
		.name = "restarts",
		.title = gettext_noop("time since the server started, or restarted after a crash"),
		.unit = "seconds",
		.severity = OPS_P1,
		.lower_is_worse = true,
		.warning = 300,
		.critical = NAN,
		.probe = probe_restarts,
		.remedy = gettext_noop("SELECT pg_postmaster_start_time(), pg_current_logfile();"),
	},
	{
		.name = "lock_table",
		.title = gettext_noop("share of the shared lock table in use"),
		.unit = "percent",
		.severity = OPS_P2,
		.depth = OPS_DEEP,
		.warning = 60,
		.critical = 80,
		.probe = probe_lock_table,
		.remedy = gettext_noop("SELECT pid, count(*) FROM pg_locks WHERE NOT fastpath GROUP BY pid ORDER BY 2 DESC LIMIT 5;"),
	},
};
const int	ops_activity_count = lengthof(ops_activity_checks);
