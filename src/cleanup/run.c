/*-------------------------------------------------------------------------
 *
 * run.c
 *	  Deletes the old rows of one table, batch after batch.
 *
 * A batch is one transaction where the caller may commit, and takes about as
 * long as the policy says: the pages of the next one follow from the time of
 * the last.  Small batches are the fast ones here, because nobody waits for
 * them and the pages they dirty are visited once.  What others have locked is
 * left aside and tried once more at the end.
 *
 * Between batches nothing is held but an advisory lock of our own on the
 * table, by which two runs at once are told from one another, and one that
 * was cut off from one that works.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "cleanup/run.h"
#include "core/attempt.h"
#include "core/compat.h"
#include "core/procedure.h"
#include "core/relation.h"
#include "core/scope.h"
#include "executor/instrument.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/bufmgr.h"
#include "storage/lock.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Batches begin small: nobody knows what triggers and cascades cost. */
#define FIRST_PAGES		4

/* What a row is thought to cost before the first one went. */
#define ROW_MS			0.005
#define CASCADE_MS		0.1

/* And how many there are on a page of a table that was never analyzed. */
#define ROWS_PER_PAGE	60

static void end_after_error(OpsCleaning *run);
static void log_cancel(OpsCleaning *run);
static void log_end(void *arg);
static bool take_lock(const OpsJob *job, const OpsTarget *target);
static void release_lock(const OpsJob *job, const OpsTarget *target);
static void work(OpsCleaning *run, const ErrorData *trouble);
static void drop_partition(OpsCleaning *run);
static void delete_rows(OpsCleaning *run);
static bool list(OpsCleaning *run, OpsWork how);
static void list_blocks(void *arg);
static void list_new_blocks(void *arg);
static Relation open_table(const OpsTarget *target);
static bool delete_listed(OpsCleaning *run);
static bool delete_batch(OpsCleaning *run, OpsBatch *batch);

/* This session has a run, whose triggers could ask for another. */
static bool at_work = false;

/*
 * Delete what is old in one table, as far as the job's limits let it.
 *
 * Raises nothing but cancels and shutdowns: what went wrong is in the outcome,
 * which is the job's memory.  Needs an SPI connection.
 */
OpsOutcome *
ops_run_target(OpsJob *job, OpsTarget *target, const OpsEstimate *estimate,
			   const ErrorData *trouble)
{
	MemoryContext caller = MemoryContextSwitchTo(job->context);
	OpsOutcome *outcome = palloc0(sizeof(OpsOutcome));
	OpsCleaning run = {.job = job,.target = target,.estimate = estimate,
	.outcome = outcome};

	outcome->target = target;
	outcome->status = "done";
	if (at_work)
	{
		outcome->status = "stopped";
		outcome->stopped = _("a trigger of a run called for another run");
		MemoryContextSwitchTo(caller);
		return outcome;
	}
	if (!take_lock(job, target))
	{
		outcome->status = "stopped";
		outcome->stopped = psprintf(_("another run works on this table, process %d"),
									ops_log_runner(target->relid));
		MemoryContextSwitchTo(caller);
		return outcome;
	}
	run.own = AllocSetContextCreate(job->context,
									"operations_runbook cleanup",
									ALLOCSET_DEFAULT_SIZES);
	run.per_batch = AllocSetContextCreate(run.own,
										  "operations_runbook batch",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(run.own);
	at_work = true;
	PG_TRY();
	{
		work(&run, trouble);
	}
	PG_CATCH();
	{
		at_work = false;
		MemoryContextSwitchTo(run.own);
		end_after_error(&run);
		PG_RE_THROW();
	}
	PG_END_TRY();
	at_work = false;
	release_lock(job, target);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(run.own);
	return outcome;
}

/*
 * The lock is given back whatever happens, for the session goes on.
 */
static void
end_after_error(OpsCleaning *run)
{
	PG_TRY();
	{
		if (run->safe && run->job->may_commit && run->outcome->run_id != 0)
			log_cancel(run);
	}
	PG_CATCH();
	{
		release_lock(run->job, run->target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	release_lock(run->job, run->target);
}

/*
 * Somebody cancelled the statement: what is done is committed already, and
 * the log can still say why there is no more.  If it cannot, the next run
 * says so.
 *
 * Rows of a page that were deleted one by one, and not written down yet, come
 * back.
 */
static void
log_cancel(OpsCleaning *run)
{
	ErrorData  *error = CopyErrorData();

	if (error->sqlerrcode != ERRCODE_QUERY_CANCELED)
		return;
	FlushErrorState();
	run->safe = false;
	ops_procedure_rollback();
	ops_cancel_run(run);
	run->outcome->stopped = error->message;
	if (ops_attempt(log_end, run) == NULL)
		ops_procedure_commit();
	ReThrowError(error);
}

static void
log_end(void *arg)
{
	OpsCleaning *run = arg;

	ops_detach_settle(run);
	ops_log_end(run->outcome);
}

/*
 * One run at a time for a table: held through commits where there are any,
 * and else until the caller's transaction ends, for nobody sees before what
 * was deleted.
 */
static bool
take_lock(const OpsJob *job, const OpsTarget *target)
{
	LOCKTAG		tag;
	LockAcquireResult result;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, target->relid, RUN_LOCK_CLASS,
						 RUN_LOCK_KIND);
	result = LockAcquire(&tag, ExclusiveLock, job->may_commit, true);
	if (result == LOCKACQUIRE_ALREADY_HELD && job->may_commit)
	{
		/* A trigger of ours that calls for another run. */
		(void) LockRelease(&tag, ExclusiveLock, true);
		return false;
	}
	return result != LOCKACQUIRE_NOT_AVAIL;
}

static void
release_lock(const OpsJob *job, const OpsTarget *target)
{
	LOCKTAG		tag;

	if (!job->may_commit)
		return;
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, target->relid, RUN_LOCK_CLASS,
						 RUN_LOCK_KIND);
	(void) LockRelease(&tag, ExclusiveLock, true);
}

static void
work(OpsCleaning *run, const ErrorData *trouble)
{
	OpsOutcome *outcome = run->outcome;
	const OpsTarget *target = run->target;
	const OpsGuard *guard = ops_cleanup_stop(target);

	outcome->method = target->expired && run->job->may_commit ?
		(target->policy->partitions == OPS_PARTITIONS_DETACH ?
		 "detach partition" : "drop partition")
		: OidIsValid(target->index) ? "index blocks" : "block sweep";
	outcome->run_id = ops_log_start(target, outcome->method,
									run->estimate, run->job->job_id);
	if (run->job->job_id == 0)
		run->job->job_id = outcome->run_id;
	ops_commit_run(run);

	if (guard)
	{
		ops_stop_run(run, psprintf("guard %s: %s", guard->name, guard->message));
		outcome->guard = guard;
	}
	else if (trouble)
		ops_fail_run(run, trouble);
	else if (target->expired && run->job->may_commit)
		drop_partition(run);
	else if (target->has_deferrable && !run->job->may_commit && IsTransactionBlock())
		ops_stop_run(run, _("constraints can be deferred, which a batch would undo for all of the transaction block"));
	else
		delete_rows(run);
	ops_log_end(outcome);
	ops_commit_run(run);
}

static void
drop_partition(OpsCleaning *run)
{
	OpsOutcome *outcome = run->outcome;
	const char *reason = NULL;

	run->wal_before = pgWalUsage.wal_bytes;
	ops_detach(run);
	run->safe = false;
	if (ops_cleanup_partition(run->target, true, &reason))
	{
		outcome->finished = true;
		outcome->pages = run->target->blocks;
	}
	else
		ops_stop_run(run, reason);
	ops_commit_run(run);
	outcome->wal_bytes = pgWalUsage.wal_bytes - run->wal_before;
}

static void
delete_rows(OpsCleaning *run)
{
	run->deleter = ops_deleter_create(run->target);
	run->pages = FIRST_PAGES;
	run->ms_per_row = run->target->references || run->target->has_deferrable ?
		CASCADE_MS : ROW_MS;
	run->rows_per_page = run->target->reltuples > 0 && run->target->blocks > 0 ?
		run->target->reltuples / run->target->blocks : ROWS_PER_PAGE;
	do
	{
		run->rewritten = false;
		run->kept = 0;
		run->nleft = 0;
		if (list(run, list_blocks) && delete_listed(run) &&
			list(run, list_new_blocks) && delete_listed(run) &&
			ops_visit_again(run))
			break;

		/* Rows have moved, so the list is of no use any more. */
	} while (run->rewritten);
	if (run->outcome->stopped)
		return;
	run->outcome->skipped += run->kept;
	if (run->job->max_rows == 0)
		ops_stop_run(run, _("max_rows are deleted"));
	else if (run->outcome->skipped == 0)
	{
		run->outcome->error = NULL;
		run->outcome->finished = true;
	}
	else
		ops_stop_run(run, _("rows are left that locks, constraints or triggers keep"));
}

/*
 * Find the pages to visit; false if that failed.
 */
static bool
list(OpsCleaning *run, OpsWork how)
{
	ErrorData  *error;

	if (!ops_lock_target(run))
		return false;
	error = ops_attempt(how, run);
	if (error)
	{
		ops_fail_run(run, error);
		return false;
	}
	ops_commit_run(run);
	return true;
}

static void
list_blocks(void *arg)
{
	OpsCleaning *run = arg;
	OpsTarget  *target = run->target;
	Relation	table = open_table(target);
	OpsScope	scope;

	run->end = RelationGetNumberOfBlocks(table);
	run->file = table->rd_rel->relfilenode;
	run->blocks = NULL;
	if (OidIsValid(target->index))
	{
		ops_scope_enter(&scope, target->run_as);
		run->blocks = ops_blocks_of_index(target);
		ops_scope_leave(&scope);
	}
	if (run->blocks == NULL)
		run->blocks = ops_blocks_of_range(0, run->end);
	relation_close(table, NoLock);
}

/*
 * Pages that the table got meanwhile: an old row that was changed, or one that
 * was inserted with an old time, is there.
 */
static void
list_new_blocks(void *arg)
{
	OpsCleaning *run = arg;
	Relation	table = open_table(run->target);
	BlockNumber end = RelationGetNumberOfBlocks(table);

	run->blocks = ops_blocks_of_range(run->end, end);
	run->end = end;
	relation_close(table, NoLock);
}

static Relation
open_table(const OpsTarget *target)
{
	Relation	table = try_relation_open(target->relid, NoLock);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table %s was dropped", target->name)));
	return table;
}

/*
 * Delete from all pages of the list; false if the run is to end.
 */
static bool
delete_listed(OpsCleaning *run)
{
	OpsBatch	batch;
	bool		go_on = true;

	while (go_on && ops_may_go_on(run))
	{
		MemoryContext caller = MemoryContextSwitchTo(run->per_batch);

		batch.pages = ops_blocks_next(run->blocks, run->pages, batch.runs,
									  &batch.nruns);
		if (batch.pages > 0)
			go_on = delete_batch(run, &batch);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(run->per_batch);
		if (batch.pages == 0)
			return true;
	}
	return false;
}

/*
 * One batch, or what has to be done in its place because rows are locked;
 * false if the run is to end.
 */
static bool
delete_batch(OpsCleaning *run, OpsBatch *batch)
{
	ErrorData  *error;

	if (!ops_begin_batch(run, batch))
		return false;
	error = ops_delete(run->deleter, batch);
	if (error && ops_is_lock_error(error))
		error = ops_delete_unlocked(run->deleter, batch);
	if (error && ops_is_of_rows(error))
		return ops_delete_pages(run, batch);
	if (error)
	{
		ops_fail_run(run, error);
		return false;
	}
	return ops_finish_batch(run, batch);
}
