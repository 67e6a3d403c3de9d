/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  Settings of the extension.
 *
 * The prefix is operations_runbook, not ops: reserving a prefix removes and
 * refuses whatever other people have put under it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "core/guc.h"
#include "utils/guc.h"

/* What the health document says in "version" and "env"; set at deployment. */
char	   *ops_guc_release;
char	   *ops_guc_environment;

/* Login roles that may be superuser or bypass row security; see "roles". */
char	   *ops_guc_superusers;

/* The newest migration that should have run, for whoever deploys with CI. */
char	   *ops_guc_expected_migration;

/* Whether maintenance mode is a reason to send no traffic here. */
bool		ops_guc_maintenance_unavailable;

/* Where the choice of pages for ops.bloat_report() starts; 0: anywhere. */
int			ops_guc_bloat_seed;

/* How long ops.health() may take when the call names no budget. */
int			ops_guc_fast_budget;
int			ops_guc_deep_budget;

/* Guard for queries over tables that we do not own. */
int			ops_guc_lock_timeout;

/* Spacing of the samples that rates are computed from. */
int			ops_guc_sample_interval;

/* How many standbys ought to be connected; 0 leaves it unchecked. */
int			ops_guc_expected_standbys;

/* Statistics younger than this are not judged. */
int			ops_guc_statistics_min_age;

void
ops_guc_init(void)
{
	DefineCustomIntVariable("operations_runbook.bloat_seed",
							gettext_noop("Makes ops.bloat_report() choose the same pages every time."),
							gettext_noop("Zero chooses others each time."),
							&ops_guc_bloat_seed,
							0, 0, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("operations_runbook.deep_budget",
							gettext_noop("Sets how long a deep health check can take."),
							gettext_noop("Checks that do not fit are reported as unknown."),
							&ops_guc_deep_budget,
							5000, 1, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomStringVariable("operations_runbook.environment",
							   gettext_noop("Names the environment in the health document."),
							   gettext_noop("For example production or staging."),
							   &ops_guc_environment,
							   "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("operations_runbook.expected_migration",
							   gettext_noop("Names the newest migration that should have run."),
							   gettext_noop("An empty value leaves it unchecked."),
							   &ops_guc_expected_migration,
							   "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomIntVariable("operations_runbook.expected_standbys",
							gettext_noop("Sets how many standbys should be connected."),
							gettext_noop("Zero leaves it unchecked."),
							&ops_guc_expected_standbys,
							0, 0, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("operations_runbook.fast_budget",
							gettext_noop("Sets how long a fast health check can take."),
							gettext_noop("Checks that do not fit are reported as unknown."),
							&ops_guc_fast_budget,
							150, 1, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("operations_runbook.lock_timeout",
							gettext_noop("Sets how long a check can wait for a lock."),
							gettext_noop("A check that waits longer is reported as unknown."),
							&ops_guc_lock_timeout,
							100, 1, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomBoolVariable("operations_runbook.maintenance_unavailable",
							 gettext_noop("Answers health requests in maintenance mode with HTTP status 503."),
							 gettext_noop("Open maintenance windows do not count."),
							 &ops_guc_maintenance_unavailable,
							 false, PGC_USERSET, 0,
							 NULL, NULL, NULL);
	DefineCustomStringVariable("operations_runbook.release",
							   gettext_noop("Names the release in the health document."),
							   gettext_noop("Usually the commit that was deployed."),
							   &ops_guc_release,
							   "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomIntVariable("operations_runbook.sample_interval",
							gettext_noop("Sets the spacing of the samples that rates are computed from."),
							gettext_noop("Samples are kept only when the library is preloaded."),
							&ops_guc_sample_interval,
							60000, 1, 3600000,
							PGC_SUSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("operations_runbook.statistics_min_age",
							gettext_noop("Sets how old cumulative statistics must be to be judged."),
							gettext_noop("An index is not called unused on younger statistics."),
							&ops_guc_statistics_min_age,
							7 * 24 * 3600, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomStringVariable("operations_runbook.superusers",
							   gettext_noop("Lists login roles that may be superuser or bypass row security."),
							   gettext_noop("The role that created the cluster is always on the list."),
							   &ops_guc_superusers,
							   "", PGC_SUSET, GUC_LIST_INPUT,
							   NULL, NULL, NULL);

	MarkGUCPrefixReserved("operations_runbook");
}
