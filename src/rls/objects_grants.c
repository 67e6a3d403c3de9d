/*-------------------------------------------------------------------------
 *
 * objects_grants.c
 *	  Findings about grants on what holds no rows of tables: default
 *	  privileges, large objects, sequences, publications, settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_default_acl.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_largeobject_metadata.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_namespace.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "rls/formula.h"
#include "rls/objects.h"
#include "storage/large_object.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* So many large objects are counted. */
#define MAX_LARGE_OBJECTS	1000

typedef void (*RowReader) (OpsObjects *objects, HeapTuple tuple,
						   TupleDesc desc);

static void read_rows(OpsObjects *objects, Oid catalog, RowReader reader);
static void judge_default_acl(OpsObjects *objects, HeapTuple tuple,
							  TupleDesc desc);
static bool protects_new_tables(OpsObjects *objects);
static bool schema_has_tenants(OpsObjects *objects, Oid schema);
static void judge_large_objects(OpsObjects *objects);
static const OpsRlsRelation *points_to_large_objects(OpsObjects *objects);
static bool is_oid_type(Oid type);
static void judge_sequence(OpsObjects *objects, HeapTuple tuple,
						   TupleDesc desc);
static Oid	sequence_table(OpsObjects *objects, Oid sequence);
static void judge_publications(OpsObjects *objects);
static void judge_publication(OpsObjects *objects, HeapTuple tuple,
							  TupleDesc desc);
static bool is_published(OpsObjects *objects, Oid publication,
						 const OpsRlsRelation *relation);
static void judge_settings(OpsObjects *objects);

/*
 * Judge grants on everything that is no relation with rows.
 */
void
ops_objects_judge_grants(OpsObjects *objects)
{
	if (!objects->has_tenant_data)
		return;
	read_rows(objects, DefaultAclRelationId, judge_default_acl);
	judge_large_objects(objects);
	read_rows(objects, RelationRelationId, judge_sequence);
	judge_publications(objects);
	judge_settings(objects);
}

static void
read_rows(OpsObjects *objects, Oid catalog, RowReader reader)
{
	Relation	table = table_open(catalog, AccessShareLock);
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false,
										  objects->audit->snapshot, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		reader(objects, tuple, RelationGetDescr(table));
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
}

/*
 * Grants on tables that do not exist yet, and will not have row security when
 * they begin to.
 */
static void
judge_default_acl(OpsObjects *objects, HeapTuple tuple, TupleDesc desc)
{
	OpsRlsAudit *audit = objects->audit;
	Form_pg_default_acl form = (Form_pg_default_acl) GETSTRUCT(tuple);
	const OpsRlsSchema *schema = NULL;
	OpsReachers reachers = {0};
	OpsRlsFinding *finding;
	const char *maker;
	const char *grantees;
	const char *name;
	bool		isnull;
	Acl		   *acl;
	Datum		value;
	AclMode		rights = 0;
	ListCell   *lc;

	if (form->defaclobjtype != DEFACLOBJ_RELATION)
		return;
	if (OidIsValid(form->defaclnamespace))
	{
		schema = ops_rls_schema(audit, form->defaclnamespace);
		if (schema == NULL || !schema->in_scope)
			return;
	}
	value = heap_getattr(tuple, Anum_pg_default_acl_defaclacl, desc, &isnull);
	if (isnull)
		return;
	acl = DatumGetAclPCopy(value);
	foreach(lc, audit->roles)
	{
		OpsRlsRole *role = lfirst(lc);
		AclMode		granted;

		if (!ops_objects_binds(role) ||
			ops_rls_inherits(audit, role, form->defaclrole))
			continue;
		granted = ops_rls_acl_rights(audit, role, acl, InvalidOid,
									 OPS_ROW_RIGHTS | ACL_TRUNCATE);
		if (granted == 0 ||
			(schema && !ops_rls_uses_schema(audit, role, schema->oid)))
			continue;
		rights |= granted;
		ops_reachers_add(&reachers, role);
	}
	if (reachers.roles == NIL)
		return;

	maker = ops_objects_role_name(audit, form->defaclrole);
	name = schema ? psprintf("%s in %s", maker, schema->name) : maker;
	finding = ops_rls_report_object(audit, DEFAULT_PRIVILEGES_EXPOSED,
									"default privileges",
									schema ? schema->name : NULL, name, name);
	finding->verdict = "open";
	finding->reach = ops_objects_acl_reach(audit,
										   ops_reachers_first(&reachers), acl,
										   form->defaclrole, rights);
	if (schema)
		finding->message = psprintf(_("tables that %s is going to create in schema %s are granted (%s) before they have row security"),
									maker, quote_identifier(schema->name),
									ops_objects_right_names(rights));
	else
		finding->message = psprintf(_("tables that %s is going to create are granted (%s) before they have row security"),
									maker, ops_objects_right_names(rights));
	grantees = ops_reachers_grantees(audit, &reachers, acl, rights);
	finding->remediation = psprintf("ALTER DEFAULT PRIVILEGES FOR ROLE %s%s%s REVOKE %s ON TABLES FROM %s;",
									quote_identifier(maker),
									schema ? " IN SCHEMA " : "",
									schema ? quote_identifier(schema->name) : "",
									ops_objects_right_names(rights),
									grantees ? grantees : "PUBLIC");
	finding->probe = "SELECT defaclrole::regrole, defaclnamespace::regnamespace, defaclacl FROM pg_default_acl;";
	ops_rls_evidence(finding, "rights", "%s", ops_objects_right_names(rights));
	ops_reachers_describe(&reachers, finding);
	if (!objects->has_protected_data || protects_new_tables(objects) ||
		(schema && !schema_has_tenants(objects, schema->oid)))
		finding->severity = OPS_P3;
}

/*
 * Whether an event trigger seems to switch row security on for new tables.
 */
static bool
protects_new_tables(OpsObjects *objects)
{
	Relation	catalog = table_open(EventTriggerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false,
										  objects->audit->snapshot, 0, NULL);
	HeapTuple	tuple;
	bool		found = false;

	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_event_trigger form = (Form_pg_event_trigger) GETSTRUCT(tuple);
		const OpsRoutine *routine;

		routine = hash_search(objects->routines, &form->evtfoid, HASH_FIND,
							  NULL);
		if (form->evtenabled == TRIGGER_DISABLED || routine == NULL ||
			routine->source == NULL)
			continue;
		found = DatumGetBool(DirectFunctionCall2Coll(texticlike,
													 C_COLLATION_OID,
													 CStringGetTextDatum(routine->source),
													 CStringGetTextDatum("%enable row level security%")));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

static bool
schema_has_tenants(OpsObjects *objects, Oid schema)
{
	ListCell   *lc;

	foreach(lc, objects->audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (relation->schema == schema && ops_rls_is_tenant_data(relation))
			return true;
	}
	return false;
}

/*
 * Large objects have access control lists and no row security.
 */
static void
judge_large_objects(OpsObjects *objects)
{
	OpsRlsAudit *audit = objects->audit;
	const OpsRlsRelation *pointer = points_to_large_objects(objects);
	Relation	catalog = table_open(LargeObjectMetadataRelationId,
									 AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false,
										  audit->snapshot, 0, NULL);
	OpsReachers reachers = {0};
	OpsRlsFinding *finding;
	Oid			sample = InvalidOid;
	int			count = 0;
	HeapTuple	tuple;
	ListCell   *lc;

	while (count < MAX_LARGE_OBJECTS &&
		   HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_largeobject_metadata form = (Form_pg_largeobject_metadata) GETSTRUCT(tuple);
		Datum		acl;
		bool		isnull;
		bool		exposed = false;

		CHECK_FOR_INTERRUPTS();
		acl = heap_getattr(tuple, Anum_pg_largeobject_metadata_lomacl,
						   RelationGetDescr(catalog), &isnull);
		if (isnull && !lo_compat_privileges)
			continue;
		foreach(lc, audit->roles)
		{
			OpsRlsRole *role = lfirst(lc);

			if (!ops_objects_binds(role) ||
				ops_rls_inherits(audit, role, form->lomowner) ||
				(!lo_compat_privileges &&
				 ops_rls_acl_rights(audit, role, DatumGetAclP(acl),
									form->lomowner,
									ACL_SELECT | ACL_UPDATE) == 0))
				continue;
			exposed = true;
			if (!list_member_ptr(reachers.roles, role))
				ops_reachers_add(&reachers, role);
		}
		if (exposed && count++ == 0)
			sample = form->oid;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	if (reachers.roles == NIL && lo_compat_privileges && pointer)
	{
		foreach(lc, audit->roles)
		{
			if (ops_objects_binds(lfirst(lc)))
				ops_reachers_add(&reachers, lfirst(lc));
		}
	}
	if (reachers.roles == NIL)
		return;

	finding = ops_rls_report_object(audit, LARGE_OBJECT_EXPOSED,
									"large objects", NULL, "pg_largeobject",
									"pg_largeobject");
	finding->verdict = "open";
	finding->reach = lo_compat_privileges ? "lo_compat_privileges" :
		ops_reachers_names(&reachers);
	if (lo_compat_privileges)
	{
		finding->message = _("lo_compat_privileges is on, so everybody reads and writes every large object");
		finding->remediation = "ALTER SYSTEM SET lo_compat_privileges = off;";
	}
	else
	{
		finding->message = psprintf(ngettext("%d large object is granted; row security covers only what points to it",
											 "%d large objects are granted; row security covers only what points to them",
											 count), count);
		finding->remediation = psprintf("REVOKE ALL ON LARGE OBJECT %u FROM PUBLIC, %s;",
										sample,
										quote_identifier(ops_reachers_first(&reachers)->name));
	}
	finding->probe = "SELECT oid, lomowner::regrole, lomacl FROM pg_largeobject_metadata LIMIT 10;";
	if (pointer)
		ops_rls_evidence(finding, "pointed_to_by", "%s",
						 ops_rls_relation_name(pointer));
	ops_rls_evidence(finding, "large_objects", "%d", count);
	ops_reachers_describe(&reachers, finding);
	if (pointer == NULL)
		finding->severity = OPS_P3;
}

/*
 * A table with tenant data and a column that can name a large object.
 */
static const OpsRlsRelation *
points_to_large_objects(OpsObjects *objects)
{
	ListCell   *lc;

	foreach(lc, objects->audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (!relation->in_scope || !ops_rls_is_tenant_data(relation))
			continue;
		for (int i = 0; i < relation->ncolumns; i++)
		{
			if (relation->columns[i].name &&
				is_oid_type(relation->columns[i].type))
				return relation;
		}
	}
	return NULL;
}

/*
 * oid, or a domain over it, as the type lo is.
 */
static bool
is_oid_type(Oid type)
{
	HeapTuple	tuple;
	Oid			base = InvalidOid;

	if (type == OIDOID)
		return true;
	if (type < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (HeapTupleIsValid(tuple))
	{
		base = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
		ReleaseSysCache(tuple);
	}
	return base == OIDOID;
}

/*
 * A sequence that numbers all tenants' rows.
 */
static void
judge_sequence(OpsObjects *objects, HeapTuple tuple, TupleDesc desc)
{
	OpsRlsAudit *audit = objects->audit;
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	const OpsRlsSchema *schema;
	const OpsRlsRelation *table = NULL;
	OpsReachers reachers = {0};
	OpsRlsFinding *finding;
	Oid			owning;
	bool		isnull;
	Datum		value;
	Acl		   *acl;
	ListCell   *lc;

	if (form->relkind != RELKIND_SEQUENCE ||
		form->relpersistence == RELPERSISTENCE_TEMP)
		return;
	schema = ops_rls_schema(audit, form->relnamespace);
	value = heap_getattr(tuple, Anum_pg_class_relacl, desc, &isnull);
	if (schema == NULL || !schema->in_scope || isnull)
		return;
	acl = DatumGetAclP(value);
	foreach(lc, audit->roles)
	{
		OpsRlsRole *role = lfirst(lc);

		if (ops_objects_binds(role) &&
			!ops_rls_inherits(audit, role, form->relowner) &&
			ops_rls_acl_rights(audit, role, acl, form->relowner,
							   ACL_SELECT | ACL_USAGE) != 0 &&
			ops_rls_uses_schema(audit, role, schema->oid))
			ops_reachers_add(&reachers, role);
	}
	if (reachers.roles == NIL ||
		ops_objects_member(objects, RelationRelationId, form->oid))
		return;
	owning = sequence_table(objects, form->oid);
	if (OidIsValid(owning))
	{
		table = ops_rls_relation(audit, owning);
		if (table == NULL || !ops_objects_holds_tenants(table))
			return;
	}

	finding = ops_rls_report_object(audit, SEQUENCE_EXPOSED, "sequence",
									schema->name,
									pstrdup(NameStr(form->relname)),
									quote_qualified_identifier(schema->name,
															   NameStr(form->relname)));
	finding->verdict = "open";
	finding->reach = ops_objects_acl_reach(audit,
										   ops_reachers_first(&reachers), acl,
										   form->relowner,
										   ACL_SELECT | ACL_USAGE);
	finding->message = psprintf(_("%s counts for all tenants together, so its value tells how much the others write"),
								finding->object);
	finding->probe = psprintf("SELECT last_value FROM %s;", finding->object);
	if (table)
		ops_rls_evidence(finding, "table", "%s",
						 ops_rls_relation_name(table));
	ops_reachers_describe(&reachers, finding);
}

/*
 * The table that a sequence belongs to, InvalidOid if to none.
 */
static Oid
sequence_table(OpsObjects *objects, Oid sequence)
{
	Relation	catalog = table_open(DependRelationId, AccessShareLock);
	Oid			table = InvalidOid;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(sequence));
	scan = systable_beginscan(catalog, DependDependerIndexId, true,
							  objects->audit->snapshot, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->refclassid == RelationRelationId && form->refobjsubid > 0 &&
			(form->deptype == DEPENDENCY_AUTO ||
			 form->deptype == DEPENDENCY_INTERNAL))
			table = form->refobjid;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return table;
}

/*
 * Publications send every row, whoever subscribes.
 */
static void
judge_publications(OpsObjects *objects)
{
	if (objects->has_protected_data)
		read_rows(objects, PublicationRelationId, judge_publication);
}

static void
judge_publication(OpsObjects *objects, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_publication form = (Form_pg_publication) GETSTRUCT(tuple);
	const char *name = pstrdup(NameStr(form->pubname));
	ListCell   *lc;

	foreach(lc, objects->audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);
		OpsRlsFinding *finding;

		if (!relation->in_scope || !relation->row_security ||
			!ops_rls_is_tenant_data(relation) ||
			!(form->puballtables || is_published(objects, form->oid, relation)))
			continue;
		/* What holds for every table is said once. */
		finding = form->puballtables ?
			ops_rls_report_object(objects->audit, PUBLICATION_IGNORES_RLS,
								  "publication", NULL, name,
								  quote_identifier(name)) :
			ops_rls_report(objects->audit, PUBLICATION_IGNORES_RLS, relation);
		finding->via = name;
		finding->verdict = "not_applicable";
		finding->message = psprintf(_("publication %s sends all rows of %s to its subscribers, whatever the policies say"),
									quote_identifier(name),
									ops_rls_relation_name(relation));
		finding->probe = psprintf("SELECT * FROM pg_publication_tables WHERE pubname = %s;",
								  quote_literal_cstr(name));
		ops_rls_evidence(finding, "publication", "%s", name);
		ops_rls_evidence(finding, "all_tables", "%s",
						 form->puballtables ? "true" : "false");
		if (form->puballtables)
			return;
	}
}

static bool
is_published(OpsObjects *objects, Oid publication,
			 const OpsRlsRelation *relation)
{
	ListCell   *lc;

	if (SearchSysCacheExists2(PUBLICATIONRELMAP,
							  ObjectIdGetDatum(relation->oid),
							  ObjectIdGetDatum(publication)) ||
		SearchSysCacheExists2(PUBLICATIONNAMESPACEMAP,
							  ObjectIdGetDatum(relation->schema),
							  ObjectIdGetDatum(publication)))
		return true;
	foreach(lc, relation->parents)
	{
		if (is_published(objects, publication, lfirst(lc)))
			return true;
	}
	return false;
}

/*
 * Settings of an extension's kind can be set by whoever runs SQL.
 */
static void
judge_settings(OpsObjects *objects)
{
	OpsRlsAudit *audit = objects->audit;
	OpsReachers reachers = {0};
	List	   *settings = NIL;
	StringInfoData names;
	OpsRlsFinding *finding;
	const char *database;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, audit->terms ? audit->terms->source_list : NIL)
	{
		const OpsSource *source = lfirst(lc);

		if (!source->trusted)
			continue;
		while (source->parent)
			source = source->parent;
		if (source->kind == SOURCE_SETTING && strchr(source->name, '.') != NULL)
			settings = list_append_unique_ptr(settings,
											  unconstify(char *, source->name));
	}
	if (settings == NIL)
		return;
	foreach(lc, settings)
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 (char *) lfirst(lc));
	foreach(lc, audit->roles)
	{
		if (ops_objects_binds(lfirst(lc)))
			ops_reachers_add(&reachers, lfirst(lc));
	}
	if (reachers.roles == NIL)
		return;
	database = get_database_name(MyDatabaseId);
	if (database == NULL)
		return;

	finding = ops_rls_report_object(audit, SETTING_USER_WRITABLE, "database",
									NULL, database,
									quote_identifier(database));
	finding->verdict = "not_applicable";
	finding->message = psprintf(_("policies trust %s, which whoever runs SQL can set; tenants are kept apart only as long as no tenant writes SQL of its own"),
								names.data);
	finding->probe = psprintf("SELECT set_config(%s, 'anything', true);",
							  quote_literal_cstr(linitial(settings)));
	ops_rls_evidence(finding, "settings", "%s", names.data);
	ops_reachers_describe(&reachers, finding);
	finding->severity = OPS_P3;
}
