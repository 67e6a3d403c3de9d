/*-------------------------------------------------------------------------
 *
 * cron_jobs.c
 *	  The check of pg_cron's jobs.
 *
 * What becomes of them is told by schedule/judge.c, which ops.jobs() shows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "health/activity.h"
#include "health/cron_jobs.h"
#include "health/tool.h"
#include "schedule/jobs.h"
#include "utils/float.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* Rows of pg_cron's history from which on it is called too long. */
#define LONG_HISTORY	1000000

/* How the jobs of pg_cron are doing. */
typedef struct CronFindings
{
	int			active;
	int			failed;
	int			troubled;		/* in another way */
	int			unfinished;		/* no finished run on record */
	const OpsJob *first_failed;
	const OpsJob *first_troubled;
} CronFindings;

static const char *
job_name(const OpsJob *job)
{
	return job->cron.name ? job->cron.name :
		psprintf(_("job " INT64_FORMAT), job->cron.id);
}

/*
 * Name a job that is not as it should be; what failed comes first.
 */
static void
blame_job(OpsResult *result, const OpsJob *job)
{
	const OpsCronJob *cron = &job->cron;
	OpsCulprit *culprit = ops_result_culprit(result,
											 cron->failures > 0 ? 1 : 0.5);

	if (culprit == NULL)
		return;
	culprit->name = job_name(job);
	culprit->role = cron->role;
	culprit->database = cron->database;
	if (cron->failures == 0)
		culprit->note = job->note;
	else if (cron->interrupted)
		culprit->note = _("cut off by a restart");
	else if (cron->failed_at == 0)
		culprit->note = _("failed");
	else
		culprit->note = psprintf(_("failed %s ago"),
								 ops_duration(Max(GetCurrentTimestamp() - cron->failed_at, 0) /
											  (double) USECS_PER_SEC));
}

/*
 * Look through the active jobs.
 */
static void
find_troubled_jobs(OpsResult *result, const OpsJob *jobs, int count,
				   CronFindings *findings)
{
	for (int i = 0; i < count; i++)
	{
		const OpsJob *job = &jobs[i];

		if (job->state == OPS_JOB_INACTIVE)
			continue;
		findings->active++;
		if (!job->cron.finished)
			findings->unfinished++;
		if (job->cron.failures > 0)
		{
			if (findings->failed++ == 0)
				findings->first_failed = job;
		}
		else if (job->state == OPS_JOB_PILING_UP ||
				 job->state == OPS_JOB_LATE ||
				 job->state == OPS_JOB_OTHER_TIMES)
		{
			if (findings->troubled++ == 0)
				findings->first_troubled = job;
		}
		else
			continue;
		blame_job(result, job);
	}
}

/*
 * Judge each active job by the runs that it has on record.
 */
static void
judge_cron_jobs(OpsResult *result, const OpsCron *cron,
				const OpsToolTable *runs)
{
	CronFindings findings = {0};
	const OpsJob *jobs;
	int			count;

	jobs = ops_jobs_read(cron, true, true, GetCurrentTimestamp(), &count);
	find_troubled_jobs(result, jobs, count, &findings);

	if (findings.failed > 0)
	{
		ops_result_value(result, findings.failed + findings.troubled,
						 ngettext("%d job of %d failed at its last run: %s",
								  "%d jobs of %d failed at their last run, among them %s",
								  findings.failed),
						 findings.failed, findings.active,
						 job_name(findings.first_failed));
		ops_result_remedy(result, "SELECT * FROM %s WHERE jobid = " INT64_FORMAT " ORDER BY runid DESC LIMIT 5;",
						  runs->quoted, findings.first_failed->cron.id);
	}
	else if (findings.troubled > 0)
	{
		ops_result_value(result, findings.troubled,
						 ngettext("%d job of %d does not run as it should: %s",
								  "%d jobs of %d do not run as they should, among them %s",
								  findings.troubled),
						 findings.troubled, findings.active,
						 job_name(findings.first_troubled));
		ops_result_remedy(result, "SELECT job_name, state, note FROM ops.jobs(everyone => true) WHERE state <> 'ok';");
	}
	else
		ops_result_value(result, 0, _("none of %d active jobs failed at its last run, %d have no finished run on record"),
						 findings.active, findings.unfinished);
}

/*
 * Rows of a table by the estimate of the last VACUUM or ANALYZE, -1 if there
 * has been none.
 */
static double
estimated_rows(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	double		rows = -1;

	if (HeapTupleIsValid(tuple))
	{
		rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return rows;
}

/*
 * cron: jobs of pg_cron that do not do what they are there for, and pg_cron
 * itself.
 */
void
ops_probe_cron(OpsRun *run, OpsResult *result)
{
	Oid			extension = get_extension_oid("pg_cron", true);
	OpsCron		cron;
	bool		loaded = ops_cron_find(&cron);
	OpsToolTable *jobs;
	OpsToolTable *runs;
	double		rows;

	if (!OidIsValid(extension))
	{
		if (loaded && !cron.here)
			ops_result_unknown(result, OPS_NOT_APPLICABLE,
							   _("not applicable: pg_cron is not installed in this database, ask database \"%s\""),
							   cron.database);
		else
			ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
							   _("not applicable: pg_cron is not installed in this database"));
		return;
	}
	if (!loaded || !cron.here || !ops_cron_launcher_runs())
	{
		ops_result_at_least(result, OPS_FAIL);
		ops_result_value(result, get_float8_nan(), "%s",
						 _("pg_cron's launcher is not running: no job is started"));
		ops_result_remedy(result, "SHOW shared_preload_libraries; SHOW cron.database_name;");
		return;
	}
	if (!cron.keeps_runs)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: cron.log_run is off, so runs leave no record"));
		return;
	}

	jobs = ops_tool_extension_table(run, extension, "job");
	runs = ops_tool_extension_table(run, extension, "job_run_details");
	if (!ops_tool_open(jobs, result))
		return;
	if (ops_tool_open(runs, result))
	{
		judge_cron_jobs(result, &cron, runs);
		ops_tool_close(runs);
	}
	ops_tool_close(jobs);

	rows = estimated_rows(runs->relid);
	if (result->reason == OPS_REASON_NONE && rows > LONG_HISTORY)
	{
		OpsCulprit *culprit = ops_result_culprit(result, 0);

		ops_result_at_least(result, OPS_WARN);
		if (culprit)
		{
			culprit->schema_name = runs->schema_name;
			culprit->relation = runs->name;
			culprit->note = psprintf(_("about %.0f rows"), rows);
		}
		if (result->value == 0)
		{
			ops_result_value(result, 0, _("no job failed, but the history of runs has grown to about %.0f rows"),
							 rows);
			ops_result_remedy(result, "DELETE FROM %s WHERE end_time < now() - interval '7 days';",
							  runs->quoted);
		}
	}
}
