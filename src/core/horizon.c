/*-------------------------------------------------------------------------
 *
 * horizon.c
 *	  Who keeps vacuum from removing rows.
 *
 * The horizon is the oldest transaction that somebody may still have to see.
 * Who holds it back is found where the server itself looks when it computes
 * it: processes, prepared transactions and replication slots.  Everything is
 * in shared memory, on a standby as well, where it says nothing of what the
 * primary minds besides.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "core/horizon.h"
#include "replication/slot.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"

static List *add_processes(List *holders, const OpsActivity *activity,
						   bool owners);
static List *add_prepared(List *holders, const OpsActivity *activity);
static List *add_slots(List *holders);
static TransactionId older_xid(TransactionId a, TransactionId b);
static TransactionId xid_in_scope(const OpsHorizonHolder *holder,
								  OpsHorizonScope scope);

/*
 * Everybody who holds the horizon back, wherever, this process included.
 *
 * A snapshot goes back to the oldest transaction that ran when it was taken.
 * Whoever has that transaction comes before those who merely saw it, for of
 * equals the first is to blame.
 */
List *
ops_horizon_holders(const OpsActivity *activity)
{
	List	   *holders = NIL;

	holders = add_prepared(holders, activity);
	holders = add_processes(holders, activity, true);
	holders = add_processes(holders, activity, false);
	return add_slots(holders);
}

/*
 * Those that are left when this statement is over: its snapshot went back to
 * the oldest transaction of the whole server, and goes with it.
 */
List *
ops_horizon_after_statement(List *holders)
{
	TransactionId own = GetTopTransactionIdIfAny();
	List	   *left = NIL;
	ListCell   *lc;

	foreach(lc, holders)
	{
		OpsHorizonHolder *holder = lfirst(lc);

		if (holder->kind == OPS_HOLDER_SESSION && holder->pid == MyProcPid &&
			!IsolationUsesXactSnapshot())
		{
			if (!TransactionIdIsValid(own))
				continue;
			holder->xmin = own;
		}
		left = lappend(left, holder);
	}
	return left;
}

/*
 * Rows that were deleted by transactions before this one nobody has to see.
 */
TransactionId
ops_horizon_limit(List *holders, OpsHorizonScope scope)
{
	const OpsHorizonHolder *oldest = ops_horizon_oldest(holders, scope);

	return oldest ? xid_in_scope(oldest, scope) : ReadNextTransactionId();
}

/*
 * Who holds it back furthest as seen from rows of a scope; NULL if nobody.
 *
 * This process's own snapshot goes no further back than whoever else was
 * there when it was taken, so of two equals the other one is to blame.
 */
const OpsHorizonHolder *
ops_horizon_oldest(List *holders, OpsHorizonScope scope)
{
	const OpsHorizonHolder *oldest = NULL;
	TransactionId oldest_xid = InvalidTransactionId;
	ListCell   *lc;

	foreach(lc, holders)
	{
		const OpsHorizonHolder *holder = lfirst(lc);
		TransactionId xid = xid_in_scope(holder, scope);

		if (!TransactionIdIsNormal(xid))
			continue;
		if (oldest == NULL || TransactionIdPrecedes(xid, oldest_xid) ||
			(xid == oldest_xid && oldest->pid == MyProcPid))
		{
			oldest = holder;
			oldest_xid = xid;
		}
	}
	return oldest;
}

/*
 * How many transactions ago that was for a holder, given the next one.
 */
int64
ops_horizon_age(const OpsHorizonHolder *holder, OpsHorizonScope scope,
				TransactionId next)
{
	return Max(0, (int32) (next - xid_in_scope(holder, scope)));
}

/*
 * A holder as part of a sentence.
 */
const char *
ops_horizon_name(const OpsHorizonHolder *holder)
{
	switch (holder->kind)
	{
		case OPS_HOLDER_SESSION:
			return psprintf(_("a transaction of process %d"), holder->pid);
		case OPS_HOLDER_STANDBY:
			return psprintf(_("a standby's feedback, received by process %d"), holder->pid);
		case OPS_HOLDER_PREPARED:
			return psprintf(_("prepared transaction \"%s\""), holder->name);
		case OPS_HOLDER_SLOT:
			return psprintf(holder->active ? _("replication slot \"%s\"") :
							_("inactive replication slot \"%s\""), holder->name);
	}
	pg_unreachable();
}

/*
 * The command that ends a holder, or, where its end would cost somebody a
 * standby or a subscription, the one that shows more of it.
 */
const char *
ops_horizon_command(const OpsHorizonHolder *holder)
{
	switch (holder->kind)
	{
		case OPS_HOLDER_SESSION:
			return psprintf("SELECT pg_terminate_backend(%d);", holder->pid);
		case OPS_HOLDER_STANDBY:
			return "SELECT pid, application_name, client_addr, backend_xmin FROM pg_stat_replication;";
		case OPS_HOLDER_PREPARED:
			return psprintf("ROLLBACK PREPARED %s;", quote_literal_cstr(holder->name));
		case OPS_HOLDER_SLOT:
			return psprintf("SELECT slot_name, slot_type, active, xmin, catalog_xmin FROM pg_replication_slots WHERE slot_name = %s;",
							quote_literal_cstr(holder->name));
	}
	pg_unreachable();
}

/*
 * Processes that hold it by a transaction of their own, or the others.
 */
static List *
add_processes(List *holders, const OpsActivity *activity, bool owners)
{
	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];
		TransactionId xid = older_xid(backend->xid, backend->xmin);
		OpsHorizonHolder *holder;

		if (backend->in_vacuum || !TransactionIdIsNormal(xid) ||
			(xid == backend->xid) != owners)
			continue;
		holder = palloc0(sizeof(OpsHorizonHolder));
		holder->kind = backend->type == B_WAL_SENDER ? OPS_HOLDER_STANDBY :
			OPS_HOLDER_SESSION;
		holder->xmin = xid;
		holder->pid = backend->pid;
		holder->role = backend->role;
		holder->database = backend->database;
		holder->everywhere = backend->everywhere || !OidIsValid(backend->database);
		holder->since = backend->xact_start;
		holders = lappend(holders, holder);
	}
	return holders;
}

static List *
add_prepared(List *holders, const OpsActivity *activity)
{
	for (int i = 0; i < activity->nprepared; i++)
	{
		const OpsPrepared *prepared = &activity->prepared[i];
		OpsHorizonHolder *holder = palloc0(sizeof(OpsHorizonHolder));

		holder->kind = OPS_HOLDER_PREPARED;
		holder->xmin = prepared->xid;
		holder->name = prepared->gid;
		holder->role = prepared->role;
		holder->database = prepared->database;
		holder->since = prepared->prepared;
		holders = lappend(holders, holder);
	}
	return holders;
}

/*
 * Slots, by the values that vacuum minds.
 */
static List *
add_slots(List *holders)
{
	LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
	for (int i = 0; i < max_replication_slots; i++)
	{
		ReplicationSlot *slot = &ReplicationSlotCtl->replication_slots[i];
		ReplicationSlot copy;
		OpsHorizonHolder *holder;

		if (!slot->in_use)
			continue;
		SpinLockAcquire(&slot->mutex);
		copy = *slot;
		SpinLockRelease(&slot->mutex);

		if (ops_compat_slot_invalidated(&copy.data) ||
			!TransactionIdIsNormal(older_xid(copy.effective_xmin,
											 copy.effective_catalog_xmin)))
			continue;
		holder = palloc0(sizeof(OpsHorizonHolder));
		holder->kind = OPS_HOLDER_SLOT;
		holder->xmin = copy.effective_xmin;
		holder->catalog_xmin = copy.effective_catalog_xmin;
		holder->name = pstrdup(NameStr(copy.data.name));
		holder->everywhere = true;
		holder->active = ops_compat_slot_pid(&copy) != 0;
		holders = lappend(holders, holder);
	}
	LWLockRelease(ReplicationSlotControlLock);
	return holders;
}

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
 * The oldest transaction of a holder that rows of a scope are kept for.
 *
 * In recovery the server does not tell databases apart.
 */
static TransactionId
xid_in_scope(const OpsHorizonHolder *holder, OpsHorizonScope scope)
{
	if (scope != OPS_HORIZON_SHARED && !holder->everywhere &&
		holder->database != MyDatabaseId && !RecoveryInProgress())
		return InvalidTransactionId;
	if (scope == OPS_HORIZON_DATA)
		return holder->xmin;
	return older_xid(holder->xmin, holder->catalog_xmin);
}
