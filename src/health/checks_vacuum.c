/*-------------------------------------------------------------------------
 *
 * checks_vacuum.c
 *	  Checks of what vacuum and analyze have left undone, table by table.
 *
 * Source: pg_class, see catalog.c, and the cumulative statistics of tables.
 * The system's own tables count too where vacuum treats them like others.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_statistic.h"
#include "core/guc.h"
#include "core/relation.h"
#include "health/activity.h"
#include "health/catalog.h"
#include "postmaster/autovacuum.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

/* Fewer dead rows than this are no burden, whatever their share. */
#define MANY_DEAD_ROWS	1000

/* A table vacuumed this recently is being cared for, unless it is bad. */
#define CARED_FOR_SECONDS	3600

/* Tables this small are planned well enough without statistics. */
#define FEW_ROWS	1000

/* Share of rows changed since from which on statistics are stale. */
#define STALE_SHARE	0.2

/*
 * Whether vacuum works on this kind of relation.
 */
static bool
has_rows(const OpsRelation *relation)
{
	return relation->form.relkind == RELKIND_RELATION ||
		relation->form.relkind == RELKIND_MATVIEW ||
		relation->form.relkind == RELKIND_TOASTVALUE;
}

/*
 * The table to name in a command: a TOAST table is treated with its own.
 */
static const OpsRelation *
table_of(const OpsRelation *relation)
{
	return relation->toasted ? relation->toasted : relation;
}

static bool
is_being_vacuumed(OpsRun *run, const OpsRelation *relation)
{
	const OpsActivity *activity = ops_activity(run);

	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];

		if (backend->progress == PROGRESS_COMMAND_VACUUM &&
			backend->database == MyDatabaseId &&
			(backend->progress_relation == relation->form.oid ||
			 backend->progress_relation == table_of(relation)->form.oid))
			return true;
	}
	return false;
}

static const char *
vacuum_note(OpsRun *run, const OpsRelation *relation,
			const OpsRelationStats *stats)
{
	if (relation->options && !relation->options->enabled)
		return _("autovacuum is switched off for this table");
	if (stats->last_vacuum == 0)
		return _("not vacuumed since statistics began");
	return psprintf(_("last vacuumed %s ago"),
					ops_duration(ops_seconds_since(run, stats->last_vacuum)));
}

/*
 * autovacuum_lag: dead rows, as a multiple of what autovacuum tolerates, of
 * the table that is worst off.
 */
static void
probe_autovacuum_lag(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	const OpsRelation *worst = NULL;
	double		worst_ratio = 0;
	int64		worst_dead = 0;

	if (!pgstat_track_counts)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE,
						   _("not applicable: track_counts is off, so dead rows are not counted"));
		return;
	}

	for (int i = 0; i < catalog->nrelations; i++)
	{
		OpsRelation *relation = &catalog->relations[i];
		const OpsRelationStats *stats;
		OpsCulprit *culprit;
		double		ratio;

		ops_catalog_tick(run, i);
		if (!has_rows(relation) ||
			relation->form.relpersistence == RELPERSISTENCE_TEMP)
			continue;
		stats = ops_catalog_stats(relation);
		if (stats == NULL || stats->dead_tuples < MANY_DEAD_ROWS)
			continue;
		ratio = stats->dead_tuples /
			ops_vacuum_threshold(relation->options, relation->form.reltuples);
		if (!(ratio >= result->critical) && stats->last_vacuum != 0 &&
			ops_seconds_since(run, stats->last_vacuum) < CARED_FOR_SECONDS)
			continue;
		if (is_being_vacuumed(run, relation))
			continue;
		if (ratio > worst_ratio)
		{
			worst = relation;
			worst_ratio = ratio;
			worst_dead = stats->dead_tuples;
		}
		if (ratio < 1)
			continue;
		culprit = ops_catalog_culprit(result, ratio, relation);
		if (culprit)
		{
			culprit->value = ratio;
			culprit->note = vacuum_note(run, relation, stats);
		}
	}

	if (worst == NULL)
	{
		ops_result_value(result, 0, _("no table has %d dead rows or more that vacuum has neglected"),
						 MANY_DEAD_ROWS);
		return;
	}
	ops_result_value(result, worst_ratio,
					 _("\"%s\" has %lld dead rows, %.1f times what autovacuum tolerates"),
					 NameStr(worst->form.relname), (long long) worst_dead,
					 worst_ratio);
	ops_result_remedy(result, "VACUUM (ANALYZE) %s;",
					  ops_catalog_quoted(table_of(worst)));
}

/*
 * Transactions that a table can be old before autovacuum is forced on it.
 */
static int
freeze_limit(const OpsRelation *relation)
{
	if (relation->options && relation->options->freeze_max_age >= 0)
		return Min(relation->options->freeze_max_age, autovacuum_freeze_max_age);
	return autovacuum_freeze_max_age;
}

/*
 * What to do about an old table.
 *
 * Only its own session can vacuum a temporary table; without one it is an
 * orphan.
 */
static void
suggest_freezing(OpsRun *run, OpsResult *result, const OpsRelation *relation)
{
	const OpsRelation *table = table_of(relation);
	int			pid;

	if (table->form.relpersistence != RELPERSISTENCE_TEMP)
	{
		ops_result_remedy(result, "VACUUM (FREEZE) %s;",
						  ops_catalog_quoted(table));
		return;
	}
	pid = ops_compat_temp_schema_pid(table->form.relnamespace);
	if (pid == 0)
		ops_result_remedy(result, "DROP TABLE %s;", ops_catalog_quoted(table));
	else if (run->monitor)
		ops_result_remedy(result, "SELECT pg_terminate_backend(%d);", pid);
}

static const char *
freeze_note(OpsRun *run, const OpsRelation *relation, OpsCulprit *culprit)
{
	if (table_of(relation)->form.relpersistence == RELPERSISTENCE_TEMP)
	{
		if (run->monitor)
			culprit->pid = ops_compat_temp_schema_pid(table_of(relation)->form.relnamespace);
		return _("temporary: only its own session can vacuum it");
	}
	if (relation->toasted)
		return _("its TOAST table");
	return NULL;
}

/*
 * table_freeze_age: age of the table that was frozen longest ago, of the age
 * at which autovacuum is forced on it.
 */
static void
probe_table_freeze_age(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	TransactionId next = ReadNextTransactionId();
	const OpsRelation *worst = NULL;
	double		worst_percent = -1;
	int32		worst_age = 0;

	for (int i = 0; i < catalog->nrelations; i++)
	{
		const OpsRelation *relation = &catalog->relations[i];
		OpsCulprit *culprit;
		int32		age;
		double		percent;

		ops_catalog_tick(run, i);
		if (!has_rows(relation) ||
			!TransactionIdIsNormal(relation->form.relfrozenxid))
			continue;

		/* One made since we read the next transaction is not old. */
		age = Max(0, (int32) (next - relation->form.relfrozenxid));
		percent = 100.0 * age / Max(freeze_limit(relation), 1);
		if (percent > worst_percent)
		{
			worst = relation;
			worst_percent = percent;
			worst_age = age;
		}
		if (!(percent >= result->warning || percent >= result->critical))
			continue;
		culprit = ops_catalog_culprit(result, percent, table_of(relation));
		if (culprit)
		{
			culprit->value = percent;
			culprit->note = freeze_note(run, relation, culprit);
		}
	}

	if (worst == NULL)
		elog(ERROR, "no table has a relfrozenxid");
	ops_result_value(result, worst_percent,
					 _("the oldest table, \"%s\", is %d transactions old, %.0f %% of the age at which autovacuum is forced on it"),
					 NameStr(table_of(worst)->form.relname), worst_age,
					 worst_percent);
	suggest_freezing(run, result, worst);
}

/*
 * Whether the planner has statistics of any column of a table.
 */
static bool
has_column_statistics(Oid relid)
{
	Relation	table = table_open(StatisticRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	ScanKeyInit(&key, Anum_pg_statistic_starelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(table, StatisticRelidAttnumInhIndexId, true,
							  NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

/*
 * Say in which way a table's planner statistics are bad, or NULL if they are
 * not.
 *
 * That a table was never analyzed is not taken from the counters, which a
 * crash empties, but from the lack of statistics itself.
 */
static const char *
staleness(OpsRun *run, const OpsRelation *relation,
		  const OpsRelationStats *stats)
{
	double		rows = Max(relation->form.reltuples, 0);
	int64		modified = stats ? stats->mod_since_analyze : 0;
	TimestampTz analyzed = stats ? stats->last_analyze : 0;
	double		seconds;

	if (stats)
		rows = Max(rows, stats->live_tuples);
	if (Max(rows, modified) <= FEW_ROWS)
		return NULL;
	if (analyzed == 0 && !has_column_statistics(relation->form.oid))
		return _("never analyzed");
	if (modified <= STALE_SHARE * rows)
		return NULL;

	/* Whoever analyzed it before the counters began did so before that. */
	if (analyzed == 0)
		analyzed = ops_catalog_statistics_began(run);
	seconds = ops_seconds_since(run, analyzed);
	if (seconds <= ops_guc_statistics_min_age)
		return NULL;
	return psprintf(_("%lld rows modified, not analyzed for %s"),
					(long long) modified, ops_duration(seconds));
}

/*
 * stale_stats: tables whose planner statistics are missing or out of date.
 */
static void
probe_stale_stats(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	const OpsRelation *largest = NULL;
	int			stale = 0;

	if (!pgstat_track_counts)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE,
						   _("not applicable: track_counts is off, so changes are not counted"));
		return;
	}

	for (int i = 0; i < catalog->nrelations; i++)
	{
		OpsRelation *relation = &catalog->relations[i];
		const char *note;
		OpsCulprit *culprit;

		ops_catalog_tick(run, i);
		if (!relation->user || !has_rows(relation))
			continue;
		note = staleness(run, relation, ops_catalog_stats(relation));
		if (note == NULL)
			continue;
		stale++;
		if (largest == NULL ||
			ops_catalog_size(relation) > ops_catalog_size((OpsRelation *) largest))
			largest = relation;
		culprit = ops_catalog_culprit(result, ops_catalog_size(relation), relation);
		if (culprit)
			culprit->note = note;
	}

	ops_result_value(result, stale,
					 ngettext("%d table has missing or stale planner statistics",
							  "%d tables have missing or stale planner statistics",
							  stale),
					 stale);
	if (largest)
		ops_result_remedy(result, "ANALYZE %s;", ops_catalog_quoted(largest));
}

const OpsCheck ops_vacuum_checks[] = {
	{
		.name = "autovacuum_lag",
		.title = gettext_noop("dead rows of a table, as a multiple of autovacuum's threshold"),
		.unit = "ratio",
		.severity = OPS_P2,
		.depth = OPS_DEEP,
		.where = OPS_ON_PRIMARY,
		.warning = 2,
		.critical = 10,
		.probe = probe_autovacuum_lag,
	},
	{
		.name = "table_freeze_age",
		.title = gettext_noop("age of the table frozen longest ago, of autovacuum_freeze_max_age"),
		.unit = "percent",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.warning = 110,
		.critical = 150,
		.probe = probe_table_freeze_age,
		.remedy = gettext_noop("SELECT oid::regclass, age(relfrozenxid) FROM pg_class WHERE relfrozenxid <> '0' ORDER BY 2 DESC LIMIT 5;"),
	},
	{
		.name = "stale_stats",
		.title = gettext_noop("tables with missing or stale planner statistics"),
		.unit = "tables",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.where = OPS_ON_PRIMARY,
		.warning = 1,
		.critical = NAN,
		.probe = probe_stale_stats,
	},
};
const int	ops_vacuum_count = lengthof(ops_vacuum_checks);
