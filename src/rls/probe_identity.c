/*-------------------------------------------------------------------------
 *
 * probe_identity.c
 *	  Making a session say that it is somebody.
 *
 * Which settings and claims to set is what policies ask for: a column that
 * has to equal what a source says shows what kind of value the source takes.
 * A source that policies compare with a constant is given that constant, so
 * that conditions next to the tenant's are met as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "rls/probe.h"
#include "utils/guc.h"
#include "utils/json.h"

static void add_binding(OpsProbePlan *plan, const OpsBinding *compared,
						OpsSource *source);
static void find_constants(OpsProbePlan *plan, const OpsFormula *formula);
static void note_constant(OpsProbePlan *plan, const OpsTerm *constant,
						  const OpsTerm *identity);
static bool find_sources(List **sources, const OpsFormula *formula);
static void find_sources_of_term(List **sources, const OpsTerm *term);
static void find_roots(OpsProbePlan *plan);
static bool is_used(const OpsProbePlan *plan, const OpsSource *source);
static const char *said(const OpsProbePlan *plan, const OpsProbePerson *person,
						const OpsSource *source);
static bool append_claims(StringInfo out, const OpsProbePlan *plan,
						  const OpsProbePerson *person,
						  const OpsSource *parent);
static const char *member_name(const OpsSource *source);

/*
 * Fill in all but the audit and the tenants.
 */
void
ops_probe_plan(OpsProbePlan *plan)
{
	OpsRlsAudit *audit = plan->audit;
	ListCell   *lc;

	plan->constants = palloc0((audit->terms->nsources + 1) * sizeof(char *));
	foreach(lc, audit->tenancy->bindings)
	{
		const OpsBinding *compared = (const OpsBinding *) lfirst(lc);
		ListCell   *source_cell;

		foreach(source_cell, compared->identity->sources)
			add_binding(plan, compared, (OpsSource *) lfirst(source_cell));
	}
	foreach(lc, audit->ordered)
	{
		const OpsRlsRelation *relation = (const OpsRlsRelation *) lfirst(lc);
		ListCell   *policy_cell;

		CHECK_FOR_INTERRUPTS();
		foreach(policy_cell, relation->policies)
		{
			const OpsRlsPolicy *policy = (const OpsRlsPolicy *) lfirst(policy_cell);

			find_constants(plan, policy->qual);
			find_constants(plan, policy->check);
		}
	}
	find_roots(plan);
}

static void
add_binding(OpsProbePlan *plan, const OpsBinding *compared, OpsSource *source)
{
	OpsProbeBinding *binding;

	if (ops_probe_is_bound(plan, compared->relation, compared->column, source))
		return;
	binding = palloc(sizeof(OpsProbeBinding));
	binding->relation = compared->relation;
	binding->column = compared->column;
	binding->source = source;
	plan->bindings = lappend(plan->bindings, binding);
}

static void
find_constants(OpsProbePlan *plan, const OpsFormula *formula)
{
	if (formula == NULL)
		return;
	check_stack_depth();
	if (formula->kind == FORMULA_RELATE && formula->relates == RELATES_EQ)
	{
		note_constant(plan, formula->left, formula->right);
		note_constant(plan, formula->right, formula->left);
	}
	for (int i = 0; i < formula->nargs; i++)
		find_constants(plan, formula->args[i]);
}

static void
note_constant(OpsProbePlan *plan, const OpsTerm *constant,
			  const OpsTerm *identity)
{
	const OpsSource *source;

	/* To compare with '' is to ask whether there is an identity. */
	if (constant->kind != TERM_CONST || !constant->known || constant->isnull ||
		constant->key[0] == '\0' || identity->kind != TERM_IDENTITY ||
		list_length(identity->identity->sources) != 1)
		return;
	source = linitial(identity->identity->sources);
	if (plan->constants[source->number] == NULL)
		plan->constants[source->number] = constant->key;
}

/*
 * Whether a column is compared with a source, or with any for NULL.
 */
bool
ops_probe_is_bound(const OpsProbePlan *plan, const OpsRlsRelation *relation,
				   AttrNumber column, const OpsSource *source)
{
	ListCell   *lc;

	foreach(lc, plan->bindings)
	{
		const OpsProbeBinding *binding = (const OpsProbeBinding *) lfirst(lc);

		if (binding->relation == relation && binding->column == column &&
			(source == NULL || binding->source == source))
			return true;
	}
	return false;
}

/*
 * Whether a column names a user rather than a tenant.  Where no policy says
 * so of this one, columns of the same name and type do.
 */
bool
ops_probe_names_user(const OpsProbePlan *plan, const OpsRlsRelation *relation,
					 AttrNumber column)
{
	const OpsRlsColumn *asked = &relation->columns[column - 1];
	bool		is_alike = false;
	ListCell   *lc;

	foreach(lc, plan->bindings)
	{
		const OpsProbeBinding *binding = (const OpsProbeBinding *) lfirst(lc);
		const OpsRlsColumn *bound = &binding->relation->columns[binding->column - 1];

		if (binding->relation == relation && binding->column == column)
			return binding->source->is_user;
		if (binding->source->is_user && bound->type == asked->type &&
			strcmp(bound->name, asked->name) == 0)
			is_alike = true;
	}
	return is_alike;
}

/*
 * The only setting or claim that the policies of a relation ask for, or NULL.
 * None that leads to a lookup: what it says is what the lookup asks.
 */
OpsSource *
ops_probe_only_source(const OpsRlsRelation *relation)
{
	List	   *sources = NIL;
	ListCell   *lc;

	foreach(lc, relation->policies)
	{
		const OpsRlsPolicy *policy = (const OpsRlsPolicy *) lfirst(lc);

		if (!find_sources(&sources, policy->qual))
			return NULL;
	}
	return list_length(sources) == 1 ? linitial(sources) : NULL;
}

/*
 * False if there is a lookup.
 */
static bool
find_sources(List **sources, const OpsFormula *formula)
{
	if (formula == NULL)
		return true;
	check_stack_depth();
	if (formula->kind == FORMULA_WITNESS || formula->kind == FORMULA_VISIBLE)
		return false;
	find_sources_of_term(sources, formula->left);
	find_sources_of_term(sources, formula->right);
	for (int i = 0; i < formula->nargs; i++)
	{
		if (!find_sources(sources, formula->args[i]))
			return false;
	}
	return true;
}

static void
find_sources_of_term(List **sources, const OpsTerm *term)
{
	ListCell   *lc;

	if (term == NULL)
		return;
	check_stack_depth();
	if (term->kind == TERM_IDENTITY)
	{
		foreach(lc, term->identity->sources)
		{
			OpsSource  *source = (OpsSource *) lfirst(lc);

			if (source->kind == SOURCE_SETTING)
				*sources = list_append_unique_ptr(*sources, source);
		}
	}
	for (int i = 0; i < term->nargs; i++)
		find_sources_of_term(sources, term->args[i]);
}

/*
 * The settings to set, and whether all of them can still be unset: once set
 * in a session, a setting of one's own is never null again.
 */
static void
find_roots(OpsProbePlan *plan)
{
	int			ntenant_sources = 0;
	ListCell   *lc;

	foreach(lc, plan->audit->terms->source_list)
	{
		OpsSource  *source = (OpsSource *) lfirst(lc);
		OpsSource  *root = source;

		if (source->kind != SOURCE_SETTING || !is_used(plan, source))
			continue;
		if (!source->is_user && source->trusted)
		{
			ntenant_sources++;
			plan->only_tenant = ntenant_sources == 1 ? source : NULL;
		}
		while (root->parent)
			root = root->parent;

		/* The server's own settings are not for a probe to change. */
		if (strchr(root->name, '.') == NULL)
			continue;
		plan->roots = list_append_unique_ptr(plan->roots, root);
	}
	foreach(lc, plan->roots)
	{
		const OpsSource *root = (const OpsSource *) lfirst(lc);

		if (GetConfigOptionByName(root->name, NULL, true) != NULL)
			plan->unset_obstacle = root->name;
	}
}

/*
 * Whether a source tells tenants apart, or policies compare it with anything.
 */
static bool
is_used(const OpsProbePlan *plan, const OpsSource *source)
{
	ListCell   *lc;

	if (source->trusted || plan->constants[source->number])
		return true;
	foreach(lc, plan->bindings)
	{
		const OpsProbeBinding *binding = (const OpsProbeBinding *) lfirst(lc);

		if (binding->source == source)
			return true;
	}
	return false;
}

/*
 * Set the settings to what the person's session says; for NULL to nothing.
 */
void
ops_probe_become(const OpsProbePlan *plan, const OpsProbePerson *person)
{
	ListCell   *lc;

	foreach(lc, plan->roots)
	{
		const OpsSource *root = (const OpsSource *) lfirst(lc);
		const char *value = person ? said(plan, person, root) : "";
		StringInfoData claims;

		initStringInfo(&claims);
		if (person && append_claims(&claims, plan, person, root))
			value = claims.data;
		ops_probe_set(root->name, value ? value : "");
	}
}

/*
 * What a source says.  In claims that users edit themselves the person says
 * to be the other one.
 */
static const char *
said(const OpsProbePlan *plan, const OpsProbePerson *person,
	 const OpsSource *source)
{
	if (source->user_editable && person->other)
		person = person->other;
	if (person->values[source->number])
		return person->values[source->number];
	return plan->constants[source->number];
}

/*
 * Append the claims below a source as a JSON object; false if there are none.
 */
static bool
append_claims(StringInfo out, const OpsProbePlan *plan,
			  const OpsProbePerson *person, const OpsSource *parent)
{
	bool		any = false;
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, plan->audit->terms->source_list)
	{
		const OpsSource *source = (const OpsSource *) lfirst(lc);
		const char *value = said(plan, person, source);
		StringInfoData claims;

		if (source->parent != parent)
			continue;
		initStringInfo(&claims);
		if (append_claims(&claims, plan, person, source))
			value = claims.data;
		else if (value)
		{
			escape_json(&claims, value);
			value = claims.data;
		}
		else
			continue;

		appendStringInfoString(out, any ? ", " : "{");
		escape_json(out, member_name(source));
		appendStringInfo(out, ": %s", value);
		any = true;
	}
	if (any)
		appendStringInfoChar(out, '}');
	return any;
}

/*
 * A claim's own name: what stands after that of the document it is in.
 */
static const char *
member_name(const OpsSource *source)
{
	size_t		length = strlen(source->parent->name);

	if (strncmp(source->name, source->parent->name, length) == 0 &&
		source->name[length] == '.')
		return source->name + length + 1;
	return source->name;
}
