/*-------------------------------------------------------------------------
 *
 * judge.c
 *	  Jobs of pg_cron, and whether they do what they are there for.
 *
 * pg_cron does not make up for what it missed while the server was down, so
 * only what was due since the server's start can be late.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "core/report.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "schedule/jobs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_jobs);

/* Times that a job may miss before it is late or piles up. */
#define MISSED			2

/* What pg_cron may take to start what is due. */
#define START_TIME		(90 * USECS_PER_SEC)

/* How far the next run is looked for: past every leap year. */
#define AHEAD			(9 * INT64CONST(366) * USECS_PER_DAY)

const char *const ops_job_state_name[] = {
	"ok", "inactive", "no launcher", "failing", "piling up", "late",
	"other times than its window", "unknown", "never ran",
};

/* What all jobs are judged by. */
typedef struct Bench
{
	const OpsCron *cron;
	TimestampTz now;
	bool		launcher;
	OpsWindow  *windows;
	int			nwindows;
} Bench;

static void judge(const Bench *bench, OpsJob *job);
static OpsJobState state_of(const Bench *bench, const OpsJob *job,
							const OpsCronExpression *expression);
static bool misses_window(const Bench *bench, const OpsJob *job,
						  const OpsCronExpression *expression);
static const OpsWindow *window_of(const Bench *bench, const OpsJob *job);
static const char *note_of(const Bench *bench, const OpsJob *job);
static void put_job(ReturnSetInfo *rsinfo, const OpsJob *job);
static void put_time(Datum *value, bool *isnull, TimestampTz time);

/*
 * Read and judge the jobs that the caller, or the owner of pg_cron's tables,
 * may see: ours of this database, or all.
 */
OpsJob *
ops_jobs_read(const OpsCron *cron, bool as_owner, bool everyone,
			  TimestampTz now, int *count)
{
	Bench		bench = {.cron = cron,.now = now};
	OpsCronJob *rows;
	OpsJob	   *jobs;
	int			nrows;

	rows = ops_cron_read(cron, as_owner, everyone ? NIL :
						 ops_duty_jobs(get_database_name(MyDatabaseId)),
						 &nrows);
	bench.launcher = !RecoveryInProgress() && ops_cron_launcher_runs();
	bench.windows = ops_windows_read_all(NULL, &bench.nwindows);

	jobs = palloc0(Max(nrows, 1) * sizeof(OpsJob));
	*count = 0;
	for (int i = 0; i < nrows; i++)
	{
		OpsJob	   *job = &jobs[*count];

		CHECK_FOR_INTERRUPTS();
		job->cron = rows[i];
		job->duty = ops_job_duty(cron, &rows[i]);
		if (!everyone && job->duty == NULL)
			continue;
		judge(&bench, job);
		(*count)++;
	}
	return jobs;
}

/*
 * Which of our jobs for this database a job is; NULL for none.
 */
const OpsDuty *
ops_job_duty(const OpsCron *cron, const OpsCronJob *job)
{
	const char *here = get_database_name(MyDatabaseId);

	for (int i = 0; job->name && i < ops_nduty; i++)
	{
		const OpsDuty *duty = &ops_duty_table[i];

		if (strcmp(job->name, ops_duty_job(duty, here)) == 0 &&
			strcmp(job->database,
				   duty->cleans_cron ? cron->database : here) == 0)
			return duty;
	}
	return NULL;
}

static void
judge(const Bench *bench, OpsJob *job)
{
	OpsCronExpression expression;

	if (ops_cron_parse(job->cron.schedule, &expression))
	{
		TimestampTz after = bench->now;

		/* A run every so many seconds counts from the one before. */
		if (expression.seconds > 0 && job->cron.last_start != 0)
			after = Max(after - expression.seconds * USECS_PER_SEC,
						job->cron.last_start);
		if (!job->cron.active || !bench->launcher ||
			!ops_cron_next(&expression, &bench->cron->clock, after,
						   bench->now + AHEAD, &job->next_run))
			job->next_run = 0;
	}
	else
		expression.at_start = true;
	job->state = state_of(bench, job, &expression);
	job->note = note_of(bench, job);
}

static OpsJobState
state_of(const Bench *bench, const OpsJob *job,
		 const OpsCronExpression *expression)
{
	const OpsCronJob *cron = &job->cron;
	const OpsCronClock *clock = &bench->cron->clock;

	if (!cron->active)
		return OPS_JOB_INACTIVE;
	if (!bench->launcher)
		return OPS_JOB_NO_LAUNCHER;
	if (cron->failures > 0)
		return OPS_JOB_FAILING;
	if (cron->running > 0 && cron->running_since != 0 &&
		ops_cron_count(expression, clock, cron->running_since,
					   bench->now - START_TIME, MISSED) >= MISSED)
		return OPS_JOB_PILING_UP;
	if (bench->cron->keeps_runs && cron->running == 0 &&
		cron->last_start != 0 &&
		ops_cron_count(expression, clock,
					   Max(cron->last_start, PgStartTime),
					   bench->now - START_TIME, MISSED) >= MISSED)
		return OPS_JOB_LATE;
	if (misses_window(bench, job, expression))
		return OPS_JOB_OTHER_TIMES;
	if (cron->last_status == NULL)
		return bench->cron->keeps_runs ? OPS_JOB_NEVER_RAN : OPS_JOB_UNKNOWN;
	return OPS_JOB_OK;
}

/*
 * Whether a job of ours is not started when its window opens, or has no
 * window any more.
 */
static bool
misses_window(const Bench *bench, const OpsJob *job,
			  const OpsCronExpression *expression)
{
	const OpsWindow *window;

	if (job->duty == NULL || job->duty->window == OPS_NO_WINDOW)
		return false;
	window = window_of(bench, job);
	return window == NULL ||
		(window->enabled &&
		 !ops_schedule_fits(expression, &bench->cron->clock, window,
							bench->now));
}

/*
 * The window that a job of ours names in its command, which tells it.
 */
static const OpsWindow *
window_of(const Bench *bench, const OpsJob *job)
{
	for (int i = 0; i < bench->nwindows; i++)
	{
		if (strcmp(ops_duty_command(job->duty, bench->windows[i].name),
				   job->cron.command) == 0)
			return &bench->windows[i];
	}
	return NULL;
}

static const char *
note_of(const Bench *bench, const OpsJob *job)
{
	switch (job->state)
	{
		case OPS_JOB_INACTIVE:
			return psprintf(_("switched off; to switch it on: SELECT cron.alter_job(" INT64_FORMAT ", active => true);"),
							job->cron.id);
		case OPS_JOB_NO_LAUNCHER:
			return RecoveryInProgress() ?
				_("pg_cron starts no jobs on a standby") :
				_("the process that starts pg_cron's jobs is not running");
		case OPS_JOB_FAILING:
			return psprintf(ngettext("%d failure since it last succeeded",
									 "%d failures since it last succeeded",
									 job->cron.failures),
							job->cron.failures);
		case OPS_JOB_PILING_UP:
			return _("it still runs although it has been due again several times");
		case OPS_JOB_LATE:
			return _("it has been due more than once without being started; see cron.max_running_jobs and the server log");
		case OPS_JOB_OTHER_TIMES:
			return window_of(bench, job) ?
				_("its window is open at other times than it is started; run ops.schedule_maintenance() again") :
				_("its command names no window that there is; run ops.schedule_maintenance() again");
		case OPS_JOB_UNKNOWN:
			return _("cron.log_run is off, so runs leave no record");
		case OPS_JOB_OK:
		case OPS_JOB_NEVER_RAN:
			break;
	}
	if (job->duty && job->duty->window != OPS_NO_WINDOW &&
		!window_of(bench, job)->enabled)
		return psprintf(_("maintenance window \"%s\" is switched off"),
						window_of(bench, job)->name);
	return NULL;
}

/*
 * ops.jobs(everyone boolean) RETURNS SETOF record
 *
 * Jobs of pg_cron with what became of them.
 *
 * Only who may see other sessions is shown the jobs of other roles, as far as
 * pg_cron keeps them in this database; elsewhere nobody is lent another
 * role's eyes.
 */
Datum
ops_jobs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		everyone = !PG_ARGISNULL(0) && PG_GETARG_BOOL(0);
	OpsCron		cron;
	OpsJob	   *jobs;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	ops_cron_demand(&cron);
	jobs = ops_jobs_read(&cron,
						 has_privs_of_role(GetUserId(), ROLE_PG_MONITOR),
						 everyone, GetCurrentTimestamp(), &count);
	for (int i = 0; i < count; i++)
		put_job(rsinfo, &jobs[i]);
	return (Datum) 0;
}

static void
put_job(ReturnSetInfo *rsinfo, const OpsJob *job)
{
	const OpsCronJob *cron = &job->cron;
	Datum		values[16];
	bool		isnull[16] = {false};

	ops_report_text(&values[0], &isnull[0], cron->name);
	ops_report_text(&values[1], &isnull[1], cron->database);
	ops_report_text(&values[2], &isnull[2], cron->role);
	ops_report_text(&values[3], &isnull[3], cron->schedule);
	ops_report_text(&values[4], &isnull[4], cron->command);
	values[5] = BoolGetDatum(cron->active);
	put_time(&values[6], &isnull[6], cron->last_start);
	put_time(&values[7], &isnull[7], cron->last_end);
	ops_report_text(&values[8], &isnull[8], cron->last_status);
	ops_report_text(&values[9], &isnull[9], cron->last_message);
	isnull[10] = cron->last_start == 0 || cron->last_end == 0;
	if (!isnull[10])
		values[10] = DirectFunctionCall2(timestamp_mi,
										 TimestampTzGetDatum(cron->last_end),
										 TimestampTzGetDatum(cron->last_start));
	put_time(&values[11], &isnull[11], job->next_run);
	values[12] = Int32GetDatum(cron->running);
	values[13] = Int32GetDatum(cron->failures);
	values[14] = CStringGetTextDatum(ops_job_state_name[job->state]);
	ops_report_text(&values[15], &isnull[15], job->note);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
}

static void
put_time(Datum *value, bool *isnull, TimestampTz time)
{
	*isnull = time == 0;
	if (time != 0)
		*value = TimestampTzGetDatum(time);
}
