/*-------------------------------------------------------------------------
 *
 * standing.c
 *	  Roles that are alike are judged once.
 *
 * Where every tenant has a role of its own, a thousand of them differ in
 * nothing but their names.  A role is like another one if it has the same
 * attributes and the same relevant ancestors, and if nothing in this database
 * mentions it: no grant, no ownership, no policy.  Ancestors matter if they
 * are mentioned, or mean something without: superusers, BYPASSRLS and roles
 * that came with the server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_shdepend.h"
#include "common/hashfn.h"
#include "core/compat.h"
#include "rls/roles.h"
#include "utils/fmgroids.h"

/* So many roles are named each; of more, so many are. */
#define MAX_NAMED	5
#define NAMED_OF_MANY	3

/* Roles that are alike. */
typedef struct Standing
{
	int			number;			/* of the oldest */
	Bitmapset  *inherits;		/* relevant ones */
	Bitmapset  *becomes;
	List	   *oids;			/* of all, oldest first */
} Standing;

typedef struct StandingKey
{
	uint32		hash;			/* key, first */
	List	   *standings;		/* all with that hash */
} StandingKey;

typedef struct Census
{
	OpsRlsAudit *audit;
	const OpsRlsRoleGraph *graph;
	Relation	dependencies;	/* pg_shdepend */
	Bitmapset  *looked_up;
	Bitmapset  *relevant;		/* of these */
	HTAB	   *table;
	List	   *standings;
} Census;

static void count_role(Census *census, int number);
static Standing *find_standing(Census *census, int number);
static Standing *add_standing(Census *census, int number);
static bool are_alike(const Census *census, int a, int b);
static Bitmapset *relevant_of(Census *census, const Bitmapset *numbers);
static bool is_relevant(Census *census, int number);
static bool is_mentioned(const Census *census, Oid role);
static bool is_led_to(const OpsRlsRoleGraph *graph, int number);
static OpsRlsRole *standing_role(const Census *census,
								 const Standing *standing);
static const char *standing_names(const Census *census,
								  const Standing *standing);
static int	compare_oids(const ListCell *left, const ListCell *right);
static int	compare_roles(const ListCell *left, const ListCell *right);

/*
 * The roles with these numbers, those that are alike as one, by name.
 */
List *
ops_rls_merge_alike(OpsRlsAudit *audit, const Bitmapset *numbers)
{
	Census		census = {0};
	HASHCTL		control = {
		.keysize = sizeof(uint32),
		.entrysize = sizeof(StandingKey),
		.hcxt = CurrentMemoryContext,
	};
	List	   *roles = NIL;
	int			number = -1;
	ListCell   *lc;

	census.audit = audit;
	census.graph = audit->graph;
	census.dependencies = table_open(SharedDependRelationId, AccessShareLock);
	census.table = hash_create("roles that are alike", 64, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	while ((number = bms_next_member(numbers, number)) >= 0)
	{
		CHECK_FOR_INTERRUPTS();
		count_role(&census, number);
	}
	table_close(census.dependencies, AccessShareLock);

	foreach(lc, census.standings)
		roles = lappend(roles, standing_role(&census, lfirst(lc)));
	list_sort(roles, compare_roles);
	hash_destroy(census.table);
	return roles;
}

static void
count_role(Census *census, int number)
{
	Oid			oid = census->graph->nodes[number].oid;
	Standing   *standing;

	if (is_relevant(census, number))
		standing = add_standing(census, number);
	else
		standing = find_standing(census, number);
	standing->oids = lappend_oid(standing->oids, oid);
	if (oid < census->graph->nodes[standing->number].oid)
		standing->number = number;
}

/*
 * The standing of a role that nothing mentions, a new one if it has no like.
 */
static Standing *
find_standing(Census *census, int number)
{
	const OpsRoleNode *node = &census->graph->nodes[number];
	Bitmapset  *inherits = relevant_of(census, node->ancestors);
	Bitmapset  *becomes = relevant_of(census, node->becomes);
	uint32		hash = hash_combine(bms_hash_value(inherits),
									bms_hash_value(becomes));
	Standing   *standing;
	StandingKey *key;
	ListCell   *lc;
	bool		found;

	key = hash_search(census->table, &hash, HASH_ENTER, &found);
	if (!found)
		key->standings = NIL;
	foreach(lc, key->standings)
	{
		standing = lfirst(lc);
		if (are_alike(census, standing->number, number) &&
			bms_equal(standing->inherits, inherits) &&
			bms_equal(standing->becomes, becomes))
		{
			bms_free(inherits);
			bms_free(becomes);
			return standing;
		}
	}
	standing = add_standing(census, number);
	standing->inherits = inherits;
	standing->becomes = becomes;
	key->standings = lappend(key->standings, standing);
	return standing;
}

static Standing *
add_standing(Census *census, int number)
{
	Standing   *standing = palloc0(sizeof(Standing));

	standing->number = number;
	census->standings = lappend(census->standings, standing);
	return standing;
}

static bool
are_alike(const Census *census, int a, int b)
{
	const OpsRoleNode *left = &census->graph->nodes[a];
	const OpsRoleNode *right = &census->graph->nodes[b];

	return left->superuser == right->superuser &&
		left->bypasses == right->bypasses &&
		left->logs_in == right->logs_in &&
		is_led_to(census->graph, a) == is_led_to(census->graph, b);
}

static bool
is_led_to(const OpsRlsRoleGraph *graph, int number)
{
	return bms_is_member(number, graph->by_login) ||
		bms_is_member(number, graph->by_set_role);
}

static Bitmapset *
relevant_of(Census *census, const Bitmapset *numbers)
{
	Bitmapset  *relevant = NULL;
	int			number = -1;

	while ((number = bms_next_member(numbers, number)) >= 0)
	{
		if (is_relevant(census, number))
			relevant = bms_add_member(relevant, number);
	}
	return relevant;
}

static bool
is_relevant(Census *census, int number)
{
	const OpsRoleNode *node = &census->graph->nodes[number];

	if (bms_is_member(number, census->looked_up))
		return bms_is_member(number, census->relevant);
	census->looked_up = bms_add_member(census->looked_up, number);
	if (!node->superuser && !node->bypasses && !node->predefined &&
		!is_mentioned(census, node->oid))
		return false;
	census->relevant = bms_add_member(census->relevant, number);
	return true;
}

/*
 * Whether an object of this database depends on a role.
 */
static bool
is_mentioned(const Census *census, Oid role)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		mentioned = false;

	ScanKeyInit(&keys[0], Anum_pg_shdepend_refclassid,
				BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(AuthIdRelationId));
	ScanKeyInit(&keys[1], Anum_pg_shdepend_refobjid,
				BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	scan = systable_beginscan(census->dependencies,
							  SharedDependReferenceIndexId, true,
							  census->audit->snapshot, 2, keys);
	while (!mentioned && HeapTupleIsValid(tuple = systable_getnext(scan)))
		mentioned = ((Form_pg_shdepend) GETSTRUCT(tuple))->dbid == MyDatabaseId;
	systable_endscan(scan);
	return mentioned;
}

static OpsRlsRole *
standing_role(const Census *census, const Standing *standing)
{
	OpsRlsRole *role = ops_rls_make_role(census->graph, standing->number);

	list_sort(standing->oids, compare_oids);
	role->names = standing_names(census, standing);
	role->declared = census->audit->roles_wanted != NIL;
	return role;
}

/*
 * The names of all roles, the oldest ones first.
 */
static const char *
standing_names(const Census *census, const Standing *standing)
{
	int			total = list_length(standing->oids);
	int			shown = total > MAX_NAMED ? NAMED_OF_MANY : total;
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < shown; i++)
	{
		int			number = ops_rls_role_number(census->graph,
												 list_nth_oid(standing->oids, i));

		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 census->graph->nodes[number].name);
	}
	if (shown < total)
		return psprintf(_("%s and %d more"), names.data, total - shown);
	return names.data;
}

static int
compare_oids(const ListCell *left, const ListCell *right)
{
	Oid			a = lfirst_oid(left);
	Oid			b = lfirst_oid(right);

	return a < b ? -1 : a > b ? 1 : 0;
}

static int
compare_roles(const ListCell *left, const ListCell *right)
{
	return strcmp(((const OpsRlsRole *) lfirst(left))->name,
				  ((const OpsRlsRole *) lfirst(right))->name);
}
