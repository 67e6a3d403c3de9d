/*-------------------------------------------------------------------------
 *
 * throttle.c
 *	  Signs that the server has more urgent work than ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "core/compat.h"
#include "core/process.h"
#include "core/query.h"
#include "core/throttle.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

/* How long what was seen is believed. */
#define LOOK_MS	250

/* Shorter times are slept without a latch. */
#define SHORT_US	2000

/* Who worked within this time may come again. */
#define OTHERS_MS	1000

/* Percent of the WAL that calls for a checkpoint, after which it is near. */
#define CHECKPOINT_NEAR	80

static bool others_wrote(OpsThrottle *throttle);
static bool others_run(void);
static const char *lag_sign(const OpsThrottle *throttle);
static bool is_wanted(const OpsThrottle *throttle, const char *name);
static const char *missing_sign(const OpsThrottle *throttle,
								const OpsQuery *query);
static const char *wal_sign(const OpsThrottle *throttle, XLogRecPtr position,
							double elapsed_ms);
static const char *checkpoint_sign(XLogRecPtr position);
static const char *session_sign(const OpsThrottle *throttle);

/*
 * The first sign that is over its limit, or NULL.
 *
 * Reads shared memory and, where standbys count, pg_stat_replication as the
 * owner of the extension.  Needs a transaction.  The words are allocated in
 * the current memory context.
 */
const char *
ops_throttle_sign(OpsThrottle *throttle)
{
	TimestampTz now = GetCurrentTimestamp();
	double		elapsed = (now - throttle->looked) / 1000.0;
	XLogRecPtr	position;
	const char *sign = NULL;

	if (throttle->looked != 0 && elapsed < LOOK_MS)
		return NULL;
	position = GetXLogInsertRecPtr();
	if (throttle->max_lag_bytes > 0 || throttle->max_lag_ms > 0)
		sign = lag_sign(throttle);
	if (sign == NULL && throttle->max_wal_rate > 0 && throttle->looked != 0)
		sign = wal_sign(throttle, position, elapsed);
	if (sign == NULL && throttle->yield_to_checkpoints)
		sign = checkpoint_sign(position);
	if (sign == NULL &&
		(throttle->max_sessions > 0 || throttle->max_waiters > 0))
		sign = session_sign(throttle);
	throttle->looked = now;
	throttle->wal_position = position;
	return sign;
}

/*
 * Whether anybody else, in any database, has worked within the last second.
 *
 * Writers are known by the transaction ids that are gone since this was last
 * asked, less our own; readers only if they have a snapshot at this moment.
 * A vacuum is nobody.  Takes ProcArrayLock for as long as a snapshot does.
 */
bool
ops_throttle_others(OpsThrottle *throttle)
{
	TimestampTz now = GetCurrentTimestamp();

	if (others_wrote(throttle) || others_run())
		throttle->others_seen = now;
	return throttle->others_seen != 0 &&
		!TimestampDifferenceExceeds(throttle->others_seen, now, OTHERS_MS);
}

/*
 * Subtransactions of ours that were undone are taken for somebody's: what
 * undoes them mostly is that somebody is in the way.
 */
static bool
others_wrote(OpsThrottle *throttle)
{
	TransactionId next = ReadNextTransactionId();
	TransactionId *children;
	uint32		ours = 0;
	bool		wrote;

	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		ours = 1 + xactGetCommittedChildren(&children);
	wrote = TransactionIdIsValid(throttle->next_xid) &&
		next - throttle->next_xid > ours;
	throttle->next_xid = next;
	return wrote;
}

static bool
others_run(void)
{
	int			nothers;

	pfree(GetCurrentVirtualXIDs(InvalidTransactionId, true, true,
								PROC_IS_AUTOVACUUM | PROC_IN_VACUUM,
								&nothers));
	return nothers > 0;
}

/*
 * Let others work.  Cancels and shutdowns are heard at once.
 */
void
ops_throttle_sleep(double ms)
{
	TimestampTz end = GetCurrentTimestamp() + (int64) (ms * 1000);

	for (;;)
	{
		int64		left = end - GetCurrentTimestamp();

		CHECK_FOR_INTERRUPTS();
		if (left <= 0)
			break;
		if (left < SHORT_US)
		{
			/* A latch knows milliseconds only, and batches are as short. */
			pg_usleep((long) left);
			continue;
		}
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 (long) (left / 1000), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

/*
 * A standby that is behind, or one that was named and is not there: nobody
 * can tell how far that one is behind.
 */
static const char *
lag_sign(const OpsThrottle *throttle)
{
	MemoryContext caller = CurrentMemoryContext;
	const char *sign = NULL;
	OpsQuery	query;

	ops_query_run(&query, throttle->owner,
				  "SELECT application_name,"
				  " (pg_current_wal_insert_lsn() - replay_lsn)::int8,"
				  " (extract(epoch FROM replay_lag) * 1000)::float8"
				  " FROM pg_stat_replication WHERE replay_lsn IS NOT NULL");
	for (uint64 i = 0; i < query.nrows && sign == NULL; i++)
	{
		char	   *name = ops_query_text(&query, i, 1);
		bool		isnull;
		int64		bytes = ops_query_int64(&query, i, 2, &isnull);
		double		ms = ops_query_float8(&query, i, 3, &isnull);

		if (!is_wanted(throttle, name))
			continue;
		if (throttle->max_lag_bytes > 0 && bytes > throttle->max_lag_bytes)
			sign = MemoryContextStrdup(caller,
									   psprintf("standby \"%s\" is " INT64_FORMAT " bytes behind",
												name, bytes));
		else if (throttle->max_lag_ms > 0 && ms > throttle->max_lag_ms)
			sign = MemoryContextStrdup(caller,
									   psprintf("standby \"%s\" is %.0f ms behind",
												name, ms));
	}
	if (sign == NULL)
		sign = missing_sign(throttle, &query);
	if (sign)
		sign = MemoryContextStrdup(caller, sign);
	ops_query_end(&query);
	return sign;
}

static bool
is_wanted(const OpsThrottle *throttle, const char *name)
{
	ListCell   *lc;

	if (throttle->standbys == NIL)
		return true;
	foreach(lc, throttle->standbys)
	{
		if (strcmp(name, lfirst(lc)) == 0)
			return true;
	}
	return false;
}

static const char *
missing_sign(const OpsThrottle *throttle, const OpsQuery *query)
{
	ListCell   *lc;

	foreach(lc, throttle->standbys)
	{
		const char *wanted = lfirst(lc);
		bool		found = false;

		for (uint64 i = 0; i < query->nrows && !found; i++)
			found = strcmp(ops_query_text(query, i, 1), wanted) == 0;
		if (!found)
			return psprintf("standby \"%s\" is not connected", wanted);
	}
	return NULL;
}

static const char *
wal_sign(const OpsThrottle *throttle, XLogRecPtr position, double elapsed_ms)
{
	double		rate = (position - throttle->wal_position) * 1000.0 / elapsed_ms;

	if (rate <= throttle->max_wal_rate)
		return NULL;
	return psprintf("%.0f bytes of WAL are written a second", rate);
}

/*
 * WAL that asks for the next checkpoint before its time: let it come on its
 * own, and be spread, before more is written.
 */
static const char *
checkpoint_sign(XLogRecPtr position)
{
	double		limit = (double) CheckPointSegments * wal_segment_size;
	double		written = position - GetRedoRecPtr();

	if (written * 100 <= limit * CHECKPOINT_NEAR)
		return NULL;
	return psprintf("%.0f bytes of WAL were written since the last checkpoint",
					written);
}

static const char *
session_sign(const OpsThrottle *throttle)
{
	OpsActivity *activity = ops_activity_read();
	int			working = 0;
	int			waiting = 0;

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];

		if (backend->pid == MyProcPid)
			continue;
		if (backend->type == B_BACKEND && backend->state == STATE_RUNNING)
			working++;
		if (backend->wait_start != 0)
			waiting++;
	}
	if (throttle->max_sessions > 0 && working > throttle->max_sessions)
		return psprintf("%d sessions are working", working);
	if (throttle->max_waiters > 0 && waiting > throttle->max_waiters)
		return psprintf("%d sessions wait for locks", waiting);
	return NULL;
}
