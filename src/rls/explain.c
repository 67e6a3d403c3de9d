/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  What was assumed in the way that was found.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "rls/search.h"

static bool key_is_identity(OpsSearch *search);
static void explain_variable(OpsSearch *search, Variable *variable, OpsAnswer *answer);
static bool says_by_setting(const ProblemTerm *term);
static void explain_equality(OpsSearch *search, const ProblemTerm *a, const ProblemTerm *b, OpsAnswer *answer);
static int	term_row(const OpsProblem *problem, int term);
static bool has_self_comparison(const OpsProblem *problem, OpsGoal *goal);
static bool is_number(Oid type);
static const char *describe(OpsSearch *search, int term);

/*
 * What holds in the way that was found, and of what kind it is.
 */
void
ops_search_explain(OpsSearch *search, OpsAnswer *answer)
{
	OpsProblem *problem = search->problem;
	bool		tied = false;
	bool		loose = false;

	for (int i = 0; i < problem->nvariables; i++)
	{
		Variable   *variable = &problem->variables[i];

		if (variable->value == 0)
			continue;
		if (variable->kind == VARIABLE_WITNESS && variable->value == TRUTH_T)
			loose |= !variable->correlated;
		if (variable->kind == VARIABLE_RELATION &&
			variable->value == RELATES_EQ &&
			term_row(problem, variable->a) != term_row(problem, variable->b) &&
			(term_row(problem, variable->a) == search->question->row ||
			 term_row(problem, variable->b) == search->question->row))
			tied = true;
		explain_variable(search, variable, answer);
	}
	answer->uncorrelated = loose && !tied;
	answer->wrong_identity |= key_is_identity(search);
	answer->self_comparison = has_self_comparison(problem, search->goal);
	answer->always = answer->facts == NIL && !answer->self_comparison;
}

/*
 * Whether a key is equal, by way of others, to what names somebody else.
 */
static bool
key_is_identity(OpsSearch *search)
{
	OpsProblem *problem = search->problem;

	ops_search_group_terms(search);
	for (int i = 0; i < problem->nterms; i++)
	{
		if (!ops_search_is_foreign_key(search, i))
			continue;
		for (int j = 0; j < problem->nterms; j++)
		{
			if (problem->terms[j].term->kind == TERM_IDENTITY &&
				ops_search_group_of(problem, i) == ops_search_group_of(problem, j) &&
				ops_search_trusted(search, problem->terms[j].identity))
				return true;
		}
	}
	return false;
}

static void
explain_variable(OpsSearch *search, Variable *variable, OpsAnswer *answer)
{
	OpsProblem *problem = search->problem;
	const ProblemTerm *a = variable->a >= 0 ? &problem->terms[variable->a] : NULL;
	const ProblemTerm *b = variable->b >= 0 ? &problem->terms[variable->b] : NULL;
	const char *fact = NULL;

	if (variable->obstacle && answer->obstacle == NULL &&
		variable->kind != VARIABLE_WITNESS)
		answer->obstacle = variable->obstacle;

	if (variable->session && a &&
		(says_by_setting(a) || (b && says_by_setting(b))))
		answer->by_setting = true;
	switch (variable->kind)
	{
		case VARIABLE_SOURCE:
			if (variable->value == STATE_VALUE)
				break;
			answer->state = true;
			fact = psprintf(variable->value == STATE_NULL ?
							"%s not set" : "%s is ''", variable->source->name);
			break;
		case VARIABLE_NULL:
			if (variable->value == TRUTH_T)
				fact = psprintf("%s is null", describe(search, variable->a));
			break;
		case VARIABLE_RELATION:
			fact = psprintf("%s %s %s", describe(search, variable->a),
							variable->value == RELATES_EQ ? "=" :
							variable->value == RELATES_LT ? "<" : ">",
							describe(search, variable->b));
			if (variable->value == RELATES_EQ)
			{
				answer->editable |= ops_search_uses_editable(problem, variable->a) ||
					ops_search_uses_editable(problem, variable->b);
				explain_equality(search, a, b, answer);
			}
			break;
		case VARIABLE_TRUTH:
			if (a == NULL)
				break;
			fact = psprintf(variable->value == TRUTH_T ? "%s" : "not %s",
							describe(search, variable->a));
			if (a->term->is_pattern && variable->value == TRUTH_T &&
				ops_term_depends_on_session(a->term))
				answer->pattern = true;
			break;
		default:
			break;
	}
	if (fact)
		answer->facts = lappend(answer->facts, pstrdup(fact));
}

/*
 * Whether a term is a setting by itself; claims are signed by their issuer.
 */
static bool
says_by_setting(const ProblemTerm *term)
{
	ListCell   *lc;

	if (term->identity == NULL)
		return false;
	foreach(lc, term->identity->sources)
	{
		const OpsSource *source = lfirst(lc);

		if (source->kind == SOURCE_SETTING && source->parent == NULL)
			return true;
	}
	return false;
}

/*
 * A column that is equal to something of the session which does not name its
 * owner, or to a constant.
 */
static void
explain_equality(OpsSearch *search, const ProblemTerm *a, const ProblemTerm *b,
				 OpsAnswer *answer)
{
	const ProblemTerm *column = a->term->kind == TERM_COLUMN ? a : b;
	const ProblemTerm *other = column == a ? b : a;
	ListCell   *lc;

	if (column->term->kind != TERM_COLUMN)
		return;
	if (other->term->kind == TERM_CONST &&
		ops_search_is_foreign_key(search, column - search->problem->terms))
		answer->literal = true;
	if (other->term->kind != TERM_IDENTITY)
		return;
	foreach(lc, other->identity->sources)
	{
		const OpsSource *source = lfirst(lc);

		if (source->user_editable)
			answer->editable = true;
		else if (source->kind == SOURCE_ROLE)
			answer->role_identity = true;
		else if (ops_search_is_foreign_key(search, column - search->problem->terms))
			answer->wrong_identity = true;
	}
}

static int
term_row(const OpsProblem *problem, int term)
{
	return problem->terms[term].row;
}

static bool
has_self_comparison(const OpsProblem *problem, OpsGoal *goal)
{
	if (goal->kind == FORMULA_RELATE && goal->a == goal->b &&
		(goal->relates & RELATES_EQ) &&
		problem->terms[goal->a].term->kind == TERM_COLUMN)
		return true;
	for (int i = 0; i < goal->nargs; i++)
	{
		if (has_self_comparison(problem, goal->args[i]))
			return true;
	}
	return false;
}

static bool
is_number(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == BOOLOID;
}

/*
 * A term, for a reader.
 */
static const char *
describe(OpsSearch *search, int term)
{
	OpsProblem *problem = search->problem;
	const ProblemTerm *known = &problem->terms[term];
	StringInfoData text_of;

	switch (known->term->kind)
	{
		case TERM_COLUMN:
			{
				OpsRlsRelation *relation = problem->rows[known->row].relation;
				const char *name;

				if (relation == NULL ||
					known->term->column > relation->ncolumns)
					return "a column of a catalog";
				name = relation->columns[known->term->column - 1].name;
				if (known->row == search->question->row)
					return name ? name : "a dropped column";
				return psprintf("%s.%s", relation->name,
								name ? name : "a dropped column");
			}
		case TERM_IDENTITY:
			return known->identity->key;
		case TERM_CONST:
			if (!known->term->known || is_number(known->term->type))
				return known->term->key;
			return psprintf("'%s'", known->term->key);
		case TERM_APPLY:
			break;
	}
	initStringInfo(&text_of);
	appendStringInfo(&text_of, "%s(", known->term->key);
	for (int i = 0; i < known->term->nargs && i < lengthof(known->args); i++)
		appendStringInfo(&text_of, "%s%s", i > 0 ? ", " : "",
						 describe(search, known->args[i]));
	appendStringInfoChar(&text_of, ')');
	return text_of.data;
}
