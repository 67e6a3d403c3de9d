/*-------------------------------------------------------------------------
 *
 * probe_rows.c
 *	  Finding two tenants to probe with, and what belongs to each.
 *
 * A tenant is told by a value of the column that names it, and a person of
 * that tenant by a row: the row has the values that policies will compare
 * with what the session says.  What the row lacks, a lookup table may have:
 * the members of a tenant, the tenants of a user.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "rls/probe.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* How far to read for two tenants, and for a person's entry in a lookup. */
#define MAX_ROWS	20000
#define MAX_LOOKUP_ROWS	200000
/* Values that one tenant's rows are told by. */
#define MAX_VALUES	1000

/* Two rows, while they are looked for. */
typedef struct Choice
{
	const OpsProbePlan *plan;
	const OpsProbeTarget *target;
	int			user_place;		/* of the user's column, or -1 */
	MemoryContext context;
	const char **row[2];
	const char **same_user;		/* of the other tenant, but the same user */
} Choice;

/* Looking for rows in which one column has a value. */
typedef struct Lookup
{
	const char *value;			/* of the row's column 0 */
	List	   *found;			/* char *: of column 1 */
	int			wanted;
	MemoryContext context;
} Lookup;

/* A row that a link leads to. */
typedef struct Linked
{
	const char *value;			/* of the link */
	const char *tenant;
} Linked;

typedef struct LinkChoice
{
	Choice		choice;			/* first */
	List	   *values;			/* char *: of the link */
	List	   *linked;			/* Linked */
} LinkChoice;

static void choose_columns(const OpsProbePlan *plan, OpsProbeTarget *target);
static Bitmapset *alike_keys(const OpsProbePlan *plan,
							 const OpsRlsRelation *relation);
static int	column_rank(const OpsProbePlan *plan,
						const OpsRlsRelation *relation, AttrNumber column);
static OpsRlsForeignKey *choose_link(const OpsProbePlan *plan,
									 const OpsRlsRelation *relation);
static void find_rows(Choice *choice, OpsProbeTarget *target);
static bool settle_choice(const Choice *choice, OpsProbeTarget *target);
static void find_linked_rows(const OpsProbePlan *plan, OpsProbeTarget *target);
static bool take_tenant(const char **row, void *arg);
static bool take_linked(const char **row, void *arg);
static bool take_value(const char **row, void *arg);
static void take_common_values(Choice *choice, const OpsProbeTarget *target);
static void fill_person(const OpsProbePlan *plan, OpsProbeTarget *target,
						OpsProbePerson *person);
static const char *value_in_row(const OpsProbePlan *plan,
								const OpsProbeTarget *target,
								const OpsProbePerson *person,
								const OpsSource *source);
static const char *value_in_lookup(const OpsProbePlan *plan,
								   const OpsProbeTarget *target,
								   const OpsProbePerson *person,
								   const OpsSource *source);
static void add_memberships(const OpsProbePlan *plan, OpsProbeTarget *target,
							OpsProbePerson *person);
static AttrNumber other_key(const OpsProbePlan *plan,
							const OpsProbeTarget *target,
							const OpsProbeBinding *binding);
static bool same_column(const OpsRlsRelation *one, AttrNumber column,
						const OpsRlsRelation *other, AttrNumber other_column);
static List *look_up(const OpsRlsRelation *relation, AttrNumber by,
					 const char *value, AttrNumber column, int wanted,
					 OpsProbeTarget *target);
static bool is_among(const char *value, const List *values);

/*
 * How rows of tenants are told apart in a relation; NULL if there is no way.
 */
OpsProbeTarget *
ops_probe_target(const OpsProbePlan *plan, OpsRlsRelation *relation)
{
	OpsProbeTarget *target = palloc0(sizeof(OpsProbeTarget));
	ListCell   *lc;

	target->relation = relation;
	choose_columns(plan, target);
	if (target->ncolumns == 0)
	{
		target->link = choose_link(plan, relation);
		if (target->link == NULL)
			return NULL;
		target->ncolumns = target->nkeys = 1;
		target->columns = target->link->columns;
	}
	target->only_source = ops_probe_only_source(relation);
	foreach(lc, plan->bindings)
	{
		const OpsProbeBinding *binding = (const OpsProbeBinding *) lfirst(lc);

		if (binding->relation != relation ||
			binding->column != target->columns[0] ||
			binding->source->kind != SOURCE_ROLE)
			continue;
		target->by_role = true;
		if (strcmp(binding->source->name, "current_user") != 0)
			target->obstacle = psprintf(_("its policies ask for %s, which a probe cannot change"),
										binding->source->name);
	}
	return target;
}

static void
choose_columns(const OpsProbePlan *plan, OpsProbeTarget *target)
{
	OpsRlsRelation *relation = target->relation;
	Bitmapset  *keys = relation->tenant_keys;
	int			best = 0;
	int			column = -1;

	if (keys == NULL)
		keys = alike_keys(plan, relation);
	target->columns = palloc((relation->ncolumns + 1) * sizeof(AttrNumber));
	while ((column = bms_next_member(keys, column)) >= 0)
	{
		if (column > 0)
			target->columns[target->ncolumns++] = column;
	}
	target->nkeys = target->ncolumns;
	for (int i = 1; i < target->ncolumns; i++)
	{
		if (column_rank(plan, relation, target->columns[i]) <
			column_rank(plan, relation, target->columns[best]))
			best = i;
	}
	if (best > 0)
	{
		AttrNumber	first = target->columns[0];

		target->columns[0] = target->columns[best];
		target->columns[best] = first;
	}
	for (int i = 1; i < target->ncolumns; i++)
	{
		if (ops_probe_names_user(plan, relation, target->columns[i]))
			target->user_column = target->columns[i];
	}
	for (int i = 1; target->nkeys > 0 && i <= relation->ncolumns; i++)
	{
		if (!bms_is_member(i, keys) &&
			ops_probe_is_bound(plan, relation, i, NULL))
			target->columns[target->ncolumns++] = i;
	}
}

/*
 * Columns of a view or partition that are named like tenants' columns of
 * tables.
 */
static Bitmapset *
alike_keys(const OpsProbePlan *plan, const OpsRlsRelation *relation)
{
	Bitmapset  *keys = NULL;
	ListCell   *lc;

	if (relation->kind == RELKIND_RELATION && relation->parents == NIL)
		return NULL;
	foreach(lc, plan->audit->ordered)
	{
		const OpsRlsRelation *other = (const OpsRlsRelation *) lfirst(lc);
		int			key = -1;

		while ((key = bms_next_member(other->tenant_keys, key)) >= 0)
		{
			for (int i = 1; key > 0 && i <= relation->ncolumns; i++)
			{
				if (same_column(relation, i, other, key))
					keys = bms_add_member(keys, i);
			}
		}
	}
	return keys;
}

/*
 * The column that tells tenants apart is best one that the policies bind,
 * and rather a tenant's than a user's.
 */
static int
column_rank(const OpsProbePlan *plan, const OpsRlsRelation *relation,
			AttrNumber column)
{
	if (ops_probe_names_user(plan, relation, column))
		return 2;
	return ops_probe_is_bound(plan, relation, column, NULL) ? 0 : 1;
}

static OpsRlsForeignKey *
choose_link(const OpsProbePlan *plan, const OpsRlsRelation *relation)
{
	ListCell   *lc;

	foreach(lc, relation->foreign_keys)
	{
		OpsRlsForeignKey *key = (OpsRlsForeignKey *) lfirst(lc);
		OpsRlsRelation *parent = ops_rls_relation(plan->audit, key->target);

		if (key->ncolumns == 1 && bms_is_member(key->columns[0], relation->links) &&
			parent && parent != relation && parent->tenant_keys)
			return key;
	}
	return NULL;
}

/*
 * Fill in the two persons, or say why there are none.
 */
void
ops_probe_find_persons(const OpsProbePlan *plan, OpsProbeTarget *target)
{
	Choice		choice = {.plan = plan,.target = target};

	if (target->link)
	{
		find_linked_rows(plan, target);
		return;
	}
	choice.context = CurrentMemoryContext;
	find_rows(&choice, target);
	if (!settle_choice(&choice, target))
		return;
	for (int i = 0; i < 2; i++)
		fill_person(plan, target, &target->person[i]);
}

static void
find_rows(Choice *choice, OpsProbeTarget *target)
{
	OpsRlsRelation *relation = target->relation;
	OpsProbeReader reader = {
		.relation = relation,
		.ncolumns = target->ncolumns,
		.columns = target->columns,
		.take = take_tenant,
		.arg = choice,
		.rows_left = MAX_ROWS,
	};

	choice->user_place = -1;
	for (int i = 1; i < target->ncolumns; i++)
	{
		if (target->columns[i] == target->user_column)
			choice->user_place = i;
	}

	/* Whatever else holds the rows that a view shows tells its tenants. */
	if (relation->kind == RELKIND_VIEW)
	{
		ListCell   *lc;

		foreach(lc, choice->plan->audit->ordered)
		{
			const OpsRlsRelation *other = (const OpsRlsRelation *) lfirst(lc);
			AttrNumber *columns;
			int			found = 0;

			if (other->kind == RELKIND_VIEW || other->tenant_keys == NULL)
				continue;
			columns = palloc0(target->ncolumns * sizeof(AttrNumber));
			for (int i = 0; i < target->ncolumns; i++)
			{
				for (int j = 1; j <= other->ncolumns; j++)
				{
					if (same_column(relation, target->columns[i], other, j))
					{
						columns[i] = j;
						found++;
					}
				}
			}
			if (found < target->ncolumns)
				continue;
			reader.relation = other;
			reader.columns = columns;
			reader.rows_left = MAX_ROWS;
			ops_probe_read(&reader);
			if (reader.enough)
				break;
		}
	}
	else
	{
		ops_probe_read(&reader);
		if (!reader.enough && reader.obstacle == NULL)
			take_common_values(choice, target);
	}
	target->obstacle = reader.obstacle;
	target->locked = reader.locked;
}

/*
 * False if there are no two rows to choose from.
 */
static bool
settle_choice(const Choice *choice, OpsProbeTarget *target)
{
	const char **other = choice->row[1] ? choice->row[1] : choice->same_user;

	if (choice->row[0] == NULL || other == NULL)
	{
		if (target->obstacle == NULL)
			target->obstacle = choice->plan->tenants != NIL ?
				_("no rows of the two tenants given were found") :
				_("no rows of two tenants were found");
		return false;
	}
	target->obstacle = NULL;
	target->locked = false;
	target->person[0].row = choice->row[0];
	target->person[0].other = &target->person[1];
	target->person[1].row = other;
	target->person[1].other = &target->person[0];
	return true;
}

/*
 * Where a foreign key leads to the tenant, a tenant's rows are told by the
 * keys of what they refer to.
 */
static void
find_linked_rows(const OpsProbePlan *plan, OpsProbeTarget *target)
{
	OpsRlsForeignKey *link = target->link;
	OpsRlsRelation *parent = ops_rls_relation(plan->audit, link->target);
	OpsProbeTarget *owner = ops_probe_target(plan, parent);
	LinkChoice	links = {.choice = {.plan = plan,.target = owner}};
	Lookup		values = {.wanted = MAX_VALUES,.context = CurrentMemoryContext};
	AttrNumber	twice[2] = {link->columns[0], link->columns[0]};
	OpsProbeReader reader = {
		.relation = target->relation,
		.ncolumns = 2,
		.columns = twice,
		.take = take_value,
		.arg = &values,
		.rows_left = MAX_ROWS,
	};
	AttrNumber *columns;

	ops_probe_read(&reader);
	target->obstacle = reader.obstacle;
	target->locked = reader.locked;
	if (reader.obstacle || owner == NULL || owner->link)
		return;

	columns = palloc((owner->ncolumns + 1) * sizeof(AttrNumber));
	memcpy(columns, owner->columns, owner->ncolumns * sizeof(AttrNumber));
	columns[owner->ncolumns] = link->target_columns[0];
	links.choice.context = CurrentMemoryContext;
	links.choice.user_place = -1;
	links.values = values.found;
	reader.relation = parent;
	reader.ncolumns = owner->ncolumns + 1;
	reader.columns = columns;
	reader.take = take_linked;
	reader.arg = &links;
	reader.rows_left = MAX_LOOKUP_ROWS;
	reader.enough = false;
	ops_probe_read(&reader);
	target->obstacle = reader.obstacle;
	target->locked = reader.locked;
	if (!settle_choice(&links.choice, target))
		return;

	for (int i = 0; i < 2; i++)
	{
		OpsProbePerson *person = &target->person[i];
		List	   *own = NIL;
		ListCell   *lc;

		fill_person(plan, owner, person);
		foreach(lc, links.linked)
		{
			const Linked *linked = (const Linked *) lfirst(lc);

			if (is_among(linked->tenant, person->own))
				own = lappend(own, unconstify(char *, linked->value));
			else
				person->foreign = lappend(person->foreign,
										  unconstify(char *, linked->value));
		}
		person->own = own;
	}
}

static const char **
copy_row(const char **row, int ncolumns, MemoryContext context)
{
	const char **copy = MemoryContextAllocZero(context,
											   ncolumns * sizeof(char *));

	for (int i = 0; i < ncolumns; i++)
	{
		if (row[i])
			copy[i] = MemoryContextStrdup(context, row[i]);
	}
	return copy;
}

/*
 * The first two tenants, or those that the caller gave.  A user who belongs
 * to both of them is the second choice.
 */
static bool
take_tenant(const char **row, void *arg)
{
	Choice	   *choice = (Choice *) arg;
	List	   *tenants = choice->plan->tenants;
	int			place = choice->row[0] == NULL ? 0 : 1;
	bool		same_user;

	if (row[0] == NULL)
		return true;
	if (tenants != NIL)
	{
		place = strcmp(row[0], linitial(tenants)) == 0 ? 0 : 1;
		if (choice->row[place] ||
			strcmp(row[0], list_nth(tenants, place)) != 0)
			return true;
	}
	else if (place == 1 && strcmp(row[0], choice->row[0][0]) == 0)
		return true;

	same_user = choice->user_place > 0 && choice->row[1 - place] &&
		row[choice->user_place] &&
		choice->row[1 - place][choice->user_place] &&
		strcmp(row[choice->user_place],
			   choice->row[1 - place][choice->user_place]) == 0;
	if (!same_user)
		choice->row[place] = copy_row(row, choice->target->ncolumns,
									  choice->context);
	else if (choice->same_user == NULL && place == 1)
		choice->same_user = copy_row(row, choice->target->ncolumns,
									 choice->context);
	return choice->row[0] == NULL || choice->row[1] == NULL;
}

/*
 * A row that links lead to: note whose it is, and go on.
 */
static bool
take_linked(const char **row, void *arg)
{
	LinkChoice *links = (LinkChoice *) arg;
	const char *value = row[links->choice.target->ncolumns];
	MemoryContext caller;
	Linked	   *linked;

	if (row[0] == NULL || value == NULL || !is_among(value, links->values))
		return true;
	caller = MemoryContextSwitchTo(links->choice.context);
	linked = palloc(sizeof(Linked));
	linked->value = pstrdup(value);
	linked->tenant = pstrdup(row[0]);
	links->linked = lappend(links->linked, linked);
	MemoryContextSwitchTo(caller);
	(void) take_tenant(row, &links->choice);
	return list_length(links->linked) < list_length(links->values);
}

/*
 * Column 1 of rows whose column 0 is the value, or of all rows for NULL.
 */
static bool
take_value(const char **row, void *arg)
{
	Lookup	   *lookup = (Lookup *) arg;
	MemoryContext caller;

	if (row[0] == NULL || row[1] == NULL ||
		(lookup->value && strcmp(row[0], lookup->value) != 0) ||
		is_among(row[1], lookup->found))
		return true;
	caller = MemoryContextSwitchTo(lookup->context);
	lookup->found = lappend(lookup->found, pstrdup(row[1]));
	MemoryContextSwitchTo(caller);
	return list_length(lookup->found) < lookup->wanted;
}

/*
 * Where the first rows are all of one tenant, statistics name others.  Whoever
 * may read the column past row security may see its statistics.
 */
static void
take_common_values(Choice *choice, const OpsProbeTarget *target)
{
	const OpsRlsRelation *relation = target->relation;
	HeapTuple	tuple = SearchSysCache3(STATRELATTINH,
										ObjectIdGetDatum(relation->oid),
										Int16GetDatum(target->columns[0]),
										BoolGetDatum(relation->kind == RELKIND_PARTITIONED_TABLE));
	AttStatsSlot slot;
	const char **row = palloc0(target->ncolumns * sizeof(char *));

	if (!HeapTupleIsValid(tuple))
		return;
	if (get_attstatsslot(&slot, tuple, STATISTIC_KIND_MCV, InvalidOid,
						 ATTSTATSSLOT_VALUES))
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(slot.valuetype, &output, &is_varlena);
		for (int i = 0; i < slot.nvalues; i++)
		{
			row[0] = OidOutputFunctionCall(output, slot.values[i]);
			if (!take_tenant(row, choice))
				break;
		}
		free_attstatsslot(&slot);
	}
	ReleaseSysCache(tuple);
}

/*
 * What a person's session says, and what is his.
 */
static void
fill_person(const OpsProbePlan *plan, OpsProbeTarget *target,
			OpsProbePerson *person)
{
	ListCell   *lc;

	person->values = palloc0((plan->audit->terms->nsources + 1) * sizeof(char *));
	person->own = list_make1(unconstify(char *, person->row[0]));
	foreach(lc, plan->audit->terms->source_list)
	{
		const OpsSource *source = (const OpsSource *) lfirst(lc);

		if (source->kind == SOURCE_SETTING)
			person->values[source->number] = value_in_row(plan, target,
														  person, source);
	}
	foreach(lc, plan->audit->terms->source_list)
	{
		const OpsSource *source = (const OpsSource *) lfirst(lc);

		if (source->kind == SOURCE_SETTING &&
			person->values[source->number] == NULL)
			person->values[source->number] = value_in_lookup(plan, target,
															 person, source);
	}
	if (!ops_probe_is_bound(plan, target->relation, target->columns[0], NULL))
		add_memberships(plan, target, person);
}

/*
 * What a source says, if the person's row has it: in the column that policies
 * compare with the source, in one that is named like such a column, or else
 * in the only column it can be.
 */
static const char *
value_in_row(const OpsProbePlan *plan, const OpsProbeTarget *target,
			 const OpsProbePerson *person, const OpsSource *source)
{
	const OpsRlsRelation *relation = target->relation;
	const char *alike = NULL;
	ListCell   *lc;

	foreach(lc, plan->bindings)
	{
		const OpsProbeBinding *binding = (const OpsProbeBinding *) lfirst(lc);

		if (binding->source != source)
			continue;
		for (int i = 0; i < target->ncolumns; i++)
		{
			if (binding->relation == relation &&
				binding->column == target->columns[i])
				return person->row[i];
			if (same_column(binding->relation, binding->column,
							relation, target->columns[i]))
				alike = person->row[i];
		}
	}
	if (alike)
		return alike;
	for (int i = 0; i < target->ncolumns; i++)
	{
		bool		is_user = ops_probe_names_user(plan, relation,
												   target->columns[i]);

		if (is_user ? source->is_user && source->trusted :
			i == 0 && (source == plan->only_tenant ||
					   source == target->only_source))
			return person->row[i];
	}
	return NULL;
}

/*
 * What a source says, if a lookup table says it of the person's tenant: some
 * member of the tenant, or the tenant of the user.
 */
static const char *
value_in_lookup(const OpsProbePlan *plan, const OpsProbeTarget *target,
				const OpsProbePerson *person, const OpsSource *source)
{
	ListCell   *lc;

	foreach(lc, plan->bindings)
	{
		const OpsProbeBinding *binding = (const OpsProbeBinding *) lfirst(lc);
		AttrNumber	key;
		List	   *found;

		if (binding->source != source || binding->relation == target->relation)
			continue;
		key = other_key(plan, target, binding);
		if (key == 0)
			continue;
		found = look_up(binding->relation, key, person->row[0],
						binding->column, 1, NULL);
		if (found != NIL)
			return linitial(found);
	}
	return NULL;
}

/*
 * Where no policy compares the column itself with the session, it can be
 * through a lookup table, by which a person can have several tenants.
 */
static void
add_memberships(const OpsProbePlan *plan, OpsProbeTarget *target,
				OpsProbePerson *person)
{
	ListCell   *lc;

	foreach(lc, plan->bindings)
	{
		const OpsProbeBinding *binding = (const OpsProbeBinding *) lfirst(lc);
		const char *value = person->values[binding->source->number];
		AttrNumber	key;
		List	   *found;
		ListCell   *found_cell;

		if (value == NULL || binding->relation == target->relation)
			continue;
		key = other_key(plan, target, binding);
		if (key == 0)
			continue;
		found = look_up(binding->relation, binding->column, value, key,
						MAX_VALUES, target);
		foreach(found_cell, found)
		{
			if (!is_among(lfirst(found_cell), person->own))
				person->own = lappend(person->own, lfirst(found_cell));
		}
	}
}

/*
 * The column of a lookup table that holds the same as the target's first one;
 * 0 if there is none.
 */
static AttrNumber
other_key(const OpsProbePlan *plan, const OpsProbeTarget *target,
		  const OpsProbeBinding *binding)
{
	const OpsRlsRelation *lookup = binding->relation;
	const OpsRlsRelation *relation = target->relation;
	AttrNumber	first = target->columns[0];
	bool		is_user = ops_probe_names_user(plan, relation, first);
	AttrNumber	same = 0;
	ListCell   *lc;

	foreach(lc, plan->audit->tenancy->links)
	{
		const OpsLink *link = (const OpsLink *) lfirst(lc);

		if (link->lookup == lookup && link->relation == relation &&
			link->column == first && link->lookup_column != binding->column)
			return link->lookup_column;
	}
	for (int i = 1; i <= lookup->ncolumns; i++)
	{
		if (i == binding->column)
			continue;
		if (same_column(lookup, i, relation, first))
			return i;
		if (bms_is_member(i, lookup->tenant_keys) &&
			lookup->columns[i - 1].type == relation->columns[first - 1].type &&
			ops_probe_names_user(plan, lookup, i) == is_user)
			same = i;
	}
	return same;
}

static bool
same_column(const OpsRlsRelation *one, AttrNumber column,
			const OpsRlsRelation *other, AttrNumber other_column)
{
	const OpsRlsColumn *a = &one->columns[column - 1];
	const OpsRlsColumn *b = &other->columns[other_column - 1];

	return a->name && b->name && a->type == b->type &&
		strcmp(a->name, b->name) == 0;
}

/*
 * Values of a column in rows where another one has a value.  If not all could
 * be read, a target says so: what is not known to be foreign may be one's own.
 */
static List *
look_up(const OpsRlsRelation *relation, AttrNumber by, const char *value,
		AttrNumber column, int wanted, OpsProbeTarget *target)
{
	AttrNumber	columns[2] = {by, column};
	Lookup		lookup = {
		.value = value,
		.wanted = wanted,
		.context = CurrentMemoryContext,
	};
	OpsProbeReader reader = {
		.relation = relation,
		.ncolumns = 2,
		.columns = columns,
		.take = take_value,
		.arg = &lookup,
		.rows_left = MAX_LOOKUP_ROWS,
	};

	ops_probe_read(&reader);
	if (target && reader.obstacle)
	{
		target->obstacle = reader.obstacle;
		target->locked = reader.locked;
	}
	else if (target && reader.rows_left <= 0)
		target->obstacle = psprintf(_("%s is too large to find out who belongs to which tenant"),
									ops_rls_relation_name(relation));
	return lookup.found;
}

static bool
is_among(const char *value, const List *values)
{
	ListCell   *lc;

	foreach(lc, values)
	{
		if (strcmp(value, (const char *) lfirst(lc)) == 0)
			return true;
	}
	return false;
}
