/*-------------------------------------------------------------------------
 *
 * checks_horizon.c
 *	  Checks of what keeps vacuum from removing and freezing rows, and of how
 *	  far the counters of transactions are from the end.
 *
 * Who holds the horizon back is found by core/horizon.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/multixact.h"
#include "access/transam.h"
#include "core/horizon.h"
#include "health/activity.h"
#include "postmaster/autovacuum.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"

/* Ids at which a counter of 32 bits has come half around: the end. */
#define WRAPAROUND	2147483648.0

/*
 * Who holds back the horizon, apart from this very process.
 */
static List *
other_holders(OpsRun *run)
{
	List	   *holders = NIL;
	ListCell   *lc;

	foreach(lc, ops_horizon_holders(ops_activity(run)))
	{
		OpsHorizonHolder *holder = lfirst(lc);

		if (holder->pid != MyProcPid)
			holders = lappend(holders, holder);
	}
	return holders;
}

/*
 * Note who holds it; the result is where to add to its facts, or NULL.
 */
static OpsCulprit *
name_holder(OpsResult *result, double value, const OpsHorizonHolder *holder)
{
	OpsCulprit *culprit = ops_result_culprit(result, value);

	if (culprit == NULL)
		return NULL;
	culprit->pid = holder->pid;
	if (holder->kind == OPS_HOLDER_SLOT)
		culprit->slot = holder->name;
	else
		culprit->name = holder->name;
	culprit->role = ops_role_name(holder->role);
	culprit->database = ops_database_name(holder->database);
	culprit->value = value;
	return culprit;
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
	const OpsHorizonHolder *oldest = NULL;
	double		longest = 0;
	int			holders = 0;
	ListCell   *lc;

	foreach(lc, other_holders(run))
	{
		const OpsHorizonHolder *holder = lfirst(lc);
		OpsCulprit *culprit;
		double		seconds;

		if (holder->since == 0)
			continue;
		holders++;
		seconds = ops_seconds_since(run, holder->since);
		culprit = name_holder(result, seconds, holder);
		if (culprit && holder->kind == OPS_HOLDER_PREPARED)
			culprit->note = _("prepared transaction");
		if (oldest == NULL || seconds > longest)
		{
			oldest = holder;
			longest = seconds;
		}
	}

	if (oldest == NULL)
		ops_result_value(result, 0, "%s", _("no transaction holds back vacuum"));
	else
	{
		ops_result_value(result, longest,
						 ngettext("%d transaction holds back vacuum, for %s",
								  "%d transactions hold back vacuum, the oldest for %s",
								  holders),
						 holders, ops_duration(longest));

		/* Only a sender in a transaction of its own has a time. */
		if (oldest->pid != 0)
			ops_result_remedy(result, "SELECT pg_terminate_backend(%d);", oldest->pid);
		else
			ops_result_remedy(result, "%s", ops_horizon_command(oldest));
	}
	ops_activity_distrust(run, result);
}

static const char *
holder_note(const OpsHorizonHolder *holder)
{
	switch (holder->kind)
	{
		case OPS_HOLDER_SESSION:
			return _("transaction");
		case OPS_HOLDER_STANDBY:
			return _("standby's feedback");
		case OPS_HOLDER_PREPARED:
			return _("prepared transaction");
		case OPS_HOLDER_SLOT:
			return holder->active ? _("active slot") : _("inactive slot");
	}
	pg_unreachable();
}

/*
 * xmin_horizon_xids: how many transactions ago the horizon is.
 */
static void
probe_xmin_horizon_xids(OpsRun *run, OpsResult *result)
{
	List	   *holders = other_holders(run);
	const OpsHorizonHolder *oldest = NULL;
	int64		oldest_age = 0;
	TransactionId next;
	ListCell   *lc;

	/* The newest last, so that no age comes out negative. */
	next = ReadNextTransactionId();

	foreach(lc, holders)
	{
		const OpsHorizonHolder *holder = lfirst(lc);
		int64		age = ops_horizon_age(holder, OPS_HORIZON_SHARED, next);
		OpsCulprit *culprit = name_holder(result, age, holder);

		if (culprit)
			culprit->note = holder_note(holder);
		if (oldest == NULL || age > oldest_age)
		{
			oldest = holder;
			oldest_age = age;
		}
	}
	if (oldest == NULL)
	{
		ops_result_value(result, 0, "%s", _("nothing holds back vacuum"));
		return;
	}
	ops_result_value(result, oldest_age,
					 _("vacuum is held back by %lld transactions, by %s"),
					 (long long) oldest_age, ops_horizon_name(oldest));
	ops_result_remedy(result, "%s", ops_horizon_command(oldest));
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
