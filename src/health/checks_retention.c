/*-------------------------------------------------------------------------
 *
 * checks_retention.c
 *	  Check of the policies by which old rows are deleted.
 *
 * Source: ops.retention_policy, and the log of the runs in ops.cleanup_run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "cleanup/summary.h"
#include "health/activity.h"

static int	name_policies(List *states, double limit, OpsResult *result);

/*
 * retention: time since the policy that waits longest finished a table.
 */
static void
probe_retention(OpsRun *run, OpsResult *result)
{
	List	   *states = ops_retention_summarize();
	const OpsRetentionState *worst;
	int			troubled;

	if (states == NIL)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE,
						   _("there is no policy that says how long rows are kept"));
		return;
	}
	worst = linitial(states);
	troubled = name_policies(states, result->warning, result);
	if (troubled > 0)
		ops_result_value(result, worst->hours,
						 ngettext("%d policy could not delete its old rows; the one that waits longest, \"%s\", does so for %.0f h",
								  "%d policies could not delete their old rows; the one that waits longest, \"%s\", does so for %.0f h",
								  troubled),
						 troubled, worst->policy_name, worst->hours);
	else if (worst->ever)
		ops_result_value(result, worst->hours,
						 ngettext("%d policy; it last finished %.0f h ago",
								  "%d policies; the one that waits longest last finished %.0f h ago",
								  list_length(states)),
						 list_length(states), worst->hours);
	else
		ops_result_value(result, worst->hours,
						 _("policy \"%s\" was made %.0f h ago and never finished a run"),
						 worst->policy_name, worst->hours);
	if (troubled > 0)
		ops_result_at_least(result, OPS_WARN);
}

/*
 * Name the policies that went wrong or wait too long; how many went wrong.
 */
static int
name_policies(List *states, double limit, OpsResult *result)
{
	int			troubled = 0;
	ListCell   *lc;

	foreach(lc, states)
	{
		const OpsRetentionState *state = lfirst(lc);
		OpsCulprit *culprit;

		if (state->trouble)
			troubled++;
		else if (!(state->hours >= limit))
			continue;

		/* What went wrong does so before what is late. */
		culprit = ops_result_culprit(result, state->hours + (state->trouble ? 1e6 : 0));
		if (culprit == NULL)
			continue;
		culprit->name = state->policy_name;
		culprit->relation = state->relation;
		culprit->note = state->trouble ? state->trouble :
			state->ever ? _("no run finished since") : _("no run ever finished");
		culprit->value = state->hours;
	}
	return troubled;
}

const OpsCheck ops_retention_checks[] = {
	{
		.name = "retention",
		.title = gettext_noop("time since the retention policy that waits longest finished a table"),
		.unit = "hours",
		.severity = OPS_P2,
		.depth = OPS_DEEP,
		.audience = OPS_FOR_MONITOR,
		.warning = 48,
		.critical = NAN,
		.probe = probe_retention,
		.remedy = gettext_noop("SELECT policy_name, relation, stopped_by, remedy FROM ops.cleanup_plan();"),
	},
};
const int	ops_retention_count = lengthof(ops_retention_checks);
