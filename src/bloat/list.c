/*-------------------------------------------------------------------------
 *
 * list.c
 *	  Which relations a report is about.
 *
 * Catalogs are read under the catalog snapshot and sizes by stat(), so that
 * listing takes no lock on any relation.  Indexes and TOAST tables come with
 * their tables, since one look at a table serves all of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "bloat/result.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "core/relation.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* How much a relation can have grown since its pages were counted. */
#define MAX_GROWTH		16

typedef struct Listing
{
	const OpsBloatRequest *request;
	HTAB	   *entries;		/* by oid */
	List	   *tables;			/* OpsBloatTable */
	bool		may_scan;		/* whatever its grants say */
} Listing;

/* A relation of the catalog. */
typedef struct Entry
{
	Oid			oid;			/* hash key, first */
	FormData_pg_class form;
	Oid			table;			/* of a TOAST table or an index */
	int64		size;
	OpsBloatTable *listed;		/* of a table, once it is in the list */
} Entry;

static void list_all(Listing *listing);
static void read_classes(Listing *listing);
static int64 size_of(Listing *listing, Form_pg_class form);
static void find_toast_owners(Listing *listing);
static void read_indexes(Listing *listing);
static void list_entry(Listing *listing, Entry *entry);
static Entry *find_entry(Listing *listing, Oid relation);
static OpsBloatTable *list_helper(Listing *listing, Oid relation);
static OpsBloatResult *help_toast(Listing *listing, OpsBloatTable *table, Entry *toast);
static void keep_largest(Listing *listing);
static void list_requested(Listing *listing);
static void list_partitions(Listing *listing, Oid relation);
static void list_table(Listing *listing, Oid relation);
static void list_toast(Listing *listing, Oid relation);
static void list_index(Listing *listing, Oid relation);
static OpsBloatTable *enter_table(Listing *listing, Oid relation);
static void add_indexes(Listing *listing, OpsBloatTable *table, Oid heap, Oid only, List **indexes);
static int	first_sample(OpsBloatKind kind);
static OpsBloatResult *make_result(Listing *listing, Form_pg_class form, Oid table, int64 size);
static OpsBloatResult *load_result(Listing *listing, Oid relation, Oid table);
static bool may_see(Listing *listing, Oid table);
static int	compare_sizes(const ListCell *a, const ListCell *b);

List *
ops_bloat_list(const OpsBloatRequest *request)
{
	Listing		listing = {.request = request};
	HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(Entry)};

	control.hcxt = CurrentMemoryContext;
	listing.entries = hash_create("operations_runbook relations", 1024,
								  &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	listing.may_scan = has_privs_of_role(GetUserId(), ROLE_PG_STAT_SCAN_TABLES);
	if (OidIsValid(request->relation))
		list_requested(&listing);
	else
		list_all(&listing);
	hash_destroy(listing.entries);
	return listing.tables;
}

/*
 * All relations of the database that are large enough.
 */
static void
list_all(Listing *listing)
{
	HASH_SEQ_STATUS status;
	Entry	   *entry;

	read_classes(listing);
	find_toast_owners(listing);
	read_indexes(listing);
	hash_seq_init(&status, listing->entries);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (entry->size >= listing->request->min_size)
			list_entry(listing, entry);
	}
	keep_largest(listing);
}

static void
read_classes(Listing *listing)
{
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0,
										  NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
		Entry	   *entry;

		CHECK_FOR_INTERRUPTS();
		if ((form->relkind != RELKIND_RELATION &&
			 form->relkind != RELKIND_MATVIEW &&
			 form->relkind != RELKIND_TOASTVALUE &&
			 form->relkind != RELKIND_INDEX) ||
			(form->relpersistence == RELPERSISTENCE_TEMP &&
			 isAnyTempNamespace(form->relnamespace) &&
			 !isTempOrTempToastNamespace(form->relnamespace)))
			continue;
		entry = hash_search(listing->entries, &form->oid, HASH_ENTER, NULL);
		memset((char *) entry + sizeof(Oid), 0, sizeof(Entry) - sizeof(Oid));
		memcpy(&entry->form, form, CLASS_TUPLE_SIZE);
		entry->size = size_of(listing, form);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/*
 * Size of a relation's file.  Where only the largest are wanted, one that was
 * small when its pages were counted is not asked again.
 */
static int64
size_of(Listing *listing, Form_pg_class form)
{
	int64		counted = (int64) Max(form->relpages, 0) * BLCKSZ;
	int64		size;

	if (form->relpersistence == RELPERSISTENCE_TEMP ||
		(listing->request->largest > 0 && counted > 0 &&
		 counted < listing->request->min_size / MAX_GROWTH))
		return counted;
	size = ops_relation_file_size(form);
	return Max(size, 0);
}

static void
find_toast_owners(Listing *listing)
{
	HASH_SEQ_STATUS status;
	Entry	   *entry;

	hash_seq_init(&status, listing->entries);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		Entry	   *toast;

		if (!OidIsValid(entry->form.reltoastrelid))
			continue;
		toast = find_entry(listing, entry->form.reltoastrelid);
		if (toast)
			toast->table = entry->oid;
	}
}

static void
read_indexes(Listing *listing)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0,
										  NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
		Entry	   *entry = find_entry(listing, form->indexrelid);

		CHECK_FOR_INTERRUPTS();
		if (entry)
			entry->table = form->indrelid;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
list_entry(Listing *listing, Entry *entry)
{
	Entry	   *heap;
	OpsBloatTable *table;
	OpsBloatResult *result;

	if (entry->form.relkind != RELKIND_INDEX &&
		entry->form.relkind != RELKIND_TOASTVALUE)
	{
		table = list_helper(listing, entry->oid);
		table->table->helps = false;
		return;
	}
	heap = find_entry(listing, entry->table);
	if (heap == NULL)
		return;
	if (entry->form.relkind == RELKIND_TOASTVALUE)
	{
		table = list_helper(listing, heap->oid);
		help_toast(listing, table, entry)->helps = false;
		return;
	}
	result = make_result(listing, &entry->form, heap->oid, entry->size);
	if (heap->form.relkind != RELKIND_TOASTVALUE)
	{
		table = list_helper(listing, heap->oid);
		table->indexes = lappend(table->indexes, result);
		return;
	}
	table = list_helper(listing, heap->table);
	if (table == NULL)
		return;
	(void) help_toast(listing, table, heap);
	table->toast_indexes = lappend(table->toast_indexes, result);
}

static Entry *
find_entry(Listing *listing, Oid relation)
{
	return hash_search(listing->entries, &relation, HASH_FIND, NULL);
}

/*
 * A table in the list; at first only for what belongs to it.
 */
static OpsBloatTable *
list_helper(Listing *listing, Oid relation)
{
	Entry	   *entry = find_entry(listing, relation);

	if (entry == NULL)
		return NULL;
	if (entry->listed == NULL)
	{
		entry->listed = palloc0(sizeof(OpsBloatTable));
		entry->listed->table = make_result(listing, &entry->form, relation,
										   entry->size);
		entry->listed->table->helps = true;
		listing->tables = lappend(listing->tables, entry->listed);
	}
	return entry->listed;
}

static OpsBloatResult *
help_toast(Listing *listing, OpsBloatTable *table, Entry *toast)
{
	if (table->toast == NULL)
	{
		table->toast = make_result(listing, &toast->form,
								   table->table->relation, toast->size);
		table->toast->helps = true;
	}
	return table->toast;
}

static void
keep_largest(Listing *listing)
{
	int			largest = listing->request->largest;

	if (largest == 0 || list_length(listing->tables) <= largest)
		return;
	list_sort(listing->tables, compare_sizes);
	listing->tables = list_truncate(listing->tables, largest);
}

static int
compare_sizes(const ListCell *a, const ListCell *b)
{
	const OpsBloatTable *left = lfirst(a);
	const OpsBloatTable *right = lfirst(b);
	int64		left_size = left->table->size;
	int64		right_size = right->table->size;

	if (left->toast)
		left_size += left->toast->size;
	if (right->toast)
		right_size += right->toast->size;
	return left_size < right_size ? 1 : left_size > right_size ? -1 : 0;
}

/*
 * One relation and what belongs to it.
 */
static void
list_requested(Listing *listing)
{
	Oid			relation = listing->request->relation;
	char	   *name = get_rel_name(relation);

	switch (get_rel_relkind(relation))
	{
		case RELKIND_RELATION:
		case RELKIND_MATVIEW:
			list_table(listing, relation);
			break;
		case RELKIND_TOASTVALUE:
			list_toast(listing, relation);
			break;
		case RELKIND_INDEX:
			list_index(listing, relation);
			break;
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_PARTITIONED_INDEX:
			list_partitions(listing, relation);
			break;
		case '\0':
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("relation with OID %u does not exist", relation)));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" has no space that could be reclaimed",
							name ? name : "?"),
					 errdetail("It is neither a table nor a materialized view, a TOAST table or an index.")));
	}
}

static void
list_partitions(Listing *listing, Oid relation)
{
	List	   *children = find_all_inheritors(relation, NoLock, NULL);
	ListCell   *lc;

	foreach(lc, children)
	{
		CHECK_FOR_INTERRUPTS();
		switch (get_rel_relkind(lfirst_oid(lc)))
		{
			case RELKIND_RELATION:
				list_table(listing, lfirst_oid(lc));
				break;
			case RELKIND_INDEX:
				list_index(listing, lfirst_oid(lc));
				break;
			default:
				break;
		}
	}
}

static void
list_table(Listing *listing, Oid relation)
{
	OpsBloatTable *table = enter_table(listing, relation);

	if (table == NULL)
		return;
	if (OidIsValid(table->table->toast))
		table->toast = load_result(listing, table->table->toast, relation);
	add_indexes(listing, table, relation, InvalidOid, &table->indexes);
	if (table->toast)
		add_indexes(listing, table, table->toast->relation, InvalidOid,
					&table->toast_indexes);
}

/*
 * A TOAST table alone; its rows' values are of its table, which is looked at,
 * but no row of the report.
 */
static void
list_toast(Listing *listing, Oid relation)
{
	Oid			owner = ops_relation_of_toast(relation);
	OpsBloatTable *table = OidIsValid(owner) ?
	enter_table(listing, owner) : NULL;

	if (table == NULL)
	{
		list_table(listing, relation);
		return;
	}
	table->table->helps = true;
	table->toast = load_result(listing, relation, owner);
	add_indexes(listing, table, relation, InvalidOid, &table->toast_indexes);
}

/*
 * An index alone; its table is looked at, but no row of the report.
 */
static void
list_index(Listing *listing, Oid relation)
{
	Oid			heap = IndexGetRelation(relation, true);
	OpsBloatTable *table = OidIsValid(heap) ? enter_table(listing, heap) : NULL;

	if (table == NULL)
		return;
	table->table->helps = true;
	add_indexes(listing, table, heap, relation, &table->indexes);
}

static OpsBloatTable *
enter_table(Listing *listing, Oid relation)
{
	OpsBloatResult *result = load_result(listing, relation, relation);
	OpsBloatTable *table;

	if (result == NULL)
		return NULL;
	table = palloc0(sizeof(OpsBloatTable));
	table->table = result;
	listing->tables = lappend(listing->tables, table);
	return table;
}

static void
add_indexes(Listing *listing, OpsBloatTable *table, Oid heap, Oid only,
			List **indexes)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(heap));
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1,
							  &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
		OpsBloatResult *result;

		if (OidIsValid(only) && form->indexrelid != only)
			continue;
		result = load_result(listing, form->indexrelid, heap);
		if (result)
			*indexes = lappend(*indexes, result);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/*
 * A model of how a build fills pages wants to see more of them.
 */
static int
first_sample(OpsBloatKind kind)
{
	return ops_bloat_is_modelled(kind) ? OPS_BLOAT_MODEL_SAMPLE :
		OPS_BLOAT_FIRST_SAMPLE;
}

static OpsBloatResult *
make_result(Listing *listing, Form_pg_class form, Oid table, int64 size)
{
	OpsBloatResult *result = palloc0(sizeof(OpsBloatResult));

	result->relation = form->oid;
	result->table = table;
	result->toast = form->reltoastrelid;
	result->namespace = form->relnamespace;
	result->kind_name = ops_bloat_kind(form, &result->kind);
	result->is_partition = form->relispartition;
	result->size = size;
	result->measure.first_sample = first_sample(result->kind);
	result->measure.last_sample = OPS_BLOAT_LAST_SAMPLE;
	if (!may_see(listing, table))
		result->note = _("permission denied: needs pg_stat_scan_tables, or SELECT on the table");
	return result;
}

/*
 * The same by OID; NULL if it is gone.
 */
static OpsBloatResult *
load_result(Listing *listing, Oid relation, Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Form_pg_class form;
	OpsBloatResult *result;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_class) GETSTRUCT(tuple);
	result = make_result(listing, form, table, size_of(listing, form));
	ReleaseSysCache(tuple);
	return result;
}

static bool
may_see(Listing *listing, Oid table)
{
	return listing->may_scan ||
		pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}
