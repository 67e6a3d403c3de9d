/*-------------------------------------------------------------------------
 *
 * checks_bloat.c
 *	  Check of the space that rewriting the largest relations would give
 *	  back.
 *
 * Source: ops.bloat_report(), for relations that are large enough to matter
 * and no more of them than a health check has time for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/summary.h"
#include "health/activity.h"
#include "utils/timestamp.h"

#define BYTES_PER_MB	(1024.0 * 1024.0)

/* What is measured: so many relations, of this size at least. */
#define MOST_RELATIONS	20
#define MIN_BYTES		(16 * BYTES_PER_MB)

/* Part of what is left of the budget that goes into measuring. */
#define BUDGET_SHARE	0.5

/* One relation that holds so much more than it needs deserves a word. */
#define MUCH_SHARE		0.30
#define MUCH_BYTES		(1024 * BYTES_PER_MB)

static void name_worst(const OpsBloatSummary *summary, OpsResult *result);
static void say_sum(const OpsBloatSummary *summary, OpsResult *result);

/*
 * bloat: space that would come back for sure, of what the largest relations
 * take.
 */
static void
probe_bloat(OpsRun *run, OpsResult *result)
{
	double		left = run->budget_ms - ops_run_elapsed_ms(run);
	OpsBloatSummary summary = {
		.min_size = (int64) MIN_BYTES,
		.most = MOST_RELATIONS,
	};

	summary.until = GetCurrentTimestamp() + (TimestampTz) (Max(left, 0) * BUDGET_SHARE * 1000);
	ops_bloat_summarize(&summary);

	if (summary.eligible == 0)
	{
		ops_result_value(result, 0, _("no relation takes %.0f MB or more"),
						 MIN_BYTES / BYTES_PER_MB);
		return;
	}
	if (summary.measured == 0)
	{
		ops_result_unknown(result, OPS_FAILED,
						   _("none of the %d largest relations could be measured: locked, unreadable, or no time was left"),
						   summary.eligible);
		ops_result_remedy(result, "SELECT relation, note FROM ops.bloat_report() WHERE note IS NOT NULL;");
		return;
	}
	say_sum(&summary, result);
	name_worst(&summary, result);
}

static void
say_sum(const OpsBloatSummary *summary, OpsResult *result)
{
	double		percent = 100.0 / Max(summary->size, 1);

	if (summary->measured < summary->eligible)
		ops_result_value(result, percent * summary->low,
						 _("%s (%.0f - %.0f %%) of %s in %d of the %d largest relations would come back if all were rewritten; with an action: %d"),
						 ops_bytes(summary->reclaimable),
						 percent * summary->low, percent * summary->high,
						 ops_bytes(summary->size), summary->measured,
						 summary->eligible, summary->advised);
	else
		ops_result_value(result, percent * summary->low,
						 ngettext("%s (%.0f - %.0f %%) of %s in the %d largest relation would come back if it were rewritten; with an action: %d",
								  "%s (%.0f - %.0f %%) of %s in the %d largest relations would come back if all were rewritten; with an action: %d",
								  summary->measured),
						 ops_bytes(summary->reclaimable),
						 percent * summary->low, percent * summary->high,
						 ops_bytes(summary->size), summary->measured,
						 summary->advised);
}

/*
 * The relations with something to do, those with most to give back first.
 */
static void
name_worst(const OpsBloatSummary *summary, OpsResult *result)
{
	for (int i = 0; i < summary->nworst; i++)
	{
		const OpsBloatSummaryItem *item = &summary->worst[i];
		OpsCulprit *culprit = ops_result_culprit(result, item->low);

		if (culprit)
		{
			culprit->schema_name = item->schema_name;
			culprit->relation = item->relation;
			culprit->note = item->action;
			culprit->value = 100.0 * item->low / Max(item->size, 1);
		}
		if (item->low >= MUCH_BYTES && item->low >= MUCH_SHARE * item->size)
			ops_result_at_least(result, OPS_WARN);
	}
	if (summary->nworst > 0 && summary->worst[0].command)
		ops_result_remedy(result, "%s", summary->worst[0].command);
}

const OpsCheck ops_bloat_checks[] = {
	{
		.name = "bloat",
		.title = gettext_noop("space that rewriting the largest relations would give back for sure, of what they take"),
		.unit = "percent",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.audience = OPS_FOR_MONITOR,
		.warning = 30,
		.critical = NAN,
		.probe = probe_bloat,
		.remedy = gettext_noop("SELECT relation, action, command, reason FROM ops.bloat_report() WHERE action <> 'none';"),
	},
};
const int	ops_bloat_count = lengthof(ops_bloat_checks);
