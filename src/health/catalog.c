/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  What relations this database has, read once for each run.
 *
 * One pass over pg_class, pg_index and pg_constraint each, in the order of
 * their tables' OIDs, so that what belongs to a table is found without a hash
 * table.  All see the same snapshot, so a table that is just being dropped
 * does not look as if it had lost its indexes.  No relation but these catalogs
 * is opened or locked.
 *
 * Sizes and statistics cost some microseconds each and are read when somebody
 * first asks, but at most once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "core/relation.h"
#include "health/catalog.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* An array that grows by doubling, whatever is in it. */
#define MAKE_ROOM(array, count, space) \
	do { \
		if ((count) == (space)) \
		{ \
			(space) *= 2; \
			(array) = repalloc_huge((array), (space) * sizeof(*(array))); \
		} \
	} while (0)

/* The catalog while it is being read. */
typedef struct Loader
{
	OpsCatalog *catalog;
	Oid			information_schema;
	Oid			own_schema;
	int			relation_space;
	int			index_space;
	int			constraint_space;
} Loader;

static void scan_as_of(OpsRun *run, Oid table, Oid index, Snapshot snapshot,
					   int nkeys, ScanKey keys,
					   OpsTupleReader reader, void *arg);
static void read_relation(HeapTuple tuple, TupleDesc desc, void *arg);
static bool is_user_relation(const Loader *loader, Form_pg_class form);
static void link_toast_tables(OpsCatalog *catalog);
static void read_index(HeapTuple tuple, TupleDesc desc, void *arg);
static void read_constraint(HeapTuple tuple, TupleDesc desc, void *arg);
static void mark_index(OpsCatalog *catalog, Oid table, Oid index,
					   bool referenced);
static void add_constraint(Loader *loader, HeapTuple tuple, TupleDesc desc,
						   OpsRelation *table);
static TimestampTz file_time(const char *path);

/*
 * The catalog as of this run's first call.
 */
const OpsCatalog *
ops_catalog(OpsRun *run)
{
	Loader		loader;
	Snapshot	snapshot;

	if (run->catalog)
		return run->catalog;

	loader.catalog = palloc0(sizeof(OpsCatalog));
	loader.information_schema = get_namespace_oid("information_schema", true);
	loader.own_schema = get_namespace_oid("ops", true);
	loader.relation_space = 1024;
	loader.index_space = 1024;
	loader.constraint_space = 64;
	loader.catalog->relations = palloc(loader.relation_space * sizeof(OpsRelation));
	loader.catalog->indexes = palloc(loader.index_space * sizeof(OpsIndex));
	loader.catalog->constraints = palloc(loader.constraint_space * sizeof(OpsConstraint));
	loader.catalog->database_size = -1;

	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan_as_of(run, RelationRelationId, ClassOidIndexId, snapshot,
			   0, NULL, read_relation, &loader);
	link_toast_tables(loader.catalog);
	scan_as_of(run, IndexRelationId, IndexIndrelidIndexId, snapshot,
			   0, NULL, read_index, &loader);
	scan_as_of(run, ConstraintRelationId, ConstraintRelidTypidNameIndexId,
			   snapshot, 0, NULL, read_constraint, &loader);
	UnregisterSnapshot(snapshot);

	run->catalog = loader.catalog;
	return run->catalog;
}

/*
 * The relation of this OID, or NULL.
 */
OpsRelation *
ops_catalog_relation(const OpsCatalog *catalog, Oid relid)
{
	int			low = 0;
	int			high = catalog->nrelations - 1;

	while (low <= high)
	{
		int			middle = low + (high - low) / 2;
		OpsRelation *relation = &catalog->relations[middle];

		if (relation->form.oid == relid)
			return relation;
		if (relation->form.oid < relid)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return NULL;
}

/*
 * Bytes of a relation's main fork, 0 if it has no file.
 */
int64
ops_catalog_size(OpsRelation *relation)
{
	if (!relation->has_size)
	{
		relation->size = Max(0, ops_relation_file_size(&relation->form));
		relation->has_size = true;
	}
	return relation->size;
}

/*
 * When the file of a relation of ours was made, 0 if that is not known.
 *
 * Nothing in the catalogs tells the age of a relation; where the file system
 * does, it tells when the relation was created or last rewritten.
 */
TimestampTz
ops_catalog_file_born(const OpsRelation *relation)
{
#ifdef STATX_BTIME
	char		path[MAXPGPATH];
	struct statx st;
	Oid			tablespace = relation->form.reltablespace;

	if (relation->form.relfilenode == 0)
		return 0;
	ops_compat_relation_path(path, sizeof(path), MyDatabaseId,
							 OidIsValid(tablespace) ? tablespace : MyDatabaseTableSpace,
							 relation->form.relfilenode);
	if (statx(AT_FDCWD, path, 0, STATX_BTIME, &st) == 0 &&
		(st.stx_mask & STATX_BTIME) != 0)
		return time_t_to_timestamptz(st.stx_btime.tv_sec);
#endif
	return 0;
}

/*
 * Cumulative statistics of a relation, NULL if there are none.
 */
const OpsRelationStats *
ops_catalog_stats(OpsRelation *relation)
{
	OpsRelationStats stats;

	if (!relation->has_stats)
	{
		if (ops_compat_relation_stats(relation->form.oid,
									  relation->form.relisshared, &stats))
			relation->stats = memcpy(palloc(sizeof(stats)), &stats,
									 sizeof(stats));
		relation->has_stats = true;
	}
	return relation->stats;
}

/*
 * Bytes of all main forks of this database, shared relations left out.
 */
int64
ops_catalog_database_size(OpsRun *run)
{
	const OpsCatalog *catalog = ops_catalog(run);
	int64		size = 0;

	if (catalog->database_size >= 0)
		return catalog->database_size;

	for (int i = 0; i < catalog->nrelations; i++)
	{
		ops_catalog_tick(run, i);
		if (!catalog->relations[i].form.relisshared)
			size += ops_catalog_size(&catalog->relations[i]);
	}
	run->catalog->database_size = size;
	return size;
}

/*
 * When the cumulative statistics of this database began at the latest.
 *
 * They begin with the database, with a reset, or with a crash.  The latter
 * empties them all but leaves its time only in those of the whole server, of
 * which somebody may have reset one or the other since.
 */
TimestampTz
ops_catalog_statistics_began(OpsRun *run)
{
	OpsDatabaseStats stats;
	TimestampTz began;
	TimestampTz server;
	char	   *directory;

	(void) ops_catalog(run);
	if (run->catalog->statistics_began != 0)
		return run->catalog->statistics_began;

	server = Min(pgstat_fetch_stat_bgwriter()->stat_reset_timestamp,
				 pgstat_fetch_stat_archiver()->stat_reset_timestamp);
	server = Min(server, pgstat_fetch_stat_wal()->stat_reset_timestamp);
	directory = GetDatabasePath(MyDatabaseId, MyDatabaseTableSpace);
	began = Max(server, file_time(psprintf("%s/PG_VERSION", directory)));
	if (ops_compat_database_stats(MyDatabaseId, &stats))
		began = Max(began, stats.reset);

	run->catalog->statistics_began = began;
	return began;
}

/*
 * Read a catalog in the order of one of its indexes.
 */
void
ops_catalog_scan(OpsRun *run, Oid table, Oid index, int nkeys, ScanKey keys,
				 OpsTupleReader reader, void *arg)
{
	scan_as_of(run, table, index, NULL, nkeys, keys, reader, arg);
}

/*
 * The same as of a snapshot, the newest one if that is NULL.
 */
static void
scan_as_of(OpsRun *run, Oid table, Oid index, Snapshot snapshot,
		   int nkeys, ScanKey keys, OpsTupleReader reader, void *arg)
{
	Relation	heap = table_open(table, AccessShareLock);
	Relation	order = index_open(index, AccessShareLock);
	SysScanDesc scan = systable_beginscan_ordered(heap, order, snapshot,
												  nkeys, keys);
	HeapTuple	tuple;
	int			rows = 0;

	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		ops_catalog_tick(run, rows++);
		reader(tuple, RelationGetDescr(heap), arg);
	}
	systable_endscan_ordered(scan);
	index_close(order, AccessShareLock);
	table_close(heap, AccessShareLock);
}

/*
 * Name of a relation for a command.
 */
const char *
ops_catalog_quoted(const OpsRelation *relation)
{
	const char *schema = get_namespace_name(relation->form.relnamespace);

	if (schema == NULL)
		return quote_identifier(NameStr(relation->form.relname));
	return quote_qualified_identifier(schema, NameStr(relation->form.relname));
}

/*
 * Name of a column for a command, NULL if it is gone.
 */
const char *
ops_catalog_quoted_column(const OpsRelation *relation, AttrNumber column)
{
	const char *name = get_attname(relation->form.oid, column, true);

	return name ? quote_identifier(name) : NULL;
}

/*
 * Name a relation; the result is where to add to its facts, or NULL.
 */
OpsCulprit *
ops_catalog_culprit(OpsResult *result, double weight,
					const OpsRelation *relation)
{
	OpsCulprit *culprit = ops_result_culprit(result, weight);

	if (culprit)
	{
		culprit->schema_name = get_namespace_name(relation->form.relnamespace);
		culprit->relation = NameStr(relation->form.relname);
	}
	return culprit;
}

/*
 * A row of pg_class.
 */
static void
read_relation(HeapTuple tuple, TupleDesc desc, void *arg)
{
	Loader	   *loader = (Loader *) arg;
	OpsCatalog *catalog = loader->catalog;
	OpsRelation *relation;

	MAKE_ROOM(catalog->relations, catalog->nrelations, loader->relation_space);
	relation = &catalog->relations[catalog->nrelations++];
	memset(relation, 0, sizeof(OpsRelation));
	memcpy(&relation->form, GETSTRUCT(tuple), CLASS_TUPLE_SIZE);
	relation->user = is_user_relation(loader, &relation->form);

	if ((relation->form.relkind == RELKIND_RELATION ||
		 relation->form.relkind == RELKIND_TOASTVALUE ||
		 relation->form.relkind == RELKIND_MATVIEW) &&
		!heap_attisnull(tuple, Anum_pg_class_reloptions, NULL))
	{
		StdRdOptions *options = (StdRdOptions *) extractRelOptions(tuple, desc, NULL);

		relation->options = options ? &options->autovacuum : NULL;
	}
}

static bool
is_user_relation(const Loader *loader, Form_pg_class form)
{
	return form->relpersistence != RELPERSISTENCE_TEMP &&
		!IsCatalogNamespace(form->relnamespace) &&
		!IsToastNamespace(form->relnamespace) &&
		form->relnamespace != loader->information_schema &&
		form->relnamespace != loader->own_schema;
}

/*
 * Tell TOAST tables whom they serve; autovacuum's options come from there
 * when they have none.
 */
static void
link_toast_tables(OpsCatalog *catalog)
{
	for (int i = 0; i < catalog->nrelations; i++)
	{
		OpsRelation *relation = &catalog->relations[i];
		OpsRelation *toast;

		if (!OidIsValid(relation->form.reltoastrelid))
			continue;
		toast = ops_catalog_relation(catalog, relation->form.reltoastrelid);
		if (toast == NULL)
			continue;
		toast->toasted = relation;
		if (toast->options == NULL)
			toast->options = relation->options;
	}
}

/*
 * A row of pg_index.
 */
static void
read_index(HeapTuple tuple, TupleDesc desc, void *arg)
{
	Loader	   *loader = (Loader *) arg;
	OpsCatalog *catalog = loader->catalog;
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	OpsRelation *table = ops_catalog_relation(catalog, form->indrelid);
	OpsRelation *relation;
	OpsIndex   *index;

	if (table == NULL ||
		(!table->user &&
		 form->indisvalid && form->indisready && form->indislive))
		return;
	relation = ops_catalog_relation(catalog, form->indexrelid);
	if (relation == NULL)
		return;

	MAKE_ROOM(catalog->indexes, catalog->nindexes, loader->index_space);
	if (table->nindexes++ == 0)
		table->first_index = catalog->nindexes;
	index = &catalog->indexes[catalog->nindexes++];
	memset(index, 0, sizeof(OpsIndex));
	index->relation = relation;
	index->tuple = heap_copytuple(tuple);
	index->form = (Form_pg_index) GETSTRUCT(index->tuple);
}

/*
 * A row of pg_constraint.
 */
static void
read_constraint(HeapTuple tuple, TupleDesc desc, void *arg)
{
	Loader	   *loader = (Loader *) arg;
	OpsCatalog *catalog = loader->catalog;
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	OpsRelation *table = NULL;
	bool		foreign_key = form->contype == CONSTRAINT_FOREIGN;

	if (OidIsValid(form->conrelid))
	{
		table = ops_catalog_relation(catalog, form->conrelid);
		if (table == NULL || !table->user)
			return;
	}
	else if (IsCatalogNamespace(form->connamespace) ||
			 form->connamespace == loader->information_schema ||
			 form->connamespace == loader->own_schema)
		return;

	if (OidIsValid(form->conindid))
		mark_index(catalog, foreign_key ? form->confrelid : form->conrelid,
				   form->conindid, foreign_key);
	if (foreign_key ||
		(!form->convalidated && ops_compat_constraint_enforced(form)))
		add_constraint(loader, tuple, desc, table);
}

/*
 * Note what an index is there for: its own constraint, or foreign keys.
 */
static void
mark_index(OpsCatalog *catalog, Oid table, Oid index, bool referenced)
{
	OpsRelation *relation = ops_catalog_relation(catalog, table);

	if (relation == NULL)
		return;
	for (int i = 0; i < relation->nindexes; i++)
	{
		OpsIndex   *candidate = &catalog->indexes[relation->first_index + i];

		if (candidate->form->indexrelid != index)
			continue;
		if (referenced)
			candidate->referenced = true;
		else
			candidate->constraint = true;
	}
}

static void
add_constraint(Loader *loader, HeapTuple tuple, TupleDesc desc,
			   OpsRelation *table)
{
	OpsCatalog *catalog = loader->catalog;
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	OpsConstraint *constraint;
	Datum		columns;
	bool		isnull;

	MAKE_ROOM(catalog->constraints, catalog->nconstraints,
			  loader->constraint_space);
	if (table && table->nconstraints++ == 0)
		table->first_constraint = catalog->nconstraints;
	constraint = &catalog->constraints[catalog->nconstraints++];
	memset(constraint, 0, sizeof(OpsConstraint));
	constraint->name = form->conname;
	constraint->type = form->contype;
	constraint->table = form->conrelid;
	constraint->domain = form->contypid;

	/* One that was inherited is validated along with its parent. */
	constraint->not_valid = !form->convalidated && form->conislocal &&
		ops_compat_constraint_enforced(form);

	columns = heap_getattr(tuple, Anum_pg_constraint_conkey, desc, &isnull);
	if (form->contype == CONSTRAINT_FOREIGN && !isnull)
	{
		ArrayType  *array = DatumGetArrayTypePCopy(columns);

		constraint->ncolumns = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		constraint->columns = (AttrNumber *) ARR_DATA_PTR(array);
	}
}

/*
 * When a file was last written, now if that cannot be found out.
 */
static TimestampTz
file_time(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return GetCurrentTimestamp();
	return time_t_to_timestamptz(st.st_mtime);
}
