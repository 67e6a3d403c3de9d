/*-------------------------------------------------------------------------
 *
 * checks_indexes.c
 *	  Checks of indexes that fail, weigh, repeat each other or are missing.
 *
 * Source: pg_class, pg_index and pg_constraint, see catalog.c.  Tables of the
 * system and of this extension are left out, temporary ones too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_am.h"
#include "core/guc.h"
#include "health/activity.h"
#include "health/catalog.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#define BYTES_PER_MB	(1024.0 * 1024.0)

/* Smaller indexes are not worth a thought, nor are tables this small. */
#define SMALL_BYTES		(1024 * 1024)
#define FEW_ROWS		1000

static bool
is_partitioned_index(const OpsIndex *index)
{
	return index->relation->form.relkind == RELKIND_PARTITIONED_INDEX;
}

/*
 * Name an index and its table; the result is where to add to its facts, or
 * NULL.
 */
static OpsCulprit *
name_index(OpsResult *result, const OpsCatalog *catalog,
		   const OpsIndex *index)
{
	const OpsRelation *table = ops_catalog_relation(catalog, index->form->indrelid);
	OpsCulprit *culprit = ops_catalog_culprit(result,
											  ops_catalog_size(index->relation),
											  table);

	if (culprit)
		culprit->name = NameStr(index->relation->form.relname);
	return culprit;
}

/*
 * Whether REINDEX CONCURRENTLY gave an index its name for the time being:
 * _ccnew or _ccold, perhaps with a number.
 */
static bool
is_transient_index(const OpsIndex *index)
{
	const char *name = NameStr(index->relation->form.relname);
	size_t		length = strlen(name);

	while (length > 0 && isdigit((unsigned char) name[length - 1]))
		length--;
	return length > 6 &&
		(strncmp(name + length - 6, "_ccnew", 6) == 0 ||
		 strncmp(name + length - 6, "_ccold", 6) == 0);
}

/*
 * Whether a process is vacuuming or analyzing, as far as it reports.
 */
static bool
is_vacuuming(const OpsActivity *activity, int pid)
{
	for (int i = 0; i < activity->count; i++)
	{
		const OpsBackend *backend = &activity->backend[i];

		if (backend->pid == pid)
			return backend->progress == PROGRESS_COMMAND_VACUUM ||
				backend->progress == PROGRESS_COMMAND_ANALYZE;
	}
	return false;
}

/*
 * Whether somebody is building or dropping indexes of a table.
 *
 * The lock tells what progress reports do not: those lag behind the catalog,
 * name one index of the several that REINDEX has in its hands, and do not
 * exist for DROP INDEX.  Vacuum takes the same lock.
 */
static bool
is_being_indexed(const LockData *locks, const OpsActivity *activity, Oid table)
{
	for (int i = 0; i < locks->nelements; i++)
	{
		const LockInstanceData *lock = &locks->locks[i];

		if (lock->locktag.locktag_type == LOCKTAG_RELATION &&
			lock->locktag.locktag_field1 == MyDatabaseId &&
			lock->locktag.locktag_field2 == table &&
			(lock->holdMask & LOCKBIT_ON(ShareUpdateExclusiveLock)) != 0 &&
			!is_vacuuming(activity, lock->pid))
			return true;
	}
	return false;
}

/*
 * Whether an index is still there and still not valid.
 */
static bool
is_still_invalid(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(relid));
	Form_pg_index form;
	bool		invalid;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	invalid = !form->indisvalid || !form->indisready || !form->indislive;
	ReleaseSysCache(tuple);
	return invalid;
}

static void
suggest_rebuilding(OpsResult *result, const OpsIndex *index)
{
	const char *name = ops_catalog_quoted(index->relation);

	if (is_partitioned_index(index))
		return;
	if (is_transient_index(index) || !index->form->indislive)
		ops_result_remedy(result, "DROP INDEX CONCURRENTLY %s;", name);
	else if (index->constraint)
		ops_result_remedy(result, "REINDEX INDEX CONCURRENTLY %s;", name);
	else
		ops_result_remedy(result, "REINDEX INDEX CONCURRENTLY %s; -- or DROP INDEX CONCURRENTLY %s;",
						  name, name);
}

static const char *
invalid_note(const OpsIndex *index)
{
	if (is_transient_index(index))
		return _("left over from REINDEX CONCURRENTLY");
	if (is_partitioned_index(index))
		return _("some partition has no such index");
	if (!index->form->indislive)
		return _("left over from DROP INDEX CONCURRENTLY");
	return _("left over from CREATE INDEX CONCURRENTLY");
}

/*
 * invalid_index: indexes that cost on every write and serve no query.
 */
static void
probe_invalid_index(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	const OpsActivity *activity = NULL;
	const LockData *locks = NULL;
	const OpsIndex *first = NULL;
	int			invalid = 0;

	for (int i = 0; i < catalog->nindexes; i++)
	{
		const OpsIndex *index = &catalog->indexes[i];
		OpsCulprit *culprit;

		ops_catalog_tick(run, i);
		if (index->form->indisvalid && index->form->indisready &&
			index->form->indislive)
			continue;

		/*
		 * Who is at work must be known as of after we saw the index; if the
		 * work was done in between, the index is valid or gone.
		 */
		if (locks == NULL)
		{
			run->activity = NULL;
			activity = ops_activity(run);
			locks = GetLockStatusData();
			AcceptInvalidationMessages();
		}
		if (is_being_indexed(locks, activity, index->form->indrelid) ||
			!is_still_invalid(index->form->indexrelid))
			continue;
		if (first == NULL)
			first = index;
		invalid++;
		culprit = name_index(result, catalog, index);
		if (culprit)
			culprit->note = invalid_note(index);
	}

	ops_result_value(result, invalid,
					 ngettext("%d index is not valid and not being built",
							  "%d indexes are not valid and not being built",
							  invalid),
					 invalid);
	if (first)
		suggest_rebuilding(result, first);
}

/*
 * Whether an index finds the rows of some values of these columns: it begins
 * with all of them, in any order, and has every row.
 */
static bool
serves_columns(const OpsIndex *index, const AttrNumber *columns, int ncolumns)
{
	Form_pg_index form = index->form;

	if (!form->indisvalid || !form->indisready || !form->indislive ||
		form->indnkeyatts < ncolumns ||
		index->relation->form.relam == BRIN_AM_OID ||
		!heap_attisnull(index->tuple, Anum_pg_index_indpred, NULL))
		return false;

	for (int i = 0; i < ncolumns; i++)
	{
		bool		found = false;

		for (int j = 0; j < ncolumns; j++)
			found |= form->indkey.values[j] == columns[i];
		if (!found)
			return false;
	}
	return true;
}

/*
 * How many of a table's indexes serve a foreign key, one of them left out.
 */
static bool
is_served(const OpsCatalog *catalog, const OpsRelation *table,
		  const OpsConstraint *key, const OpsIndex *without)
{
	for (int i = 0; i < table->nindexes; i++)
	{
		const OpsIndex *index = &catalog->indexes[table->first_index + i];

		if (index != without &&
			serves_columns(index, key->columns, key->ncolumns))
			return true;
	}
	return false;
}

/*
 * Whether dropping an index would leave a foreign key without one.
 */
static bool
is_needed_by_key(const OpsCatalog *catalog, const OpsIndex *index)
{
	const OpsRelation *table = ops_catalog_relation(catalog, index->form->indrelid);

	for (int i = 0; i < table->nconstraints; i++)
	{
		const OpsConstraint *key = &catalog->constraints[table->first_constraint + i];

		if (key->type == CONSTRAINT_FOREIGN &&
			serves_columns(index, key->columns, key->ncolumns) &&
			!is_served(catalog, table, key, index))
			return true;
	}
	return false;
}

/*
 * Whether an index could go if nobody scans it.
 *
 * An index that enforces something works on every write.
 */
static bool
is_dispensable(const OpsCatalog *catalog, const OpsIndex *index)
{
	Form_pg_index form = index->form;

	return !form->indisunique && !form->indisprimary &&
		!form->indisexclusion && !form->indisreplident &&
		form->indisvalid && form->indislive &&
		!index->relation->form.relispartition &&
		!is_partitioned_index(index) &&
		!is_needed_by_key(catalog, index);
}

/*
 * Whether an index has not had the time to be scanned.
 */
static bool
is_too_young(OpsRun *run, const OpsIndex *index)
{
	TimestampTz born = ops_catalog_file_born(index->relation);

	return born != 0 &&
		ops_seconds_since(run, born) < ops_guc_statistics_min_age;
}

/*
 * unused_index: space taken by indexes that no query has used.
 */
static void
probe_unused_index(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	double		age = ops_seconds_since(run, ops_catalog_statistics_began(run));
	double		bytes = 0;
	int			unused = 0;

	if (!pgstat_track_counts)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE,
						   _("not applicable: track_counts is off, so scans are not counted"));
		return;
	}
	if (age < ops_guc_statistics_min_age)
	{
		ops_result_unknown(result, OPS_TOO_YOUNG,
						   _("statistics are %s old, indexes are judged from %s on"),
						   ops_duration(age),
						   ops_duration(ops_guc_statistics_min_age));
		return;
	}

	for (int i = 0; i < catalog->nindexes; i++)
	{
		const OpsIndex *index = &catalog->indexes[i];
		const OpsRelationStats *stats;
		OpsCulprit *culprit;
		int64		size;

		ops_catalog_tick(run, i);
		if (index->form->indisunique || !is_dispensable(catalog, index))
			continue;
		size = ops_catalog_size(index->relation);
		if (size < SMALL_BYTES)
			continue;
		stats = ops_catalog_stats(index->relation);
		if ((stats && stats->scans > 0) || is_too_young(run, index))
			continue;
		unused++;
		bytes += size;
		culprit = name_index(result, catalog, index);
		if (culprit == NULL)
			continue;
		culprit->value = size / BYTES_PER_MB;
		culprit->note = _("scans on other servers are not seen here");
		if (culprit == &result->culprit[0])
			ops_result_remedy(result, "DROP INDEX CONCURRENTLY %s;",
							  ops_catalog_quoted(index->relation));
	}
	ops_result_value(result, bytes / BYTES_PER_MB,
					 ngettext("%d index of %.0f MB has not been scanned on this server for %s",
							  "%d indexes of together %.0f MB have not been scanned on this server for %s",
							  unused),
					 unused, bytes / BYTES_PER_MB, ops_duration(age));
}

/*
 * Whether two rows of pg_index have the same array in some column.
 */
static bool
same_array(HeapTuple one, HeapTuple other, AttrNumber column)
{
	bool		isnull;
	struct varlena *a = (struct varlena *)
	DatumGetPointer(SysCacheGetAttr(INDEXRELID, one, column, &isnull));
	struct varlena *b = (struct varlena *)
	DatumGetPointer(SysCacheGetAttr(INDEXRELID, other, column, &isnull));

	return VARSIZE_ANY(a) == VARSIZE_ANY(b) &&
		memcmp(a, b, VARSIZE_ANY(a)) == 0;
}

/*
 * Whether two rows of pg_index have the same expressions in some column.
 *
 * Compared as trees: their text also has the places where things stood in the
 * statements, for messages.
 */
static bool
same_expressions(HeapTuple one, HeapTuple other, AttrNumber column)
{
	bool		one_is_null;
	bool		other_is_null;
	Datum		a = SysCacheGetAttr(INDEXRELID, one, column, &one_is_null);
	Datum		b = SysCacheGetAttr(INDEXRELID, other, column, &other_is_null);

	if (one_is_null || other_is_null)
		return one_is_null && other_is_null;
	return equal(stringToNode(TextDatumGetCString(a)),
				 stringToNode(TextDatumGetCString(b)));
}

/*
 * Whether two indexes on a table hold the same.
 */
static bool
same_contents(const OpsIndex *one, const OpsIndex *other)
{
	Form_pg_index a = one->form;
	Form_pg_index b = other->form;

	return a->indnatts == b->indnatts &&
		a->indnkeyatts == b->indnkeyatts &&
		memcmp(a->indkey.values, b->indkey.values,
			   a->indnatts * sizeof(int16)) == 0 &&
		same_array(one->tuple, other->tuple, Anum_pg_index_indclass) &&
		same_array(one->tuple, other->tuple, Anum_pg_index_indcollation) &&
		same_array(one->tuple, other->tuple, Anum_pg_index_indoption) &&
		same_expressions(one->tuple, other->tuple, Anum_pg_index_indexprs) &&
		same_expressions(one->tuple, other->tuple, Anum_pg_index_indpred);
}

/*
 * Whether one index enforces all that the other one enforces.
 */
static bool
enforces_as_much(const OpsIndex *one, const OpsIndex *other)
{
	if (other->form->indisexclusion)
		return false;
	if (!other->form->indisunique)
		return true;
	return one->form->indisunique &&
		one->form->indimmediate == other->form->indimmediate &&
		one->form->indnullsnotdistinct == other->form->indnullsnotdistinct;
}

/*
 * How much depends on an index.
 */
static int
importance(const OpsIndex *index)
{
	return (index->form->indisprimary ? 16 : 0) +
		(index->form->indisreplident ? 8 : 0) +
		(index->referenced ? 4 : 0) +
		(index->constraint ? 2 : 0) +
		(index->form->indisunique ? 1 : 0);
}

/*
 * Whether an index makes another one on its table superfluous: of two that
 * are alike, the one on which less depends, or the newer one.
 */
static bool
makes_superfluous(const OpsIndex *index, const OpsIndex *other)
{
	int			more = importance(index) - importance(other);

	return (more > 0 ||
			(more == 0 && index->form->indexrelid < other->form->indexrelid)) &&
		index->form->indisvalid && index->form->indislive &&
		enforces_as_much(index, other) &&
		same_contents(index, other);
}

/*
 * The index that makes this one superfluous, or NULL.
 */
static const OpsIndex *
find_original(const OpsCatalog *catalog, const OpsIndex *index)
{
	const OpsRelation *table = ops_catalog_relation(catalog, index->form->indrelid);

	/* A partition's index is what the one of the whole table makes of it. */
	if (!index->form->indisvalid || index->relation->form.relispartition)
		return NULL;

	for (int i = 0; i < table->nindexes; i++)
	{
		const OpsIndex *other = &catalog->indexes[table->first_index + i];

		if (other != index && makes_superfluous(other, index))
			return other;
	}
	return NULL;
}

static void
suggest_dropping(OpsResult *result, const OpsCatalog *catalog,
				 const OpsIndex *index)
{
	const char *name = NameStr(index->relation->form.relname);

	if (index->constraint)
		ops_result_remedy(result, "ALTER TABLE %s DROP CONSTRAINT %s;",
						  ops_catalog_quoted(ops_catalog_relation(catalog, index->form->indrelid)),
						  quote_identifier(name));
	else
		ops_result_remedy(result, is_partitioned_index(index) ?
						  "DROP INDEX %s;" : "DROP INDEX CONCURRENTLY %s;",
						  ops_catalog_quoted(index->relation));
}

/*
 * duplicate_index: indexes that hold the same as another one.
 */
static void
probe_duplicate_index(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	int			duplicates = 0;

	for (int i = 0; i < catalog->nindexes; i++)
	{
		const OpsIndex *index = &catalog->indexes[i];
		const OpsIndex *original;
		OpsCulprit *culprit;

		ops_catalog_tick(run, i);
		original = find_original(catalog, index);
		if (original == NULL)
			continue;
		duplicates++;
		culprit = name_index(result, catalog, index);
		if (culprit == NULL)
			continue;
		culprit->note = psprintf(_("same as \"%s\""),
								 NameStr(original->relation->form.relname));
		if (culprit == &result->culprit[0])
			suggest_dropping(result, catalog, index);
	}
	ops_result_value(result, duplicates,
					 ngettext("%d index duplicates another one",
							  "%d indexes duplicate others", duplicates),
					 duplicates);
}

/*
 * Whether a scan of the whole table is no great matter.
 */
static bool
is_small(OpsRelation *table)
{
	return table->form.reltuples <= FEW_ROWS &&
		ops_catalog_size(table) <= SMALL_BYTES;
}

/*
 * Whether an earlier foreign key of the table has the same columns.
 */
static bool
is_repeated_key(const OpsCatalog *catalog, const OpsRelation *table,
				const OpsConstraint *key)
{
	const OpsConstraint *other = &catalog->constraints[table->first_constraint];

	for (; other < key; other++)
	{
		if (other->type == CONSTRAINT_FOREIGN &&
			other->ncolumns == key->ncolumns &&
			memcmp(other->columns, key->columns,
				   key->ncolumns * sizeof(AttrNumber)) == 0)
			return true;
	}
	return false;
}

/*
 * A foreign key's columns for a command, NULL if the table is being dropped.
 */
static const char *
key_columns(const OpsRelation *table, const OpsConstraint *key)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < key->ncolumns; i++)
	{
		const char *column = ops_catalog_quoted_column(table, key->columns[i]);

		if (column == NULL)
			return NULL;
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", column);
	}
	return list.data;
}

/*
 * fk_no_index: foreign keys for which deleting a referenced row scans the
 * whole referencing table.
 */
static void
probe_fk_no_index(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	int			bare = 0;

	for (int i = 0; i < catalog->nconstraints; i++)
	{
		const OpsConstraint *key = &catalog->constraints[i];
		OpsRelation *table;
		OpsCulprit *culprit;
		const char *columns;

		ops_catalog_tick(run, i);
		if (key->type != CONSTRAINT_FOREIGN)
			continue;

		/* Partitions have foreign keys of their own. */
		table = ops_catalog_relation(catalog, key->table);
		if (table->form.relkind == RELKIND_PARTITIONED_TABLE ||
			is_served(catalog, table, key, NULL) ||
			is_repeated_key(catalog, table, key) ||
			is_small(table))
			continue;
		bare++;
		culprit = ops_catalog_culprit(result, ops_catalog_size(table), table);
		if (culprit == NULL)
			continue;
		culprit->name = NameStr(key->name);
		columns = key_columns(table, key);
		if (culprit == &result->culprit[0] && columns)
			ops_result_remedy(result, "CREATE INDEX CONCURRENTLY ON %s (%s);",
							  ops_catalog_quoted(table), columns);
	}
	ops_result_value(result, bare,
					 ngettext("%d foreign key has no index on its columns",
							  "%d foreign keys have no index on their columns",
							  bare),
					 bare);
}

const OpsCheck ops_indexes_checks[] = {
	{
		.name = "invalid_index",
		.title = gettext_noop("indexes that are not valid and not being built"),
		.unit = "indexes",
		.severity = OPS_P2,
		.depth = OPS_DEEP,
		.where = OPS_ON_PRIMARY,
		.warning = 1,
		.critical = NAN,
		.probe = probe_invalid_index,
		.remedy = gettext_noop("SELECT indexrelid::regclass, indrelid::regclass FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive);"),
	},
	{
		.name = "unused_index",
		.title = gettext_noop("space taken by indexes that no query has used"),
		.unit = "MB",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.warning = 100,
		.critical = NAN,
		.probe = probe_unused_index,
	},
	{
		.name = "duplicate_index",
		.title = gettext_noop("indexes that hold the same as another one"),
		.unit = "indexes",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.warning = 1,
		.critical = NAN,
		.probe = probe_duplicate_index,
	},
	{
		.name = "fk_no_index",
		.title = gettext_noop("foreign keys without an index on the referencing columns"),
		.unit = "keys",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.warning = 1,
		.critical = NAN,
		.probe = probe_fk_no_index,
	},
};
const int	ops_indexes_count = lengthof(ops_indexes_checks);
