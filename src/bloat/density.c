/*-------------------------------------------------------------------------
 *
 * density.c
 *	  How densely the last build of an index filled its pages, remembered.
 *
 * An index that nobody changed since it was built shows how full a build
 * leaves the pages of this index.  ops.bloat_learn() writes that down for
 * every index it finds in that state, along with the file, since the next
 * build makes another one.  The report only reads, whoever calls it, on a
 * standby, too: it scans the table as the server scans a catalog, without
 * asking for rights on it and without waiting for a lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "bloat/bloat.h"
#include "bloat/density.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "core/attempt.h"
#include "core/query.h"
#include "core/relation.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define DENSITY_TABLE	"index_density"
#define DENSITY_PKEY	"index_density_pkey"

/* Columns of ops.index_density, as far as they are read here. */
#define ANUM_INDEXRELID	1
#define ANUM_FILENODE	2
#define ANUM_DENSITY	3

/* Pages to read of an index; its pages are alike, as nobody changed them. */
#define LEARN_SAMPLE	600

/* An index of fewer pages is read in full anyway and has no law. */
#define MIN_PAGES		16

/* One index that is learned about. */
typedef struct Lesson
{
	Oid			index;
	bool		learned;
	RelFileNumber filenode;
	double		density;
	double		pages;
	double		entries;
} Lesson;

PG_FUNCTION_INFO_V1(ops_bloat_learn);

static bool look_up(Oid tableid, Oid pkeyid, Oid index, RelFileNumber filenode, double *density);
static bool is_ours(Relation table);
static List *list_indexes(void);
static void learn(void *arg);
static void measure_fresh(Lesson *lesson, Relation index, Relation heap);
static void write_down(const Lesson *lesson, Oid owner);
static void forget_dropped(Oid owner);
static void run(const char *sql, Oid owner, int nargs, Oid *types, Datum *values);

/*
 * How full the index was after its last build, if that was written down.
 */
bool
ops_density_known(Oid index, RelFileNumber filenode, double *density)
{
	Oid			schema = get_namespace_oid("ops", true);
	Oid			tableid;
	Oid			pkeyid;
	bool		known = false;
	int			holder;

	if (!OidIsValid(schema))
		return false;
	tableid = get_relname_relid(DENSITY_TABLE, schema);
	pkeyid = get_relname_relid(DENSITY_PKEY, schema);
	if (!OidIsValid(tableid) || !OidIsValid(pkeyid))
		return false;

	if (!ops_relation_try_lock(tableid, &holder))
		return false;
	if (ops_relation_try_lock(pkeyid, &holder))
	{
		known = look_up(tableid, pkeyid, index, filenode, density);
		ops_relation_unlock(pkeyid);
	}
	ops_relation_unlock(tableid);
	return known;
}

/*
 * The same, both locked but perhaps gone, or not as our script made them.
 */
static bool
look_up(Oid tableid, Oid pkeyid, Oid index, RelFileNumber filenode,
		double *density)
{
	Relation	table = try_relation_open(tableid, NoLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	bool		known = false;

	if (table == NULL)
		return false;
	if (!is_ours(table) || IndexGetRelation(pkeyid, true) != tableid)
	{
		relation_close(table, NoLock);
		return false;
	}

	ScanKeyInit(&key, ANUM_INDEXRELID, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(index));
	scan = systable_beginscan(table, pkeyid, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		TupleDesc	desc = RelationGetDescr(table);
		bool		isnull;
		Datum		datum = heap_getattr(tuple, ANUM_FILENODE, desc, &isnull);

		if (isnull || DatumGetObjectId(datum) != filenode)
			continue;
		datum = heap_getattr(tuple, ANUM_DENSITY, desc, &isnull);
		if (isnull || !(DatumGetFloat8(datum) > 0) ||
			isinf(DatumGetFloat8(datum)))
			continue;
		*density = DatumGetFloat8(datum);
		known = true;
	}
	systable_endscan(scan);
	relation_close(table, NoLock);
	return known;
}

static bool
is_ours(Relation table)
{
	TupleDesc	desc = RelationGetDescr(table);

	return table->rd_rel->relkind == RELKIND_RELATION &&
		table->rd_rel->relam == HEAP_TABLE_AM_OID &&
		desc->natts >= ANUM_DENSITY &&
		TupleDescAttr(desc, ANUM_INDEXRELID - 1)->atttypid == OIDOID &&
		TupleDescAttr(desc, ANUM_FILENODE - 1)->atttypid == OIDOID &&
		TupleDescAttr(desc, ANUM_DENSITY - 1)->atttypid == FLOAT8OID;
}

/*
 * ops.bloat_learn()
 *
 * Locks are given back index by index.  One that is locked, or that cannot be
 * read, is left for the next time.
 */
Datum
ops_bloat_learn(PG_FUNCTION_ARGS)
{
	Oid			owner;
	List	   *indexes;
	ListCell   *lc;
	int			learned = 0;
	MemoryContext scratch;
	MemoryContext caller;

	PreventCommandIfReadOnly("ops.bloat_learn()");
	PreventCommandIfParallelMode("ops.bloat_learn()");
	owner = ops_own_relation_owner(DENSITY_TABLE);
	forget_dropped(owner);

	indexes = list_indexes();
	scratch = AllocSetContextCreate(CurrentMemoryContext,
									"operations_runbook density",
									ALLOCSET_DEFAULT_SIZES);
	foreach(lc, indexes)
	{
		Lesson		lesson = {.index = lfirst_oid(lc)};

		CHECK_FOR_INTERRUPTS();
		caller = MemoryContextSwitchTo(scratch);
		if (ops_attempt(learn, &lesson) == NULL && lesson.learned)
		{
			write_down(&lesson, owner);
			learned++;
		}
		MemoryContextSwitchTo(caller);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	PG_RETURN_INT32(learned);
}

/*
 * Permanent indexes of the kinds whose pages are modelled.
 */
static List *
list_indexes(void)
{
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL,
										  0, NULL);
	List	   *indexes = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		CHECK_FOR_INTERRUPTS();
		if (form->relkind == RELKIND_INDEX &&
			form->relpersistence == RELPERSISTENCE_PERMANENT &&
			(form->relam == GIN_AM_OID || form->relam == GIST_AM_OID ||
			 form->relam == SPGIST_AM_OID))
			indexes = lappend_oid(indexes, form->oid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return indexes;
}

/*
 * Look at an index if it can be had at once and was not seen before.
 */
static void
learn(void *arg)
{
	Lesson	   *lesson = arg;
	Oid			heapid = IndexGetRelation(lesson->index, true);
	Relation	heap;
	Relation	index = NULL;
	double		density;
	int			holder;

	/* The table comes first, as everywhere. */
	if (!OidIsValid(heapid) || !ops_relation_try_lock(heapid, &holder))
		return;
	heap = try_relation_open(heapid, NoLock);
	if (heap && ops_relation_try_lock(lesson->index, &holder))
	{
		index = try_relation_open(lesson->index, NoLock);
		if (index && index->rd_index->indisvalid &&
			!ops_density_known(lesson->index, index->rd_rel->relfilenode,
							   &density))
			measure_fresh(lesson, index, heap);
		if (index)
			relation_close(index, NoLock);
		ops_relation_unlock(lesson->index);
	}
	if (heap)
		relation_close(heap, NoLock);
	ops_relation_unlock(heapid);
}

/*
 * Measure an index; it counts if nobody changed its pages since the build.
 */
static void
measure_fresh(Lesson *lesson, Relation index, Relation heap)
{
	OpsBloatMeasure measure = {
		.rel = index,
		.heap = heap,
		.nblocks = RelationGetNumberOfBlocks(index),
		.ring = GetAccessStrategy(BAS_BULKREAD),
		.target = 1,
		.learns = true,
		.first_sample = LEARN_SAMPLE,
		.last_sample = LEARN_SAMPLE,
	};

	if (measure.nblocks < MIN_PAGES)
		return;
	measure.seed = ops_bloat_seed(index->rd_rel->relfilenode, lesson->index);
	switch (index->rd_rel->relam)
	{
		case GIN_AM_OID:
			measure.kind = BLOAT_GIN;
			ops_bloat_gin(&measure);
			break;
		case GIST_AM_OID:
			measure.kind = BLOAT_GIST;
			ops_bloat_gist(&measure);
			break;
		case SPGIST_AM_OID:
			measure.kind = BLOAT_SPGIST;
			ops_bloat_spgist(&measure);
			break;
		default:
			return;
	}

	if (measure.density <= 0 || isinf(measure.density))
		return;
	lesson->learned = true;
	lesson->filenode = index->rd_rel->relfilenode;
	lesson->density = measure.density;
	lesson->pages = measure.nblocks;
	lesson->entries = measure.total[TOTAL_LIVE];
}

static void
write_down(const Lesson *lesson, Oid owner)
{
	Oid			types[] = {OIDOID, OIDOID, FLOAT8OID, INT8OID, INT8OID};
	Datum		values[] = {
		ObjectIdGetDatum(lesson->index),
		ObjectIdGetDatum(lesson->filenode),
		Float8GetDatum(lesson->density),
		Int64GetDatum((int64) lesson->pages),
		Int64GetDatum((int64) lesson->entries),
	};

	run("INSERT INTO ops.index_density AS d"
		" (indexrelid, filenode, density, pages, entries)"
		" VALUES ($1, $2, $3, $4, $5)"
		" ON CONFLICT (indexrelid) DO UPDATE"
		" SET filenode = excluded.filenode, density = excluded.density,"
		" pages = excluded.pages, entries = excluded.entries,"
		" measured_at = excluded.measured_at",
		owner, lengthof(types), types, values);
}

static void
forget_dropped(Oid owner)
{
	run("DELETE FROM ops.index_density AS d"
		" WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c"
		" WHERE c.oid OPERATOR(pg_catalog.=) d.indexrelid)",
		owner, 0, NULL, NULL);
}

/*
 * Write to our own table, as its owner, whoever calls.
 */
static void
run(const char *sql, Oid owner, int nargs, Oid *types, Datum *values)
{
	OpsQuery	query;

	ops_query_execute(&query, owner, sql, nargs, types, values, NULL);
	ops_query_end(&query);
}
