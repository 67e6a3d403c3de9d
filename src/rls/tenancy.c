/*-------------------------------------------------------------------------
 *
 * tenancy.c
 *	  What tells tenants apart.
 *
 * What ops.tenancy or the caller declares counts.  The rest is found out from
 * what policies compare: a column that is set equal to something the session
 * says is a key, a setting that columns are set equal to is an identity.  The
 * columns that bind most tables win; what is bound besides them, such as a
 * department, tells no tenants apart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "core/relation.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rls/identity.h"
#include "rls/roles.h"
#include "rls/tenancy.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

typedef struct NameCount
{
	const char *name;			/* hash key, first */
	List	   *relations;
	int			standing;		/* how much the column looks like a key */
} NameCount;

typedef struct NameKey
{
	const char *name;
	Oid			relation;		/* InvalidOid: of any */
} NameKey;

typedef struct NameClass
{
	NameKey		key;			/* hash key, first */
	bool		users;			/* compared with what names a user, */
	bool		tenants;		/* or a tenant */
} NameClass;

static void pick_names(OpsRlsAudit *audit);
static HTAB *count_names(OpsRlsAudit *audit);
static int	compare_names(const ListCell *a, const ListCell *b);
static void find_keys(OpsRlsAudit *audit, OpsRlsRelation *relation);
static void add_named_keys(OpsRlsAudit *audit, OpsRlsRelation *relation, List *names);
static bool has_declared_keys(OpsRlsAudit *audit, const OpsRlsRelation *relation);
static void add_bound_keys(OpsRlsAudit *audit);
static bool is_attribute(const OpsRlsRelation *lookup, AttrNumber column);
static void add_referring_keys(OpsRlsAudit *audit);
static void add_links(OpsRlsAudit *audit);
static void guess_keys(OpsRlsAudit *audit);
static void add_member_names(OpsRlsAudit *audit);
static void add_candidates(OpsRlsAudit *audit);
static void inherit_keys(OpsRlsAudit *audit);
static void hand_down_keys(const OpsRlsRelation *parent, OpsRlsRelation *child);
static void sort_out_users(OpsRlsAudit *audit);
static bool names_user(HTAB *classes, const OpsRlsRelation *relation, AttrNumber column);
static HTAB *classify_names(OpsRlsAudit *audit);
static NameKey name_key(const OpsRlsRelation *relation, AttrNumber column);
static void report_assumptions(OpsRlsAudit *audit, bool declared_any);

/*
 * Find the keys and links of every relation, and whom to trust.
 */
void
ops_rls_find_tenancy(OpsRlsAudit *audit)
{
	bool		declared_any = audit->identities_wanted != NIL;
	ListCell   *lc;

	ops_tenancy_declare(audit, ops_tenancy_declared(audit, "user_identities", "*"), true);
	ops_tenancy_declare(audit, audit->identities_wanted, false);
	ops_tenancy_judge_sources(audit, declared_any);
	ops_tenancy_judge_roles(audit);

	ops_tenancy_check(audit);
	pick_names(audit);
	foreach(lc, audit->ordered)
		find_keys(audit, lfirst(lc));
	add_bound_keys(audit);
	add_referring_keys(audit);
	add_links(audit);
	guess_keys(audit);
	add_member_names(audit);
	add_candidates(audit);
	inherit_keys(audit);
	sort_out_users(audit);
	report_assumptions(audit, declared_any);
}

bool
ops_rls_is_tenant_data(const OpsRlsRelation *relation)
{
	return !relation->is_public &&
		(relation->tenant_keys != NULL || relation->links != NULL);
}

/*
 * The names of columns that bind most tables: few names, so that every table
 * with a bound column is covered by one.
 */
static void
pick_names(OpsRlsAudit *audit)
{
	HTAB	   *names = count_names(audit);
	HASH_SEQ_STATUS status;
	List	   *counts = NIL;
	NameCount  *count;
	ListCell   *lc;

	hash_seq_init(&status, names);
	while ((count = hash_seq_search(&status)) != NULL)
		counts = lappend(counts, count);
	list_sort(counts, compare_names);
	foreach(lc, counts)
	{
		bool		covers = false;
		ListCell   *cell;

		count = lfirst(lc);
		foreach(cell, count->relations)
		{
			OpsRlsRelation *relation = lfirst(cell);

			covers |= !relation->covered;
			relation->covered = true;
		}
		if (covers)
			audit->tenancy->key_names = lappend(audit->tenancy->key_names,
												(void *) count->name);
	}
}

/*
 * Which relations have a bound column of each name.
 */
static HTAB *
count_names(OpsRlsAudit *audit)
{
	HASHCTL		ctl = {0};
	HTAB	   *names;
	ListCell   *lc;

	ctl.keysize = sizeof(const char *);
	ctl.entrysize = sizeof(NameCount);
	ctl.hcxt = CurrentMemoryContext;
	names = hash_create("operations_runbook key names", 64, &ctl,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		const char *name = binding->relation->columns[binding->column - 1].name;
		NameCount  *count;
		bool		found;

		if (!ops_tenancy_is_direct(binding))
			continue;
		/* The snapshot keeps each name once, so its address will do. */
		count = hash_search(names, &name, HASH_ENTER, &found);
		if (!found)
		{
			count->relations = NIL;
			count->standing = 0;
		}
		/* A table's policies follow one another. */
		if (count->relations == NIL ||
			llast(count->relations) != binding->relation)
			count->relations = lappend(count->relations, binding->relation);
		count->standing = Max(count->standing,
							  ops_tenancy_standing(binding->relation,
												   binding->column));
	}
	return names;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	const NameCount *left = lfirst(a);
	const NameCount *right = lfirst(b);

	if (list_length(left->relations) != list_length(right->relations))
		return list_length(right->relations) - list_length(left->relations);
	if (left->standing != right->standing)
		return right->standing - left->standing;
	return strcmp(left->name, right->name);
}

/*
 * Keys by declaration or, with none, by name.
 */
static void
find_keys(OpsRlsAudit *audit, OpsRlsRelation *relation)
{
	const char *name = quote_qualified_identifier(relation->schema_name,
												  relation->name);
	List	   *own = ops_tenancy_declared(audit, "tenant_columns", name);
	ListCell   *lc;

	foreach(lc, audit->tenancy->declarations)
	{
		OpsDeclaration *declaration = lfirst(lc);

		if (strcmp(declaration->kind, "public") == 0 &&
			strcmp(declaration->relation, name) == 0)
			relation->is_public = true;
	}
	if (own != NIL && ops_tenancy_has_columns(audit, relation, own))
	{
		relation->all_keys = true;
		add_named_keys(audit, relation, own);
	}
	else if (audit->columns_wanted != NIL)
		add_named_keys(audit, relation, audit->columns_wanted);
	else
		add_named_keys(audit, relation, audit->tenancy->key_names);
}

static void
add_named_keys(OpsRlsAudit *audit, OpsRlsRelation *relation, List *names)
{
	ListCell   *lc;

	for (int i = 0; i < relation->ncolumns; i++)
	{
		const char *name = relation->columns[i].name;

		foreach(lc, names)
		{
			/* "id" names a tenant only where a policy says so. */
			if (name && strcmp(name, lfirst(lc)) == 0 &&
				(audit->columns_wanted != NIL || relation->all_keys ||
				 !ops_rls_is_own_id(relation, i + 1)))
				relation->tenant_keys = bms_add_member(relation->tenant_keys,
													   i + 1);
		}
	}
}

static bool
has_declared_keys(OpsRlsAudit *audit, const OpsRlsRelation *relation)
{
	return relation->all_keys ||
		(audit->columns_wanted != NIL && relation->tenant_keys != NULL);
}

/*
 * Columns that the relation's own policies bind: to a user, or to what binds
 * other tables too; any, where nothing better is known.
 */
static void
add_bound_keys(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		OpsRlsRelation *relation = binding->relation;
		const char *name;
		bool		user = false;
		ListCell   *cell;

		if (!ops_tenancy_is_direct(binding) || has_declared_keys(audit, relation))
			continue;
		name = relation->columns[binding->column - 1].name;
		foreach(cell, binding->identity->sources)
			user |= ((OpsSource *) lfirst(cell))->is_user;
		if (user || relation->tenant_keys == NULL ||
			ops_tenancy_in_list(audit->tenancy->key_names, name))
			relation->tenant_keys = bms_add_member(relation->tenant_keys,
												   binding->column);
	}
	foreach(lc, audit->tenancy->links)
	{
		OpsLink    *link = lfirst(lc);

		if (link->identified && !has_declared_keys(audit, link->relation) &&
			!is_attribute(link->lookup, link->lookup_column))
			link->relation->tenant_keys =
				bms_add_member(link->relation->tenant_keys, link->column);
	}
}

/*
 * Whether a column only says more about a membership, as the role in it does:
 * the user and something else are the key.
 */
static bool
is_attribute(const OpsRlsRelation *lookup, AttrNumber column)
{
	bool		attribute = false;
	ListCell   *lc;

	foreach(lc, lookup->unique_keys)
	{
		if (bms_is_member(column, lfirst(lc)))
			return false;
		attribute |= bms_membership(lfirst(lc)) == BMS_MULTIPLE &&
			bms_overlap(lfirst(lc), lookup->identified);
	}
	return attribute;
}

/*
 * Columns that refer to a key which is all there is to its table's identity:
 * orders.tenant to tenants.id, once a policy binds that.
 */
static void
add_referring_keys(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		ListCell   *cell;

		if (relation->tenant_keys != NULL)
			continue;
		foreach(cell, relation->foreign_keys)
		{
			OpsRlsForeignKey *key = lfirst(cell);
			OpsRlsRelation *target = ops_rls_relation(audit, key->target);

			for (int i = 0; target && i < key->ncolumns; i++)
			{
				if (bms_is_member(key->target_columns[i], target->tenant_keys) &&
					ops_rls_is_own_id(target, key->target_columns[i]))
					relation->tenant_keys =
						bms_add_member(relation->tenant_keys, key->columns[i]);
			}
		}
	}
}

/*
 * Columns that refer to tenant data, through as many tables as it takes.
 */
static void
add_links(OpsRlsAudit *audit)
{
	bool		found = true;

	while (found)
	{
		ListCell   *lc;

		found = false;
		foreach(lc, audit->ordered)
		{
			OpsRlsRelation *relation = lfirst(lc);
			ListCell   *cell;

			foreach(cell, relation->foreign_keys)
			{
				OpsRlsForeignKey *key = lfirst(cell);
				OpsRlsRelation *target = ops_rls_relation(audit, key->target);

				if (target == NULL || target == relation ||
					!(target->tenant_keys || target->links))
					continue;
				for (int i = 0; i < key->ncolumns; i++)
				{
					if (bms_is_member(key->columns[i], relation->links) ||
						bms_is_member(key->columns[i], relation->tenant_keys))
						continue;
					relation->links = bms_add_member(relation->links,
													 key->columns[i]);
					found = true;
				}
			}
		}
		foreach(lc, audit->tenancy->links)
		{
			OpsLink    *link = lfirst(lc);

			if (link->lookup == link->relation ||
				is_attribute(link->lookup, link->lookup_column) ||
				!(link->lookup->tenant_keys || link->lookup->links) ||
				bms_is_member(link->column, link->relation->links) ||
				bms_is_member(link->column, link->relation->tenant_keys))
				continue;
			link->relation->links = bms_add_member(link->relation->links,
												   link->column);
			found = true;
		}
	}
}

/*
 * Where nothing at all says who a table's rows belong to, a column that is
 * called as if it did is taken to.
 */
static void
guess_keys(OpsRlsAudit *audit)
{
	bool		any = false;
	ListCell   *lc;

	foreach(lc, audit->ordered)
		any |= ((OpsRlsRelation *) lfirst(lc))->tenant_keys != NULL;
	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);

		if (relation->tenant_keys || relation->links ||
			audit->columns_wanted != NIL)
			continue;
		for (int i = 0; i < relation->ncolumns; i++)
		{
			const char *name = relation->columns[i].name;

			if (name && ops_tenancy_can_be_key(relation->columns[i].type) &&
				(ops_tenancy_has_word(name, ops_tenant_words) ||
				 (!any && ops_tenancy_has_word(name, ops_user_words))))
				relation->tenant_keys = bms_add_member(relation->tenant_keys,
													   i + 1);
		}
	}
}

/*
 * What stands beside the user in the key of a membership table is what users
 * are members of; a column of that name refers to it.
 */
static void
add_member_names(OpsRlsAudit *audit)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, audit->tenancy->bindings)
	{
		const OpsBinding *binding = lfirst(lc);
		const OpsSource *source = linitial(binding->identity->sources);
		ListCell   *cell;

		if (!source->trusted || !source->is_user)
			continue;
		foreach(cell, binding->relation->unique_keys)
		{
			int			column = -1;

			if (bms_num_members(lfirst(cell)) != 2 ||
				!bms_is_member(binding->column, lfirst(cell)))
				continue;
			while ((column = bms_next_member(lfirst(cell), column)) >= 0)
			{
				const char *name = binding->relation->columns[column - 1].name;

				if (column != binding->column && name &&
					!ops_tenancy_in_list(names, name))
					names = lappend(names, (void *) name);
			}
		}
	}
	if (names == NIL || audit->columns_wanted != NIL)
		return;
	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);

		if (relation->tenant_keys == NULL && relation->links == NULL)
			add_named_keys(audit, relation, names);
	}
}

/*
 * A table that nothing binds, and whose policies go by some column.
 */
static void
add_candidates(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		Bitmapset  *candidates = bms_copy(relation->candidates);
		int			column = -1;

		if (relation->tenant_keys || relation->links || candidates == NULL ||
			audit->columns_wanted != NIL)
			continue;
		while ((column = bms_next_member(relation->candidates, column)) >= 0)
		{
			if (ops_rls_is_own_id(relation, column))
				candidates = bms_del_member(candidates, column);
		}
		relation->tenant_keys = bms_is_empty(candidates) ?
			bms_copy(relation->candidates) : candidates;
	}
}

/*
 * Partitions and children hold the rows of their parents, in columns of the
 * same names.
 */
static void
inherit_keys(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		ListCell   *cell;

		foreach(cell, relation->parents)
			hand_down_keys(lfirst(cell), relation);
	}
}

static void
hand_down_keys(const OpsRlsRelation *parent, OpsRlsRelation *child)
{
	for (int i = 0; i < parent->ncolumns; i++)
	{
		bool		key = bms_is_member(i + 1, parent->tenant_keys);
		bool		link = bms_is_member(i + 1, parent->links);

		if ((!key && !link) || parent->columns[i].name == NULL)
			continue;
		for (int j = 0; j < child->ncolumns; j++)
		{
			if (child->columns[j].name == NULL ||
				strcmp(child->columns[j].name, parent->columns[i].name) != 0)
				continue;
			if (key)
				child->tenant_keys = bms_add_member(child->tenant_keys, j + 1);
			else
				child->links = bms_add_member(child->links, j + 1);
		}
	}
}

/*
 * Which keys name a user: those called so, and those that nothing but user
 * identities are ever compared with, unless they are called like a tenant.
 */
static void
sort_out_users(OpsRlsAudit *audit)
{
	HTAB	   *classes = classify_names(audit);
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		int			column = -1;

		while ((column = bms_next_member(relation->tenant_keys, column)) >= 0)
		{
			if (names_user(classes, relation, column))
				relation->user_keys = bms_add_member(relation->user_keys,
													 column);
		}
	}
}

static bool
names_user(HTAB *classes, const OpsRlsRelation *relation, AttrNumber column)
{
	const char *name = relation->columns[column - 1].name;
	NameClass  *known;
	NameKey		key;

	if (name == NULL || ops_tenancy_has_word(name, ops_tenant_words))
		return false;
	if (ops_tenancy_has_word(name, ops_user_words))
		return true;
	key = name_key(relation, column);
	known = hash_search(classes, &key, HASH_FIND, NULL);
	return known && known->users && !known->tenants;
}

/*
 * With what columns of each name are compared.
 */
static HTAB *
classify_names(OpsRlsAudit *audit)
{
	HASHCTL		ctl = {0};
	HTAB	   *classes;
	ListCell   *lc;

	ctl.keysize = sizeof(NameKey);
	ctl.entrysize = sizeof(NameClass);
	ctl.hcxt = CurrentMemoryContext;
	classes = hash_create("operations_runbook column names", 64, &ctl,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		NameKey		key = name_key(binding->relation, binding->column);
		NameClass  *known;
		ListCell   *cell;
		bool		found;

		if (!ops_tenancy_is_direct(binding))
			continue;
		known = hash_search(classes, &key, HASH_ENTER, &found);
		if (!found)
			known->users = known->tenants = false;
		foreach(cell, binding->identity->sources)
		{
			if (((OpsSource *) lfirst(cell))->is_user)
				known->users = true;
			else
				known->tenants = true;
		}
	}
	return classes;
}

/*
 * Columns of one name are taken for the same thing, but for a table's own
 * "id", which is the thing itself.  The snapshot keeps each name once.
 */
static NameKey
name_key(const OpsRlsRelation *relation, AttrNumber column)
{
	NameKey		key;

	memset(&key, 0, sizeof(key));
	key.name = relation->columns[column - 1].name;
	if (ops_rls_is_own_id(relation, column))
		key.relation = relation->oid;
	return key;
}

/*
 * Whether a column is its table's whole primary or unique key.
 */
bool
ops_rls_is_own_id(const OpsRlsRelation *relation, AttrNumber column)
{
	ListCell   *lc;

	foreach(lc, relation->unique_keys)
	{
		if (bms_membership(lfirst(lc)) == BMS_SINGLETON &&
			bms_is_member(column, lfirst(lc)))
			return true;
	}
	return false;
}

bool
ops_tenancy_can_be_key(Oid type)
{
	return type == UUIDOID || type == INT4OID || type == INT8OID ||
		type == INT2OID || type == TEXTOID || type == VARCHAROID ||
		type >= FirstNormalObjectId;
}

/*
 * Say what was taken for granted.
 */
static void
report_assumptions(OpsRlsAudit *audit, bool declared_any)
{
	StringInfoData message;
	OpsRlsFinding *finding;
	const char *separator = "";
	ListCell   *lc;

	if (audit->tenancy->note == NULL && declared_any &&
		audit->columns_wanted != NIL)
		return;
	finding = ops_rls_report_object(audit, TENANCY_ASSUMED, "database", NULL,
									"ops.tenancy", "ops.tenancy");
	initStringInfo(&message);
	if (audit->tenancy->note)
		appendStringInfo(&message, "%s; ", audit->tenancy->note);
	appendStringInfoString(&message, _("tenants are told apart by "));
	foreach(lc, audit->columns_wanted != NIL ? audit->columns_wanted :
			audit->tenancy->key_names)
	{
		appendStringInfo(&message, "%s%s", separator, (char *) lfirst(lc));
		separator = ", ";
	}
	if (separator[0] == '\0')
		appendStringInfoString(&message, _("columns that are called so"));
	appendStringInfoString(&message, _("; sessions say who they are by "));
	separator = "";
	foreach(lc, audit->terms->source_list)
	{
		const OpsSource *source = lfirst(lc);

		if (!source->trusted || source->user_editable)
			continue;
		appendStringInfo(&message, "%s%s", separator, source->name);
		separator = ", ";
	}
	if (separator[0] == '\0')
		appendStringInfoString(&message, _("nothing that was found"));
	finding->message = message.data;
	finding->remediation = "INSERT INTO ops.tenancy (kind, names) VALUES ('tenant_columns', '{...}'), ('tenant_identities', '{...}');";
}
