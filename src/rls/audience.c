/*-------------------------------------------------------------------------
 *
 * audience.c
 *	  Whose statements an audit judges.
 *
 * Unless somebody says so, these are the roles that applications use: that
 * were granted rows of other roles' relations, or that policies name.  What
 * everybody was granted says nothing of who they are, so it counts only where
 * there is no such role.  Roles that may read or write everything come on top;
 * they do not tell who uses this database either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "rls/roles.h"

/* What grants and policies say about who uses the relations in scope. */
typedef struct Audience
{
	OpsRlsAudit *audit;
	const OpsRlsRoleGraph *graph;
	Bitmapset **owners;			/* by grantee: whose relations were granted */
	Bitmapset  *all_owners;
	Bitmapset  *named;			/* in a policy's TO list */
	Bitmapset  *forced_owners;	/* that policies of their own tables bind */
	const Acl  *latest_acl;		/* of the relation before this one */
	Oid			latest_owner;
	bool		public_grants;
	bool		has_policies;
} Audience;

static void read_audience(Audience *audience);
static void read_grants(Audience *audience, const Acl *acl, int owner);
static void read_policy_roles(Audience *audience,
							  const OpsRlsRelation *relation, int owner);
static Bitmapset *wanted_roles(Audience *audience);
static Bitmapset *other_selves(const OpsRlsRoleGraph *graph, int number);
static Bitmapset *granted_roles(Audience *audience);
static Bitmapset *conspicuous_roles(Audience *audience);
static bool is_granted(const Audience *audience, int number);
static bool is_granted_by_others(const Audience *audience, int number,
								 int grantee);
static Bitmapset *public_roles(Audience *audience);
static Bitmapset *exempt_roles(Audience *audience);
static void settle_reach(OpsRlsAudit *audit);

/*
 * Fill in audit->graph and audit->roles.
 */
void
ops_rls_find_roles(OpsRlsAudit *audit)
{
	Audience	audience = {.audit = audit};
	Bitmapset  *numbers;

	audit->graph = ops_rls_role_graph(audit->snapshot);
	audience.graph = audit->graph;

	if (audit->roles_wanted != NIL)
		numbers = wanted_roles(&audience);
	else
	{
		read_audience(&audience);
		numbers = granted_roles(&audience);
		if (bms_is_empty(numbers))
			numbers = public_roles(&audience);
		if (bms_is_empty(numbers))
			numbers = audience.forced_owners;
		numbers = bms_add_members(numbers, conspicuous_roles(&audience));
		if (bms_is_empty(numbers))
			numbers = exempt_roles(&audience);
	}
	audit->roles = ops_rls_merge_alike(audit, numbers);
	settle_reach(audit);
}

/*
 * Any role by itself, made when first asked for.
 */
OpsRlsRole *
ops_rls_role(OpsRlsAudit *audit, Oid oid)
{
	int			number = ops_rls_role_number(audit->graph, oid);
	OpsRlsRole *role;
	ListCell   *lc;

	if (number < 0)
		return NULL;
	foreach(lc, audit->graph->others)
	{
		role = lfirst(lc);
		if (role->oid == oid)
			return role;
	}
	role = ops_rls_make_role(audit->graph, number);
	audit->graph->others = lappend(audit->graph->others, role);
	return role;
}

static Bitmapset *
wanted_roles(Audience *audience)
{
	Bitmapset  *numbers = NULL;
	ListCell   *lc;

	foreach(lc, audience->audit->roles_wanted)
	{
		int			number = ops_rls_role_number(audience->graph,
												 lfirst_oid(lc));

		if (number >= 0)
			numbers = bms_add_members(bms_add_member(numbers, number),
									  other_selves(audience->graph, number));
	}
	return numbers;
}

/*
 * Roles whose rights a role has only once it has done SET ROLE.
 */
static Bitmapset *
other_selves(const OpsRlsRoleGraph *graph, int number)
{
	Bitmapset  *others = bms_difference(graph->nodes[number].becomes,
										graph->nodes[number].ancestors);
	int			other = -1;

	while ((other = bms_next_member(others, other)) >= 0)
	{
		const OpsRoleNode *node = &graph->nodes[other];

		if (node->superuser || node->bypasses || node->predefined)
			others = bms_del_member(others, other);
	}
	return others;
}

/*
 * Find out who was granted rows of whose relations, and whom policies name.
 */
static void
read_audience(Audience *audience)
{
	const OpsRlsRoleGraph *graph = audience->graph;
	ListCell   *lc;

	audience->owners = palloc0(graph->nroles * sizeof(Bitmapset *));
	foreach(lc, audience->audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);
		int			owner = ops_rls_role_number(graph, relation->owner);

		CHECK_FOR_INTERRUPTS();
		if (!relation->in_scope || owner < 0)
			continue;
		audience->all_owners = bms_add_member(audience->all_owners, owner);

		/* Most relations are granted as the one before. */
		if (relation->acl != audience->latest_acl ||
			relation->owner != audience->latest_owner)
			read_grants(audience, relation->acl, owner);
		audience->latest_acl = relation->acl;
		audience->latest_owner = relation->owner;

		for (int i = 0; i < relation->ncolumns; i++)
			read_grants(audience, relation->columns[i].acl, owner);
		if (relation->policies != NIL)
			read_policy_roles(audience, relation, owner);
	}
}

static void
read_grants(Audience *audience, const Acl *acl, int owner)
{
	const AclItem *items;

	if (acl == NULL)
		return;
	items = ACL_DAT(acl);
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		int			grantee;

		if ((items[i].ai_privs & OPS_RLS_ROW_RIGHTS) == 0)
			continue;
		if (items[i].ai_grantee == ACL_ID_PUBLIC)
		{
			audience->public_grants = true;
			continue;
		}
		grantee = ops_rls_role_number(audience->graph, items[i].ai_grantee);
		if (grantee >= 0 && grantee != owner)
			audience->owners[grantee] =
				bms_add_member(audience->owners[grantee], owner);
	}
}

static void
read_policy_roles(Audience *audience, const OpsRlsRelation *relation,
				  int owner)
{
	const OpsRoleNode *node = &audience->graph->nodes[owner];
	ListCell   *lc;

	audience->has_policies = true;
	if (relation->row_security && relation->forced && node->logs_in &&
		!node->superuser && !node->bypasses)
		audience->forced_owners = bms_add_member(audience->forced_owners,
												 owner);
	foreach(lc, relation->policies)
	{
		const OpsRlsPolicy *policy = lfirst(lc);

		for (int i = 0; i < policy->nroles; i++)
		{
			int			number = ops_rls_role_number(audience->graph,
													 policy->roles[i]);

			if (number < 0)
				continue;
			audience->named = bms_add_member(audience->named, number);
			audience->owners[number] =
				bms_add_member(audience->owners[number], owner);
		}
	}
}

/*
 * Roles that were granted rows of relations that are not theirs.
 */
static Bitmapset *
granted_roles(Audience *audience)
{
	Bitmapset  *numbers = NULL;

	for (int i = 0; i < audience->graph->nroles; i++)
	{
		const OpsRoleNode *node = &audience->graph->nodes[i];

		CHECK_FOR_INTERRUPTS();
		if (!node->predefined && !node->superuser && !node->bypasses &&
			is_granted(audience, i))
			numbers = bms_add_member(numbers, i);
	}
	return numbers;
}

/*
 * Roles that may read or write all data, and those that no policy binds but
 * that some policy names.
 */
static Bitmapset *
conspicuous_roles(Audience *audience)
{
	const OpsRlsRoleGraph *graph = audience->graph;
	Bitmapset  *numbers = NULL;

	if (bms_is_empty(audience->all_owners))
		return NULL;
	for (int i = 0; i < graph->nroles; i++)
	{
		const OpsRoleNode *node = &graph->nodes[i];

		if (node->superuser || node->bypasses)
		{
			if (bms_is_member(i, audience->named))
				numbers = bms_add_member(numbers, i);
		}
		else if (!node->predefined &&
				 (bms_is_member(graph->read_all, node->ancestors) ||
				  bms_is_member(graph->write_all, node->ancestors)))
			numbers = bms_add_member(numbers, i);
	}
	return numbers;
}

/*
 * Whether a role or one it inherits from was granted something, or is named.
 */
static bool
is_granted(const Audience *audience, int number)
{
	int			ancestor = -1;

	if (is_granted_by_others(audience, number, number))
		return true;
	while ((ancestor = bms_next_member(audience->graph->nodes[number].ancestors,
									   ancestor)) >= 0)
	{
		if (is_granted_by_others(audience, number, ancestor))
			return true;
	}
	return false;
}

/*
 * Whether what was granted to the one belongs to somebody whose rights the
 * other one has not got anyway.
 */
static bool
is_granted_by_others(const Audience *audience, int number, int grantee)
{
	const Bitmapset *ancestors = audience->graph->nodes[number].ancestors;
	int			owner = -1;

	while ((owner = bms_next_member(audience->owners[grantee], owner)) >= 0)
	{
		if (owner != number && !bms_is_member(owner, ancestors))
			return true;
	}
	return false;
}

/*
 * Where everybody was granted rows and nobody in particular: all that log in
 * and have no relations of their own.
 */
static Bitmapset *
public_roles(Audience *audience)
{
	Bitmapset  *numbers = NULL;

	if (!audience->public_grants)
		return NULL;
	for (int i = 0; i < audience->graph->nroles; i++)
	{
		const OpsRoleNode *node = &audience->graph->nodes[i];

		CHECK_FOR_INTERRUPTS();
		if (node->logs_in && !node->superuser && !node->bypasses &&
			!bms_is_member(i, audience->all_owners) &&
			!bms_overlap(node->ancestors, audience->all_owners))
			numbers = bms_add_member(numbers, i);
	}
	return numbers;
}

/*
 * Where there is nobody whom policies could bind: those whom they cannot, if
 * they log in and were granted something.
 *
 * Every server has a superuser who logs in, so superusers are taken for the
 * application's only where nobody else logs in and there are policies to miss.
 */
static Bitmapset *
exempt_roles(Audience *audience)
{
	Bitmapset  *granted = NULL;
	Bitmapset  *others = NULL;
	bool		ordinary = false;

	for (int i = 0; i < audience->graph->nroles; i++)
	{
		const OpsRoleNode *node = &audience->graph->nodes[i];

		CHECK_FOR_INTERRUPTS();
		if (!node->logs_in)
			continue;
		if (!node->superuser && !node->bypasses)
			ordinary = ordinary || !node->replicates;
		else if (!node->superuser && is_granted(audience, i))
			granted = bms_add_member(granted, i);
		else
			others = bms_add_member(others, i);
	}
	if (!bms_is_empty(granted))
		return granted;
	return audience->has_policies && !ordinary ? others : NULL;
}

/*
 * Where no login leads to any of the roles, logins are yet to be made.
 */
static void
settle_reach(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->roles)
	{
		if (((OpsRlsRole *) lfirst(lc))->reachable)
			return;
	}
	foreach(lc, audit->roles)
		((OpsRlsRole *) lfirst(lc))->reachable = true;
}
