/*-------------------------------------------------------------------------
 *
 * pace.c
 *	  When a batch may begin, and how large it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "cleanup/run.h"
#include "core/procedure.h"
#include "core/relation.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Pages of a batch, at most */
#define MOST_PAGES		8192

/*
 * Where others work: what part of its time a batch takes, and which share of
 * the time is worked, unless the caller has said one.  Measured with
 * test/bench/cleanup.sh: what others notice is how much WAL is written at once,
 * then how often.
 */
#define SHARED_BATCH	0.25
#define SHARED_DUTY		0.5

/* Pages that turn out full take at most so many times as long as planned. */
#define MOST_SURPRISE	4.0

/* It takes some time, least with this. */
#ifdef USE_LZ4
#define WAL_COMPRESSION	"lz4"
#else
#define WAL_COMPRESSION	"pglz"
#endif

/* A locked table is asked for again so often. */
#define TABLE_TRIES		20
#define TABLE_WAIT_MS	50

/* How long to let others work before the signs are read again. */
#define PRESSURE_WAIT_MS	250

static void set_until_commit(const char *name, const char *value);
static void let_others_work(double ms);
static void pause_after(const OpsCleaning *run);
static double elapsed_ms(const OpsCleaning *run);
static double target_ms(const OpsCleaning *run);
static void steer(OpsCleaning *run, const OpsBatch *batch, double ms,
				  bool waited_for);
static void report_progress(OpsCleaning *run);
static bool report_is_due(const OpsCleaning *run);

/*
 * Whether the limits allow another batch.  Waits while there are signs that
 * the server has more urgent work, unless they are to end the run.
 */
bool
ops_may_go_on(OpsCleaning *run)
{
	OpsJob	   *job = run->job;

	for (;;)
	{
		const char *sign;

		CHECK_FOR_INTERRUPTS();
		if (job->max_rows == 0)
		{
			ops_stop_run(run, _("max_rows are deleted"));
			return false;
		}
		if (job->stop_at != 0 && GetCurrentTimestamp() >= job->stop_at)
		{
			ops_stop_run(run, _("the time is up"));
			return false;
		}
		if (run->nleft >= OPS_MOST_LEFT)
		{
			ops_stop_run(run, _("rows on too many pages are kept by locks or constraints"));
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
			ops_stop_run(run, sign);
			return false;
		}
		if (ops_log_cancelled(run->outcome->run_id))
		{
			ops_cancel_run(run);
			return false;
		}

		/* A client that is gone is noticed by telling it. */
		if (report_is_due(run))
			ereport(NOTICE,
					(errmsg("table %s: waiting, for %s", run->target->name, sign)));
		ops_commit_run(run);
		let_others_work(PRESSURE_WAIT_MS);
	}
}

/*
 * Begin a batch: lock the table, if that can be had soon, and set what counts
 * until the commit; false if it cannot be had, or if its rows are elsewhere now.
 *
 * Losing the last commits in a crash is no loss: their rows are deleted again,
 * and the log knows no better.
 */
bool
ops_begin_batch(OpsCleaning *run, OpsBatch *batch)
{
	OpsJob	   *job = run->job;

	if (!ops_lock_target(run))
		return false;
	if (ops_relation_filenumber(run->target->relid) != run->file)
	{
		run->rewritten = true;
		return false;
	}
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
bool
ops_lock_target(OpsCleaning *run)
{
	int			holder;

	for (int tries = 1;; tries++)
	{
		if (ops_relation_try_lock_mode(run->target->relid, RowExclusiveLock,
									   &holder))
			return true;
		if (tries == TABLE_TRIES || !run->job->may_commit)
			break;
		ops_commit_run(run);
		let_others_work(TABLE_WAIT_MS);
	}
	ops_stop_run(run, psprintf("table %s is locked by process %d", run->target->name,
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
bool
ops_finish_batch(OpsCleaning *run, OpsBatch *batch)
{
	OpsOutcome *outcome = run->outcome;
	OpsJob	   *job = run->job;
	bool		waited_for = ops_delete_waiters(run->deleter) > 0;
	bool		cancelled = false;
	double		ms;

	for (int i = 0; i < batch->nleft; i++)
		ops_set_aside(run, batch->left[i]);
	if (batch->deleted > 0)
	{
		run->safe = false;
		cancelled = ops_log_batch(outcome->run_id, outcome->batches + 1, batch,
								  elapsed_ms(run));
		outcome->batches++;
	}
	ops_commit_run(run);
	ms = elapsed_ms(run);

	outcome->deleted += batch->deleted;
	run->kept += batch->kept;
	outcome->pages += batch->pages;
	outcome->wal_bytes += pgWalUsage.wal_bytes - run->wal_before;
	outcome->longest_ms = Max(outcome->longest_ms, ms);
	if (job->max_rows >= 0)
		job->max_rows -= batch->deleted;
	steer(run, batch, ms, waited_for);
	report_progress(run);
	if (cancelled)
	{
		ops_cancel_run(run);
		return false;
	}
	if (job->may_commit)
		pause_after(run);
	return true;
}

/*
 * After a commit.  The next one of others would write out our WAL with its
 * own and wait for that, so where there are others we do it ourselves.
 */
static void
pause_after(const OpsCleaning *run)
{
	double		duty = run->job->throttle.duty;

	if (run->others)
		XLogFlush(XactLastCommitEnd);
	if (duty == 0)
		duty = run->others ? SHARED_DUTY : 1;
	if (duty < 1)
		let_others_work(elapsed_ms(run) * (1 / duty - 1));
}

/*
 * Sleep after a commit.  Without a snapshot: vacuum can remove what has gone,
 * here and elsewhere, however long it takes.
 */
static void
let_others_work(double ms)
{
	ForgetPortalSnapshots();
	InvalidateCatalogSnapshot();
	ops_throttle_sleep(ms);
	EnsurePortalSnapshotExists();
}

static double
elapsed_ms(const OpsCleaning *run)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, run->started);
	return INSTR_TIME_GET_MILLISEC(now);
}

/*
 * How long a transaction should take.
 */
static double
target_ms(const OpsCleaning *run)
{
	double		ms = run->job->batch_ms > 0 ? run->job->batch_ms
	: run->target->policy->batch_ms;

	return run->others ? ms * SHARED_BATCH : ms;
}

/*
 * Pages of the next batch, so that it takes about as long as it should, and
 * not far too long if its pages are all full of old rows when those of this
 * one were not.  No more than now if somebody waited for us.
 */
static void
steer(OpsCleaning *run, const OpsBatch *batch, double ms, bool waited_for)
{
	double		goal = target_ms(run);
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
void
ops_commit_run(OpsCleaning *run)
{
	if (run->job->may_commit)
	{
		run->safe = false;
		run->others = ops_throttle_others(&run->job->throttle);
		ops_procedure_commit();
	}
	run->safe = true;
}

static void
report_progress(OpsCleaning *run)
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
report_is_due(const OpsCleaning *run)
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

void
ops_fail_run(OpsCleaning *run, const ErrorData *error)
{
	OpsOutcome *outcome = run->outcome;

	if (ops_is_lock_error(error))
	{
		ops_stop_run(run, error->detail ? psprintf("%s: %s", error->message, error->detail)
					 : error->message);
		return;
	}
	outcome->status = "failed";
	outcome->stopped = _("an error");
	outcome->error = MemoryContextStrdup(run->job->context, error->message);
	outcome->error_code = error->sqlerrcode;
}

void
ops_stop_run(OpsCleaning *run, const char *why)
{
	run->outcome->status = "stopped";
	run->outcome->stopped = MemoryContextStrdup(run->job->context, why);
}

void
ops_cancel_run(OpsCleaning *run)
{
	run->outcome->status = "cancelled";
	run->outcome->stopped = _("ops.cancel_cleanup() was called");
}
