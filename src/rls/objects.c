/*-------------------------------------------------------------------------
 *
 * objects.c
 *	  Findings about everything that is not a policy's condition.
 *
 * A rule looks at one object, gathers the roles that come to it, and makes
 * one row for them all.  Roles that no policy binds, superusers and those with
 * BYPASSRLS, get one finding of their own and are left out everywhere else: no
 * other change would help there.  What belongs to an extension is left out
 * too; its owner did not make it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_database.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "rls/objects.h"
#include "rls/roles.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"

/* An object of an extension. */
typedef struct Member
{
	Oid			catalog;		/* key */
	Oid			oid;
} Member;

/* So many roles are named in a row; of more, so many are. */
#define MAX_NAMED	8
#define NAMED_OF_MANY	5

static void survey(OpsObjects *objects);
static void read_members(OpsObjects *objects);
static void judge_relation(OpsObjects *objects,
						   const OpsRlsRelation *relation);
static void find_makings(OpsObjects *objects, OpsMaker *maker);
static bool database_right(const OpsRlsAudit *audit, const OpsRlsRole *role,
						   AclMode right);

/*
 * Judge all objects in scope.
 */
void
ops_rls_judge_objects(OpsRlsAudit *audit)
{
	OpsObjects *objects = ops_objects(audit);
	ListCell   *lc;

	survey(objects);
	ops_objects_read_uses(objects);

	ops_objects_judge_roles(objects);
	foreach(lc, audit->ordered)
	{
		CHECK_FOR_INTERRUPTS();
		judge_relation(objects, lfirst(lc));
	}
	ops_objects_judge_routines(objects);
	ops_objects_judge_grants(objects);
}

/*
 * What the rules know of the objects, read when first asked for.
 */
OpsObjects *
ops_objects(OpsRlsAudit *audit)
{
	MemoryContext caller;

	if (audit->objects)
		return audit->objects;
	caller = MemoryContextSwitchTo(audit->context);
	audit->objects = palloc0(sizeof(OpsObjects));
	audit->objects->audit = audit;
	read_members(audit->objects);
	ops_objects_read_routines(audit->objects);
	MemoryContextSwitchTo(caller);
	return audit->objects;
}

/*
 * See what there is to protect at all.
 */
static void
survey(OpsObjects *objects)
{
	ListCell   *lc;

	foreach(lc, objects->audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		objects->has_policies |= relation->policies != NIL;
		if (!ops_rls_is_tenant_data(relation))
			continue;
		objects->has_tenant_data = true;
		objects->has_protected_data |= relation->row_security;
	}
}

/*
 * Find out which objects belong to extensions.
 */
static void
read_members(OpsObjects *objects)
{
	HASHCTL		control = {
		.keysize = sizeof(Member),
		.entrysize = sizeof(Member),
		.hcxt = CurrentMemoryContext,
	};
	Relation	catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	objects->members = hash_create("members of extensions", 256, &control,
								   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ScanKeyInit(&key, Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(ExtensionRelationId));
	scan = systable_beginscan(catalog, DependReferenceIndexId, true,
							  objects->audit->snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		Member		member = {form->classid, form->objid};

		CHECK_FOR_INTERRUPTS();
		if (form->deptype == DEPENDENCY_EXTENSION)
			(void) hash_search(objects->members, &member, HASH_ENTER, NULL);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
judge_relation(OpsObjects *objects, const OpsRlsRelation *relation)
{
	if (!relation->in_scope ||
		ops_objects_member(objects, RelationRelationId, relation->oid))
		return;
	switch (relation->kind)
	{
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
			ops_objects_judge_view(objects, relation);
			break;
		default:
			ops_objects_judge_table(objects, relation);
			break;
	}
}

/*
 * Whether policies can bind a role at all.
 */
bool
ops_objects_binds(const OpsRlsRole *role)
{
	return !role->superuser && !role->bypasses;
}

/*
 * Whether an object belongs to an extension.
 */
bool
ops_objects_member(const OpsObjects *objects, Oid catalog, Oid oid)
{
	Member		member = {catalog, oid};

	return hash_search(objects->members, &member, HASH_FIND, NULL) != NULL;
}

/*
 * What a role may make, found out when first asked.
 */
const OpsMaker *
ops_objects_maker(OpsObjects *objects, const OpsRlsRole *role)
{
	OpsMaker   *maker;
	ListCell   *lc;

	foreach(lc, objects->makers)
	{
		maker = lfirst(lc);
		if (maker->role == role)
			return maker;
	}
	maker = palloc0(sizeof(OpsMaker));
	maker->role = role;
	find_makings(objects, maker);
	objects->makers = lappend(objects->makers, maker);
	return maker;
}

static void
find_makings(OpsObjects *objects, OpsMaker *maker)
{
	const OpsRlsAudit *audit = objects->audit;
	HASH_SEQ_STATUS status;
	OpsRlsSchema *schema;

	maker->schemas = database_right(audit, maker->role, ACL_CREATE);
	maker->temporary = database_right(audit, maker->role, ACL_CREATE_TEMP);
	hash_seq_init(&status, audit->schemas);
	while ((schema = hash_seq_search(&status)) != NULL)
	{
		if (!schema->audited ||
			ops_rls_acl_rights(audit, maker->role, schema->acl, schema->owner,
							   ACL_CREATE) == 0)
			continue;
		maker->in_schema = true;
		hash_seq_term(&status);
		break;
	}
}

static bool
database_right(const OpsRlsAudit *audit, const OpsRlsRole *role,
			   AclMode right)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID,
										ObjectIdGetDatum(MyDatabaseId));
	bool		granted;
	bool		isnull;
	Datum		acl;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return false;
	owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
	acl = SysCacheGetAttr(DATABASEOID, tuple, Anum_pg_database_datacl,
						  &isnull);
	granted = ops_rls_acl_rights(audit, role,
								 isnull ? acldefault(OBJECT_DATABASE, owner) :
								 DatumGetAclP(acl), owner, right) != 0;
	ReleaseSysCache(tuple);
	return granted;
}

/*
 * Rights on rows of a relation, on some column at least.
 */
AclMode
ops_objects_row_rights(const OpsRlsAudit *audit, const OpsRlsRole *role,
					   const OpsRlsRelation *relation, AclMode wanted)
{
	AclMode		rights = ops_rls_rights(audit, role, relation, wanted);
	AclMode		missing = wanted & ~rights & ACL_ALL_RIGHTS_COLUMN;

	if (missing != 0)
		rights |= ops_rls_any_column_rights(audit, role, relation, missing);
	return rights;
}

void
ops_reachers_add(OpsReachers *reachers, OpsRlsRole *role)
{
	reachers->roles = lappend(reachers->roles, role);
	reachers->reachable |= role->reachable;
}

/*
 * Find the audited roles with one of these rights on a relation.
 */
void
ops_reachers_find(OpsObjects *objects, OpsReachers *reachers,
				  const OpsRlsRelation *relation, AclMode rights)
{
	ListCell   *lc;

	foreach(lc, objects->audit->roles)
	{
		OpsRlsRole *role = lfirst(lc);

		if (ops_objects_binds(role) &&
			ops_objects_row_rights(objects->audit, role, relation,
								   rights) != 0)
			ops_reachers_add(reachers, role);
	}
}

/*
 * The role that a row explains itself by: one that a login leads to.
 */
OpsRlsRole *
ops_reachers_first(const OpsReachers *reachers)
{
	ListCell   *lc;

	foreach(lc, reachers->roles)
	{
		OpsRlsRole *role = lfirst(lc);

		if (role->reachable)
			return role;
	}
	return linitial(reachers->roles);
}

/*
 * The names of all, those that are many cut short.
 */
const char *
ops_reachers_names(const OpsReachers *reachers)
{
	int			total = list_length(reachers->roles);
	int			shown = total > MAX_NAMED ? NAMED_OF_MANY : total;
	StringInfoData names;

	if (total == 1)
		return ((OpsRlsRole *) linitial(reachers->roles))->names;
	initStringInfo(&names);
	for (int i = 0; i < shown; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 ((OpsRlsRole *) list_nth(reachers->roles, i))->names);
	if (shown < total)
		return psprintf(_("%s and %d more"), names.data, total - shown);
	return names.data;
}

/*
 * Whom to take a right away from so that none of the roles has it, as REVOKE
 * spells it; NULL if no grant gives it.
 */
const char *
ops_reachers_grantees(const OpsRlsAudit *audit, const OpsReachers *reachers,
					  const Acl *acl, AclMode right)
{
	StringInfoData names;

	if (acl == NULL)
		return NULL;
	initStringInfo(&names);
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		const AclItem *item = &ACL_DAT(acl)[i];
		bool		concerned = item->ai_grantee == ACL_ID_PUBLIC;
		ListCell   *lc;

		if ((item->ai_privs & right) == 0)
			continue;
		foreach(lc, reachers->roles)
			concerned |= ops_rls_inherits(audit, lfirst(lc), item->ai_grantee);
		if (concerned)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
							 item->ai_grantee == ACL_ID_PUBLIC ? "PUBLIC" :
							 quote_identifier(ops_objects_role_name(audit, item->ai_grantee)));
	}
	return names.len > 0 ? names.data : NULL;
}

/*
 * Say in a finding who comes to its object.  What nobody comes to is hygiene.
 */
void
ops_reachers_describe(const OpsReachers *reachers, OpsRlsFinding *finding)
{
	finding->role_name = ops_reachers_names(reachers);
	if (!reachers->reachable)
		finding->severity = OPS_P3;
}

/*
 * The way by which a list gives a right to a role.  Where there is no list,
 * the caller means the default, which is PUBLIC's.
 */
const char *
ops_objects_acl_reach(const OpsRlsAudit *audit, const OpsRlsRole *role,
					  const Acl *acl, Oid owner, AclMode right)
{
	Oid			best = InvalidOid;

	if (acl == NULL)
		return "PUBLIC";
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		const AclItem *item = &ACL_DAT(acl)[i];

		if ((item->ai_privs & right) == 0)
			continue;
		if (item->ai_grantee == ACL_ID_PUBLIC)
			return "PUBLIC";
		if (item->ai_grantee == role->oid)
			return role->names;
		if (!OidIsValid(best) &&
			ops_rls_inherits(audit, role, item->ai_grantee))
			best = item->ai_grantee;
	}
	if (!OidIsValid(best) && ops_rls_inherits(audit, role, owner))
		best = owner;
	if (!OidIsValid(best) || best == role->oid)
		return role->names;
	return psprintf("%s <- %s (inherit)", ops_objects_role_name(audit, best),
					role->names);
}

const char *
ops_objects_role_name(const OpsRlsAudit *audit, Oid role)
{
	int			number = ops_rls_role_number(audit->graph, role);

	return number >= 0 ? audit->graph->nodes[number].name :
		psprintf("%u", role);
}

/*
 * Rights as GRANT spells them.
 */
const char *
ops_objects_right_names(AclMode rights)
{
	static const struct
	{
		AclMode		right;
		const char *name;
	}			names[] = {
		{ACL_SELECT, "SELECT"},
		{ACL_INSERT, "INSERT"},
		{ACL_UPDATE, "UPDATE"},
		{ACL_DELETE, "DELETE"},
		{ACL_TRUNCATE, "TRUNCATE"},
		{ACL_REFERENCES, "REFERENCES"},
		{ACL_TRIGGER, "TRIGGER"},
		{ACL_USAGE, "USAGE"},
	};
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < lengthof(names); i++)
	{
		if (rights & names[i].right)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
							 names[i].name);
	}
	return list.data;
}

/*
 * The columns that name the tenant, or refer to a row that does; "" if none.
 */
const char *
ops_objects_key_names(const OpsRlsRelation *relation)
{
	const Bitmapset *keys = relation->tenant_keys ? relation->tenant_keys :
	relation->links;
	StringInfoData names;
	int			key = -1;

	initStringInfo(&names);
	while ((key = bms_next_member(keys, key)) >= 0)
	{
		if (key < 1 || key > relation->ncolumns ||
			relation->columns[key - 1].name == NULL)
			continue;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 quote_identifier(relation->columns[key - 1].name));
	}
	return names.data;
}

/*
 * A query that shows a role rows of more than one tenant.
 */
const char *
ops_objects_probe(const OpsRlsRole *role, const OpsRlsRelation *relation)
{
	const char *keys = ops_objects_key_names(relation);
	const char *name = ops_rls_relation_name(relation);

	if (keys[0] == '\0')
		return psprintf("SET ROLE %s; SELECT count(*) FROM %s; RESET ROLE;",
						quote_identifier(role->name), name);
	return psprintf("SET ROLE %s; SELECT %s, count(*) FROM %s GROUP BY %s; RESET ROLE;",
					quote_identifier(role->name), keys, name, keys);
}

/*
 * Whether rows belong to tenants; those of a partition or child do if its
 * parent's do.
 */
bool
ops_objects_holds_tenants(const OpsRlsRelation *relation)
{
	ListCell   *lc;

	if (relation->is_public)
		return false;
	if (ops_rls_is_tenant_data(relation))
		return true;
	foreach(lc, relation->parents)
	{
		if (ops_objects_holds_tenants(lfirst(lc)))
			return true;
	}
	return false;
}
