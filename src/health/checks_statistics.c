/*-------------------------------------------------------------------------
 *
 * checks_statistics.c
 *	  Checks of the cumulative statistics of this database and the server.
 *
 * A count since the statistics began says nothing about now, so these checks
 * look at the last hour: the counters today less those of a sample that an
 * earlier run left in core/memory.h.  Every run leaves one, so whoever asks
 * more often than once an hour gets an answer.  The epoch of a sample is when
 * its counters began at zero; a reset makes the older samples useless.
 *
 * Within a transaction the server shows the counters as of the first look at
 * them (stats_fetch_consistency), so asking again in the same transaction
 * brings nothing new.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xlog.h"
#include "core/compat.h"
#include "core/memory.h"
#include "health/activity.h"
#include "health/catalog.h"
#include "utils/float.h"
#include "utils/timestamp.h"

/* Below these, a ratio is an accident. */
#define MIN_TRANSACTIONS	1000
#define MIN_BLOCKS			100000
#define MIN_CHECKPOINTS		3

/* Sampling intervals that growth must be seen over to be extrapolated. */
#define MIN_GROWTH_INTERVALS	60

#define BYTES_PER_GB	(1024.0 * 1024.0 * 1024.0)

/* What the counters of a sample of this database mean. */
typedef enum DatabaseCounter
{
	COMMITS,
	ROLLBACKS,
	BLOCKS_FETCHED,
	BLOCKS_HIT,
	CONFLICTS,
	TEMP_FILES,
	TEMP_BYTES,
	DEADLOCKS,
	NUM_DATABASE_COUNTERS,
} DatabaseCounter;

/* And of one of the whole cluster. */
typedef enum ClusterCounter
{
	CHECKPOINTS_TIMED,
	CHECKPOINTS_REQUESTED,
	NUM_CLUSTER_COUNTERS,
} ClusterCounter;

/* And of one in the series of half hours. */
typedef enum SizeCounter
{
	DATABASE_SIZE,
} SizeCounter;

StaticAssertDecl((int) NUM_DATABASE_COUNTERS <= OPS_SAMPLE_COUNTERS,
				 "a sample has room for every counter");

/* What happened between a sample and now. */
typedef struct Window
{
	double		seconds;
	int64		count[OPS_SAMPLE_COUNTERS];
} Window;

/*
 * Leave a sample behind, and recall the oldest one that is at most so old.
 */
static bool
recall_sample(Oid database, OpsSeries series, int64 age,
			  const OpsSample *current, OpsSample *earlier)
{
	int64		oldest = Max(age, 2 * ops_memory_spacing(series));
	bool		found = ops_memory_recall(database, series, current->taken,
										  current->taken - oldest,
										  current->epoch, earlier);

	ops_memory_remember(database, series, current);
	return found;
}

/*
 * Why there is nothing to compare with.
 */
static void
no_sample(OpsResult *result)
{
	if (ops_memory_available())
		ops_result_unknown(result, OPS_TOO_YOUNG, "%s",
						   _("needs a second sample"));
	else
		ops_result_unknown(result, OPS_TOO_YOUNG, "%s",
						   _("needs a second sample: preload operations_runbook to keep one"));
}

/*
 * What happened in the last hour, or since there are samples; false, with
 * the result told why, if there is none.
 */
static bool
last_hour(OpsResult *result, Oid database, const OpsSample *current,
		  Window *window)
{
	OpsSample	earlier;
	bool		found = recall_sample(database, OPS_SERIES_MINUTES,
									  USECS_PER_HOUR, current, &earlier);

	for (int i = 0; found && i < OPS_SAMPLE_COUNTERS; i++)
	{
		window->count[i] = current->counter[i] - earlier.counter[i];

		/* Counters do not run backwards: not the same ones. */
		if (window->count[i] < 0)
			found = false;
	}
	if (!found)
	{
		no_sample(result);
		return false;
	}
	window->seconds = (current->taken - earlier.taken) / (double) USECS_PER_SEC;
	return true;
}

/*
 * The last hour of this database.  No statistics at all are zeros.
 */
static bool
database_window(OpsRun *run, OpsResult *result, Window *window)
{
	OpsDatabaseStats stats = {0};
	OpsSample	current = {.taken = run->now};

	(void) ops_compat_database_stats(MyDatabaseId, &stats);
	current.epoch = stats.reset;
	current.counter[COMMITS] = stats.commits;
	current.counter[ROLLBACKS] = stats.rollbacks;
	current.counter[BLOCKS_FETCHED] = stats.blocks_fetched;
	current.counter[BLOCKS_HIT] = stats.blocks_hit;
	current.counter[CONFLICTS] = stats.conflicts;
	current.counter[TEMP_FILES] = stats.temp_files;
	current.counter[TEMP_BYTES] = stats.temp_bytes;
	current.counter[DEADLOCKS] = stats.deadlocks;
	return last_hour(result, MyDatabaseId, &current, window);
}

static bool
cluster_window(OpsRun *run, OpsResult *result, Window *window)
{
	OpsSample	current = {.taken = run->now};

	current.epoch = ops_compat_checkpoint_reset();
	ops_compat_checkpoint_stats(&current.counter[CHECKPOINTS_TIMED],
								&current.counter[CHECKPOINTS_REQUESTED]);
	return last_hour(result, InvalidOid, &current, window);
}

/*
 * deadlocks: how many were broken in the last hour.
 */
static void
probe_deadlocks(OpsRun *run, OpsResult *result)
{
	Window		window;

	if (!database_window(run, result, &window))
		return;
	ops_result_value(result, window.count[DEADLOCKS],
					 ngettext("%lld deadlock in the last %s",
							  "%lld deadlocks in the last %s",
							  window.count[DEADLOCKS]),
					 (long long) window.count[DEADLOCKS],
					 ops_duration(window.seconds));
}

/*
 * rollback_ratio: of the transactions in the last hour, how many failed.
 */
static void
probe_rollback_ratio(OpsRun *run, OpsResult *result)
{
	Window		window;
	int64		transactions;

	if (!database_window(run, result, &window))
		return;
	transactions = window.count[COMMITS] + window.count[ROLLBACKS];
	if (transactions < MIN_TRANSACTIONS)
	{
		ops_result_unknown(result, OPS_TOO_YOUNG,
						   _("only %lld transactions in the last %s, needs %d"),
						   (long long) transactions,
						   ops_duration(window.seconds), MIN_TRANSACTIONS);
		return;
	}
	ops_result_value(result, 100.0 * window.count[ROLLBACKS] / transactions,
					 _("%lld of %lld transactions rolled back in the last %s"),
					 (long long) window.count[ROLLBACKS],
					 (long long) transactions, ops_duration(window.seconds));
}

/*
 * temp_files: what was written to temporary files in the last hour.
 *
 * A window shorter than an hour is not extrapolated: one sort does not make
 * a rate.
 */
static void
probe_temp_files(OpsRun *run, OpsResult *result)
{
	Window		window;
	double		gb;

	if (!database_window(run, result, &window))
		return;
	gb = window.count[TEMP_BYTES] / BYTES_PER_GB;
	ops_result_value(result, gb / Max(1, window.seconds / SECS_PER_HOUR),
					 ngettext("%lld temporary file of %.2f GB in the last %s",
							  "%lld temporary files, %.2f GB in all, in the last %s",
							  window.count[TEMP_FILES]),
					 (long long) window.count[TEMP_FILES], gb,
					 ops_duration(window.seconds));
}

/*
 * cache_hit: of the blocks asked for in the last hour, how many were in
 * shared buffers.
 */
static void
probe_cache_hit(OpsRun *run, OpsResult *result)
{
	Window		window;
	int64		blocks;

	if (!database_window(run, result, &window))
		return;
	blocks = window.count[BLOCKS_FETCHED];
	if (blocks < MIN_BLOCKS)
	{
		ops_result_unknown(result, OPS_TOO_YOUNG,
						   _("only %lld blocks asked for in the last %s, needs %d"),
						   (long long) blocks, ops_duration(window.seconds),
						   MIN_BLOCKS);
		return;
	}
	ops_result_value(result, 100.0 * window.count[BLOCKS_HIT] / blocks,
					 _("%lld of %lld blocks found in shared buffers in the last %s"),
					 (long long) window.count[BLOCKS_HIT],
					 (long long) blocks, ops_duration(window.seconds));
}

/*
 * conflicts: queries that replay cancelled in the last hour.
 */
static void
probe_conflicts(OpsRun *run, OpsResult *result)
{
	Window		window;

	if (!database_window(run, result, &window))
		return;
	ops_result_value(result, window.count[CONFLICTS],
					 ngettext("%lld query cancelled by replay in the last %s",
							  "%lld queries cancelled by replay in the last %s",
							  window.count[CONFLICTS]),
					 (long long) window.count[CONFLICTS],
					 ops_duration(window.seconds));
}

/*
 * checkpoints: of those in the last hour, how many did not come by the
 * clock.
 */
static void
probe_checkpoints(OpsRun *run, OpsResult *result)
{
	Window		window;
	int64		requested;
	int64		all;

	if (!cluster_window(run, result, &window))
		return;
	requested = window.count[CHECKPOINTS_REQUESTED];
	all = requested + window.count[CHECKPOINTS_TIMED];
	ops_result_value(result,
					 all < MIN_CHECKPOINTS ? 0 : 100.0 * requested / all,
					 ngettext("%lld of %lld checkpoint requested in the last %s",
							  "%lld of %lld checkpoints requested in the last %s",
							  all),
					 (long long) requested, (long long) all,
					 ops_duration(window.seconds));
}

/*
 * Add up the damaged pages of a database, or of the shared catalogs.
 */
static int64
add_checksum_failures(OpsResult *result, Oid database)
{
	OpsDatabaseStats stats;
	OpsCulprit *culprit;

	if (!ops_compat_database_stats(database, &stats) ||
		stats.checksum_failures == 0)
		return 0;
	culprit = ops_result_culprit(result, stats.checksum_failures);
	if (culprit)
	{
		culprit->database = ops_database_name(database);
		if (culprit->database == NULL)
			culprit->name = _("shared catalogs");
		culprit->note = psprintf(_("last at %s"),
								 timestamptz_to_str(stats.last_checksum_failure));
		culprit->value = stats.checksum_failures;
	}
	return stats.checksum_failures;
}

/*
 * checksum_failures: damaged pages read since the statistics began.
 *
 * A damaged page stays damaged, so this one does not look at the last hour.
 */
static void
probe_checksum_failures(OpsRun *run, OpsResult *result)
{
	int64		failures;

	if (!DataChecksumsEnabled())
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, get_float8_nan(), "%s",
						 _("data checksums are off: a damaged page goes unnoticed"));
		ops_result_remedy(result, "%s",
						  _("pg_checksums --enable -D \"$PGDATA\" # while the server is stopped"));
		return;
	}
	failures = add_checksum_failures(result, MyDatabaseId) +
		add_checksum_failures(result, InvalidOid);
	ops_result_value(result, failures,
					 ngettext("%lld damaged page read since the statistics began",
							  "%lld damaged pages read since the statistics began",
							  failures),
					 (long long) failures);
}

/*
 * growth: by how much a day makes the database larger.
 */
static void
probe_growth(OpsRun *run, OpsResult *result)
{
	OpsSample	current = {.taken = run->now};
	OpsSample	earlier;
	int64		added;
	double		window;
	double		percent;

	current.counter[DATABASE_SIZE] = ops_catalog_database_size(run);
	if (!recall_sample(MyDatabaseId, OPS_SERIES_HALF_HOURS, USECS_PER_DAY,
					   &current, &earlier) ||
		earlier.counter[DATABASE_SIZE] <= 0)
	{
		no_sample(result);
		return;
	}
	added = current.counter[DATABASE_SIZE] - earlier.counter[DATABASE_SIZE];
	percent = 100.0 * added / earlier.counter[DATABASE_SIZE];
	window = current.taken - earlier.taken;

	if (window >= MIN_GROWTH_INTERVALS * ops_memory_spacing(OPS_SERIES_MINUTES))
		percent *= Max(1, USECS_PER_DAY / window);
	else if (!(percent >= result->warning || percent >= result->critical))
	{
		ops_result_unknown(result, OPS_TOO_YOUNG,
						   _("grew by %.1f %% in the last %s, needs to look on for longer"),
						   percent, ops_duration(window / USECS_PER_SEC));
		return;
	}
	ops_result_value(result, percent,
					 _("%.2f GB, %+.2f GB in the last %s"),
					 current.counter[DATABASE_SIZE] / BYTES_PER_GB,
					 added / BYTES_PER_GB,
					 ops_duration(window / USECS_PER_SEC));
}

const OpsCheck ops_statistics_checks[] = {
	{
		.name = "deadlocks",
		.title = gettext_noop("deadlocks in the last hour"),
		.unit = "deadlocks",
		.severity = OPS_P2,
		.warning = 1,
		.critical = 6,
		.probe = probe_deadlocks,
		.remedy = gettext_noop("SHOW deadlock_timeout; SELECT pg_current_logfile(); -- the log names the statements, at \"deadlock detected\""),
	},
	{
		.name = "rollback_ratio",
		.title = gettext_noop("transactions rolled back in the last hour"),
		.unit = "percent",
		.severity = OPS_P2,
		.warning = 0.1,
		.critical = 1,
		.probe = probe_rollback_ratio,
		.remedy = gettext_noop("SELECT pg_current_logfile(); -- the log names the errors"),
	},
	{
		.name = "temp_files",
		.title = gettext_noop("written to temporary files in the last hour"),
		.unit = "GB per hour",
		.severity = OPS_P3,
		.warning = 1,
		.critical = 10,
		.probe = probe_temp_files,
		.remedy = gettext_noop("ALTER SYSTEM SET log_temp_files = '10MB'; SELECT pg_reload_conf();"),
	},
	{
		.name = "cache_hit",
		.title = gettext_noop("blocks found in shared buffers in the last hour"),
		.unit = "percent",
		.severity = OPS_P3,
		.lower_is_worse = true,
		.warning = 98,
		.critical = 95,
		.probe = probe_cache_hit,
		.remedy = gettext_noop("SELECT relid::regclass, heap_blks_read, idx_blks_read FROM pg_statio_user_tables ORDER BY heap_blks_read + coalesce(idx_blks_read, 0) DESC LIMIT 10;"),
	},
	{
		.name = "conflicts",
		.title = gettext_noop("queries that replay cancelled in the last hour"),
		.unit = "queries",
		.severity = OPS_P2,
		.where = OPS_ON_STANDBY,
		.warning = 1,
		.critical = 11,
		.probe = probe_conflicts,
		.remedy = gettext_noop("SELECT * FROM pg_stat_database_conflicts WHERE datname = current_database();"),
	},
	{
		.name = "checkpoints",
		.title = gettext_noop("checkpoints in the last hour that did not come by the clock"),
		.unit = "percent",
		.severity = OPS_P2,
		.warning = 30,
		.critical = 60,
		.probe = probe_checkpoints,
		.remedy = gettext_noop("SHOW max_wal_size; SHOW checkpoint_timeout;"),
	},
	{
		.name = "checksum_failures",
		.title = gettext_noop("damaged pages read since the statistics began"),
		.unit = "pages",
		.severity = OPS_P0,
		.warning = NAN,
		.critical = 1,
		.probe = probe_checksum_failures,
		.remedy = gettext_noop("SELECT datname, checksum_failures, checksum_last_failure FROM pg_stat_database WHERE checksum_failures > 0;"),
	},
	{
		.name = "growth",
		.title = gettext_noop("growth of the database in a day"),
		.unit = "percent per day",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.warning = 20,
		.critical = 100,
		.probe = probe_growth,
		.remedy = gettext_noop("SELECT oid::regclass, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'm') ORDER BY pg_total_relation_size(oid) DESC LIMIT 10;"),
	},
};
const int	ops_statistics_count = lengthof(ops_statistics_checks);
