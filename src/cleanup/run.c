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
#include "cleanup/job.h"
#include "core/attempt.h"
#include "core/compat.h"
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
#define MOST_PAGES		8192

/* Pages that turn out full take at most so many times as long as planned. */
#define MOST_SURPRISE	4.0

/* What a row is thought to cost before the first one went. */
#define ROW_MS			0.005
#define CASCADE_MS		0.1

/* And how many there are on a page of a table that was never analyzed. */
#define ROWS_PER_PAGE	60

/* Compressed WAL evens out the latency of everybody, if it is quick. */
#ifdef USE_LZ4
#define WAL_COMPRESSION	"lz4"
#else
#define WAL_COMPRESSION	"pglz"
#endif

/* Pages that are set aside; the run stops beyond. */
#define MOST_LEFT		(1024 * 1024)

/* A locked table is asked for again so often. */
#define TABLE_TRIES		20
#define TABLE_WAIT_MS	50

/* Rows of a page that turn out locked before the rest is left as well. */
#define VAIN_ATTEMPTS	8

/* How long to let others work before the signs are read again. */
#define PRESSURE_WAIT_MS	250

typedef struct Run
{
	OpsJob	   *job;
	OpsTarget  *target;
	OpsOutcome *outcome;
	OpsDeleter *deleter;
	const OpsEstimate *estimate;	/* NULL: none was made */
	OpsBlocks  *blocks;
	BlockNumber end;			/* pages of the table when it was looked at */
	MemoryContext own;
	MemoryContext per_batch;
	int			pages;			/* of the next batch */
	double		ms_per_row;		/* of what was deleted so far, or a guess */
	double		rows_per_page;	/* at most, as far as we know */
	instr_time	started;		/* the batch */
	int64		wal_before;
	int			nleft;
	int			space;			/* for pages */
	BlockNumber *left;			/* pages to visit again */
	bool		safe;			/* an error would leave a transaction that can
								 * still be committed */
} Run;

static void log_cancel(Run *run);
static bool take_lock(const OpsJob *job, const OpsTarget *target);
static void release_lock(const OpsJob *job, const OpsTarget *target);
static void work(Run *run);
static void drop_partition(Run *run);
static void delete_rows(Run *run);
static bool list(Run *run, OpsWork how);
static void list_blocks(void *arg);
static void list_new_blocks(void *arg);
static Relation open_table(const OpsTarget *target);
static bool delete_listed(Run *run);
static bool delete_batch(Run *run, OpsBatch *batch);
static bool is_of_rows(const ErrorData *error);
static bool delete_pages(Run *run, const OpsBatch *batch);
static bool delete_page(Run *run, BlockNumber block);
static OpsBatch one_page(BlockNumber block);
static bool visit_again(Run *run);
static bool visit_while_it_helps(Run *run, bool (*visit) (Run *run, BlockNumber block));
static bool delete_singly(Run *run, BlockNumber block);
static void note_error(Run *run, const ErrorData *error);
static void set_aside(Run *run, BlockNumber block);
static bool may_go_on(Run *run);
static bool begin(Run *run, OpsBatch *batch);
static bool lock_table(Run *run);
static void set_until_commit(const char *name, const char *value);
static bool finish(Run *run, OpsBatch *batch);
static double elapsed_ms(const Run *run);
static void steer(Run *run, const OpsBatch *batch, double ms, bool waited_for);
static void commit(Run *run);
static void report_progress(Run *run);
static bool report_is_due(const Run *run);
static void fail(Run *run, const ErrorData *error);
static void stop(Run *run, const char *why);
static void cancel(Run *run);

/*
 * Delete what is old in one table, as far as the job's limits let it.
 *
 * Raises nothing but cancels and shutdowns: what went wrong is in the outcome,
 * which is the job's memory.  Needs an SPI connection.
 */
OpsOutcome *
ops_run_target(OpsJob *job, OpsTarget *target, const OpsEstimate *estimate)
{
	MemoryContext caller = MemoryContextSwitchTo(job->context);
	OpsOutcome *outcome = palloc0(sizeof(OpsOutcome));
	Run			run = {.job = job,.target = target,.estimate = estimate,.outcome = outcome};

	outcome->target = target;
	outcome->status = "done";
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
	PG_TRY();
	{
		work(&run);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(run.own);
		if (run.safe && job->may_commit && outcome->run_id != 0)
			log_cancel(&run);
		release_lock(job, target);
		PG_RE_THROW();
	}
	PG_END_TRY();
	release_lock(job, target);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(run.own);
	return outcome;
}

/*
 * Somebody cancelled the statement: what is done is committed already, and
 * the log can still say why there is no more.
 */
static void
log_cancel(Run *run)
{
	ErrorData  *error = CopyErrorData();

	if (error->sqlerrcode != ERRCODE_QUERY_CANCELED)
		return;
	FlushErrorState();
	run->safe = false;
	cancel(run);
	run->outcome->stopped = error->message;
	ops_log_end(run->outcome);
	ops_job_commit();
	release_lock(run->job, run->target);
	ReThrowError(error);
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
work(Run *run)
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
	commit(run);

	if (guard)
	{
		stop(run, psprintf("guard %s: %s", guard->name, guard->message));
		outcome->guard = guard;
	}
	else if (target->expired && run->job->may_commit)
		drop_partition(run);
	else
		delete_rows(run);
	ops_log_end(outcome);
	commit(run);
}

static void
drop_partition(Run *run)
{
	OpsOutcome *outcome = run->outcome;
	const char *reason = NULL;

	run->wal_before = pgWalUsage.wal_bytes;
	run->safe = false;
	if (ops_cleanup_partition(run->target, true, &reason))
	{
		outcome->finished = true;
		outcome->pages = run->target->blocks;
	}
	else
		stop(run, reason);
	commit(run);
	outcome->wal_bytes = pgWalUsage.wal_bytes - run->wal_before;
}

static void
delete_rows(Run *run)
{
	run->deleter = ops_deleter_create(run->target);
	run->pages = FIRST_PAGES;
	run->ms_per_row = run->target->references || run->target->has_deferrable ?
		CASCADE_MS : ROW_MS;
	run->rows_per_page = run->target->reltuples > 0 && run->target->blocks > 0 ?
		run->target->reltuples / run->target->blocks : ROWS_PER_PAGE;
	if (!list(run, list_blocks) || !delete_listed(run) ||
		!list(run, list_new_blocks) || !delete_listed(run) ||
		!visit_again(run))
		return;
	if (run->outcome->skipped == 0)
	{
		run->outcome->error = NULL;
		run->outcome->finished = true;
	}
	else if (run->outcome->error)
		stop(run, _("rows are left that constraints, triggers or locks keep"));
	else
		stop(run, _("others have locked the rows that are left"));
}

/*
 * Find the pages to visit; false if that failed.
 */
static bool
list(Run *run, OpsWork how)
{
	ErrorData  *error;

	if (!lock_table(run))
		return false;
	error = ops_attempt(how, run);
	if (error)
	{
		fail(run, error);
		return false;
	}
	commit(run);
	return true;
}

static void
list_blocks(void *arg)
{
	Run		   *run = arg;
	OpsTarget  *target = run->target;
	Relation	table = open_table(target);
	OpsScope	scope;

	run->end = RelationGetNumberOfBlocks(table);
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
	Run		   *run = arg;
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
delete_listed(Run *run)
{
	OpsBatch	batch;
	bool		go_on = true;

	while (go_on && may_go_on(run))
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
delete_batch(Run *run, OpsBatch *batch)
{
	ErrorData  *error;

	if (!begin(run, batch))
		return false;
	error = ops_delete(run->deleter, batch);
	if (error && ops_is_lock_error(error))
		error = ops_delete_unlocked(run->deleter, batch);
	if (error && is_of_rows(error))
		return delete_pages(run, batch);
	if (error)
	{
		fail(run, error);
		return false;
	}
	return finish(run, batch);
}

/*
 * Errors that some rows are to blame for and that others need not suffer from:
 * something of theirs is locked, or a constraint or a trigger keeps them.
 */
static bool
is_of_rows(const ErrorData *error)
{
	return ops_is_lock_error(error) ||
		error->sqlerrcode == ERRCODE_RAISE_EXCEPTION ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION;
}

/*
 * Not the rows themselves are locked but others that go with them, or some
 * cannot go at all, so it has to be found out page by page which these are.
 */
static bool
delete_pages(Run *run, const OpsBatch *batch)
{
	for (int i = 0; i < batch->nruns; i++)
	{
		BlockNumber block = batch->runs[i].first;

		commit(run);
		for (; block <= batch->runs[i].last; block++)
		{
			if (!may_go_on(run) || !delete_page(run, block))
				return false;
		}
	}
	return true;
}

static bool
delete_page(Run *run, BlockNumber block)
{
	OpsBatch	batch = one_page(block);
	ErrorData  *error;

	if (!begin(run, &batch))
		return false;
	error = ops_delete_unlocked(run->deleter, &batch);
	if (error && is_of_rows(error))
	{
		set_aside(run, block);
		commit(run);
		return true;
	}
	if (error)
	{
		fail(run, error);
		return false;
	}
	return finish(run, &batch);
}

static OpsBatch
one_page(BlockNumber block)
{
	OpsBatch	batch = {.nruns = 1,.pages = 1};

	batch.runs[0].first = block;
	batch.runs[0].last = block;
	return batch;
}

/*
 * Visit the pages again that were set aside, last ones first, as long as that
 * helps: rows that refer to others of the table mostly lie behind them.  What
 * stays then is left for the next run.
 */
static bool
visit_again(Run *run)
{
	return visit_while_it_helps(run, delete_page) &&
		visit_while_it_helps(run, delete_singly);
}

static bool
visit_while_it_helps(Run *run, bool (*visit) (Run *run, BlockNumber block))
{
	int64		before;

	do
	{
		int			nleft = run->nleft;
		BlockNumber *left = run->left;

		before = run->outcome->deleted;
		run->outcome->skipped = 0;
		run->nleft = 0;
		run->left = NULL;
		while (nleft > 0)
		{
			if (!may_go_on(run) || !visit(run, left[--nleft]))
				return false;
		}
		if (left)
			pfree(left);
	} while (run->nleft > 0 && run->outcome->deleted > before);
	return true;
}

/*
 * Row by row, where others keep something locked that goes with a row or a
 * constraint keeps one, and count those that stay.  Whoever waits for what is gone already is let go
 * after each vain attempt, and there are not many of these.
 */
static bool
delete_singly(Run *run, BlockNumber block)
{
	OpsBatch	batch = one_page(block);
	OpsLeft		left;
	ErrorData  *error;
	int			vain = 0;
	int			kept = 0;

	if (!begin(run, &batch))
		return false;
	error = ops_list_left(run->deleter, block, &left);
	for (int i = left.nrows - 1; i >= 0 && error == NULL; i--)
	{
		int64		deleted = 0;

		if (batch.max_rows >= 0 && batch.deleted >= batch.max_rows)
			break;
		if (vain < VAIN_ATTEMPTS)
			error = ops_delete_row(run->deleter, &left.rows[i], &deleted);
		batch.deleted += deleted;
		if (deleted > 0)
			continue;
		kept++;
		if (error && ops_is_lock_error(error))
		{
			vain++;
			error = NULL;
			if (!finish(run, &batch) || !begin(run, &batch))
				return false;
			batch.deleted = 0;
		}
		else if (error && is_of_rows(error))
		{
			note_error(run, error);
			error = NULL;
		}
	}
	if (error)
	{
		fail(run, error);
		return false;
	}
	if (!finish(run, &batch))
		return false;
	if (kept > 0)
		set_aside(run, block);
	run->outcome->skipped += kept;
	return true;
}

/*
 * The error that kept the first row of the last pass.
 */
static void
note_error(Run *run, const ErrorData *error)
{
	if (run->outcome->skipped == 0)
		run->outcome->error = MemoryContextStrdup(run->job->context,
												  error->message);
}

static void
set_aside(Run *run, BlockNumber block)
{
	if (run->left == NULL)
	{
		run->space = 64;
		run->left = MemoryContextAlloc(run->own,
									   run->space * sizeof(BlockNumber));
	}
	if (run->nleft == run->space)
	{
		run->space *= 2;
		run->left = repalloc(run->left, run->space * sizeof(BlockNumber));
	}
	run->left[run->nleft++] = block;
}

/*
 * Whether the limits allow another batch.  Waits while there are signs that
 * the server has more urgent work, unless they are to end the run.
 */
static bool
may_go_on(Run *run)
{
	OpsJob	   *job = run->job;

	for (;;)
	{
		const char *sign;

		CHECK_FOR_INTERRUPTS();
		if (job->max_rows == 0)
		{
			stop(run, _("max_rows are deleted"));
			return false;
		}
		if (job->stop_at != 0 && GetCurrentTimestamp() >= job->stop_at)
		{
			stop(run, _("the time is up"));
			return false;
		}
		if (run->nleft >= MOST_LEFT)
		{
			stop(run, _("rows on too many pages are kept by locks or constraints"));
			return false;
		}
		run->safe = false;
		sign = ops_throttle_sign(&job->throttle);
		if (sign == NULL)
		{
			run->safe = true;
			return true;
		}
		if (job->throttle.stop)
		{
			stop(run, sign);
			return false;
		}
		if (ops_log_cancelled(run->outcome->run_id))
		{
			cancel(run);
			return false;
		}

		/* A client that is gone is noticed by telling it. */
		if (report_is_due(run))
			ereport(NOTICE,
					(errmsg("table %s: waiting, for %s", run->target->name, sign)));
		commit(run);
		ops_throttle_sleep(PRESSURE_WAIT_MS);
	}
}

/*
 * Begin a batch: lock the table, if that can be had soon, and set what counts
 * until the commit; false if it cannot be had.
 *
 * Losing the last commits in a crash is no loss: their rows are deleted again,
 * and the log knows no better.
 */
static bool
begin(Run *run, OpsBatch *batch)
{
	OpsJob	   *job = run->job;

	if (!lock_table(run))
		return false;
	INSTR_TIME_SET_CURRENT(run->started);
	run->wal_before = pgWalUsage.wal_bytes;
	if (job->may_commit)
		set_until_commit("synchronous_commit", "off");
	if (job->compress)
		set_until_commit("wal_compression", WAL_COMPRESSION);

	batch->max_rows = job->max_rows;
	if (job->max_rows >= (int64) batch->pages * MaxHeapTuplesPerPage * 2)
		batch->max_rows = -1;
	return true;
}

/*
 * Lock the table until the next commit; false, and the run is stopped, if that
 * cannot be had soon.  A caller who may not commit does not wait for it at
 * all: others can be waiting for what he has locked before.
 */
static bool
lock_table(Run *run)
{
	int			holder;

	for (int tries = 1;; tries++)
	{
		if (ops_relation_try_lock_mode(run->target->relid, RowExclusiveLock,
									   &holder))
			return true;
		if (tries == TABLE_TRIES || !run->job->may_commit)
			break;
		commit(run);
		ops_throttle_sleep(TABLE_WAIT_MS);
	}
	stop(run, psprintf("table %s is locked by process %d", run->target->name,
					   holder));
	return false;
}

static void
set_until_commit(const char *name, const char *value)
{
	(void) set_config_option(name, value,
							 superuser() ? PGC_SUSET : PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * End a batch: write it down, commit, and let its time say how large the next
 * one is; false if somebody asked the run to stop.
 */
static bool
finish(Run *run, OpsBatch *batch)
{
	OpsOutcome *outcome = run->outcome;
	OpsJob	   *job = run->job;
	bool		waited_for = ops_delete_waiters(run->deleter) > 0;
	bool		cancelled = false;
	double		ms;

	for (int i = 0; i < batch->nleft; i++)
		set_aside(run, batch->left[i]);
	if (batch->deleted > 0)
	{
		run->safe = false;
		cancelled = ops_log_batch(outcome->run_id, outcome->batches + 1, batch,
								  elapsed_ms(run));
		outcome->batches++;
	}
	commit(run);
	ms = elapsed_ms(run);

	outcome->deleted += batch->deleted;
	outcome->pages += batch->pages;
	outcome->wal_bytes += pgWalUsage.wal_bytes - run->wal_before;
	outcome->longest_ms = Max(outcome->longest_ms, ms);
	if (job->max_rows >= 0)
		job->max_rows -= batch->deleted;
	steer(run, batch, ms, waited_for);
	report_progress(run);
	if (cancelled)
	{
		cancel(run);
		return false;
	}
	if (job->may_commit && job->throttle.duty < 1)
		ops_throttle_sleep(ms * (1 / job->throttle.duty - 1));
	return true;
}

static double
elapsed_ms(const Run *run)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, run->started);
	return INSTR_TIME_GET_MILLISEC(now);
}

/*
 * Pages of the next batch, so that it takes about as long as it should, and
 * not far too long if its pages are all full of old rows when those of this
 * one were not.  No more than now if somebody waited for us.
 */
static void
steer(Run *run, const OpsBatch *batch, double ms, bool waited_for)
{
	double		goal = run->job->batch_ms > 0 ? run->job->batch_ms
		: run->target->policy->batch_ms;
	double		factor = Max(Min(goal / Max(ms, 0.01), 2.0), 0.1);
	double		pages;

	if (batch->deleted > 0)
	{
		double		ms_per_row = ms / batch->deleted;

		/* Batches of few rows say more of the pages than of the rows. */
		if (ms_per_row < run->ms_per_row)
			run->ms_per_row = ms_per_row;
		else
			run->ms_per_row += (ms_per_row - run->ms_per_row) / 8;
		run->rows_per_page = Max(run->rows_per_page,
								 (double) batch->deleted / batch->pages);
	}
	if (waited_for)
		factor = Min(factor, 0.5);
	if (factor > 1 && batch->pages < run->pages)
		return;
	pages = run->pages * factor;
	pages = Min(pages,
				MOST_SURPRISE * goal / (run->ms_per_row * run->rows_per_page));
	run->pages = (int) Min(Max(pages, 1), MOST_PAGES);
}

/*
 * Commit, where the caller may, and be ready for the next transaction.
 */
static void
commit(Run *run)
{
	if (run->job->may_commit)
	{
		run->safe = false;
		ops_job_commit();
	}
	run->safe = true;
}

static void
report_progress(Run *run)
{
	OpsOutcome *outcome = run->outcome;

	if (!report_is_due(run))
		return;
	ereport(NOTICE,
			(errmsg("table %s: " INT64_FORMAT " of about %.0f rows deleted, in " INT64_FORMAT " batches, the longest of %.1f ms",
					run->target->name, outcome->deleted,
					Max(run->estimate ? run->estimate->rows : 0,
						(double) outcome->deleted),
					outcome->batches, outcome->longest_ms)));
}

static bool
report_is_due(const Run *run)
{
	OpsJob	   *job = run->job;
	TimestampTz now;

	if (job->progress_ms == 0)
		return false;
	now = GetCurrentTimestamp();
	if (!TimestampDifferenceExceeds(job->reported, now, job->progress_ms))
		return false;
	job->reported = now;
	return true;
}

static void
fail(Run *run, const ErrorData *error)
{
	OpsOutcome *outcome = run->outcome;

	if (ops_is_lock_error(error))
	{
		stop(run, error->message);
		return;
	}
	outcome->status = "failed";
	outcome->stopped = _("an error");
	outcome->error = MemoryContextStrdup(run->job->context, error->message);
	outcome->error_code = error->sqlerrcode;
}

static void
stop(Run *run, const char *why)
{
	run->outcome->status = "stopped";
	run->outcome->stopped = MemoryContextStrdup(run->job->context, why);
}

static void
cancel(Run *run)
{
	run->outcome->status = "cancelled";
	run->outcome->stopped = _("ops.cancel_cleanup() was called");
}
