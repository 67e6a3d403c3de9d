/*-------------------------------------------------------------------------
 *
 * detach.c
 *	  A partition leaves its table while others use both.
 *
 * DETACH PARTITION CONCURRENTLY marks the partition, commits, waits for all
 * transactions that use the table, and finishes.  It locks nobody out of the
 * table, but it cannot run in a procedure: a background worker runs it, as the
 * role that the policy runs as, while we hold nothing that it could wait for.
 *
 * If it is ended in between, the partition is left with its mark, which later
 * commands finish.  Whether such a partition, or a table that is none any
 * more, is one of ours only the log can tell: it says so before we begin, and
 * takes it back if nothing came of it.
 *
 * The command takes names.  They are looked up the moment before; whoever
 * gives two partitions each other's names in that moment gets the wrong one
 * detached, but never dropped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "cleanup/run.h"
#include "cleanup/target.h"
#include "core/procedure.h"
#include "core/worker.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

/* How long to wait for transactions that use the table, if the job's time is
 * not up before, and to queue for the partition's own lock once they are gone. */
#define PATIENCE_MS		30000
#define LEAST_MS		1000
#define QUEUE_MS		50

static bool has_detaching(Oid parent);
static int	patience(const OpsJob *job);
static char *detach_command(const OpsTarget *target);

/*
 * Whether an expired partition can leave its table concurrently; if not, the
 * reason, as a clause.
 */
bool
ops_cleanup_concurrent(const OpsTarget *target, const char **why_not)
{
	OpsCommandResult result;
	bool		detaching;
	Oid			parent = ops_target_parent(target->relid, &detaching);

	*why_not = NULL;
	if (!OidIsValid(parent) || detaching)
		*why_not = _("the partition is detached, or about to be");
	else if (target->persistence == RELPERSISTENCE_TEMP)
		*why_not = _("the table is temporary");
	else if (OidIsValid(get_default_partition_oid(parent)))
		*why_not = _("the table has a default partition");
	else if (has_detaching(parent))
		*why_not = _("another partition of the table is being detached");
	else if (!ops_worker_possible(target->run_as, &result))
		*why_not = result.message;
	return *why_not == NULL;
}

/*
 * Whether a partition of the table is neither attached nor detached.
 */
static bool
has_detaching(Oid parent)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	bool		found = false;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(parent));
	scan = systable_beginscan(catalog, InheritsParentIndexId, true, NULL, 1,
							  &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
		found = ((Form_pg_inherits) GETSTRUCT(tuple))->inhdetachpending;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/*
 * Take the partition off its table, if that can be done concurrently.
 *
 * What became of it the catalogs say; if it is attached still, the caller has
 * other ways.  A cancel finds a transaction that can be committed.
 */
void
ops_detach(OpsCleaning *run)
{
	OpsTarget  *target = run->target;
	OpsSetting	settings[] = {
		{"lock_timeout", "0"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
	};
	OpsCommand	command = {
		.role = target->run_as,
		.settings = settings,
		.nsettings = lengthof(settings),
		.timeout_ms = patience(run->job),
		.queue_ms = QUEUE_MS,
	};
	OpsCommandResult result;
	const char *why_not;

	if (target->detaching || !ops_target_still_expired(target) ||
		!ops_cleanup_concurrent(target, &why_not))
		return;
	command.sql = detach_command(target);
	run->safe = false;
	ops_log_detaching(run->outcome->run_id, true);
	target->detaching = true;
	ops_procedure_release();
	run->safe = true;
	result.end = OPS_COMMAND_DONE;
	if (!HaveRegisteredOrActiveSnapshot())
		ops_worker_run(&command, &result);
	ops_commit_run(run);
	if (result.end != OPS_COMMAND_DONE)
		ereport(DEBUG1,
				(errmsg("partition %s was not detached concurrently: %s",
						target->name, result.message)));
	ops_detach_settle(run);
	ops_commit_run(run);
}

static int
patience(const OpsJob *job)
{
	long		left;

	if (job->stop_at == 0)
		return PATIENCE_MS;
	left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), job->stop_at);
	return (int) Max(Min(left, PATIENCE_MS), LEAST_MS);
}

/*
 * If a partition is attached as it was, no run has begun to detach it.
 */
void
ops_detach_settle(OpsCleaning *run)
{
	OpsTarget  *target = run->target;
	bool		detaching;

	if (!target->detaching ||
		!OidIsValid(ops_target_parent(target->relid, &detaching)) || detaching)
		return;
	target->detaching = false;
	ops_log_detaching(run->outcome->run_id, false);
}

static char *
detach_command(const OpsTarget *target)
{
	bool		detaching;
	Oid			parent = ops_target_parent(target->relid, &detaching);

	return psprintf("ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY",
					ops_target_quoted_name(parent),
					ops_target_quoted_name(target->relid));
}
