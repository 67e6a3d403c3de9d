/*-------------------------------------------------------------------------
 *
 * cron_jobs.h
 *	  The check of pg_cron's jobs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_CRON_JOBS_H
#define OPS_CRON_JOBS_H

#include "health/check.h"

extern void ops_probe_cron(OpsRun *run, OpsResult *result);

#endif							/* OPS_CRON_JOBS_H */
