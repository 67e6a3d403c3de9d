/*-------------------------------------------------------------------------
 *
 * activity.c
 *	  What every process of the server is doing, read once for each run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "health/activity.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/*
 * The activity as of this run's first call.
 */
const OpsActivity *
ops_activity(OpsRun *run)
{
	if (run->activity == NULL)
		run->activity = ops_activity_read();
	return run->activity;
}

/*
 * Take back a result that found nothing wrong with the sessions' times, if
 * there are sessions that keep none.
 */
void
ops_activity_distrust(OpsRun *run, OpsResult *result)
{
	int			untracked = ops_activity(run)->nuntracked;

	if (untracked == 0 || result->value >= result->warning ||
		result->value >= result->critical)
		return;
	ops_result_unknown(result, OPS_FAILED,
					   ngettext("%d session keeps no times, as track_activities is off",
								"%d sessions keep no times, as track_activities is off",
								untracked),
					   untracked);
	ops_result_remedy(result, "ALTER SYSTEM SET track_activities = on; SELECT pg_reload_conf();");
}

/*
 * Seconds from an instant to the start of the run, at least 0.
 */
double
ops_seconds_since(const OpsRun *run, TimestampTz then)
{
	return Max(0, (run->now - then) / (double) USECS_PER_SEC);
}

/*
 * Name of a role, NULL if it is none or gone.
 */
const char *
ops_role_name(Oid role)
{
	return OidIsValid(role) ? GetUserNameFromId(role, true) : NULL;
}

const char *
ops_database_name(Oid database)
{
	return OidIsValid(database) ? get_database_name(database) : NULL;
}
