/*-------------------------------------------------------------------------
 *
 * memory.c
 *	  What is kept between calls: samples that rates are computed from.
 *
 * Lives in shared memory when the library is preloaded; otherwise nothing is
 * kept and nothing is recalled.  There is room for OPS_MAX_DATABASES, and
 * the one that was not asked about for longest makes way; InvalidOid stands
 * for the whole cluster.  One lock guards all of it: it is held for the time
 * of copying a sample, in exclusive mode once for each sampling interval.
 *
 * Times are wall-clock times.  A sample from the future, after the clock was
 * set back, is never recalled and soon overwritten.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/guc.h"
#include "core/memory.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#define OPS_MAX_DATABASES	32
#define OPS_RING_LENGTH		64

typedef struct OpsRing
{
	int			next;			/* place of the next sample */
	int			used;
	OpsSample	sample[OPS_RING_LENGTH];
} OpsRing;

typedef struct OpsStatementRound
{
	TimestampTz taken;			/* 0 if empty */
	TimestampTz epoch;
	int			count;
	OpsStatementSample statement[OPS_MAX_STATEMENTS];
} OpsStatementRound;

typedef struct OpsDatabaseMemory
{
	bool		used;
	Oid			database;
	TimestampTz touched;
	OpsRing		ring[OPS_NUM_SERIES];
	OpsStatementRound older;
	OpsStatementRound newer;
} OpsDatabaseMemory;

typedef struct OpsMemory
{
	LWLock	   *lock;
	OpsDatabaseMemory database[OPS_MAX_DATABASES];
} OpsMemory;

static OpsMemory *memory = NULL;
static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static void request_memory(void);
static void startup_memory(void);
static OpsDatabaseMemory *find_database(Oid database);
static OpsDatabaseMemory *claim_database(Oid database, TimestampTz now);
static OpsSample *newest_sample(OpsRing *ring);

/*
 * Ask for shared memory if the library is being preloaded.
 */
void
ops_memory_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;

	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_memory;
}

bool
ops_memory_available(void)
{
	return memory != NULL;
}

/*
 * Microseconds between two samples of a series.
 */
int64
ops_memory_spacing(OpsSeries series)
{
	int64		interval = (int64) ops_guc_sample_interval * 1000;

	return series == OPS_SERIES_HALF_HOURS ? 30 * interval : interval;
}

/*
 * Recall the oldest sample that was taken at or after "since", at least one
 * spacing ago, with the same counters as today's (their epoch); false if
 * there is none.
 */
bool
ops_memory_recall(Oid database, OpsSeries series, TimestampTz now,
				  TimestampTz since, TimestampTz epoch, OpsSample *sample)
{
	OpsDatabaseMemory *kept;
	bool		found = false;

	if (memory == NULL)
		return false;

	LWLockAcquire(memory->lock, LW_SHARED);
	kept = find_database(database);
	for (int i = 0; kept != NULL && i < kept->ring[series].used; i++)
	{
		OpsSample  *candidate = &kept->ring[series].sample[i];

		if (candidate->taken < since ||
			candidate->taken > now - ops_memory_spacing(series) ||
			candidate->epoch != epoch)
			continue;
		if (!found || candidate->taken < sample->taken)
		{
			*sample = *candidate;
			found = true;
		}
	}
	LWLockRelease(memory->lock);
	return found;
}

/*
 * Keep a sample, unless the newest one is younger than the series' spacing.
 */
void
ops_memory_remember(Oid database, OpsSeries series, const OpsSample *sample)
{
	OpsDatabaseMemory *kept;
	OpsSample  *newest;
	OpsRing    *ring;
	bool		due;

	if (memory == NULL)
		return;

	LWLockAcquire(memory->lock, LW_SHARED);
	kept = find_database(database);
	newest = kept ? newest_sample(&kept->ring[series]) : NULL;
	due = newest == NULL ||
		newest->epoch != sample->epoch ||
		newest->taken > sample->taken ||
		newest->taken <= sample->taken - ops_memory_spacing(series);
	LWLockRelease(memory->lock);
	if (!due)
		return;

	/* Should two sessions come here at once, both keep theirs: no harm. */
	LWLockAcquire(memory->lock, LW_EXCLUSIVE);
	kept = claim_database(database, sample->taken);
	ring = &kept->ring[series];
	ring->sample[ring->next] = *sample;
	ring->next = (ring->next + 1) % OPS_RING_LENGTH;
	ring->used = Min(ring->used + 1, OPS_RING_LENGTH);
	LWLockRelease(memory->lock);
}

/*
 * Recall an earlier round of statements into an array of OPS_MAX_STATEMENTS;
 * the result is their number, -1 if there is no round.
 */
int
ops_memory_recall_statements(Oid database, TimestampTz now,
							 TimestampTz epoch, TimestampTz *taken,
							 OpsStatementSample *statements)
{
	OpsDatabaseMemory *kept;
	TimestampTz latest = now - ops_memory_spacing(OPS_SERIES_MINUTES);
	int			count = -1;

	if (memory == NULL)
		return -1;

	LWLockAcquire(memory->lock, LW_SHARED);
	kept = find_database(database);
	if (kept != NULL)
	{
		OpsStatementRound *round = &kept->older;

		if (round->taken == 0)
			round = &kept->newer;
		if (round->taken != 0 && round->taken <= latest &&
			round->epoch == epoch)
		{
			count = round->count;
			*taken = round->taken;
			memcpy(statements, round->statement,
				   count * sizeof(OpsStatementSample));
		}
	}
	LWLockRelease(memory->lock);
	return count;
}

/*
 * Keep a round of statements.
 *
 * Two rounds are kept, half an hour apart, so that the one recalled is
 * between half an hour and an hour old once there are enough.
 */
void
ops_memory_remember_statements(Oid database, TimestampTz now,
							   TimestampTz epoch, int count,
							   const OpsStatementSample *statements)
{
	OpsDatabaseMemory *kept;
	OpsStatementRound *round;

	if (memory == NULL)
		return;
	Assert(count <= OPS_MAX_STATEMENTS);

	LWLockAcquire(memory->lock, LW_EXCLUSIVE);
	kept = claim_database(database, now);
	round = &kept->newer;
	if (round->taken == 0 || round->epoch != epoch || round->taken > now ||
		round->taken <= now - ops_memory_spacing(OPS_SERIES_HALF_HOURS))
	{
		if (round->taken != 0 && round->epoch == epoch)
			kept->older = *round;
		else
			kept->older.taken = 0;
		round->taken = now;
		round->epoch = epoch;
		round->count = count;
		memcpy(round->statement, statements,
			   count * sizeof(OpsStatementSample));
	}
	LWLockRelease(memory->lock);
}

static void
request_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();

	RequestAddinShmemSpace(MAXALIGN(sizeof(OpsMemory)));
	RequestNamedLWLockTranche("operations_runbook", 1);
}

static void
startup_memory(void)
{
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	memory = ShmemInitStruct("operations_runbook", sizeof(OpsMemory), &found);
	if (!found)
	{
		memset(memory, 0, sizeof(OpsMemory));
		memory->lock = &GetNamedLWLockTranche("operations_runbook")->lock;
	}
	LWLockRelease(AddinShmemInitLock);
}

/*
 * The memory of a database, or NULL.  Needs the lock in any mode.
 */
static OpsDatabaseMemory *
find_database(Oid database)
{
	for (int i = 0; i < OPS_MAX_DATABASES; i++)
	{
		if (memory->database[i].used &&
			memory->database[i].database == database)
			return &memory->database[i];
	}
	return NULL;
}

/*
 * The memory of a database, taken from another one if need be.  Needs the
 * lock in exclusive mode.
 */
static OpsDatabaseMemory *
claim_database(Oid database, TimestampTz now)
{
	OpsDatabaseMemory *kept = find_database(database);

	if (kept == NULL)
	{
		kept = &memory->database[0];
		for (int i = 0; i < OPS_MAX_DATABASES && kept->used; i++)
		{
			OpsDatabaseMemory *candidate = &memory->database[i];

			if (!candidate->used || candidate->touched < kept->touched)
				kept = candidate;
		}
		memset(kept, 0, sizeof(OpsDatabaseMemory));
		kept->used = true;
		kept->database = database;
	}
	kept->touched = now;
	return kept;
}

static OpsSample *
newest_sample(OpsRing *ring)
{
	if (ring->used == 0)
		return NULL;
	return &ring->sample[(ring->next + OPS_RING_LENGTH - 1) % OPS_RING_LENGTH];
}
