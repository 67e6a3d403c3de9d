/*-------------------------------------------------------------------------
 *
 * process.c
 *	  What every process of the server is doing, and what was prepared.
 *
 * Reads the shared arrays where they lie, without any lock.  Status entries
 * are read by their change counter, as the server itself reads them; xid and
 * xmin are single words.  What does not fit together (a process that ended
 * while we looked) is left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/twophase.h"
#include "commands/progress.h"
#include "core/process.h"
#include "core/srf.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

static bool read_status(volatile PgBackendStatus *entry, OpsBackend *backend);
static void read_proc(volatile PGPROC *proc, OpsBackend *backend);
static void read_prepared(HeapTupleHeader row, void *arg);
static TimestampTz checkpointer_start(volatile PgBackendStatus *entries);

/*
 * The activity as of now.
 */
OpsActivity *
ops_activity_read(void)
{
	volatile PgBackendStatus *entries = ops_compat_backend_status_array();
	OpsActivity *activity;

	activity = palloc0(sizeof(OpsActivity));
	activity->backend = palloc0(MaxBackends * sizeof(OpsBackend));
	for (int i = 0; i < MaxBackends; i++)
	{
		volatile PGPROC *proc = &ProcGlobal->allProcs[i];
		OpsBackend *backend = &activity->backend[activity->count];
		int			slot;

		if (proc->pid == 0)
			continue;
		slot = ops_compat_status_slot(proc);
		if (slot < 0 || slot >= MaxBackends ||
			!read_status(&entries[slot], backend) ||
			backend->pid != proc->pid)
			continue;
		read_proc(proc, backend);
		if (backend->type == B_BACKEND && backend->state == STATE_DISABLED)
			activity->nuntracked++;
		activity->count++;
	}
	if (max_prepared_xacts > 0)
	{
		activity->prepared = palloc(max_prepared_xacts * sizeof(OpsPrepared));
		ops_srf_read(F_PG_PREPARED_XACT, read_prepared, activity);
	}
	activity->checkpointer_started = checkpointer_start(entries);
	return activity;
}

/*
 * Copy what we need of a status entry; false if nobody uses it.
 */
static bool
read_status(volatile PgBackendStatus *entry, OpsBackend *backend)
{
	for (;;)
	{
		int			before;
		int			after;

		pgstat_begin_read_activity(entry, before);
		backend->pid = entry->st_procpid;
		backend->type = entry->st_backendType;
		backend->database = entry->st_databaseid;
		backend->role = entry->st_userid;
		backend->state = entry->st_state;
		backend->started = entry->st_proc_start_timestamp;
		backend->xact_start = entry->st_xact_start_timestamp;
		backend->query_start = entry->st_activity_start_timestamp;
		backend->state_start = entry->st_state_start_timestamp;
		backend->progress = entry->st_progress_command;
		backend->progress_relation = entry->st_progress_command_target;
		backend->progress_index = (Oid)
			entry->st_progress_param[PROGRESS_CREATEIDX_INDEX_OID];
		pgstat_end_read_activity(entry, after);
		if (pgstat_read_activity_complete(before, after))
			break;
		CHECK_FOR_INTERRUPTS();
	}

	if (backend->progress != PROGRESS_COMMAND_CREATE_INDEX)
		backend->progress_index = InvalidOid;
	return backend->pid != 0;
}

static void
read_proc(volatile PGPROC *proc, OpsBackend *backend)
{
	backend->xid = proc->xid;
	backend->xmin = proc->xmin;
	backend->in_vacuum = (proc->statusFlags &
						  (PROC_IN_VACUUM | PROC_IN_LOGICAL_DECODING)) != 0;
	backend->everywhere = (proc->statusFlags & PROC_AFFECTS_ALL_HORIZONS) != 0;
	backend->wait_start = 0;
	if (proc->waitStatus == PROC_WAIT_STATUS_WAITING)
		backend->wait_start = (TimestampTz)
			pg_atomic_read_u64((pg_atomic_uint64 *) &proc->waitStart);
}

/*
 * A row of pg_prepared_xact().
 */
static void
read_prepared(HeapTupleHeader row, void *arg)
{
	OpsActivity *activity = (OpsActivity *) arg;
	OpsPrepared *prepared = &activity->prepared[activity->nprepared++];
	bool		isnull;

	prepared->xid = DatumGetTransactionId(GetAttributeByNum(row, 1, &isnull));
	prepared->gid = TextDatumGetCString(GetAttributeByNum(row, 2, &isnull));
	prepared->prepared = DatumGetTimestampTz(GetAttributeByNum(row, 3, &isnull));
	prepared->role = DatumGetObjectId(GetAttributeByNum(row, 4, &isnull));
	prepared->database = DatumGetObjectId(GetAttributeByNum(row, 5, &isnull));
}

/*
 * When the checkpointer started: with the server, or again after a crash.
 */
static TimestampTz
checkpointer_start(volatile PgBackendStatus *entries)
{
	for (int i = MaxBackends; i < MaxBackends + OPS_NUM_AUX_SLOTS; i++)
	{
		OpsBackend	process;

		if (read_status(&entries[i], &process) &&
			process.type == B_CHECKPOINTER)
			return process.started;
	}
	return 0;
}
