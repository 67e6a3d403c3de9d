/*-------------------------------------------------------------------------
 *
 * roles.c
 *	  The graph of roles: who has whose rights, who can become whom.
 *
 * The catalogs are read as they are, since pg_authid may not be read by
 * everybody who may run an audit; the passwords in it are never looked at.
 * Memberships form no circle, so each role's ancestors are those of the roles
 * granted to it, which are computed first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/catalog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "core/compat.h"
#include "rls/roles.h"
#include "utils/syscache.h"

/* A membership: the member comes by what the role can do. */
typedef struct Membership
{
	int			role;
	int			member;
	bool		inherits;
	bool		sets;
	int			next;			/* of the same role; -1 ends them */
} Membership;

typedef struct Memberships
{
	Membership *all;
	int			count;
	int			space;
} Memberships;

static OpsRlsRoleGraph *read_roles(Snapshot snapshot);
static void read_role(OpsRoleNode *node, HeapTuple tuple);
static void read_memberships(const OpsRlsRoleGraph *graph, Snapshot snapshot,
							 Memberships *memberships);
static void add_membership(Memberships *memberships, int role, int member,
						   bool inherits, bool sets);
static void add_database_owner(const OpsRlsRoleGraph *graph,
							   Memberships *memberships);
static void number_granted_first(OpsRlsRoleGraph *graph,
								 Memberships *memberships);
static void make_keys(OpsRlsRoleGraph *graph);
static int	compare_keys(const void *left, const void *right);
static void close_over(OpsRlsRoleGraph *graph, Memberships *memberships);
static void hand_down(OpsRlsRoleGraph *graph, const Membership *membership);
static void follow_logins(OpsRlsRoleGraph *graph);

/*
 * The graph of all roles of the server.
 */
OpsRlsRoleGraph *
ops_rls_role_graph(Snapshot snapshot)
{
	OpsRlsRoleGraph *graph = read_roles(snapshot);
	Memberships memberships = {.space = 64};

	memberships.all = palloc(memberships.space * sizeof(Membership));
	read_memberships(graph, snapshot, &memberships);
	add_database_owner(graph, &memberships);
	number_granted_first(graph, &memberships);
	close_over(graph, &memberships);
	follow_logins(graph);
	pfree(memberships.all);

	graph->read_all = ops_rls_role_number(graph, ROLE_PG_READ_ALL_DATA);
	graph->write_all = ops_rls_role_number(graph, ROLE_PG_WRITE_ALL_DATA);
	return graph;
}

/*
 * The number of a role, or -1 if there is no such role.
 */
int
ops_rls_role_number(const OpsRlsRoleGraph *graph, Oid oid)
{
	int			low = 0;
	int			high = graph->nroles - 1;

	while (low <= high)
	{
		int			middle = low + (high - low) / 2;

		if (graph->keys[middle].oid == oid)
			return graph->keys[middle].number;
		if (graph->keys[middle].oid < oid)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}

/*
 * A role as the audit's rules see it, standing for itself alone.
 */
OpsRlsRole *
ops_rls_make_role(const OpsRlsRoleGraph *graph, int number)
{
	const OpsRoleNode *node = &graph->nodes[number];
	OpsRlsRole *role = palloc0(sizeof(OpsRlsRole));

	role->oid = node->oid;
	role->name = node->name;
	role->names = node->name;
	role->inherits = bms_add_member(bms_copy(node->ancestors), number);
	role->becomes = bms_add_member(bms_copy(node->becomes), number);
	role->superuser = node->superuser;
	role->bypasses = node->bypasses;
	role->logs_in = node->logs_in;
	role->reachable = bms_is_member(number, graph->by_login) ||
		bms_is_member(number, graph->by_set_role);
	return role;
}

static OpsRlsRoleGraph *
read_roles(Snapshot snapshot)
{
	OpsRlsRoleGraph *graph = palloc0(sizeof(OpsRlsRoleGraph));
	Relation	catalog = table_open(AuthIdRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false,
										  snapshot, 0, NULL);
	int			space = 64;
	HeapTuple	tuple;

	graph->nodes = palloc(space * sizeof(OpsRoleNode));
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		if (graph->nroles == space)
		{
			space *= 2;
			graph->nodes = repalloc_huge(graph->nodes,
										 space * sizeof(OpsRoleNode));
		}
		read_role(&graph->nodes[graph->nroles++], tuple);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	make_keys(graph);
	return graph;
}

static void
read_role(OpsRoleNode *node, HeapTuple tuple)
{
	Form_pg_authid form = (Form_pg_authid) GETSTRUCT(tuple);

	memset(node, 0, sizeof(OpsRoleNode));
	node->oid = form->oid;
	node->name = pstrdup(NameStr(form->rolname));
	node->superuser = form->rolsuper;
	node->inherits = form->rolinherit;
	node->bypasses = form->rolbypassrls;
	node->logs_in = form->rolcanlogin;
	node->replicates = form->rolreplication;

	/* The bootstrap superuser came with the server too, but is somebody. */
	node->predefined = form->oid < FirstNormalObjectId &&
		form->oid != BOOTSTRAP_SUPERUSERID;
}

static void
read_memberships(const OpsRlsRoleGraph *graph, Snapshot snapshot,
				 Memberships *memberships)
{
	Relation	catalog = table_open(AuthMemRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false,
										  snapshot, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_auth_members form = (Form_pg_auth_members) GETSTRUCT(tuple);
		int			role = ops_rls_role_number(graph, form->roleid);
		int			member = ops_rls_role_number(graph, form->member);

		CHECK_FOR_INTERRUPTS();
		if (role < 0 || member < 0)
			continue;
		add_membership(memberships, role, member,
					   ops_compat_membership_inherits(form,
													  graph->nodes[member].inherits),
					   ops_compat_membership_sets(form));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
add_membership(Memberships *memberships, int role, int member,
			   bool inherits, bool sets)
{
	Membership *membership;

	if (memberships->count == memberships->space)
	{
		memberships->space *= 2;
		memberships->all = repalloc_huge(memberships->all,
										 memberships->space * sizeof(Membership));
	}
	membership = &memberships->all[memberships->count++];
	membership->role = role;
	membership->member = member;
	membership->inherits = inherits;
	membership->sets = sets;
}

/*
 * The database's owner is a member of pg_database_owner without a row.
 */
static void
add_database_owner(const OpsRlsRoleGraph *graph, Memberships *memberships)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID,
										ObjectIdGetDatum(MyDatabaseId));
	int			owner = -1;
	int			role = ops_rls_role_number(graph, ROLE_PG_DATABASE_OWNER);

	if (HeapTupleIsValid(tuple))
	{
		owner = ops_rls_role_number(graph,
									((Form_pg_database) GETSTRUCT(tuple))->datdba);
		ReleaseSysCache(tuple);
	}
	if (owner >= 0 && role >= 0)
		add_membership(memberships, role, owner,
					   ops_compat_owner_inherits(graph->nodes[owner].inherits),
					   true);
}

/*
 * Give the roles that are granted to others the lowest numbers.
 */
static void
number_granted_first(OpsRlsRoleGraph *graph, Memberships *memberships)
{
	int		   *new_number = palloc(graph->nroles * sizeof(int));
	bool	   *granted = palloc0(graph->nroles * sizeof(bool));
	OpsRoleNode *nodes = palloc_extended(graph->nroles * sizeof(OpsRoleNode),
										 MCXT_ALLOC_HUGE);
	int			next = 0;

	for (int i = 0; i < memberships->count; i++)
		granted[memberships->all[i].role] = true;
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < graph->nroles; i++)
		{
			if (granted[i] == (pass == 0))
				new_number[i] = next++;
		}
	}

	for (int i = 0; i < graph->nroles; i++)
		nodes[new_number[i]] = graph->nodes[i];
	pfree(graph->nodes);
	graph->nodes = nodes;
	for (int i = 0; i < memberships->count; i++)
	{
		Membership *membership = &memberships->all[i];

		membership->role = new_number[membership->role];
		membership->member = new_number[membership->member];
	}
	pfree(new_number);
	pfree(granted);
	make_keys(graph);
}

static void
make_keys(OpsRlsRoleGraph *graph)
{
	if (graph->keys == NULL)
		graph->keys = palloc(graph->nroles * sizeof(OpsRoleKey));
	for (int i = 0; i < graph->nroles; i++)
	{
		graph->keys[i].oid = graph->nodes[i].oid;
		graph->keys[i].number = i;
	}
	qsort(graph->keys, graph->nroles, sizeof(OpsRoleKey), compare_keys);
}

static int
compare_keys(const void *left, const void *right)
{
	Oid			a = ((const OpsRoleKey *) left)->oid;
	Oid			b = ((const OpsRoleKey *) right)->oid;

	return a < b ? -1 : a > b ? 1 : 0;
}

/*
 * Work out every role's ancestors, a role only after all that it is granted.
 *
 * No recursion, so no chain of roles is too long.  Were there a circle, its
 * roles would be left without ancestors; the server does not make one.
 */
static void
close_over(OpsRlsRoleGraph *graph, Memberships *memberships)
{
	int		   *first = palloc(graph->nroles * sizeof(int));
	int		   *missing = palloc0(graph->nroles * sizeof(int));
	int		   *agenda = palloc(graph->nroles * sizeof(int));
	int			nagenda = 0;

	for (int i = 0; i < graph->nroles; i++)
		first[i] = -1;
	for (int i = 0; i < memberships->count; i++)
	{
		Membership *membership = &memberships->all[i];

		membership->next = first[membership->role];
		first[membership->role] = i;
		missing[membership->member]++;
	}

	for (int i = 0; i < graph->nroles; i++)
	{
		if (missing[i] == 0)
			agenda[nagenda++] = i;
	}
	for (int done = 0; done < nagenda; done++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = first[agenda[done]]; i >= 0; i = memberships->all[i].next)
		{
			const Membership *membership = &memberships->all[i];

			hand_down(graph, membership);
			if (--missing[membership->member] == 0)
				agenda[nagenda++] = membership->member;
		}
	}
	pfree(first);
	pfree(missing);
	pfree(agenda);
}

static void
hand_down(OpsRlsRoleGraph *graph, const Membership *membership)
{
	const OpsRoleNode *role = &graph->nodes[membership->role];
	OpsRoleNode *member = &graph->nodes[membership->member];

	if (membership->inherits)
	{
		member->ancestors = bms_add_members(member->ancestors,
											role->ancestors);
		member->ancestors = bms_add_member(member->ancestors,
										   membership->role);
	}
	if (membership->sets)
	{
		member->becomes = bms_add_members(member->becomes, role->becomes);
		member->becomes = bms_add_member(member->becomes, membership->role);
	}
}

/*
 * Find out which roles a login leads to.  Superusers' logins are no news:
 * they lead everywhere.
 */
static void
follow_logins(OpsRlsRoleGraph *graph)
{
	for (int i = 0; i < graph->nroles; i++)
	{
		const OpsRoleNode *node = &graph->nodes[i];

		if (!node->logs_in)
			continue;
		graph->by_login = bms_add_member(graph->by_login, i);
		if (node->superuser)
			continue;
		graph->by_login = bms_add_members(graph->by_login, node->ancestors);
		graph->by_set_role = bms_add_members(graph->by_set_role,
											 node->becomes);
	}
}
