/*-------------------------------------------------------------------------
 *
 * checks_maintenance.c
 *	  Check of the windows in which routine work is to be done.
 *
 * Source: ops.maintenance_window, and the log of the runs in
 * ops.maintenance_run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "health/check.h"
#include "schedule/standing.h"

static int	occurrences(const OpsWindowStanding *standing);
static const OpsWindowStanding *worst_of(List *standings);
static void name_windows(List *standings, OpsResult *result);

/*
 * maintenance: occurrences in a row that passed without a finished run.
 */
static void
probe_maintenance(OpsRun *run, OpsResult *result)
{
	List	   *standings = ops_window_standings(run->now);
	const OpsWindowStanding *worst;
	int			count;

	if (standings == NIL)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE,
						   _("no maintenance window is switched on that ever had a run"));
		return;
	}
	worst = worst_of(standings);
	count = occurrences(worst);
	if (count == 0)
		ops_result_value(result, 0,
						 ngettext("no run is missing in %d maintenance window",
								  "no run is missing in %d maintenance windows",
								  list_length(standings)),
						 list_length(standings));
	else
		ops_result_value(result, count,
						 ngettext("%d occurrence of maintenance window \"%s\" passed without a run that finished",
								  "%d occurrences of maintenance window \"%s\" in a row passed without a run that finished",
								  count),
						 count, worst->window_name);
	name_windows(standings, result);
}

static int
occurrences(const OpsWindowStanding *standing)
{
	return standing->unfinished + standing->missed;
}

/*
 * The first by name of those that are alike.
 */
static const OpsWindowStanding *
worst_of(List *standings)
{
	const OpsWindowStanding *worst = linitial(standings);
	ListCell   *lc;

	foreach(lc, standings)
	{
		const OpsWindowStanding *standing = lfirst(lc);

		if (occurrences(standing) > occurrences(worst))
			worst = standing;
	}
	return worst;
}

static void
name_windows(List *standings, OpsResult *result)
{
	ListCell   *lc;

	foreach(lc, standings)
	{
		const OpsWindowStanding *standing = lfirst(lc);
		int			count = occurrences(standing);
		OpsCulprit *culprit = NULL;

		if (count > 0)
			culprit = ops_result_culprit(result, count);
		if (culprit == NULL)
			continue;
		culprit->name = standing->window_name;
		culprit->note = standing->missed > 0 ? _("no run") : standing->trouble;
		culprit->value = count;
	}
}

const OpsCheck ops_maintenance_checks[] = {
	{
		.name = "maintenance",
		.title = gettext_noop("occurrences of a maintenance window in a row without a run that finished"),
		.unit = "occurrences",
		.severity = OPS_P2,
		.depth = OPS_DEEP,
		.where = OPS_ON_PRIMARY,
		.audience = OPS_FOR_MONITOR,
		.warning = 1,
		.critical = 2,
		.probe = probe_maintenance,
		.remedy = gettext_noop("SELECT window_name, occurrence, status, stopped, error FROM ops.maintenance_run ORDER BY run_id DESC LIMIT 10;"),
	},
};
const int	ops_maintenance_count = lengthof(ops_maintenance_checks);
