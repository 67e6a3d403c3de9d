/*-------------------------------------------------------------------------
 *
 * checks_horizon.c
 *	  Checks of what keeps vacuum from removing and freezing rows, and of how
 *	  far the counters of transactions are from the end.
 *
 * The horizon is the oldest transaction that somebody may still have to see.
 * Who holds it back is found where the server itself looks when it computes
 * it: processes, prepared transactions and replication slots.  Everything is
 * in shared memory, on a standby as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/multixact.h"
#include "access/transam.h"
#include "health/activity.h"
#include "postmaster/autovacuum.h"
#include "replication/slot.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"

/* Ids at which a counter of 32 bits has come half around: the end. */
#define WRAPAROUND	2147483648.0

/* Oldest transaction in use anywhere, and by whom, as far as looked. */
typedef struct Horizon
{
	TransactionId next;
	int64		age;			/* in transactions; -1 if there is no holder */
	const char *holder;			/* translated */
	const char *remedy;
} Horizon;

static TransactionId
older_xid(TransactionId a, TransactionId b)
{
	if (!TransactionIdIsNormal(a))
		return b;
	if (!TransactionIdIsNormal(b))
		return a;
	return TransactionIdPrecedes(a, b) ? a : b;
}

/*
 * Whether vacuum has to mind what this process sees.
 */
static bool
holds_horizon(const OpsBackend *backend)
{
	return backend->pid != MyProcPid && !backend->in_vacuum &&
		TransactionIdIsNormal(older_xid(backend->xid, backend->xmin));
}

/*
 * xmin_horizon: for how long the oldest transaction has held it.
 *
 * The start of the transaction stands for that of its snapshot, which is
 * younger under READ COMMITTED.  Slots and standbys keep no time; they are
 * left to xmin_horizon_xids.
 */
static void
probe_xmin_horizon(OpsRun *run, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);
	double		longest = 0;
	int			holders = 0;

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];
		OpsCulprit *culprit;
		double		seconds;

		if (!holds_horizon(backend) || backend->xact_start == 0)
			continue;
		holders++;
		seconds = ops_seconds_since(run, backend->xact_start);
		culprit = ops_result_culprit(result, seconds);
		if (culprit)
		{
			culprit->pid = backend->pid;
			culprit->role = ops_role_name(backend->role);
			culprit->database = ops_database_name(backend->database);
			culprit->value = seconds;
		}
		longest = Max(longest, seconds);
	}
	for (int i = 0; i < activity->nprepared; i++)
	{
		const OpsPrepared *prepared = &activity->prepared[i];
		double		seconds = ops_seconds_since(run, prepared->prepared);
		OpsCulprit *culprit = ops_result_culprit(result, seconds);

		holders++;
		if (culprit)
		{
			culprit->name = prepared->gid;
			culprit->role = ops_role_name(prepared->role);
			culprit->database = ops_database_name(prepared->database);
			culprit->note = _("prepared transaction");
			culprit->value = seconds;
		}
		longest = Max(longest, seconds);
	}

	if (holders == 0)
		ops_result_value(result, 0, "%s", _("no transaction holds back vacuum"));
	else
		ops_result_value(result, longest,
						 ngettext("%d transaction holds back vacuum, for %s",
								  "%d transactions hold back vacuum, the oldest for %s",
								  holders),
						 holders, ops_duration(longest));
	if (result->nculprits > 0)
	{
		const OpsCulprit *oldest = &result->culprit[0];

		if (oldest->pid != 0)
			ops_result_remedy(result, "SELECT pg_terminate_backend(%d);", oldest->pid);
		else
			ops_result_remedy(result, "ROLLBACK PREPARED %s;",
							  quote_literal_cstr(oldest->name));
	}
	ops_activity_distrust(run, result);
}

/*
 * Note one that holds the horizon; the result is where to add to its facts,
 * or NULL.
 */
static OpsCulprit *
add_holder(Horizon *horizon, OpsResult *result, TransactionId xid,
		   const char *holder, const char *remedy)
{
	int64		age = Max(0, (int32) (horizon->next - xid));
	OpsCulprit *culprit = ops_result_culprit(result, age);

	if (age > horizon->age)
	{
		horizon->age = age;
		horizon->holder = holder;
		horizon->remedy = remedy;
	}
	if (culprit)
		culprit->value = age;
	return culprit;
}

static void
add_processes(OpsRun *run, Horizon *horizon, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];
		bool		standby = backend->type == B_WAL_SENDER;
		OpsCulprit *culprit;

		if (!holds_horizon(backend))
			continue;
		culprit = add_holder(horizon, result,
							 older_xid(backend->xid, backend->xmin),
							 standby ? psprintf(_("a standby's feedback, received by process %d"), backend->pid) :
							 psprintf(_("a transaction of process %d"), backend->pid),
							 standby ? "SELECT pid, application_name, client_addr, backend_xmin FROM pg_stat_replication;" :
							 psprintf("SELECT pg_terminate_backend(%d);", backend->pid));
		if (culprit)
		{
			culprit->pid = backend->pid;
			culprit->role = ops_role_name(backend->role);
			culprit->database = ops_database_name(backend->database);
			culprit->note = standby ? _("standby's feedback") : _("transaction");
		}
	}
}

static void
add_prepared(OpsRun *run, Horizon *horizon, OpsResult *result)
{
	const OpsActivity *activity = ops_activity(run);

	for (int i = 0; i < activity->nprepared; i++)
	{
		const OpsPrepared *prepared = &activity->prepared[i];
		OpsCulprit *culprit;

		culprit = add_holder(horizon, result, prepared->xid,
							 psprintf(_("prepared transaction \"%s\""), prepared->gid),
							 psprintf("ROLLBACK PREPARED %s;", quote_literal_cstr(prepared->gid)));
		if (culprit)
		{
			culprit->name = prepared->gid;
			culprit->role = ops_role_name(prepared->role);
			culprit->database = ops_database_name(prepared->database);
			culprit->note = _("prepared transaction");
		}
	}
}

/*
 * Slots, by the values that vacuum minds.
 */
static void
add_slots(Horizon *horizon, OpsResult *result)
{
	LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
	for (int i = 0; i < max_replication_slots; i++)
	{
		ReplicationSlot *slot = &ReplicationSlotCtl->replication_slots[i];
		ReplicationSlot copy;
		const char *name = NameStr(copy.data.name);
		TransactionId xmin;
		bool		active;
		OpsCulprit *culprit;

		if (!slot->in_use)
			continue;
		SpinLockAcquire(&slot->mutex);
		copy = *slot;
		SpinLockRelease(&slot->mutex);

		xmin = older_xid(copy.effective_xmin, copy.effective_catalog_xmin);
		if (ops_compat_slot_invalidated(&copy.data) || !TransactionIdIsNormal(xmin))
			continue;
		active = ops_compat_slot_pid(&copy) != 0;
		culprit = add_holder(horizon, result, xmin,
							 psprintf(active ? _("replication slot \"%s\"") :
									  _("inactive replication slot \"%s\""), name),
							 psprintf("SELECT slot_name, slot_type, active, xmin, catalog_xmin FROM pg_replication_slots WHERE slot_name = %s;",
									  quote_literal_cstr(name)));
		if (culprit)
		{
			culprit->slot = pstrdup(name);
			culprit->note = active ? _("active slot") : _("inactive slot");
		}
	}
	LWLockRelease(ReplicationSlotControlLock);
}

/*
 * xmin_horizon_xids: how many transactions ago the horizon is.
 */
static void
probe_xmin_horizon_xids(OpsRun *run, OpsResult *result)
{
	Horizon		horizon = {.age = -1};

	/* The newest last, so that no age comes out negative. */
	(void) ops_activity(run);
	horizon.next = ReadNextTransactionId();

	add_processes(run, &horizon, result);
	add_prepared(run, &horizon, result);
	add_slots(&horizon, result);
	if (horizon.age < 0)
	{
		ops_result_value(result, 0, "%s", _("nothing holds back vacuum"));
		return;
	}
	ops_result_value(result, horizon.age,
					 _("vacuum is held back by %lld transactions, by %s"),
					 (long long) horizon.age, horizon.holder);
	ops_result_remedy(result, "%s", horizon.remedy);
}

/*
 * Age in transactions of the oldest row that may be unfrozen, as every
 * database reports it, and the database that is to blame if it is known.
 */
static double
oldest_unfrozen(Oid *database)
{
	TransactionId oldest;
	TransactionId next;

	LWLockAcquire(XidGenLock, LW_SHARED);
	oldest = TransamVariables->oldestXid;
	next = XidFromFullTransactionId(TransamVariables->nextXid);
	*database = TransamVariables->oldestXidDB;
	LWLockRelease(XidGenLock);
	return Max(0, (int32) (next - oldest));
}

/*
 * Name the database whose oldest row is the oldest of all.
 */
static void
name_oldest_database(OpsResult *result, Oid database)
{
	const char *name = ops_database_name(database);
	OpsCulprit *culprit;

	if (name == NULL)
		return;
	culprit = ops_result_culprit(result, result->value);
	if (culprit)
	{
		culprit->database = name;
		culprit->value = result->value;
	}
}

/*
 * xid_wraparound: how much of the way to the end of transaction ids has been
 * gone.
 */
static void
probe_xid_wraparound(OpsRun *run, OpsResult *result)
{
	Oid			database;
	double		age = oldest_unfrozen(&database);

	ops_result_value(result, 100 * age / WRAPAROUND,
					 _("the oldest unfrozen transaction is %.0f transactions old, %.0f are left"),
					 age, WRAPAROUND - age);
	name_oldest_database(result, database);
}

/*
 * freeze_age: the same age, against the one at which autovacuum freezes.
 *
 * Past that age autovacuum drops everything else.  If the age still grows,
 * then it cannot keep up or is held back.
 */
static void
probe_freeze_age(OpsRun *run, OpsResult *result)
{
	Oid			database;
	double		age = oldest_unfrozen(&database);

	ops_result_value(result, 100 * age / autovacuum_freeze_max_age,
					 _("the oldest unfrozen transaction is %.0f transactions old, autovacuum freezes from %d on"),
					 age, autovacuum_freeze_max_age);
	name_oldest_database(result, database);
}

/*
 * mxid_wraparound: the same for the ids of groups of lockers.
 */
static void
probe_mxid_wraparound(OpsRun *run, OpsResult *result)
{
	MultiXactId oldest;
	MultiXactId next;
	double		age;

	ReadMultiXactIdRange(&oldest, &next);
	age = Max(0, (int32) (next - oldest));
	ops_result_value(result, 100 * age / WRAPAROUND,
					 _("the oldest multixact is %.0f multixacts old, %.0f are left"),
					 age, WRAPAROUND - age);
}

/*
 * mxid_members: which part of the multixacts is due for freezing.
 *
 * How much of the space for the members of multixacts is in use is not to be
 * had, but the server gives away what it makes of that.  While less than half
 * is in use, multixacts may grow as old as autovacuum_multixact_freeze_max_age;
 * beyond, a part of them has to be frozen, which grows from nothing at half
 * to all of them at three quarters.
 *
 * Not on a standby: it does not learn where the members begin until it is
 * promoted.
 */
static void
probe_mxid_members(OpsRun *run, OpsResult *result)
{
	int			threshold = MultiXactMemberFreezeThreshold();
	MultiXactId oldest;
	MultiXactId next;
	double		multixacts;
	double		due;

	ReadMultiXactIdRange(&oldest, &next);
	multixacts = next - oldest;
	due = Max(0, multixacts - threshold);
	if (threshold == 0)
		ops_result_value(result, 100, "%s",
						 _("all multixacts are due for freezing: three quarters of the space for their members are in use, or the server cannot tell"));
	else if (threshold < autovacuum_multixact_freeze_max_age)
		ops_result_value(result, 100 * due / Max(1, multixacts),
						 _("%.0f of %.0f multixacts are due for freezing: half of the space for their members is in use"),
						 due, multixacts);
	else
		ops_result_value(result, 100 * due / Max(1, multixacts),
						 _("%.0f of %.0f multixacts are due for freezing"),
						 due, multixacts);
}

const OpsCheck ops_horizon_checks[] = {
	{
		.name = "xmin_horizon",
		.title = gettext_noop("time for which the oldest transaction has held back vacuum"),
		.unit = "seconds",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 3600,
		.critical = 86400,
		.probe = probe_xmin_horizon,
	},
	{
		.name = "xmin_horizon_xids",
		.title = gettext_noop("transactions by which vacuum is held back"),
		.unit = "transactions",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 50000000,
		.critical = 200000000,
		.probe = probe_xmin_horizon_xids,
	},
	{
		.name = "xid_wraparound",
		.title = gettext_noop("way gone to the end of transaction ids, where writing stops"),
		.unit = "percent",
		.severity = OPS_P0,
		.gates = true,
		.warning = 50,
		.critical = 75,
		.probe = probe_xid_wraparound,
		.remedy = gettext_noop("SELECT datname, age(datfrozenxid) FROM pg_database ORDER BY 2 DESC; -- then, in the first: VACUUM (FREEZE, VERBOSE);"),
	},
	{
		.name = "freeze_age",
		.title = gettext_noop("age of the oldest unfrozen transaction, of the age at which autovacuum freezes"),
		.unit = "percent",
		.severity = OPS_P1,
		.warning = 110,
		.critical = 150,
		.probe = probe_freeze_age,
		.remedy = gettext_noop("SELECT oid::regclass, age(relfrozenxid) FROM pg_class WHERE relkind IN ('r', 'm', 't') ORDER BY 2 DESC LIMIT 10;"),
	},
	{
		.name = "mxid_wraparound",
		.title = gettext_noop("way gone to the end of multixact ids, where row locking stops"),
		.unit = "percent",
		.severity = OPS_P0,
		.warning = 50,
		.critical = 75,
		.probe = probe_mxid_wraparound,
		.remedy = gettext_noop("SELECT datname, mxid_age(datminmxid) FROM pg_database ORDER BY 2 DESC; -- then, in the first: VACUUM (FREEZE, VERBOSE);"),
	},
	{
		.name = "mxid_members",
		.title = gettext_noop("multixacts due for freezing, by age or for want of space for their members"),
		.unit = "percent",
		.severity = OPS_P1,
		.where = OPS_ON_PRIMARY,
		.warning = 10,
		.critical = 50,
		.probe = probe_mxid_members,
		.remedy = gettext_noop("SELECT oid::regclass, mxid_age(relminmxid) FROM pg_class WHERE relkind IN ('r', 'm', 't') ORDER BY 2 DESC LIMIT 10;"),
	},
};
const int	ops_horizon_count = lengthof(ops_horizon_checks);
