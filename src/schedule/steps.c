/*-------------------------------------------------------------------------
 *
 * steps.c
 *	  The steps of a run of maintenance, one after the other.
 *
 * VACUUM and the CONCURRENTLY commands refuse to run in a procedure, so each
 * step is a statement of its own in a background worker, as the role that
 * called.  While it works we hold no snapshot and no lock on a table, for
 * that is what it may have to wait for; in between we look whether its time
 * is up and whether others wait for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "core/attempt.h"
#include "core/procedure.h"
#include "core/process.h"
#include "core/worker.h"
#include "miscadmin.h"
#include "schedule/maintain.h"
#include "storage/latch.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* How often to look who waits for a step, and for air to breathe. */
#define WATCH_MS		250
#define PRESSURE_MS		1000

/* A plan that is older is looked at anew before a step begins. */
#define FRESH_MS		60000

/* Others can have all workers for a moment. */
#define START_TRIES		5
#define START_WAIT_MS	1000

/* What a step gets to end when it is cancelled at the very end. */
#define LEAST_MS		100

/*
 * Tasks that are planned together.  What retention deletes is for VACUUM, and
 * how much an index would shrink can be seen when VACUUM has been there.
 */
#define MOST_TASKS		4

static const char *const phases[][MOST_TASKS] = {
	{"retention"},
	{"leftovers", "vacuum", "analyze"},
	{"reindex", "learn", "audit", "report"},
};

/* An attempt to plan. */
typedef struct Planning
{
	OpsMaintenance *run;
	List	   *tasks;
	Oid			about;
	List	   *steps;
} Planning;

/* A look for pressure. */
typedef struct Looking
{
	OpsThrottle *throttle;
	const char *sign;
} Looking;

/* Who looks after a step while it works. */
typedef struct Watching
{
	const OpsMaintenance *run;
	TimestampTz looked;
} Watching;

static bool wants(const OpsMaintenance *run, const char *task);
static void do_tasks(OpsMaintenance *run, List *tasks);
static List *plan(OpsMaintenance *run, List *tasks, Oid about);
static void make_plan(void *arg);
static void commit(OpsMaintenance *run);
static void do_step(OpsMaintenance *run, OpsStep *step, TimestampTz planned);
static bool has_air(OpsMaintenance *run);
static const char *pressure(OpsMaintenance *run);
static void look(void *arg);
static const char *reason_to_skip(OpsMaintenance *run, OpsStep *step,
								  TimestampTz planned);
static bool is_needed_still(OpsMaintenance *run, OpsStep *step);
static double ms_until(TimestampTz end);
static void execute(OpsMaintenance *run, const OpsStep *step,
					OpsCommandResult *result);
static int	timeout_of(const OpsMaintenance *run);
static const char *others_wait(void *arg, int pid);
static int	who_waits_for(int pid, TimestampTz now, double lock_ms);
static bool waits_for(int waiter, int pid);
static void judge(OpsMaintenance *run, OpsStep *step,
				  const OpsCommandResult *result);
static void end_step(OpsMaintenance *run, OpsStep *step);
static void clear_up(OpsMaintenance *run, Oid table);

/*
 * Do all there is to do, and say in the run how that ended.
 */
void
ops_maintain(OpsMaintenance *run)
{
	for (int i = 0; i < lengthof(phases) && strcmp(run->status, "done") == 0; i++)
	{
		List	   *tasks = NIL;

		for (int j = 0; j < MOST_TASKS && phases[i][j]; j++)
		{
			if (wants(run, phases[i][j]))
				tasks = lappend(tasks, unconstify(char *, phases[i][j]));
		}
		if (tasks != NIL)
			do_tasks(run, tasks);
	}
	if (strcmp(run->status, "done") == 0 && run->late > 0)
	{
		run->status = "stopped";
		run->stopped = psprintf(ngettext("%d step did not fit into the time that was left",
										 "%d steps did not fit into the time that was left",
										 run->late),
								run->late);
	}
}

static bool
wants(const OpsMaintenance *run, const char *task)
{
	ListCell   *lc;

	foreach(lc, run->tasks)
	{
		if (strcmp(lfirst(lc), task) == 0)
			return true;
	}
	return false;
}

static void
do_tasks(OpsMaintenance *run, List *tasks)
{
	List	   *steps = plan(run, tasks, InvalidOid);
	TimestampTz planned = GetCurrentTimestamp();
	ListCell   *lc;

	ops_runlog_add(run, steps);
	commit(run);

	foreach(lc, steps)
	{
		OpsStep    *step = lfirst(lc);

		if (strcmp(step->status, "planned") != 0)
			continue;
		if (!has_air(run))
			return;
		if (step->expected_ms > ms_until(run->stop_at))
		{
			run->late++;
			step->status = "skipped";
			step->error = _("it does not fit into the time that is left");
			end_step(run, step);
			continue;
		}
		do_step(run, step, planned);
		if (strcmp(run->status, "done") != 0)
			return;
	}
}

/*
 * What there is to do; nothing, and the run has failed, if nobody can tell.
 */
static List *
plan(OpsMaintenance *run, List *tasks, Oid about)
{
	Planning	planning = {.run = run,.tasks = tasks,.about = about};
	ErrorData  *error = ops_attempt(make_plan, &planning);

	if (error == NULL)
		return planning.steps;
	run->status = "failed";
	run->error_code = error->sqlerrcode;
	run->error = error->message;
	return NIL;
}

static void
make_plan(void *arg)
{
	Planning   *planning = arg;

	planning->steps = ops_runlog_plan(planning->run, planning->tasks,
									  planning->about);
}

static void
commit(OpsMaintenance *run)
{
	run->safe = false;
	ops_procedure_commit();
	run->safe = true;
}

/*
 * Wait while the server has more urgent work; false if the run is to end.
 */
static bool
has_air(OpsMaintenance *run)
{
	const char *sign;
	bool		told = false;

	while ((sign = pressure(run)) != NULL &&
		   !run->throttle.stop && ms_until(run->stop_at) > 0)
	{
		if (!told)
			ereport(NOTICE, (errmsg("waiting: %s", sign)));
		told = true;
		run->safe = false;
		ops_procedure_release();
		run->safe = true;
		ops_throttle_sleep(PRESSURE_MS);
		commit(run);
	}
	if (sign == NULL && ms_until(run->stop_at) > 0)
		return true;
	run->status = "stopped";
	run->stopped = sign ? sign : _("the time is up");
	return false;
}

static void
do_step(OpsMaintenance *run, OpsStep *step, TimestampTz planned)
{
	Oid			table = InvalidOid;
	OpsCommandResult result;

	step->error = reason_to_skip(run, step, planned);
	if (step->error)
	{
		step->status = "skipped";
		end_step(run, step);
		return;
	}
	if (strcmp(step->task, "reindex") == 0)
		table = IndexGetRelation(step->relid, true);
	ops_runlog_step_starts(run, step);
	execute(run, step, &result);
	judge(run, step, &result);
	end_step(run, step);
	if (OidIsValid(table) && strcmp(step->status, "done") != 0 &&
		result.end != OPS_COMMAND_NOT_STARTED)
		clear_up(run, table);
}

/*
 * A sign of more urgent work, or NULL.  A cancel finds us outside of the
 * query that looks for it.
 */
static const char *
pressure(OpsMaintenance *run)
{
	Looking		looking = {.throttle = &run->throttle};
	ErrorData  *error = ops_attempt(look, &looking);

	if (error)
		ReThrowError(error);
	return looking.sign;
}

static void
look(void *arg)
{
	Looking    *looking = arg;

	looking->sign = ops_throttle_sign(looking->throttle);
}

/*
 * Why a step is not needed any more, or NULL.
 */
static const char *
reason_to_skip(OpsMaintenance *run, OpsStep *step, TimestampTz planned)
{
	if (!OidIsValid(step->relid))
		return NULL;
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(step->relid)))
		return _("it was dropped");

	/* Names change hands, and what is dropped does not come back. */
	if ((strcmp(step->task, "leftovers") == 0 || -ms_until(planned) > FRESH_MS) &&
		!is_needed_still(run, step))
		return _("there is no need any more");
	return NULL;
}

/*
 * Hours may have passed, in which autovacuum was here: look again, and take
 * the command as it would be now.
 */
static bool
is_needed_still(OpsMaintenance *run, OpsStep *step)
{
	Planning	planning = {.run = run,.about = step->relid};
	ListCell   *lc;

	planning.tasks = list_make1(unconstify(char *, step->task));
	if (ops_attempt(make_plan, &planning) != NULL)
		return true;
	foreach(lc, planning.steps)
	{
		const OpsStep *now = lfirst(lc);

		if (now->relid == step->relid && strcmp(now->status, "planned") == 0)
		{
			step->command = now->command;
			return true;
		}
	}
	return false;
}

/*
 * Negative if it has passed.
 */
static double
ms_until(TimestampTz end)
{
	return (end - GetCurrentTimestamp()) / 1000.0;
}

/*
 * Run a step's statement, which finds us without lock and snapshot.
 *
 * REINDEX and DROP INDEX CONCURRENTLY wait for transactions to end, which is
 * nobody's harm and would count against lock_timeout: their waiting for the
 * table is watched from here.
 */
static void
execute(OpsMaintenance *run, const OpsStep *step, OpsCommandResult *result)
{
	bool		vacuums = strcmp(step->task, "vacuum") == 0 ||
	strcmp(step->task, "analyze") == 0;
	bool		locks = OidIsValid(step->relid);
	Watching	watching = {.run = run};
	OpsSetting	settings[] = {
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
		{"statement_timeout", "0"},
		{"lock_timeout", vacuums ? psprintf("%.0f", run->lock_ms) : "0"},
		{"vacuum_cost_delay", psprintf("%g", run->cost_delay)},
	};
	OpsCommand	command = {
		.sql = step->command,
		.role = run->role,
		.settings = settings,
		.nsettings = lengthof(settings),
		.queue_ms = locks ? (int) run->lock_ms : 0,
		.watch = locks ? others_wait : NULL,
		.watch_arg = &watching,
	};

	for (int tries = 1;; tries++)
	{
		command.timeout_ms = timeout_of(run);
		run->safe = false;
		ops_procedure_release();
		run->safe = true;
		if (HaveRegisteredOrActiveSnapshot())
			elog(ERROR, "a step of maintenance cannot run while its caller has a snapshot");
		ops_worker_run(&command, result);
		if (result->sqlerrcode != ERRCODE_INSUFFICIENT_RESOURCES ||
			result->end != OPS_COMMAND_NOT_STARTED || tries == START_TRIES)
			break;
		ops_throttle_sleep(START_WAIT_MS);
	}
	commit(run);
}

static int
timeout_of(const OpsMaintenance *run)
{
	double		ms = Max(ms_until(run->stop_at) + run->grace_ms, LEAST_MS);

	/* To a worker, 0 is no limit. */
	if (run->step_ms > 0)
		ms = Min(ms, Max(run->step_ms, 1));
	return (int) Min(ms, INT_MAX / 2);
}

/*
 * Somebody who wants to lock the table goes first, as with autovacuum.
 *
 * A step can take hours, and is looked at all the time: what looking takes is
 * given back.  Looking up a type may have left a snapshot, which the step
 * would wait for.
 */
static const char *
others_wait(void *arg, int pid)
{
	Watching   *watching = arg;
	TimestampTz now = GetCurrentTimestamp();
	MemoryContext caller;
	MemoryContext ours;
	int			waiter;

	if (!TimestampDifferenceExceeds(watching->looked, now, WATCH_MS))
		return NULL;
	watching->looked = now;
	ours = AllocSetContextCreate(CurrentMemoryContext,
								 "operations_runbook look",
								 ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(ours);
	waiter = who_waits_for(pid, now, watching->run->lock_ms);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(ours);
	InvalidateCatalogSnapshot();
	return waiter == 0 ? NULL : psprintf(_("process %d waits for it"), waiter);
}

/*
 * A process that has waited for so long for another one, or 0.
 */
static int
who_waits_for(int pid, TimestampTz now, double lock_ms)
{
	OpsActivity *activity = ops_activity_read();

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];

		if (backend->wait_start != 0 && backend->pid != pid &&
			TimestampDifferenceExceeds(backend->wait_start, now,
									   (int) lock_ms) &&
			waits_for(backend->pid, pid))
			return backend->pid;
	}
	return 0;
}

static bool
waits_for(int waiter, int pid)
{
	ArrayType  *array = DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids,
															   Int32GetDatum(waiter)));
	const int32 *blockers = (const int32 *) ARR_DATA_PTR(array);
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	for (int i = 0; i < count; i++)
	{
		if (blockers[i] == pid)
			return true;
	}
	return false;
}

/*
 * What the end of its command means for a step, and for the run.
 */
static void
judge(OpsMaintenance *run, OpsStep *step, const OpsCommandResult *result)
{
	step->sqlerrcode = result->sqlerrcode;
	step->error = result->message;
	if (result->end == OPS_COMMAND_DONE)
		step->status = "done";
	else if (result->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		step->status = "skipped";
	else if (result->sqlerrcode == ERRCODE_QUERY_CANCELED)
		step->status = "cancelled";
	else
		step->status = "failed";

	/* Nor will the next one. */
	if (result->end == OPS_COMMAND_NOT_STARTED)
	{
		run->status = "failed";
		run->error_code = result->sqlerrcode;
		run->error = result->message;
	}
}

static void
end_step(OpsMaintenance *run, OpsStep *step)
{
	ops_runlog_step_ends(run, step);
	commit(run);
	if (strcmp(step->status, "done") == 0)
		run->done++;
	else if (strcmp(step->status, "skipped") == 0)
		run->skipped++;
	else
		run->failed++;
	if (step->error)
		ereport(NOTICE,
				(errmsg("step %d, %s: %s (%s)", step->number, step->command,
						step->status, step->error)));
	else
		ereport(NOTICE,
				(errmsg("step %d, %s: %s", step->number, step->command,
						step->status)));
}

/*
 * A REINDEX CONCURRENTLY that did not end well leaves an index behind that
 * every write has to keep up.
 */
static void
clear_up(OpsMaintenance *run, Oid table)
{
	List	   *steps = plan(run, list_make1("leftovers"), table);
	ListCell   *lc;

	ops_runlog_add(run, steps);
	commit(run);
	foreach(lc, steps)
	{
		OpsStep    *step = lfirst(lc);

		if (strcmp(step->status, "planned") == 0)
			do_step(run, step, GetCurrentTimestamp());
	}
}
