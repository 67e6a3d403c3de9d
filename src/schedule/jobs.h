/*-------------------------------------------------------------------------
 *
 * jobs.h
 *	  Jobs of pg_cron, and whether they do what they are there for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_JOBS_H
#define OPS_JOBS_H

#include "schedule/cron.h"
#include "schedule/duty.h"

/* The first one that holds, from the second on. */
typedef enum OpsJobState
{
	OPS_JOB_OK,
	OPS_JOB_INACTIVE,
	OPS_JOB_NO_LAUNCHER,
	OPS_JOB_FAILING,
	OPS_JOB_PILING_UP,			/* still runs when it is due again and again */
	OPS_JOB_LATE,
	OPS_JOB_OTHER_TIMES,		/* than its window is open */
	OPS_JOB_UNKNOWN,			/* pg_cron keeps no record */
	OPS_JOB_NEVER_RAN,
} OpsJobState;

typedef struct OpsJob
{
	OpsCronJob	cron;
	const OpsDuty *duty;		/* NULL: it is not one of ours, of here */
	OpsJobState state;
	TimestampTz next_run;		/* 0: none, or not known */
	const char *note;			/* what stands behind the state, or NULL */
} OpsJob;

extern const char *const ops_job_state_name[];

extern OpsJob *ops_jobs_read(const OpsCron *cron, bool as_owner,
							 bool everyone, TimestampTz now, int *count);

/* Those of ours in a list of all. */
extern const OpsDuty *ops_job_duty(const OpsCron *cron,
								   const OpsCronJob *job);

#endif							/* OPS_JOBS_H */
