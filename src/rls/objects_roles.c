/*-------------------------------------------------------------------------
 *
 * objects_roles.c
 *	  Findings about what roles are and can become.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "rls/formula.h"
#include "rls/objects.h"
#include "rls/roles.h"
#include "utils/builtins.h"

/* What one role can become, and what that would give it. */
typedef struct Ascent
{
	const OpsRlsRole *role;
	Oid			owner;			/* of protected tenant data */
	const OpsRlsRelation *owned;
	int			nowned;
} Ascent;

/* Roles beside the audited ones that may matter, by number. */
typedef struct Others
{
	Bitmapset  *users;			/* that tenants' statements run as */
	Bitmapset  *owners;			/* that their own tables' policies name */
} Others;

static void judge_role(OpsObjects *objects, OpsRlsRole *role, bool is_user);
static void find_users(OpsObjects *objects, Others *others);
static void add_named(const OpsRlsAudit *audit, Others *others,
					  Oid role, Oid owner);
static void find_logins(OpsObjects *objects, const Others *others,
						Bitmapset **users, Bitmapset **switchers);
static void judge_numbers(OpsObjects *objects, const Bitmapset *numbers,
						  bool are_users);
static bool is_listed(const List *roles, Oid oid);
static void judge_bypass(OpsObjects *objects, OpsRlsRole *role);
static bool is_meant_to_bypass(OpsObjects *objects, const OpsRlsRole *role);
static bool is_restricted_by_name(OpsObjects *objects,
								  const OpsRlsRole *role);
static void judge_ascent(OpsObjects *objects, const OpsRlsRole *role,
						 bool is_user);
static bool has_tenant_rights(OpsObjects *objects, const OpsRlsRole *role);
static void judge_owners(OpsObjects *objects, const OpsRlsRole *role,
						 bool is_user);
static void find_owned(OpsObjects *objects, Ascent *ascent);
static OpsRlsFinding *report_role(OpsObjects *objects, OpsRlsCodeId code,
								  const OpsRlsRole *role);
static void soften(OpsRlsFinding *finding, const OpsRlsRole *role,
				   bool is_user, bool has_rights);

/*
 * Judge what roles are and can become.
 *
 * A role that was granted tenant data, or is named in its policies, is not
 * audited if it has the owner's rights anyway, and just that is wrong.  A
 * login that switches to audited roles may be able to switch to others, too.
 */
void
ops_objects_judge_roles(OpsObjects *objects)
{
	Others		others = {0};
	Bitmapset  *switchers = NULL;
	ListCell   *lc;

	if (!objects->has_tenant_data && !objects->has_policies)
		return;
	foreach(lc, objects->audit->roles)
		judge_role(objects, lfirst(lc), true);
	if (objects->audit->roles_wanted != NIL)
		return;
	find_users(objects, &others);
	find_logins(objects, &others, &others.users, &switchers);
	judge_numbers(objects, others.users, true);
	judge_numbers(objects, bms_del_members(switchers, others.users), false);
}

static void
judge_role(OpsObjects *objects, OpsRlsRole *role, bool is_user)
{
	if (ops_objects_binds(role))
	{
		judge_ascent(objects, role, is_user);
		judge_owners(objects, role, is_user);
	}
	else
		judge_bypass(objects, role);
}

static void
judge_numbers(OpsObjects *objects, const Bitmapset *numbers, bool are_users)
{
	OpsRlsAudit *audit = objects->audit;
	int			number = -1;

	while ((number = bms_next_member(numbers, number)) >= 0)
	{
		const OpsRoleNode *node = &audit->graph->nodes[number];

		CHECK_FOR_INTERRUPTS();
		if (!node->superuser && !node->bypasses && !node->predefined &&
			!is_listed(audit->roles, node->oid))
			judge_role(objects, ops_rls_role(audit, node->oid), are_users);
	}
}

/*
 * Find the roles that protected tenant data was granted to, or whose policies
 * name them, although they have the owner's rights.
 */
static void
find_users(OpsObjects *objects, Others *others)
{
	const OpsRlsAudit *audit = objects->audit;
	const Acl  *latest = NULL;
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);
		ListCell   *cell;

		if (!relation->in_scope || !relation->row_security ||
			!ops_rls_is_tenant_data(relation))
			continue;
		foreach(cell, relation->policies)
		{
			const OpsRlsPolicy *policy = lfirst(cell);

			for (int i = 0; i < policy->nroles; i++)
				add_named(audit, others, policy->roles[i], relation->owner);
		}
		if (relation->acl == NULL || relation->acl == latest)
			continue;
		latest = relation->acl;
		for (int i = 0; i < ACL_NUM(latest); i++)
		{
			const AclItem *item = &ACL_DAT(latest)[i];

			if ((item->ai_privs & OPS_ROW_RIGHTS) != 0 &&
				item->ai_grantee != relation->owner)
				add_named(audit, others, item->ai_grantee, relation->owner);
		}
	}
}

static void
add_named(const OpsRlsAudit *audit, Others *others, Oid role, Oid owner)
{
	const OpsRlsRoleGraph *graph = audit->graph;
	int			number = ops_rls_role_number(graph, role);
	int			owner_number = ops_rls_role_number(graph, owner);

	if (number < 0 || owner_number < 0)
		return;
	if (number == owner_number)
		others->owners = bms_add_member(others->owners, number);
	else if (bms_is_member(owner_number, graph->nodes[number].ancestors) ||
			 bms_is_member(owner_number, graph->nodes[number].becomes))
		others->users = bms_add_member(others->users, number);
}

/*
 * Find logins that lead to an audited role.
 *
 * Where nobody is audited and policies name the owner of their own table, its
 * members are what the application logs in as.
 */
static void
find_logins(OpsObjects *objects, const Others *others, Bitmapset **users,
			Bitmapset **switchers)
{
	const OpsRlsAudit *audit = objects->audit;
	const OpsRlsRoleGraph *graph = audit->graph;
	Bitmapset  *audited = NULL;
	ListCell   *lc;

	foreach(lc, audit->roles)
	{
		const OpsRlsRole *role = lfirst(lc);

		if (ops_objects_binds(role))
			audited = bms_add_member(audited,
									 ops_rls_role_number(graph, role->oid));
	}
	for (int i = 0; i < graph->nroles; i++)
	{
		const OpsRoleNode *node = &graph->nodes[i];

		CHECK_FOR_INTERRUPTS();
		if (!node->logs_in)
			continue;
		if (audit->roles == NIL &&
			(bms_overlap(node->becomes, others->owners) ||
			 bms_overlap(node->ancestors, others->owners)))
			*users = bms_add_member(*users, i);
		else if (bms_overlap(node->becomes, audited))
			*switchers = bms_add_member(*switchers, i);
	}
}

static bool
is_listed(const List *roles, Oid oid)
{
	ListCell   *lc;

	foreach(lc, roles)
	{
		if (((const OpsRlsRole *) lfirst(lc))->oid == oid)
			return true;
	}
	return false;
}

/*
 * An audited role that no policy binds.
 */
static void
judge_bypass(OpsObjects *objects, OpsRlsRole *role)
{
	OpsRlsFinding *finding = report_role(objects, BYPASSRLS_REACHABLE, role);

	finding->reach = role->names;
	finding->counterexample = psprintf(_("any session of %s, any row"),
									   role->name);
	if (role->superuser)
	{
		finding->message = psprintf(_("%s is a superuser, whom no policy binds"),
									role->names);
		finding->remediation = psprintf("ALTER ROLE %s NOSUPERUSER NOBYPASSRLS;",
										quote_identifier(role->name));
	}
	else
	{
		finding->message = psprintf(_("%s has BYPASSRLS, so no policy binds it"),
									role->names);
		finding->remediation = psprintf("ALTER ROLE %s NOBYPASSRLS;",
										quote_identifier(role->name));
	}
	finding->probe = psprintf("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s;",
							  quote_literal_cstr(role->name));
	if (!role->reachable || is_meant_to_bypass(objects, role))
	{
		finding->severity = OPS_P3;
		finding->counterexample = NULL;
	}
}

/*
 * Whether a role that is exempt looks as if it should be: it stands beside
 * roles that are bound, and no policy tries to restrict it.
 */
static bool
is_meant_to_bypass(OpsObjects *objects, const OpsRlsRole *role)
{
	ListCell   *lc;

	if (role->declared)
		return false;
	foreach(lc, objects->audit->roles)
	{
		if (ops_objects_binds(lfirst(lc)))
			return !role->logs_in || !is_restricted_by_name(objects, role);
	}
	return false;
}

static bool
is_restricted_by_name(OpsObjects *objects, const OpsRlsRole *role)
{
	ListCell   *lc;

	foreach(lc, objects->audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);
		ListCell   *cell;

		foreach(cell, relation->policies)
		{
			const OpsRlsPolicy *policy = lfirst(cell);
			const OpsFormula *qual = policy->qual ? policy->qual :
			policy->check;

			if (qual == NULL || qual->kind == FORMULA_CONST)
				continue;
			for (int i = 0; i < policy->nroles; i++)
			{
				if (policy->roles[i] == role->oid)
					return true;
			}
		}
	}
	return false;
}

/*
 * A role that can become one that no policy binds.
 *
 * A pooler's login that has no rights of its own and only switches to other
 * roles is not what tenants' statements run as.
 */
static void
judge_ascent(OpsObjects *objects, const OpsRlsRole *role, bool is_user)
{
	const OpsRlsRoleGraph *graph = objects->audit->graph;
	StringInfoData names;
	const char *first = NULL;
	OpsRlsFinding *finding;
	int			number = -1;

	initStringInfo(&names);
	while ((number = bms_next_member(role->becomes, number)) >= 0)
	{
		const OpsRoleNode *node = &graph->nodes[number];

		if (node->oid == role->oid || (!node->superuser && !node->bypasses))
			continue;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 node->name);
		if (first == NULL)
			first = node->name;
	}
	if (first == NULL)
	{
		pfree(names.data);
		return;
	}
	finding = report_role(objects, BYPASSRLS_REACHABLE, role);
	finding->reach = psprintf("SET ROLE %s", first);
	finding->counterexample = psprintf(_("SET ROLE %s, then any row"), first);
	finding->message = psprintf(_("%s can become %s, whom no policy binds"),
								role->names, names.data);
	finding->remediation = psprintf("REVOKE %s FROM %s;",
									quote_identifier(first),
									quote_identifier(role->name));
	finding->probe = psprintf("SELECT pg_has_role(%s, %s, 'MEMBER');",
							  quote_literal_cstr(role->name),
							  quote_literal_cstr(first));
	ops_rls_evidence(finding, "becomes", "%s", names.data);
	soften(finding, role, is_user, has_tenant_rights(objects, role));
}

static bool
has_tenant_rights(OpsObjects *objects, const OpsRlsRole *role)
{
	ListCell   *lc;

	foreach(lc, objects->audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (relation->in_scope && ops_rls_is_tenant_data(relation) &&
			ops_objects_row_rights(objects->audit, role, relation,
								   OPS_ROW_RIGHTS) != 0)
			return true;
	}
	return false;
}

/*
 * A role that has, or can take on, the rights of an owner of protected tenant
 * data: past the policies without FORCE, and able to switch them off with it.
 */
static void
judge_owners(OpsObjects *objects, const OpsRlsRole *role, bool is_user)
{
	Ascent		ascent = {.role = role};
	OpsRlsFinding *finding;
	const char *owner;

	find_owned(objects, &ascent);
	if (ascent.owned == NULL)
		return;
	owner = ops_objects_role_name(objects->audit, ascent.owner);
	finding = report_role(objects, OWNER_REACHABLE, role);
	if (ops_rls_inherits(objects->audit, role, ascent.owner))
		finding->reach = psprintf("%s <- %s (inherit)", owner, role->names);
	else
		finding->reach = psprintf("SET ROLE %s", owner);
	finding->counterexample = ascent.owned->forced ?
		psprintf("ALTER TABLE %s NO FORCE ROW LEVEL SECURITY",
				 ops_rls_relation_name(ascent.owned)) :
		_("any session, any row");
	finding->message = psprintf(ngettext("%s can act as %s, which owns %d table with tenant data and is bound by policies only as long as it likes",
										 "%s can act as %s, which owns %d tables with tenant data and is bound by policies only as long as it likes",
										 ascent.nowned),
								role->names, owner, ascent.nowned);
	finding->remediation = psprintf("REVOKE %s FROM %s;",
									quote_identifier(owner),
									quote_identifier(role->name));
	finding->probe = psprintf("SELECT pg_has_role(%s, %s, 'MEMBER');",
							  quote_literal_cstr(role->name),
							  quote_literal_cstr(owner));
	ops_rls_evidence(finding, "owner", "%s", owner);
	ops_rls_evidence(finding, "owns", "%s",
					 ops_rls_relation_name(ascent.owned));
	soften(finding, role, is_user, has_tenant_rights(objects, role));
	if (finding->severity == OPS_P0)
		objects->owners_reached =
			list_append_unique_oid(objects->owners_reached, ascent.owner);
}

/*
 * The first owner found stands for all; its tables are counted.
 */
static void
find_owned(OpsObjects *objects, Ascent *ascent)
{
	const OpsRlsAudit *audit = objects->audit;
	Oid			latest = InvalidOid;
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);
		const OpsRlsRole *role = ascent->role;

		if (!relation->in_scope || !relation->row_security ||
			relation->owner == role->oid || relation->owner == latest ||
			!ops_rls_is_tenant_data(relation))
			continue;
		if (!ops_rls_inherits(audit, role, relation->owner) &&
			!ops_rls_becomes(audit, role, relation->owner))
		{
			/* Most tables have the same owner as the one before. */
			latest = relation->owner;
			continue;
		}
		if (ascent->owned == NULL)
		{
			ascent->owned = relation;
			ascent->owner = relation->owner;
		}
		if (relation->owner == ascent->owner)
			ascent->nowned++;
	}
}

static OpsRlsFinding *
report_role(OpsObjects *objects, OpsRlsCodeId code, const OpsRlsRole *role)
{
	OpsRlsFinding *finding;

	finding = ops_rls_report_object(objects->audit, code, "role", NULL,
									role->name, quote_identifier(role->name));
	finding->role_name = role->names;
	finding->verdict = "open";
	return finding;
}

static void
soften(OpsRlsFinding *finding, const OpsRlsRole *role, bool is_user,
	   bool has_rights)
{
	if (role->reachable && is_user && has_rights)
		return;
	/* A login that only hands out other roles is one injection away. */
	finding->severity = role->reachable && role->logs_in && !has_rights ?
		OPS_P1 : OPS_P3;
	if (!has_rights)
		ops_rls_evidence(finding, "rights_of_its_own", "none");
}
