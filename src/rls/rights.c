/*-------------------------------------------------------------------------
 *
 * rights.c
 *	  What a role may do with a relation, and by which way.
 *
 * The server's own functions answer for the roles and grants of the moment,
 * each with a look into the system caches; here the answers come from the
 * audit's snapshot, some hundred thousand of them in the time of an audit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rls/roles.h"
#include "utils/builtins.h"

static AclMode rights_by_acl(const OpsRlsRoleGraph *graph,
							 const OpsRlsRole *role, const Acl *acl,
							 AclMode wanted);
static AclMode rights_by_attribute(const OpsRlsRoleGraph *graph,
								   const OpsRlsRole *role);
static AclMode table_rights(const OpsRlsAudit *audit, const OpsRlsRole *role,
							const OpsRlsRelation *relation, AclMode wanted);
static bool has_number(const OpsRlsRoleGraph *graph, const Bitmapset *numbers,
					   Oid oid);
static bool find_usage(const OpsRlsAudit *audit, const OpsRlsRole *role,
					   Oid schema);
static bool only_by_set_role(const OpsRlsRoleGraph *graph,
							 const OpsRlsRole *role);
static const char *reach_by_acl(const OpsRlsRoleGraph *graph,
								const OpsRlsRole *role, const Acl *acl,
								AclMode right);
static const char *reach_by_columns(const OpsRlsAudit *audit,
									const OpsRlsRole *role,
									const OpsRlsRelation *relation,
									AclMode right);

/*
 * Which of the wanted rights a role has on all of a relation.
 */
AclMode
ops_rls_rights(const OpsRlsAudit *audit, const OpsRlsRole *role,
			   const OpsRlsRelation *relation, AclMode wanted)
{
	AclMode		rights = table_rights(audit, role, relation, wanted);

	if (rights != 0 && !ops_rls_uses_schema(audit, role, relation->schema))
		return 0;
	return rights;
}

/*
 * Which of the wanted rights a role has on some column at least, whether the
 * table or the column was granted.
 */
AclMode
ops_rls_any_column_rights(const OpsRlsAudit *audit, const OpsRlsRole *role,
						  const OpsRlsRelation *relation, AclMode wanted)
{
	AclMode		rights;

	/* DELETE and TRUNCATE are granted on the whole table only. */
	rights = table_rights(audit, role, relation, wanted);
	wanted &= ACL_ALL_RIGHTS_COLUMN | rights;
	for (int i = 0; i < relation->ncolumns && rights != wanted; i++)
	{
		const OpsRlsColumn *column = &relation->columns[i];

		if (column->name && column->acl)
			rights |= rights_by_acl(audit->graph, role, column->acl,
									wanted & ~rights);
	}
	if (rights != 0 && !ops_rls_uses_schema(audit, role, relation->schema))
		return 0;
	return rights;
}

/*
 * Whether a role has a right on a column, whether the table or the column was
 * granted.
 */
bool
ops_rls_column_right(const OpsRlsAudit *audit, const OpsRlsRole *role,
					 const OpsRlsRelation *relation, AttrNumber column,
					 AclMode right)
{
	AclMode		rights = table_rights(audit, role, relation, right);

	if (rights == 0 && column > 0 && column <= relation->ncolumns)
		rights = rights_by_acl(audit->graph, role,
							   relation->columns[column - 1].acl, right);
	return rights != 0 &&
		ops_rls_uses_schema(audit, role, relation->schema);
}

/*
 * Which of the wanted rights a list gives to a role; the owner has them all.
 *
 * Where there is no list, nobody else has any: that is the default of all but
 * what PUBLIC may use by default, for which the caller asks acldefault().
 */
AclMode
ops_rls_acl_rights(const OpsRlsAudit *audit, const OpsRlsRole *role,
				   const Acl *acl, Oid owner, AclMode wanted)
{
	if (ops_rls_inherits(audit, role, owner))
		return wanted;
	return rights_by_acl(audit->graph, role, acl, wanted);
}

/*
 * Whether a role may look up names in a schema.
 *
 * The question comes for every table and role, so answers are kept.
 */
bool
ops_rls_uses_schema(const OpsRlsAudit *audit, const OpsRlsRole *role,
					Oid schema)
{
	OpsSchemaUse *use = &audit->graph->schema_uses[(role->oid ^ (schema * 7)) &
												   (OPS_REMEMBERED - 1)];

	if (use->role != role || use->schema != schema)
	{
		use->uses = find_usage(audit, role, schema);
		use->role = role;
		use->schema = schema;
	}
	return use->uses;
}

static bool
find_usage(const OpsRlsAudit *audit, const OpsRlsRole *role, Oid schema)
{
	const OpsRlsRoleGraph *graph = audit->graph;
	const OpsRlsSchema *found = ops_rls_schema(audit, schema);

	if (found == NULL)
		return false;
	if (bms_is_member(graph->read_all, role->inherits) ||
		bms_is_member(graph->write_all, role->inherits))
		return true;
	return ops_rls_acl_rights(audit, role, found->acl, found->owner,
							  ACL_USAGE) != 0;
}

/*
 * Rights on a relation, usage of its schema left aside.
 *
 * The snapshot has each list but once, and most relations have the same, so
 * answers are kept by where the list lies.
 */
static AclMode
table_rights(const OpsRlsAudit *audit, const OpsRlsRole *role,
			 const OpsRlsRelation *relation, AclMode wanted)
{
	OpsListRights *known = &audit->graph->list_rights[(role->oid ^ ((uintptr_t) relation->acl >> 5)) &
													  (OPS_REMEMBERED - 1)];

	if (known->role != role || known->acl != relation->acl ||
		known->owner != relation->owner)
	{
		known->rights = rights_by_attribute(audit->graph, role) |
			ops_rls_acl_rights(audit, role, relation->acl, relation->owner,
							   ACLITEM_ALL_PRIV_BITS);
		known->role = role;
		known->acl = relation->acl;
		known->owner = relation->owner;
	}
	return known->rights & wanted;
}

/*
 * Rights on every relation, from pg_read_all_data and pg_write_all_data.
 */
static AclMode
rights_by_attribute(const OpsRlsRoleGraph *graph, const OpsRlsRole *role)
{
	AclMode		rights = 0;

	if (bms_is_member(graph->read_all, role->inherits))
		rights |= ACL_SELECT;
	if (bms_is_member(graph->write_all, role->inherits))
		rights |= ACL_INSERT | ACL_UPDATE | ACL_DELETE;
	return rights;
}

static AclMode
rights_by_acl(const OpsRlsRoleGraph *graph, const OpsRlsRole *role,
			  const Acl *acl, AclMode wanted)
{
	const AclItem *items;
	AclMode		rights = 0;

	if (role->superuser)
		return wanted;
	if (acl == NULL)
		return 0;
	items = ACL_DAT(acl);
	for (int i = 0; i < ACL_NUM(acl) && rights != wanted; i++)
	{
		AclMode		news = items[i].ai_privs & wanted & ~rights;

		if (news != 0 &&
			(items[i].ai_grantee == ACL_ID_PUBLIC ||
			 items[i].ai_grantee == role->oid ||
			 has_number(graph, role->inherits, items[i].ai_grantee)))
			rights |= news;
	}
	return rights;
}

/*
 * Whether a role has another one's rights without SET ROLE.
 */
bool
ops_rls_inherits(const OpsRlsAudit *audit, const OpsRlsRole *role, Oid other)
{
	return role->superuser || role->oid == other ||
		has_number(audit->graph, role->inherits, other);
}

/*
 * Whether a role can SET ROLE to another one.
 */
bool
ops_rls_becomes(const OpsRlsAudit *audit, const OpsRlsRole *role, Oid other)
{
	return role->superuser || role->oid == other ||
		has_number(audit->graph, role->becomes, other);
}

static bool
has_number(const OpsRlsRoleGraph *graph, const Bitmapset *numbers, Oid oid)
{
	int			number = ops_rls_role_number(graph, oid);

	return number >= 0 && bms_is_member(number, numbers);
}

/*
 * Whether policies do not bind a role, any role, on a table.
 *
 * That is so of superusers and BYPASSRLS, of the owner and whoever has its
 * rights unless row security is forced, and of all where it is off.
 */
bool
ops_rls_exempt(const OpsRlsAudit *audit, Oid role,
			   const OpsRlsRelation *relation)
{
	const OpsRlsRoleGraph *graph = audit->graph;
	const OpsRoleNode *node;
	int			number;

	if (!relation->row_security)
		return true;
	number = ops_rls_role_number(graph, role);
	if (number < 0)
		return false;
	node = &graph->nodes[number];
	if (node->superuser || node->bypasses)
		return true;
	return !relation->forced &&
		(role == relation->owner ||
		 has_number(graph, node->ancestors, relation->owner));
}

/*
 * The way by which a role comes to a right on a relation, NULL if it has not
 * got it: the widest one, since closing a narrower one would not help.
 */
const char *
ops_rls_reach(const OpsRlsAudit *audit, const OpsRlsRole *role,
			  const OpsRlsRelation *relation, AclMode right)
{
	const OpsRlsRoleGraph *graph = audit->graph;
	const char *reach;

	if (!ops_rls_uses_schema(audit, role, relation->schema))
		return NULL;
	if (role->superuser)
		return role->name;
	reach = reach_by_acl(graph, role, relation->acl, right);
	if (reach)
		return reach;
	if (ops_rls_inherits(audit, role, relation->owner))
	{
		int			owner = ops_rls_role_number(graph, relation->owner);

		if (relation->owner == role->oid || owner < 0)
			return role->names;
		return psprintf("%s <- %s (inherit)", graph->nodes[owner].name,
						role->names);
	}
	if (rights_by_attribute(graph, role) & right)
		return (right & ACL_SELECT) &&
			bms_is_member(graph->read_all, role->inherits) ?
			graph->nodes[graph->read_all].name :
			graph->nodes[graph->write_all].name;
	return reach_by_columns(audit, role, relation, right);
}

/*
 * PUBLIC, SET ROLE, the role's own name, or a role that it inherits from.
 */
static const char *
reach_by_acl(const OpsRlsRoleGraph *graph, const OpsRlsRole *role,
			 const Acl *acl, AclMode right)
{
	const AclItem *items;
	int			best = -1;
	bool		own = false;

	if (acl == NULL)
		return NULL;
	items = ACL_DAT(acl);
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		int			number;

		if ((items[i].ai_privs & right) == 0)
			continue;
		if (items[i].ai_grantee == ACL_ID_PUBLIC)
			return "PUBLIC";
		if (items[i].ai_grantee == role->oid)
			own = true;
		number = ops_rls_role_number(graph, items[i].ai_grantee);
		if (number >= 0 && best < 0 && bms_is_member(number, role->inherits))
			best = number;
	}
	if (!own && best < 0)
		return NULL;
	if (only_by_set_role(graph, role))
		return psprintf("SET ROLE %s", role->names);
	if (own)
		return role->names;
	return psprintf("%s <- %s (inherit)", graph->nodes[best].name,
					role->names);
}

/*
 * Whether some login has to say SET ROLE to become this one.
 */
static bool
only_by_set_role(const OpsRlsRoleGraph *graph, const OpsRlsRole *role)
{
	int			number = ops_rls_role_number(graph, role->oid);

	return bms_is_member(number, graph->by_set_role) &&
		!bms_is_member(number, graph->by_login);
}

static const char *
reach_by_columns(const OpsRlsAudit *audit, const OpsRlsRole *role,
				 const OpsRlsRelation *relation, AclMode right)
{
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < relation->ncolumns; i++)
	{
		const OpsRlsColumn *column = &relation->columns[i];

		if (column->name == NULL ||
			rights_by_acl(audit->graph, role, column->acl, right) == 0)
			continue;
		appendStringInfo(&columns, "%s%s", columns.len > 0 ? ", " : "",
						 quote_identifier(column->name));
	}
	return columns.len > 0 ? psprintf("column (%s)", columns.data) : NULL;
}
