/*-------------------------------------------------------------------------
 *
 * snapshot.c
 *	  What an audit knows of the catalogs: one pass over each.
 *
 * All passes see the same MVCC snapshot, so a table that is being dropped or
 * altered is seen whole, as it was or as it is.  No relation but the catalogs
 * is opened or locked.  Names of columns and access control lists repeat from
 * table to table and are kept once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_policy.h"
#include "common/hashfn.h"
#include "core/compat.h"
#include "rls/rls.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The snapshot while it is being taken. */
typedef struct Loader
{
	OpsRlsAudit *audit;
	HTAB	   *names;			/* InternedName */
	HTAB	   *acls;			/* InternedAcls */
	HTAB	   *foreign_keys;	/* LoadedForeignKey */
	List	   *loaded;			/* the same, as they were read */
	OpsRlsRelation *latest;		/* of the row before this one */
	Oid			information_schema;
	Oid			own_schema;
} Loader;

typedef struct InternedName
{
	NameData	key;			/* first */
	char	   *name;
} InternedName;

typedef struct InternedAcls
{
	uint32		hash;			/* key, first */
	List	   *acls;			/* all with that hash */
} InternedAcls;

typedef struct LoadedForeignKey
{
	Oid			oid;			/* key, first */
	Oid			parent;
	OpsRlsRelation *relation;
	OpsRlsForeignKey *foreign_key;
} LoadedForeignKey;

typedef void (*RowReader) (Loader *loader, HeapTuple tuple, TupleDesc desc);

static void read_catalog(Loader *loader, Oid catalog, RowReader reader);
static void read_in_order(Loader *loader, Oid catalog, Oid index,
						  RowReader reader);
static void read_schema(Loader *loader, HeapTuple tuple, TupleDesc desc);
static bool is_audited_schema(const Loader *loader, Oid schema);
static bool is_wanted_schema(const OpsRlsAudit *audit, const char *name);
static void read_relation(Loader *loader, HeapTuple tuple, TupleDesc desc);
static bool holds_or_shows_rows(Form_pg_class form);
static void read_view_options(OpsRlsRelation *relation, HeapTuple tuple,
							  TupleDesc desc);
static void read_column(Loader *loader, HeapTuple tuple, TupleDesc desc);
static void read_inheritance(Loader *loader, HeapTuple tuple, TupleDesc desc);
static void read_foreign_key(Loader *loader, HeapTuple tuple, TupleDesc desc);
static int	read_attribute_numbers(HeapTuple tuple, TupleDesc desc,
								   AttrNumber place, AttrNumber *numbers);
static void attach_foreign_keys(Loader *loader);
static void read_unique_key(Loader *loader, HeapTuple tuple, TupleDesc desc);
static void read_policy(Loader *loader, HeapTuple tuple, TupleDesc desc);
static char *policy_tree(HeapTuple tuple, TupleDesc desc, AttrNumber place);
static void order_relations(OpsRlsAudit *audit);
static int	compare_relations(const ListCell *left, const ListCell *right);
static OpsRlsRelation *known_relation(Loader *loader, Oid oid);
static const char *intern_name(Loader *loader, const NameData *name);
static Acl *intern_acl(Loader *loader, HeapTuple tuple, TupleDesc desc,
					   AttrNumber place);
static HTAB *make_table(const char *name, Size key, Size entry);

/*
 * Fill in audit->schemas, relations and ordered.
 */
void
ops_rls_snapshot(OpsRlsAudit *audit)
{
	Loader		loader = {.audit = audit};

	audit->schemas = make_table("audited schemas", sizeof(Oid),
								sizeof(OpsRlsSchema));
	audit->relations = make_table("audited relations", sizeof(Oid),
								  sizeof(OpsRlsRelation));
	loader.names = make_table("names of columns", sizeof(NameData),
							  sizeof(InternedName));
	loader.acls = make_table("access control lists", sizeof(uint32),
							 sizeof(InternedAcls));
	loader.foreign_keys = make_table("foreign keys", sizeof(Oid),
									 sizeof(LoadedForeignKey));
	loader.information_schema = get_namespace_oid("information_schema", true);
	loader.own_schema = get_namespace_oid("ops", true);

	read_catalog(&loader, NamespaceRelationId, read_schema);
	read_catalog(&loader, RelationRelationId, read_relation);
	order_relations(audit);
	read_catalog(&loader, AttributeRelationId, read_column);
	read_in_order(&loader, InheritsRelationId, InheritsRelidSeqnoIndexId,
				  read_inheritance);
	read_catalog(&loader, ConstraintRelationId, read_foreign_key);
	attach_foreign_keys(&loader);
	read_catalog(&loader, IndexRelationId, read_unique_key);
	read_in_order(&loader, PolicyRelationId, PolicyPolrelidPolnameIndexId,
				  read_policy);

	hash_destroy(loader.names);
	hash_destroy(loader.acls);
	hash_destroy(loader.foreign_keys);
}

/*
 * The relation of this OID, or NULL if it is none of those audited.
 */
OpsRlsRelation *
ops_rls_relation(const OpsRlsAudit *audit, Oid oid)
{
	return hash_search(audit->relations, &oid, HASH_FIND, NULL);
}

/*
 * The schema of this OID, or NULL.
 */
OpsRlsSchema *
ops_rls_schema(const OpsRlsAudit *audit, Oid oid)
{
	return hash_search(audit->schemas, &oid, HASH_FIND, NULL);
}

/*
 * Hand over the trees of all policies.
 *
 * The order is that of read_policy(), and so is the snapshot, so the n-th
 * policy of a table in the one is the n-th in the other.
 */
void
ops_rls_read_policies(OpsRlsAudit *audit, OpsRlsPolicyTaker take)
{
	Relation	catalog = table_open(PolicyRelationId, AccessShareLock);
	Relation	order = index_open(PolicyPolrelidPolnameIndexId,
								   AccessShareLock);
	TupleDesc	desc = RelationGetDescr(catalog);
	SysScanDesc scan = systable_beginscan_ordered(catalog, order,
												  audit->snapshot, 0, NULL);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "policy",
												  ALLOCSET_DEFAULT_SIZES);
	OpsRlsRelation *relation = NULL;
	int			place = 0;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Form_pg_policy form = (Form_pg_policy) GETSTRUCT(tuple);
		MemoryContext caller;
		OpsRlsPolicy *policy;

		CHECK_FOR_INTERRUPTS();
		if (relation == NULL || relation->oid != form->polrelid)
		{
			relation = ops_rls_relation(audit, form->polrelid);
			place = 0;
		}
		if (relation == NULL)
			continue;
		policy = list_nth(relation->policies, place++);
		Assert(policy->oid == form->oid);

		caller = MemoryContextSwitchTo(scratch);
		take(audit, relation, policy,
			 policy_tree(tuple, desc, Anum_pg_policy_polqual),
			 policy_tree(tuple, desc, Anum_pg_policy_polwithcheck));
		MemoryContextSwitchTo(caller);
		MemoryContextReset(scratch);
	}
	systable_endscan_ordered(scan);
	index_close(order, AccessShareLock);
	table_close(catalog, AccessShareLock);
	MemoryContextDelete(scratch);
}

/*
 * Read a catalog as it lies, which is fastest.
 */
static void
read_catalog(Loader *loader, Oid catalog, RowReader reader)
{
	Relation	heap = table_open(catalog, AccessShareLock);
	SysScanDesc scan = systable_beginscan(heap, InvalidOid, false,
										  loader->audit->snapshot, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		reader(loader, tuple, RelationGetDescr(heap));
	}
	systable_endscan(scan);
	table_close(heap, AccessShareLock);
}

/*
 * Read a catalog in the order of one of its indexes, where the order matters.
 */
static void
read_in_order(Loader *loader, Oid catalog, Oid index, RowReader reader)
{
	Relation	heap = table_open(catalog, AccessShareLock);
	Relation	order = index_open(index, AccessShareLock);
	SysScanDesc scan = systable_beginscan_ordered(heap, order,
												  loader->audit->snapshot,
												  0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		CHECK_FOR_INTERRUPTS();
		reader(loader, tuple, RelationGetDescr(heap));
	}
	systable_endscan_ordered(scan);
	index_close(order, AccessShareLock);
	table_close(heap, AccessShareLock);
}

/*
 * A row of pg_namespace.
 */
static void
read_schema(Loader *loader, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_namespace form = (Form_pg_namespace) GETSTRUCT(tuple);
	OpsRlsSchema *schema = hash_search(loader->audit->schemas, &form->oid,
									   HASH_ENTER, NULL);

	schema->name = pstrdup(NameStr(form->nspname));
	schema->owner = form->nspowner;
	schema->acl = intern_acl(loader, tuple, desc, Anum_pg_namespace_nspacl);
	schema->audited = is_audited_schema(loader, form->oid);
	schema->in_scope = schema->audited &&
		is_wanted_schema(loader->audit, schema->name);
}

static bool
is_audited_schema(const Loader *loader, Oid schema)
{
	return !IsCatalogNamespace(schema) &&
		!IsToastNamespace(schema) &&
		!isAnyTempNamespace(schema) &&
		schema != loader->information_schema &&
		schema != loader->own_schema;
}

static bool
is_wanted_schema(const OpsRlsAudit *audit, const char *name)
{
	ListCell   *lc;

	if (audit->schemas_wanted == NIL)
		return true;
	foreach(lc, audit->schemas_wanted)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/*
 * A row of pg_class.
 */
static void
read_relation(Loader *loader, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	OpsRlsSchema *schema;
	OpsRlsRelation *relation;

	if (!holds_or_shows_rows(form))
		return;
	schema = ops_rls_schema(loader->audit, form->relnamespace);
	if (schema == NULL || !schema->audited)
		return;

	relation = hash_search(loader->audit->relations, &form->oid, HASH_ENTER,
						   NULL);
	memset(relation, 0, sizeof(OpsRlsRelation));
	relation->oid = form->oid;
	relation->name = pstrdup(NameStr(form->relname));
	relation->schema = form->relnamespace;
	relation->schema_name = schema->name;
	relation->owner = form->relowner;
	relation->kind = form->relkind;
	relation->row_security = form->relrowsecurity;
	relation->forced = form->relforcerowsecurity;
	relation->is_partition = form->relispartition;
	relation->in_scope = schema->in_scope;
	relation->acl = intern_acl(loader, tuple, desc, Anum_pg_class_relacl);
	relation->ncolumns = form->relnatts;
	relation->columns = palloc0(form->relnatts * sizeof(OpsRlsColumn));
	if (form->relkind == RELKIND_VIEW)
		read_view_options(relation, tuple, desc);

	loader->audit->ordered = lappend(loader->audit->ordered, relation);
}

/*
 * Whether a role could ask for the relation's rows; nobody can ask for those
 * of another session's temporary table.
 */
static bool
holds_or_shows_rows(Form_pg_class form)
{
	if (form->relpersistence == RELPERSISTENCE_TEMP)
		return false;
	switch (form->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			return true;
		default:
			return false;
	}
}

static void
read_view_options(OpsRlsRelation *relation, HeapTuple tuple, TupleDesc desc)
{
	ViewOptions *options;

	if (heap_attisnull(tuple, Anum_pg_class_reloptions, NULL))
		return;
	options = (ViewOptions *) extractRelOptions(tuple, desc, NULL);
	if (options == NULL)
		return;
	relation->security_invoker = options->security_invoker;
	relation->security_barrier = options->security_barrier;
	pfree(options);
}

/*
 * A row of pg_attribute.  Those of a relation mostly lie together.
 */
static void
read_column(Loader *loader, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(tuple);
	OpsRlsRelation *relation;
	OpsRlsColumn *column;

	if (form->attnum <= 0 || form->attisdropped)
		return;
	relation = known_relation(loader, form->attrelid);
	if (relation == NULL || form->attnum > relation->ncolumns)
		return;

	column = &relation->columns[form->attnum - 1];
	column->name = intern_name(loader, &form->attname);
	column->type = form->atttypid;
	column->notnull = form->attnotnull;
	column->has_default = form->atthasdef || form->attidentity != '\0';
	column->acl = intern_acl(loader, tuple, desc, Anum_pg_attribute_attacl);
}

/*
 * A row of pg_inherits.
 */
static void
read_inheritance(Loader *loader, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(tuple);
	OpsRlsRelation *child = ops_rls_relation(loader->audit, form->inhrelid);
	OpsRlsRelation *parent = ops_rls_relation(loader->audit, form->inhparent);

	if (child == NULL || parent == NULL)
		return;
	child->parents = lappend(child->parents, parent);
	parent->children = lappend(parent->children, child);
}

/*
 * A row of pg_constraint.  A key that is not enforced tells nobody anything.
 */
static void
read_foreign_key(Loader *loader, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	OpsRlsRelation *relation;
	OpsRlsForeignKey *foreign_key;
	LoadedForeignKey *loaded;

	if (form->contype != CONSTRAINT_FOREIGN ||
		!ops_compat_constraint_enforced(form))
		return;
	relation = known_relation(loader, form->conrelid);
	if (relation == NULL)
		return;

	foreign_key = palloc0(sizeof(OpsRlsForeignKey));
	foreign_key->oid = form->oid;
	foreign_key->target = form->confrelid;
	foreign_key->ncolumns =
		read_attribute_numbers(tuple, desc, Anum_pg_constraint_conkey,
							   foreign_key->columns);
	(void) read_attribute_numbers(tuple, desc, Anum_pg_constraint_confkey,
								  foreign_key->target_columns);

	loaded = hash_search(loader->foreign_keys, &form->oid, HASH_ENTER, NULL);
	loaded->parent = form->conparentid;
	loaded->relation = relation;
	loaded->foreign_key = foreign_key;
	loader->loaded = lappend(loader->loaded, loaded);
}

/*
 * An array of attribute numbers; the result is how many there are.
 */
static int
read_attribute_numbers(HeapTuple tuple, TupleDesc desc, AttrNumber place,
					   AttrNumber *numbers)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, place, desc, &isnull);
	ArrayType  *array;
	int			count;

	if (isnull)
		return 0;
	array = DatumGetArrayTypeP(value);
	count = Min(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)),
				INDEX_MAX_KEYS);
	memcpy(numbers, ARR_DATA_PTR(array), count * sizeof(AttrNumber));
	return count;
}

/*
 * Give each relation its foreign keys.
 *
 * A key to a partitioned table has a row for each partition that it can refer
 * to besides its own; those say nothing new.
 */
static void
attach_foreign_keys(Loader *loader)
{
	ListCell   *lc;

	foreach(lc, loader->loaded)
	{
		LoadedForeignKey *loaded = lfirst(lc);
		LoadedForeignKey *parent = NULL;

		if (OidIsValid(loaded->parent))
			parent = hash_search(loader->foreign_keys, &loaded->parent,
								 HASH_FIND, NULL);
		if (parent == NULL || parent->relation != loaded->relation)
			loaded->relation->foreign_keys =
				lappend(loaded->relation->foreign_keys, loaded->foreign_key);
	}
}

/*
 * A row of pg_index: columns that no two rows have in common.
 */
static void
read_unique_key(Loader *loader, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	OpsRlsRelation *relation;
	Bitmapset  *key = NULL;

	if (!form->indisunique || !form->indisvalid ||
		!heap_attisnull(tuple, Anum_pg_index_indpred, NULL) ||
		!heap_attisnull(tuple, Anum_pg_index_indexprs, NULL))
		return;
	relation = known_relation(loader, form->indrelid);
	if (relation == NULL)
		return;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] <= 0)
			return;
		key = bms_add_member(key, form->indkey.values[i]);
	}
	relation->unique_keys = lappend(relation->unique_keys, key);
}

/*
 * A row of pg_policy, without its trees.  They come in the order of tables
 * and of names.
 */
static void
read_policy(Loader *loader, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_policy form = (Form_pg_policy) GETSTRUCT(tuple);
	OpsRlsRelation *relation = known_relation(loader, form->polrelid);
	OpsRlsPolicy *policy;
	ArrayType  *roles;
	Datum		value;
	bool		isnull;

	if (relation == NULL)
		return;
	policy = palloc0(sizeof(OpsRlsPolicy));
	policy->oid = form->oid;
	policy->name = pstrdup(NameStr(form->polname));
	policy->command = form->polcmd;
	policy->permissive = form->polpermissive;

	value = heap_getattr(tuple, Anum_pg_policy_polroles, desc, &isnull);
	Assert(!isnull);
	roles = DatumGetArrayTypePCopy(value);
	policy->nroles = ArrayGetNItems(ARR_NDIM(roles), ARR_DIMS(roles));
	policy->roles = (Oid *) ARR_DATA_PTR(roles);

	relation->policies = lappend(relation->policies, policy);
}

static char *
policy_tree(HeapTuple tuple, TupleDesc desc, AttrNumber place)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, place, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static void
order_relations(OpsRlsAudit *audit)
{
	list_sort(audit->ordered, compare_relations);
}

static int
compare_relations(const ListCell *left, const ListCell *right)
{
	const OpsRlsRelation *a = lfirst(left);
	const OpsRlsRelation *b = lfirst(right);
	int			order = 0;

	/* Schemas' names are shared. */
	if (a->schema_name != b->schema_name)
		order = strcmp(a->schema_name, b->schema_name);
	return order != 0 ? order : strcmp(a->name, b->name);
}

/*
 * The relation of this OID, looked up once for rows that follow one another.
 */
static OpsRlsRelation *
known_relation(Loader *loader, Oid oid)
{
	if (loader->latest == NULL || loader->latest->oid != oid)
	{
		OpsRlsRelation *relation = ops_rls_relation(loader->audit, oid);

		if (relation == NULL)
			return NULL;
		loader->latest = relation;
	}
	return loader->latest;
}

static const char *
intern_name(Loader *loader, const NameData *name)
{
	bool		found;
	InternedName *interned = hash_search(loader->names, name, HASH_ENTER,
										 &found);

	if (!found)
		interned->name = pstrdup(NameStr(*name));
	return interned->name;
}

/*
 * An access control list, NULL if there is none.
 */
static Acl *
intern_acl(Loader *loader, HeapTuple tuple, TupleDesc desc, AttrNumber place)
{
	Datum		value;
	bool		isnull;
	bool		found;
	Acl		   *acl;
	InternedAcls *interned;
	uint32		hash;
	ListCell   *lc;

	value = heap_getattr(tuple, place, desc, &isnull);
	if (isnull)
		return NULL;
	acl = DatumGetAclPCopy(value);
	hash = hash_bytes((unsigned char *) acl, VARSIZE(acl));
	interned = hash_search(loader->acls, &hash, HASH_ENTER, &found);
	if (!found)
		interned->acls = NIL;
	foreach(lc, interned->acls)
	{
		Acl		   *same = lfirst(lc);

		if (VARSIZE(same) == VARSIZE(acl) &&
			memcmp(same, acl, VARSIZE(acl)) == 0)
		{
			pfree(acl);
			return same;
		}
	}
	interned->acls = lappend(interned->acls, acl);
	return acl;
}

/*
 * A hash table in the audit's context.
 */
static HTAB *
make_table(const char *name, Size key, Size entry)
{
	HASHCTL		control = {
		.keysize = key,
		.entrysize = entry,
		.hcxt = CurrentMemoryContext,
	};

	return hash_create(name, 1024, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}
