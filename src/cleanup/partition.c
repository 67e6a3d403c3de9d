/*-------------------------------------------------------------------------
 *
 * partition.c
 *	  A partition that is old as a whole goes as a whole.
 *
 * To detach or drop it takes ACCESS EXCLUSIVE on the partition, on the table
 * it belongs to and on that one's default partition.  While we queue for the
 * table, everybody else queues behind us: never for longer than a few batches
 * of a cleanup would take, and we try again later where the caller can afford
 * it.  For the other two we do not queue at all.
 *
 * What made the partition a case for this was read without a lock, and is
 * read again under it: it can have been detached, attached elsewhere, given a
 * trigger or referred to in the meantime.
 *
 * Where the table need not be locked at all, detach.c was here before, and the
 * partition is one no more, or only has to be told so: that takes no lock on
 * the table that a query would notice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "cleanup/target.h"
#include "core/attempt.h"
#include "core/compat.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/wait_event.h"

/* How long to queue for the locks, and how often and when to try again. */
#define QUEUE_TIME		"50ms"
#define PATIENT_TRIES	10
#define PAUSE_MS		200

typedef struct Removal
{
	const OpsTarget *target;
	const char *refusal;		/* why it was not done, if no error says so */
} Removal;

static const char *try_once(const OpsTarget *target, bool *again);
static void remove_partition(void *arg);
static bool remove_attached(const OpsTarget *target, Oid parent);
static bool finish_detaching(const OpsTarget *target, Oid parent);
static bool remove_detached(const OpsTarget *target);
static bool holds_young_rows(const OpsTarget *target);
static void drop_table(const OpsTarget *target);
static void lock_at_once(Oid relid);
static void run_command(const char *command);

/*
 * Detach or drop an expired partition, as its policy says.
 *
 * Whoever may commit, and so holds nothing that others want, can afford to
 * try for a while.  The caller commits soon, for the locks are held until
 * then.  False if it could not be done, with the reason: then everything is
 * as it was.
 */
bool
ops_cleanup_partition(const OpsTarget *target, bool may_commit,
					  const char **reason)
{
	int			tries = may_commit ? PATIENT_TRIES : 1;
	bool		again = true;

	for (int i = 0; i < tries && again; i++)
	{
		if (i > 0)
		{
			(void) WaitLatch(MyLatch,
							 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							 PAUSE_MS, PG_WAIT_EXTENSION);
			ResetLatch(MyLatch);
		}
		CHECK_FOR_INTERRUPTS();
		*reason = try_once(target, &again);
	}
	return *reason == NULL;
}

/*
 * NULL, or why it could not be done, and whether to try again.
 */
static const char *
try_once(const OpsTarget *target, bool *again)
{
	Removal		removal = {.target = target};
	ErrorData  *error = ops_attempt(remove_partition, &removal);

	*again = false;
	if (error == NULL)
		return removal.refusal;
	*again = error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
		error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
	if (!*again)
		return error->message;
	if (target->detaching)
		return _("the partition is on its way out, but transactions that began before still use it");
	return _("the partition or its table was in use");
}

/*
 * In a subtransaction: locks that were had go back if others are not.
 */
static void
remove_partition(void *arg)
{
	Removal    *removal = arg;
	const OpsTarget *target = removal->target;
	OpsScope	scope;
	Oid			parent;
	bool		detaching;
	bool		removed;

	ops_scope_enter(&scope, target->run_as);
	ops_scope_set("lock_timeout", QUEUE_TIME);
	parent = ops_target_parent(target->relid, &detaching);
	if (!ops_target_still_expired(target))
		removed = false;
	else if (!OidIsValid(parent))
		removed = remove_detached(target);
	else if (detaching)
		removed = finish_detaching(target, parent);
	else
		removed = remove_attached(target, parent);
	if (!removed)
		removal->refusal = _("the partition was changed in the meantime");
	ops_scope_leave(&scope);
}

/*
 * With a lock on the table; false if the partition is not what it was.
 */
static bool
remove_attached(const OpsTarget *target, Oid parent)
{
	bool		detaching;

	LockRelationOid(parent, AccessExclusiveLock);
	lock_at_once(target->relid);
	lock_at_once(get_default_partition_oid(parent));
	if (!ops_target_still_expired(target) ||
		ops_target_parent(target->relid, &detaching) != parent || detaching)
		return false;
	if (target->policy->partitions == OPS_PARTITIONS_DETACH)
		run_command(psprintf("ALTER TABLE %s DETACH PARTITION %s",
							 ops_target_quoted_name(parent),
							 ops_target_quoted_name(target->relid)));
	else
		drop_table(target);
	return true;
}

/*
 * What was begun without a lock on the table.  This waits for transactions
 * that could still see the partition, with the partition locked: no longer
 * than for a lock.
 */
static bool
finish_detaching(const OpsTarget *target, Oid parent)
{
	bool		detaching;

	LockRelationOid(parent, ShareUpdateExclusiveLock);
	LockRelationOid(target->relid, AccessExclusiveLock);
	if (!ops_target_still_expired(target) ||
		ops_target_parent(target->relid, &detaching) != parent || !detaching)
		return false;
	run_command(psprintf("ALTER TABLE %s DETACH PARTITION %s FINALIZE",
						 ops_target_quoted_name(parent),
						 ops_target_quoted_name(target->relid)));
	if (target->policy->partitions == OPS_PARTITIONS_DROP)
		drop_table(target);
	return true;
}

/*
 * A table that was a partition when this or an earlier run detached it.  What
 * came into it since is looked for.
 */
static bool
remove_detached(const OpsTarget *target)
{
	bool		detaching;

	if (target->policy->partitions == OPS_PARTITIONS_DETACH)
		return true;
	LockRelationOid(target->relid, AccessExclusiveLock);
	ops_target_demand_name(target);
	if (!ops_target_still_expired(target) ||
		OidIsValid(ops_target_parent(target->relid, &detaching)) ||
		holds_young_rows(target))
		return false;
	drop_table(target);
	return true;
}

static bool
holds_young_rows(const OpsTarget *target)
{
	bool		found;
	int			rc;

	ops_scope_set("row_security", "off");
	SPI_connect();
	rc = SPI_execute(psprintf("SELECT FROM ONLY %s AS %s WHERE (%s) IS NOT TRUE",
							  ops_target_quoted_name(target->relid),
							  target->alias, target->predicate), true, 1);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "query failed: %s", SPI_result_code_string(rc));
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

static void
drop_table(const OpsTarget *target)
{
	run_command(psprintf("DROP TABLE %s",
						 ops_target_quoted_name(target->relid)));
}

/*
 * The rest of the locks that the command is going to ask for.  Everybody who
 * wants the table already waits for us, so these we take or leave.
 */
static void
lock_at_once(Oid relid)
{
	if (OidIsValid(relid) &&
		!ConditionalLockRelationOid(relid, AccessExclusiveLock))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("partition is locked")));
}

char *
ops_target_quoted_name(Oid relid)
{
	char	   *schema = get_namespace_name(get_rel_namespace(relid));
	char	   *name = get_rel_name(relid);

	if (schema == NULL || name == NULL)
		elog(ERROR, "cache lookup failed for relation %u", relid);
	return quote_qualified_identifier(schema, name);
}

static void
run_command(const char *command)
{
	int			rc;

	SPI_connect();
	rc = SPI_execute(command, false, 0);
	if (rc != SPI_OK_UTILITY)
		elog(ERROR, "command failed: %s", SPI_result_code_string(rc));
	SPI_finish();
}
