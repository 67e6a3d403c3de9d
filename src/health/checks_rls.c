/*-------------------------------------------------------------------------
 *
 * checks_rls.c
 *	  Check of what the audit of row security finds.
 *
 * Source: ops.rls_audit(), or what it said before if nothing has changed
 * since.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "health/activity.h"
#include "health/catalog.h"
#include "rls/summary.h"
#include "utils/timestamp.h"

/* What an audit takes for a relation, on a slow machine. */
#define RELATION_MS	0.3

static bool audit_fits(OpsRun *run, OpsResult *result);
static void name_culprits(const OpsRlsSummary *summary, OpsResult *result);
static void say_findings(const OpsRlsSummary *summary, OpsResult *result);

/*
 * rls: ways from one tenant's session to another tenant's rows.
 *
 * Never says that all is well without an audit: if there is no time for one,
 * or nothing for it to look at, the result is unknown.
 */
static void
probe_rls(OpsRun *run, OpsResult *result)
{
	const OpsRlsSummary *summary = ops_rls_last_summary(run->now);

	if (summary == NULL)
	{
		if (!audit_fits(run, result))
			return;
		summary = ops_rls_new_summary(run->now);
	}
	if (summary->relations == 0 && summary->count[OPS_P0] == 0 &&
		summary->count[OPS_P1] == 0)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE,
						   _("not applicable: no table is known to hold rows of several tenants"));
		ops_result_remedy(result, "SELECT code, object, message FROM ops.rls_audit();");
		return;
	}
	name_culprits(summary, result);
	say_findings(summary, result);
}

/*
 * An audit cannot be left halfway, so it is not begun if it would not fit.
 */
static bool
audit_fits(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	double		left = run->budget_ms - ops_run_elapsed_ms(run);
	int			relations = 0;

	for (int i = 0; i < catalog->nrelations; i++)
	{
		const OpsRelation *relation = &catalog->relations[i];

		if (relation->user && relation->form.relkind != RELKIND_INDEX &&
			relation->form.relkind != RELKIND_SEQUENCE)
			relations++;
	}
	if (relations * RELATION_MS <= left)
		return true;
	ops_result_unknown(result, OPS_OUT_OF_BUDGET,
					   _("not begun: an audit of %d relations does not fit into what is left of the budget of %g ms"),
					   relations, run->budget_ms);
	ops_result_remedy(result, "SET operations_runbook.deep_budget = '%ds';",
					  (int) ceil((relations * RELATION_MS + run->budget_ms) / 1000));
	run->truncated = true;
	return false;
}

static void
name_culprits(const OpsRlsSummary *summary, OpsResult *result)
{
	for (int i = 0; i < summary->nworst; i++)
	{
		const OpsRlsSummaryItem *item = &summary->worst[i];
		OpsCulprit *culprit = ops_result_culprit(result, OPS_P3 - item->severity);

		if (culprit == NULL)
			continue;
		culprit->role = item->role_name;
		culprit->schema_name = item->schema_name;
		culprit->relation = item->object_name;
		culprit->note = item->code;
	}
}

static void
say_findings(const OpsRlsSummary *summary, OpsResult *result)
{
	const char *code = summary->nworst > 0 ? summary->worst[0].code : "";
	const char *object = summary->nworst > 0 ? summary->worst[0].object : "";
	const int  *count = summary->count;

	if (count[OPS_P0] > 0)
		ops_result_value(result, count[OPS_P0],
						 ngettext("%d way past row security is open (P0): %s on %s",
								  "%d ways past row security are open (P0), among them %s on %s",
								  count[OPS_P0]),
						 count[OPS_P0], code, object);
	else if (count[OPS_P1] > 0)
		ops_result_value(result, 0,
						 ngettext("%d way past row security is one condition away (P1): %s on %s",
								  "%d ways past row security are one condition away (P1), among them %s on %s",
								  count[OPS_P1]),
						 count[OPS_P1], code, object);
	else if (summary->unproved > 0)
		ops_result_value(result, 0,
						 ngettext("no way past row security was found, but %d policy could not be proved",
								  "no way past row security was found, but %d policies could not be proved",
								  summary->unproved),
						 summary->unproved);
	else if (summary->waived > 0)
		ops_result_value(result, 0,
						 ngettext("no way past row security but %d that is waived, in %d tables with rows of tenants",
								  "no way past row security but %d that are waived, in %d tables with rows of tenants",
								  summary->waived),
						 summary->waived, summary->relations);
	else
		ops_result_value(result, 0,
						 ngettext("no way past row security in %d table with rows of tenants",
								  "no way past row security in %d tables with rows of tenants",
								  summary->relations),
						 summary->relations);

	if (count[OPS_P1] > 0 || summary->unproved > 0)
		ops_result_at_least(result, OPS_WARN);
	if (summary->nworst > 0 && summary->worst[0].remediation)
		ops_result_remedy(result, "%s", summary->worst[0].remediation);
}

const OpsCheck ops_rls_checks[] = {
	{
		.name = "rls",
		.title = gettext_noop("ways from one tenant's session to another tenant's rows"),
		.unit = "findings",
		.severity = OPS_P0,
		.depth = OPS_DEEP,
		.audience = OPS_FOR_MONITOR,
		.warning = 1,
		.critical = 1,
		.probe = probe_rls,
		.remedy = gettext_noop("SELECT severity, code, object, message, remediation FROM ops.rls_audit();"),
	},
};
const int	ops_rls_count = lengthof(ops_rls_checks);
