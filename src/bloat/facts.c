/*-------------------------------------------------------------------------
 *
 * facts.c
 *	  What a verdict needs to know besides the measure.
 *
 * Looked up in catalogs and cumulative statistics while the relation is
 * open.  The table of a TOAST table is not, so that it is known by its rows
 * in the catalogs alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "bloat/verdict.h"
#include "catalog/catalog.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_index.h"
#include "commands/extension.h"
#include "core/compat.h"
#include "core/guc.h"
#include "core/relation.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

static Oid	table_of(Relation heap);
static void read_table(OpsBloatFacts *facts);
static void read_partition(OpsBloatFacts *facts);
static void read_statistics(OpsBloatFacts *facts);
static const StdRdOptions *storage_options(const OpsBloatFacts *facts,
										   Relation heap);
static void read_autovacuum(OpsBloatFacts *facts, Relation heap);
static void read_index(const OpsBloatScene *scene, Relation index,
					   OpsBloatFacts *facts);
static OpsHorizonScope scope_of(Relation table);
static void read_family(OpsBloatFacts *facts, Form_pg_class table);
static int64 read_table_indexes(OpsBloatFacts *facts, Form_pg_class table);
static void note_key(OpsBloatFacts *facts, Form_pg_class table,
					 HeapTuple tuple);
static bool enforces_key(HeapTuple tuple);
static int64 relation_size(Oid relid);
static const char *qualified_name(Form_pg_class relation);

/*
 * What is the same for all relations of a report.
 */
void
ops_bloat_scene(OpsBloatScene *scene)
{
	OpsDatabaseStats stats;

	memset(scene, 0, sizeof(OpsBloatScene));
	scene->now = GetCurrentTimestamp();
	scene->statistics_began = pgstat_fetch_stat_bgwriter()->stat_reset_timestamp;
	if (ops_compat_database_stats(MyDatabaseId, &stats))
		scene->statistics_began = Max(scene->statistics_began, stats.reset);
	scene->standby = RecoveryInProgress();
	scene->monitor = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
	scene->pg_repack = OidIsValid(get_extension_oid("pg_repack", true));
	scene->pg_squeeze = OidIsValid(get_extension_oid("pg_squeeze", true));
	scene->holders =
		ops_horizon_after_statement(ops_horizon_holders(ops_activity_read()));
}

/*
 * The server's own answer heeds our snapshot, which is gone when somebody
 * follows the advice; so where nobody else goes back as far, the others tell.
 */
TransactionId
ops_bloat_horizon(const OpsBloatScene *scene, Relation table)
{
	TransactionId horizon = GetOldestNonRemovableTransactionId(table);
	TransactionId limit;

	if (scene->standby || ops_compat_cleanup_is_deferred())
		return horizon;
	limit = ops_horizon_limit(scene->holders, scope_of(table));
	return TransactionIdFollows(limit, horizon) ? limit : horizon;
}

/*
 * Which rows the horizon of a table is about, as the server sees it.
 */
static OpsHorizonScope
scope_of(Relation table)
{
	if (table->rd_rel->relisshared)
		return OPS_HORIZON_SHARED;
	return IsCatalogRelation(table) ||
		RelationIsAccessibleInLogicalDecoding(table) ?
		OPS_HORIZON_CATALOG : OPS_HORIZON_DATA;
}

/*
 * What is known of a relation; strings are in the caller's memory context.
 */
void
ops_bloat_facts(const OpsBloatScene *scene, Relation rel, Relation heap,
				OpsBloatFacts *facts)
{
	memset(facts, 0, sizeof(OpsBloatFacts));
	facts->relid = RelationGetRelid(rel);
	facts->name = qualified_name(rel->rd_rel);
	facts->table = table_of(heap);
	facts->temporary = RelationUsesLocalBuffers(heap);
	facts->logged = RelationIsPermanent(heap);
	facts->shared = heap->rd_rel->relisshared;
	facts->system = IsCatalogRelation(heap);
	facts->catalog = facts->system || RelationIsUsedAsCatalogTable(heap);
	facts->scope = scope_of(heap);

	read_table(facts);
	read_statistics(facts);
	if (rel->rd_rel->relkind == RELKIND_INDEX)
		read_index(scene, rel, facts);
	else
		read_autovacuum(facts, heap);
}

/*
 * The table that a command has to name: a TOAST table is treated with its
 * own.
 */
static Oid
table_of(Relation heap)
{
	Oid			table = ops_relation_of_toast(RelationGetRelid(heap));

	return OidIsValid(table) ? table : RelationGetRelid(heap);
}

static void
read_table(OpsBloatFacts *facts)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(facts->table));
	Form_pg_class form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", facts->table);
	form = (Form_pg_class) GETSTRUCT(tuple);
	facts->table_name = qualified_name(form);
	facts->table_schema = get_namespace_name(form->relnamespace);
	facts->table_relname = pstrdup(NameStr(form->relname));
	facts->relkind = form->relkind;
	facts->partition = form->relispartition;
	if (facts->partition)
		read_partition(facts);
	read_family(facts, form);
	ReleaseSysCache(tuple);
}

static void
read_partition(OpsBloatFacts *facts)
{
	Oid			parent = get_partition_parent(facts->table, true);
	Oid			the_default = get_default_partition_oid(parent);
	HeapTuple	tuple;

	facts->parent_has_default = OidIsValid(the_default);
	if (the_default == facts->table)
		return;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(parent));
	if (!HeapTupleIsValid(tuple))
		return;
	facts->parent_name = qualified_name((Form_pg_class) GETSTRUCT(tuple));
	ReleaseSysCache(tuple);
}

static void
read_statistics(OpsBloatFacts *facts)
{
	OpsRelationStats stats;

	if (!ops_compat_relation_stats(facts->relid, facts->shared, &stats))
		return;
	facts->counted = true;
	facts->scans = stats.scans;
	facts->dead_rows = stats.dead_tuples;
	facts->inserted = stats.inserted;
	facts->deleted = stats.deleted;
	facts->last_vacuum = stats.last_vacuum;
}

/*
 * Storage options of a table or TOAST table, NULL if it has none: without
 * any of its own a TOAST table has those of its table.
 */
static const StdRdOptions *
storage_options(const OpsBloatFacts *facts, Relation heap)
{
	HeapTuple	tuple;
	Datum		options;
	bool		isnull;

	if (heap->rd_options || facts->table == RelationGetRelid(heap))
		return (StdRdOptions *) heap->rd_options;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(facts->table));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	options = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &isnull);
	if (!isnull)
		options = PointerGetDatum(heap_reloptions(facts->relkind, options, false));
	ReleaseSysCache(tuple);
	return isnull ? NULL : (StdRdOptions *) DatumGetPointer(options);
}

/*
 * When autovacuum comes.
 */
static void
read_autovacuum(OpsBloatFacts *facts, Relation heap)
{
	const StdRdOptions *storage = storage_options(facts, heap);
	const AutoVacOpts *options = storage ? &storage->autovacuum : NULL;

	facts->vacuum_threshold =
		ops_vacuum_threshold(options, heap->rd_rel->reltuples);
	facts->autovacuum = AutoVacuumingActive() && !facts->temporary &&
		(options == NULL || options->enabled);
}

/*
 * Whether an index is of use, and how it is rebuilt.
 */
static void
read_index(const OpsBloatScene *scene, Relation index, OpsBloatFacts *facts)
{
	Form_pg_index form = index->rd_index;

	facts->concurrently = !form->indisexclusion && !facts->system;
	facts->unused = pgstat_track_counts && facts->scans == 0 &&
		scene->now - scene->statistics_began >= ops_guc_statistics_min_age * USECS_PER_SEC &&
		!form->indisunique && !form->indisprimary &&
		!form->indisexclusion && !form->indisreplident &&
		!index->rd_rel->relispartition &&
		!facts->catalog && facts->relkind != RELKIND_TOASTVALUE;
}

/*
 * The size of everything that is rewritten together with a table, and the
 * keys of the table that tools could go by.
 */
static void
read_family(OpsBloatFacts *facts, Form_pg_class table)
{
	facts->family_size = Max(ops_relation_file_size(table), 0) +
		read_table_indexes(facts, table);
	if (OidIsValid(table->reltoastrelid))
	{
		HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table->reltoastrelid));

		if (!HeapTupleIsValid(tuple))
			return;
		table = (Form_pg_class) GETSTRUCT(tuple);
		facts->family_size += Max(ops_relation_file_size(table), 0) +
			read_table_indexes(facts, table);
		ReleaseSysCache(tuple);
	}
}

static int64
read_table_indexes(OpsBloatFacts *facts, Form_pg_class table)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	int64		size = 0;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(table->oid));
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		size += relation_size(((Form_pg_index) GETSTRUCT(tuple))->indexrelid);
		if (table->oid == facts->table)
			note_key(facts, table, tuple);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return size;
}

static void
note_key(OpsBloatFacts *facts, Form_pg_class table, HeapTuple tuple)
{
	Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

	if (!index->indisvalid || !index->indimmediate || !index->indisunique)
		return;
	facts->has_key |= enforces_key(tuple);
	if (table->relreplident == REPLICA_IDENTITY_DEFAULT)
		facts->has_identity |= index->indisprimary;
	else if (table->relreplident == REPLICA_IDENTITY_INDEX)
		facts->has_identity |= index->indisreplident;
}

/*
 * Whether a unique index tells every row from every other.
 */
static bool
enforces_key(HeapTuple tuple)
{
	Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

	if (!heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; i < index->indnkeyatts; i++)
	{
		HeapTuple	column = SearchSysCache2(ATTNUM,
											 ObjectIdGetDatum(index->indrelid),
											 Int16GetDatum(index->indkey.values[i]));
		bool		not_null;

		/* An expression is column 0, which does not exist. */
		if (!HeapTupleIsValid(column))
			return false;
		not_null = ((Form_pg_attribute) GETSTRUCT(column))->attnotnull;
		ReleaseSysCache(column);
		if (!not_null)
			return false;
	}
	return true;
}

/*
 * Bytes of a relation's main fork, 0 if it has none or is gone.
 */
static int64
relation_size(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	int64		size;

	if (!HeapTupleIsValid(tuple))
		return 0;
	size = ops_relation_file_size((Form_pg_class) GETSTRUCT(tuple));
	ReleaseSysCache(tuple);
	return Max(size, 0);
}

static const char *
qualified_name(Form_pg_class relation)
{
	return quote_qualified_identifier(get_namespace_name(relation->relnamespace),
									  NameStr(relation->relname));
}
