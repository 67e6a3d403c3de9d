/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  One command in a background worker, where it is not part of anybody's
 *	  transaction.
 *
 * Some commands commit on their way and refuse to run in a function or a
 * procedure.  The worker connects as the role the command is to run as, so
 * that nothing the command sets off has more rights than that role, and runs
 * it as a client would: as a statement of its own, through a portal.
 *
 * Such commands wait for transactions that are older.  Who waits for one of
 * them must hold no snapshot and no lock that it could wait for: neither of
 * the two would ever end, and no deadlock be found.  Here we see to the
 * snapshot.
 *
 * The exception are commands in another database that say that they are
 * independent.  What they lock is of that database, where the caller has
 * neither locks nor a snapshot that anything there waits for, so whatever they
 * wait for ends without the caller.  They have a time limit all the same.
 *
 * Command and answer are in a segment of shared memory that is the caller's.
 * When it goes, however the caller ends, the worker is told to end.  The
 * answer is read when the worker is gone, and so needs no lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "commands/dbcommands.h"
#include "core/answer.h"
#include "core/compat.h"
#include "core/worker.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/procarray.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

/* How often to look what the worker waits for. */
#define LOOK_MS			20

/* What a worker may need to start, or to end when it is told to. */
#define START_MS		5000
#define END_MS			5000
#define ABANDON_MS		1000

/* Longer messages are cut. */
#define MESSAGE_SIZE	1024

typedef enum State
{
	STATE_BEGUN,				/* or ended without a word */
	STATE_WORKING,				/* it has the command; or the same */
	STATE_DONE,
	STATE_FAILED,
} State;

typedef struct Shared
{
	Oid			database;
	Oid			role;
	int			timeout_ms;
	int			nsettings;
	int			encoding;		/* of all that is said here */
	int			answer_size;
	Size		answer_at;		/* its place in the strings */
	bool		answered;
	State		state;
	int			sqlerrcode;
	char		message[MESSAGE_SIZE];
	char		detail[MESSAGE_SIZE];
	char		hint[MESSAGE_SIZE];

	/* Names and values of the settings, the command, room for the answer. */
	char		strings[FLEXIBLE_ARRAY_MEMBER];
} Shared;

struct OpsWorker
{
	dsm_segment *segment;
	BackgroundWorkerHandle *handle;
	int			timeout_ms;
	int			queue_ms;
	TimestampTz queueing;		/* since when, or 0 */
	OpsWatch	watch;
	void	   *watch_arg;
	bool		independent;
	const char *late;			/* why it was told to end, or NULL */
	int			late_code;
};

PGDLLEXPORT void ops_worker_main(Datum segment);

static bool possible(Oid database, Oid role, OpsCommandResult *why_not);
static bool find_database(const char *name, Oid *database,
						  OpsCommandResult *why_not);
static dsm_segment *share(const OpsCommand *command, Oid database);
static char *put_string(char *place, const char *string);
static bool register_worker(OpsWorker *worker);
static void end_worker(dsm_segment *segment, Datum handle);
static bool is_over(OpsWorker *worker, pid_t *pid);
static bool queues(pid_t pid);
static void nap(long ms);
static bool wait_for_end(OpsWorker *worker);
static const char *reason_to_end(OpsWorker *worker, pid_t pid,
								 TimestampTz now);
static void abandon(OpsWorker *worker);
static void read_answer(OpsWorker *worker, OpsCommandResult *result);
static const char *copy_message(const char *message);
static void set_all(const Shared *shared, const char **command);
static void run(const char *command, Shared *shared);
static void execute(const char *command, Shared *shared);
static void answer(Shared *shared, const ErrorData *error);
static void put_message(const Shared *shared, char *place,
						const char *message);
static void refuse(OpsCommandResult *result, int sqlerrcode,
				   const char *message, const char *hint);

/*
 * Whether a worker could run commands as a role here and now, as far as that
 * can be told before.
 */
bool
ops_worker_possible(Oid role, OpsCommandResult *why_not)
{
	return possible(MyDatabaseId, role, why_not);
}

static bool
possible(Oid database, Oid role, OpsCommandResult *why_not)
{
	if (RecoveryInProgress())
		refuse(why_not, ERRCODE_READ_ONLY_SQL_TRANSACTION,
			   _("no background worker is started during recovery"), NULL);
	else if (!ops_compat_worker_may_login(role))
		refuse(why_not, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
			   _("a background worker cannot run as a role that may not log in before PostgreSQL 17"),
			   NULL);
	else if (!ops_compat_can_connect(database, role))
		refuse(why_not, ERRCODE_INSUFFICIENT_PRIVILEGE,
			   _("the role has no CONNECT privilege for the database"), NULL);
	else if (max_worker_processes == 0)
		refuse(why_not, ERRCODE_INSUFFICIENT_RESOURCES,
			   _("no background worker can be started"),
			   _("Increase max_worker_processes."));
	else
		return true;
	return false;
}

/*
 * Start a command; NULL, with the reason, if that cannot be.
 *
 * The worker is ended with the transaction, if not waited for.
 */
OpsWorker *
ops_worker_start(const OpsCommand *command, OpsCommandResult *why_not)
{
	OpsWorker  *worker;
	Oid			database;

	if (!find_database(command->database, &database, why_not) ||
		!possible(database, command->role, why_not))
		return NULL;
	worker = palloc0(sizeof(OpsWorker));
	worker->timeout_ms = command->timeout_ms;
	worker->queue_ms = command->queue_ms;
	worker->late_code = ERRCODE_QUERY_CANCELED;
	worker->watch = command->watch;
	worker->watch_arg = command->watch_arg;
	worker->independent = command->independent;
	worker->segment = share(command, database);
	if (worker->segment && register_worker(worker))
		return worker;
	if (worker->segment)
		dsm_detach(worker->segment);
	pfree(worker);
	refuse(why_not, ERRCODE_INSUFFICIENT_RESOURCES,
		   _("no background worker can be started"),
		   _("Others have all that there are: see max_worker_processes."));
	return NULL;
}

/*
 * The database of a name; this one for none.
 */
static bool
find_database(const char *name, Oid *database, OpsCommandResult *why_not)
{
	*database = name ? get_database_oid(name, true) : MyDatabaseId;
	if (OidIsValid(*database))
		return true;
	refuse(why_not, ERRCODE_UNDEFINED_DATABASE,
		   psprintf(_("database \"%s\" does not exist"), name), NULL);
	return false;
}

/*
 * Wait for the end of a command, and end it if that does not come in time.
 *
 * The caller holds no snapshot and no lock, unless the command is independent
 * of both; the worker is gone afterwards, but for one that does not even end
 * when it is told to.
 */
void
ops_worker_wait(OpsWorker *worker, OpsCommandResult *result)
{
	if (!worker->independent && HaveRegisteredOrActiveSnapshot())
		elog(ERROR, "cannot wait for a worker with a snapshot");

	/* Looking into catalogs leaves one that is kept for the next look. */
	InvalidateCatalogSnapshot();
	memset(result, 0, sizeof(*result));
	PG_TRY();
	{
		if (wait_for_end(worker))
			read_answer(worker, result);
		else
			result->end = OPS_COMMAND_LATE;
	}
	PG_CATCH();
	{
		abandon(worker);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (worker->late && result->end != OPS_COMMAND_DONE &&
		result->end != OPS_COMMAND_FAILED)
	{
		refuse(result, worker->late_code, worker->late, NULL);
		result->end = OPS_COMMAND_LATE;
	}
	dsm_detach(worker->segment);
	pfree(worker);
}

/*
 * Leave a command to itself, which goes on when the caller is gone; returns
 * its process, or 0 with the reason if it did not even begin.
 */
int
ops_worker_detach(OpsWorker *worker, OpsCommandResult *result)
{
	volatile Shared *shared = dsm_segment_address(worker->segment);
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  START_MS);
	pid_t		pid;
	bool		over = is_over(worker, &pid);

	while (!over && shared->state == STATE_BEGUN && GetCurrentTimestamp() < end)
	{
		nap(LOOK_MS);
		over = is_over(worker, &pid);
	}
	memset(result, 0, sizeof(*result));
	if (over)
	{
		pid = 0;
		read_answer(worker, result);
	}
	else if (shared->state == STATE_BEGUN)
	{
		pid = 0;
		refuse(result, ERRCODE_INSUFFICIENT_RESOURCES,
			   _("the background worker did not start in time"), NULL);
	}
	else
	{
		cancel_on_dsm_detach(worker->segment, end_worker,
							 PointerGetDatum(worker->handle));
		pfree(worker->handle);
	}
	dsm_detach(worker->segment);
	pfree(worker);
	return (int) pid;
}

/*
 * Start a command and wait for it.
 */
void
ops_worker_run(const OpsCommand *command, OpsCommandResult *result)
{
	OpsWorker  *worker = ops_worker_start(command, result);

	if (worker)
		ops_worker_wait(worker, result);
}

/*
 * The segment with the command in it; NULL if there can be no more segments.
 */
static dsm_segment *
share(const OpsCommand *command, Oid database)
{
	Size		strings = strlen(command->sql) + 1;
	dsm_segment *segment;
	Shared	   *shared;
	char	   *place;

	for (int i = 0; i < command->nsettings; i++)
		strings += strlen(command->settings[i].name) +
			strlen(command->settings[i].value) + 2;
	segment = dsm_create(offsetof(Shared, strings) + strings +
						 command->answer_size,
						 DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (segment == NULL)
		return NULL;

	shared = dsm_segment_address(segment);
	memset(shared, 0, offsetof(Shared, strings));
	shared->database = database;
	shared->encoding = GetDatabaseEncoding();
	shared->answer_at = strings;
	shared->answer_size = command->answer_size;
	shared->role = command->role;
	shared->timeout_ms = command->timeout_ms;
	shared->nsettings = command->nsettings;
	place = shared->strings;
	for (int i = 0; i < command->nsettings; i++)
	{
		place = put_string(place, command->settings[i].name);
		place = put_string(place, command->settings[i].value);
	}
	(void) put_string(place, command->sql);
	return segment;
}

static char *
put_string(char *place, const char *string)
{
	Size		size = strlen(string) + 1;

	memcpy(place, string, size);
	return place + size;
}

static bool
register_worker(OpsWorker *worker)
{
	BackgroundWorker entry = {
		.bgw_name = "operations_runbook worker",
		.bgw_type = "operations_runbook worker",
		.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_library_name = "operations_runbook",
		.bgw_function_name = "ops_worker_main",
	};
	MemoryContext caller;
	bool		registered;

	entry.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(worker->segment));
	entry.bgw_notify_pid = MyProcPid;

	/* The portal's memory goes before the segment when it is aborted. */
	caller = MemoryContextSwitchTo(TopMemoryContext);
	registered = RegisterDynamicBackgroundWorker(&entry, &worker->handle);
	MemoryContextSwitchTo(caller);
	if (registered)
		on_dsm_detach(worker->segment, end_worker,
					  PointerGetDatum(worker->handle));
	return registered;
}

/*
 * Nobody waits any more.
 */
static void
end_worker(dsm_segment *segment, Datum handle)
{
	TerminateBackgroundWorker((BackgroundWorkerHandle *) DatumGetPointer(handle));
	pfree(DatumGetPointer(handle));
}

/*
 * Wait until the worker is gone.  If it was told to end, the reason is told;
 * false if it is there all the same.
 */
static bool
wait_for_end(OpsWorker *worker)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  START_MS + (int64) worker->timeout_ms);
	pid_t		pid;

	while (!is_over(worker, &pid))
	{
		TimestampTz now = GetCurrentTimestamp();

		if (worker->late && now >= end)
			return false;
		if (worker->late == NULL)
		{
			worker->late = now >= end ? _("the time is up")
				: reason_to_end(worker, pid, now);
			if (worker->late)
			{
				TerminateBackgroundWorker(worker->handle);
				end = TimestampTzPlusMilliseconds(now, END_MS);
			}
		}
		nap(worker->queue_ms > 0 ? LOOK_MS : LOOK_MS * 10);
	}
	return true;
}

/*
 * Why the worker is to end before its time, or NULL.
 */
static const char *
reason_to_end(OpsWorker *worker, pid_t pid, TimestampTz now)
{
	if (worker->queue_ms == 0 || !queues(pid))
		worker->queueing = 0;
	else if (worker->queueing == 0)
		worker->queueing = now;
	if (worker->queueing != 0 &&
		TimestampDifferenceExceeds(worker->queueing, now, worker->queue_ms))
	{
		worker->late_code = ERRCODE_LOCK_NOT_AVAILABLE;
		return _("others have locked the table");
	}
	if (worker->watch == NULL || pid == 0)
		return NULL;
	return worker->watch(worker->watch_arg, pid);
}

/*
 * The caller was cancelled.  He may want to see what became of the command,
 * so give it the moment that it takes to end.
 */
static void
abandon(OpsWorker *worker)
{
	pid_t		pid;

	HOLD_INTERRUPTS();
	TerminateBackgroundWorker(worker->handle);
	for (int i = 0; i < ABANDON_MS / LOOK_MS && !is_over(worker, &pid); i++)
		nap(LOOK_MS);
	RESUME_INTERRUPTS();
	dsm_detach(worker->segment);
}

/*
 * Whether the worker is gone; its process, 0 while there is none.
 */
static bool
is_over(OpsWorker *worker, pid_t *pid)
{
	BgwHandleStatus status;

	*pid = 0;
	status = GetBackgroundWorkerPid(worker->handle, pid);
	if (status == BGWH_NOT_YET_STARTED)
		*pid = 0;
	return status == BGWH_STOPPED;
}

/*
 * Whether a process waits for a lock on a table.  Waiting for transactions to
 * end keeps nobody from his work, but whoever wants the table now has to
 * stand behind it.
 */
static bool
queues(pid_t pid)
{
	PGPROC	   *proc = pid == 0 ? NULL : BackendPidGetProc(pid);

	return proc && proc->wait_event_info == (PG_WAIT_LOCK | LOCKTAG_RELATION);
}

static void
nap(long ms)
{
	(void) WaitLatch(MyLatch,
					 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static void
read_answer(OpsWorker *worker, OpsCommandResult *result)
{
	const Shared *shared = dsm_segment_address(worker->segment);

	switch (shared->state)
	{
		case STATE_DONE:
			result->end = OPS_COMMAND_DONE;
			if (shared->answered)
				result->answer = pstrdup(shared->strings + shared->answer_at);
			break;
		case STATE_FAILED:
			result->end = OPS_COMMAND_FAILED;
			result->sqlerrcode = shared->sqlerrcode;
			result->message = copy_message(shared->message);
			result->detail = copy_message(shared->detail);
			result->hint = copy_message(shared->hint);
			break;
		case STATE_BEGUN:
		case STATE_WORKING:
			refuse(result, ERRCODE_CONNECTION_FAILURE,
				   _("the background worker ended early"),
				   _("More details may be available in the server log."));
			result->end = OPS_COMMAND_DIED;
			break;
	}
}

static const char *
copy_message(const char *message)
{
	return message[0] == '\0' ? NULL : pstrdup(message);
}

static void
refuse(OpsCommandResult *result, int sqlerrcode, const char *message,
	   const char *hint)
{
	memset(result, 0, sizeof(*result));
	result->end = OPS_COMMAND_NOT_STARTED;
	result->sqlerrcode = sqlerrcode;
	result->message = message;
	result->hint = hint;
}

/*
 * The worker.
 */
void
ops_worker_main(Datum segment)
{
	MemoryContext own;
	dsm_segment *attached;
	Shared	   *shared;
	const char *command = NULL;
	ErrorData  *error;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();

	/* Who started us can be gone, and the segment with him. */
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "operations_runbook worker");
	attached = dsm_attach(DatumGetUInt32(segment));
	if (attached == NULL)
		proc_exit(0);
	dsm_pin_mapping(attached);
	shared = dsm_segment_address(attached);

	ops_compat_connect_worker(shared->database, shared->role);
	own = AllocSetContextCreate(TopMemoryContext, "operations_runbook worker",
								ALLOCSET_DEFAULT_SIZES);
	PG_TRY();
	{
		MemoryContextSwitchTo(own);
		set_all(shared, &command);
		shared->state = STATE_WORKING;
		run(command, shared);
		shared->state = STATE_DONE;
	}
	PG_CATCH();
	{
		disable_all_timeouts(false);
		MemoryContextSwitchTo(own);
		error = CopyErrorData();
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		answer(shared, error);
	}
	PG_END_TRY();
	proc_exit(0);
}

/*
 * Set what the command is to run with, for good.
 */
static void
set_all(const Shared *shared, const char **command)
{
	const char *name = shared->strings;

	StartTransactionCommand();
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET,
					PGC_S_SESSION);

	/* The role's own settings hold here; two would make it another matter. */
	SetConfigOption("role", "none", PGC_USERSET, PGC_S_SESSION);
	ops_compat_no_transaction_timeout(GUC_ACTION_SET);
	for (int i = 0; i < shared->nsettings; i++)
	{
		const char *value = name + strlen(name) + 1;

		SetConfigOption(name, value, PGC_USERSET, PGC_S_SESSION);
		name = value + strlen(value) + 1;
	}

	/* Messages of the way out tell the statement when the segment is gone. */
	*command = MemoryContextStrdup(TopMemoryContext,
								   pg_any_to_server(name, strlen(name),
													shared->encoding));
	CommitTransactionCommand();
}

static void
run(const char *command, Shared *shared)
{
	int			timeout_ms = shared->timeout_ms;

	SetCurrentStatementStartTimestamp();
	debug_query_string = command;
	pgstat_report_activity(STATE_RUNNING, command);
	StartTransactionCommand();

	/* Only the main loop of a session does this by itself. */
	if (timeout_ms > 0)
		enable_timeout_after(STATEMENT_TIMEOUT, timeout_ms);
	execute(command, shared);
	if (timeout_ms > 0)
		disable_timeout(STATEMENT_TIMEOUT, false);
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);
}

/*
 * What a session does with a statement that a client sends.
 *
 * The trees are in memory that commits on the way leave alone.
 */
static void
execute(const char *command, Shared *shared)
{
	MemoryContext kept = AllocSetContextCreate(TopMemoryContext,
											   "operations_runbook command",
											   ALLOCSET_DEFAULT_SIZES);
	DestReceiver *receiver;
	List	   *statements;
	List	   *plans;
	RawStmt    *statement;
	Portal		portal;
	QueryCompletion completion;
	bool		snapshot;

	MemoryContextSwitchTo(kept);
	receiver = shared->answer_size > 0 ? ops_answer_receiver(shared->strings + shared->answer_at,
															 shared->answer_size, shared->encoding,
															 &shared->answered) :
		CreateDestReceiver(DestNone);
	statements = pg_parse_query(command);
	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a worker runs one statement")));
	statement = linitial_node(RawStmt, statements);
	snapshot = analyze_requires_snapshot(statement);
	if (snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	plans = pg_analyze_and_rewrite_fixedparams(statement, command, NULL, 0,
											   NULL);
	plans = pg_plan_queries(plans, command, CURSOR_OPT_PARALLEL_OK, NULL);
	if (snapshot)
		PopActiveSnapshot();

	portal = CreatePortal("", true, true);
	portal->visible = false;
	PortalDefineQuery(portal, NULL, command, CreateCommandTag(statement->stmt),
					  plans, NULL);
	PortalStart(portal, NULL, 0, InvalidSnapshot);
	MemoryContextSwitchTo(CurTransactionContext);
	(void) ops_compat_portal_run(portal, receiver, &completion);
	receiver->rDestroy(receiver);
	PortalDrop(portal, false);
}

static void
answer(Shared *shared, const ErrorData *error)
{
	shared->sqlerrcode = error->sqlerrcode;
	put_message(shared, shared->message, error->message);
	put_message(shared, shared->detail, error->detail);
	put_message(shared, shared->hint, error->hint);
	shared->state = STATE_FAILED;
}

/*
 * Converting to another encoding could fail, and that now; so what is not
 * ASCII is shown as a question mark there.
 */
static void
put_message(const Shared *shared, char *place, const char *message)
{
	int			length;

	if (message == NULL)
		return;
	length = pg_mbcliplen(message, strlen(message), MESSAGE_SIZE - 1);
	memcpy(place, message, length);
	place[length] = '\0';
	for (int i = 0; i < length; i++)
	{
		if (shared->encoding != GetDatabaseEncoding() &&
			IS_HIGHBIT_SET(place[i]))
			place[i] = '?';
	}
}
