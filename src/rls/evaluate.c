/*-------------------------------------------------------------------------
 *
 * evaluate.c
 *	  What a goal can be, as far as its variables are decided.
 *
 * Over sets of truth values, the value "error" among them: a condition that
 * fails lets no row through, but may fail before or after another one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rls/search.h"

static OpsTruth evaluate(OpsSearch *search, OpsGoal *goal);
static OpsTruth evaluate_and(OpsTruth a, OpsTruth b);
static OpsTruth negate(OpsTruth a);
static OpsTruth evaluate_relation(OpsSearch *search, OpsGoal *goal);
static OpsTruth evaluate_variable(OpsSearch *search, OpsGoal *goal);
static OpsTruth evaluate_witness(OpsSearch *search, OpsGoal *goal);
static bool sources_decided(OpsSearch *search, int term);
static uint8 source_states(OpsSearch *search, OpsSource *source);
static uint8 relation_domain(OpsSearch *search, const Variable *variable);
static bool pair_domain(OpsSearch *search, int a, int b, uint8 *relates);

OpsTruth
ops_search_evaluate(OpsSearch *search, OpsGoal *goal)
{
	search->work++;
	goal->truth_now = evaluate(search, goal);
	goal->round = search->problem->round;
	return goal->truth_now;
}

/*
 * What a goal is, with what was found of it in this round if anything was.
 */
OpsTruth
ops_search_truth(OpsSearch *search, OpsGoal *goal)
{
	if (goal->round == search->problem->round)
		return goal->truth_now;
	return ops_search_evaluate(search, goal);
}

static OpsTruth
evaluate(OpsSearch *search, OpsGoal *goal)
{
	OpsTruth	truth;
	OpsTruth	a;

	switch (goal->kind)
	{
		case FORMULA_CONST:
			return goal->truth;
		case FORMULA_AND:
			a = ops_search_evaluate(search, goal->args[0]);
			/* What is surely not true settles whether it can be true. */
			return evaluate_and(a, ops_search_evaluate(search, goal->args[1]));
		case FORMULA_OR:
			a = negate(ops_search_evaluate(search, goal->args[0]));
			return negate(evaluate_and(a, negate(ops_search_evaluate(search, goal->args[1]))));
		case FORMULA_NOT:
			return negate(ops_search_evaluate(search, goal->args[0]));
		case FORMULA_IF:
			a = ops_search_evaluate(search, goal->args[0]);
			truth = a & TRUTH_E;
			if (a & TRUTH_T)
				truth |= ops_search_evaluate(search, goal->args[1]);
			if (a & (TRUTH_F | TRUTH_N))
				truth |= ops_search_evaluate(search, goal->args[2]);
			return truth;
		case FORMULA_TEST:
			a = ops_search_evaluate(search, goal->args[0]);
			truth = a & TRUTH_E;
			if (a & goal->truth)
				truth |= TRUTH_T;
			if (a & ~goal->truth & (TRUTH_T | TRUTH_F | TRUTH_N))
				truth |= TRUTH_F;
			return truth;
		case FORMULA_RELATE:
			return evaluate_relation(search, goal);
		case FORMULA_ISNULL:
			{
				uint8		null = ops_search_nullness(search, goal->a);

				return ((null & NULLNESS_NULL) ? TRUTH_T : 0) |
					((null & NULLNESS_NOT) ? TRUTH_F : 0) |
					((null & NULLNESS_ERROR) ? TRUTH_E : 0);
			}
		case FORMULA_BOOL:
		case FORMULA_CHOICE:
		case FORMULA_FREE:
			return evaluate_variable(search, goal);
		case FORMULA_WITNESS:
			return evaluate_witness(search, goal);
		default:
			return TRUTH_T | TRUTH_F | TRUTH_N;
	}
}

/*
 * AND over sets.  An error may or may not be hit, since the other side may
 * be evaluated first.
 */
static OpsTruth
evaluate_and(OpsTruth a, OpsTruth b)
{
	OpsTruth	truth = 0;

	if (a == 0 || b == 0)
		return 0;
	if ((a & TRUTH_T) && (b & TRUTH_T))
		truth |= TRUTH_T;
	if ((a | b) & TRUTH_F)
		truth |= TRUTH_F;
	if (((a & TRUTH_N) && (b & (TRUTH_T | TRUTH_N))) ||
		((b & TRUTH_N) && (a & (TRUTH_T | TRUTH_N))))
		truth |= TRUTH_N;
	return truth | ((a | b) & TRUTH_E);
}

static OpsTruth
negate(OpsTruth a)
{
	return (a & (TRUTH_N | TRUTH_E)) | ((a & TRUTH_T) ? TRUTH_F : 0) |
		((a & TRUTH_F) ? TRUTH_T : 0);
}

static OpsTruth
evaluate_relation(OpsSearch *search, OpsGoal *goal)
{
	uint8		a = ops_search_nullness(search, goal->a);
	uint8		b = ops_search_nullness(search, goal->b);
	OpsTruth	truth = 0;

	if ((a | b) & NULLNESS_ERROR)
		truth |= TRUTH_E;
	if ((a | b) & NULLNESS_NULL)
		truth |= TRUTH_N;
	if ((a & NULLNESS_NOT) && (b & NULLNESS_NOT))
	{
		uint8		relates = RELATES_EQ;

		if (goal->a != goal->b)
		{
			Variable   *variable = &search->problem->variables[goal->variable];

			relates = variable->value ? variable->value :
				relation_domain(search, variable);
			/* What is decided anyway, or will be, needs nobody's say. */
			if ((relates & goal->relates) && (relates & ~goal->relates) &&
				ops_search_is_gated(search, variable) &&
				sources_decided(search, goal->a) &&
				sources_decided(search, goal->b))
				return truth | TRUTH_E;
		}
		if (relates & goal->relates)
			truth |= TRUTH_T;
		if (relates & ~goal->relates & RELATES_ANY)
			truth |= TRUTH_F;
	}
	return truth;
}

static OpsTruth
evaluate_variable(OpsSearch *search, OpsGoal *goal)
{
	Variable   *variable = &search->problem->variables[goal->variable];
	OpsTruth	truth = 0;
	uint8		null = NULLNESS_NOT;

	if (goal->kind == FORMULA_BOOL)
		null = ops_search_nullness(search, goal->a);
	if (null & NULLNESS_ERROR)
		truth |= TRUTH_E;
	if (null & NULLNESS_NULL)
		truth |= TRUTH_N;
	if (null & NULLNESS_NOT)
	{
		if (ops_search_is_gated(search, variable))
			return truth | TRUTH_E;
		if (variable->value)
			truth |= variable->value;
		else
			truth |= goal->kind == FORMULA_FREE ?
				(TRUTH_T | TRUTH_F | TRUTH_N) : (TRUTH_T | TRUTH_F);
	}
	return truth;
}

/*
 * A witness is found by making its body true; while it is not, EXISTS is
 * false, and IN false or null.
 */
static OpsTruth
evaluate_witness(OpsSearch *search, OpsGoal *goal)
{
	Variable   *variable = &search->problem->variables[goal->variable];
	OpsTruth	missing = TRUTH_F | (goal->null_possible ? TRUTH_N : 0);
	OpsTruth	body;

	if (variable->value == TRUTH_F)
		return missing;
	body = ops_search_evaluate(search, goal->args[0]);
	if (variable->value == TRUTH_T)
		return body;
	return missing | (body & (TRUTH_T | TRUTH_E));
}

/*
 * What else the session says, and what nobody can look into, count only when
 * the question allows for it.
 */
bool
ops_search_is_gated(OpsSearch *search, const Variable *variable)
{
	return (variable->obstacle && !search->question->with_opaque) ||
		(variable->session && !search->question->with_session);
}

/*
 * Whether it is known which sources of an identity have a value.
 */
static bool
sources_decided(OpsSearch *search, int term)
{
	const ProblemTerm *known = &search->problem->terms[term];
	ListCell   *lc;

	if (known->identity == NULL)
		return true;
	foreach(lc, known->identity->sources)
	{
		uint8		states = source_states(search, lfirst(lc));

		if (states & (states - 1))
			return false;
	}
	return true;
}

uint8
ops_search_nullness(OpsSearch *search, int term)
{
	const ProblemTerm *known = &search->problem->terms[term];

	if (known->term->kind == TERM_IDENTITY)
	{
		uint8		states = ops_search_identity_states(search, term);

		return ((states & (STATE_VALUE | STATE_EMPTY)) ? NULLNESS_NOT : 0) |
			((states & STATE_NULL) ? NULLNESS_NULL : 0) |
			((states & STATE_ERROR) ? NULLNESS_ERROR : 0);
	}
	if (known->term->kind == TERM_CONST && known->term->isnull)
		return NULLNESS_NULL;
	if (search->question->owner == OWNER_FOREIGN &&
		ops_search_is_foreign_key(search, term))
		return NULLNESS_NOT;
	if (known->null_variable < 0)
		return NULLNESS_NOT;
	switch (search->problem->variables[known->null_variable].value)
	{
		case TRUTH_T:
			return NULLNESS_NULL;
		case TRUTH_F:
			return NULLNESS_NOT;
		default:
			return NULLNESS_NULL | NULLNESS_NOT;
	}
}

uint8
ops_search_identity_states(OpsSearch *search, int term)
{
	OpsProblem *problem = search->problem;
	const ProblemTerm *known = &problem->terms[term];
	uint8		states = 0;
	uint8		all = STATE_VALUE;
	ListCell   *lc;

	if (known->state_variable >= 0 &&
		problem->variables[known->state_variable].value)
		return problem->variables[known->state_variable].value;

	/* It has a value if every source can; missing if one can be. */
	foreach(lc, known->identity->sources)
	{
		uint8		source = source_states(search, lfirst(lc));

		if ((source & STATE_VALUE) == 0)
			all = 0;
		if (source & STATE_NULL)
			states |= known->identity->when_unset;
		if (source & STATE_EMPTY)
			states |= known->identity->when_empty;
	}
	return states | all;
}

static uint8
source_states(OpsSearch *search, OpsSource *source)
{
	OpsProblem *problem = search->problem;
	int			number = problem->source_variables[source->number];
	uint8		states;

	if (search->question->identified || source->kind == SOURCE_ROLE)
		return STATE_VALUE;
	states = problem->variables[number].value;
	if (states == 0)
		states = ops_search_domain(search, number);
	if (source->parent)
	{
		uint8		parent = source_states(search, source->parent);

		if ((parent & STATE_VALUE) == 0)
			return STATE_NULL;
		if (parent != STATE_VALUE)
			states |= STATE_NULL;
	}
	return states;
}

/*
 * Values that a variable can take.
 */
uint8
ops_search_domain(OpsSearch *search, int variable)
{
	const Variable *known = &search->problem->variables[variable];

	switch (known->kind)
	{
		case VARIABLE_SOURCE:
			if (search->question->identified ||
				known->source->kind == SOURCE_ROLE)
				return STATE_VALUE;
			if (known->source->kind == SOURCE_FUNCTION)
				return STATE_VALUE | STATE_NULL;
			return STATE_VALUE | STATE_NULL | STATE_EMPTY;
		case VARIABLE_STATE:
			return ops_search_identity_states(search, known->a);
		case VARIABLE_RELATION:
			return relation_domain(search, known);
		case VARIABLE_FREE:
			return TRUTH_T | TRUTH_F | TRUTH_N;
		default:
			return TRUTH_T | TRUTH_F;
	}
}

static uint8
relation_domain(OpsSearch *search, const Variable *variable)
{
	uint8		relates = RELATES_ANY;

	if (!pair_domain(search, variable->a, variable->b, &relates))
		(void) pair_domain(search, variable->b, variable->a, &relates);
	return relates;
}

/*
 * What is known of two terms, seen from the first one.
 */
static bool
pair_domain(OpsSearch *search, int a, int b, uint8 *relates)
{
	const ProblemTerm *left = &search->problem->terms[a];
	const ProblemTerm *right = &search->problem->terms[b];

	if (left->term->kind == TERM_IDENTITY &&
		right->term->kind == TERM_CONST && right->term->known)
	{
		uint8		states = ops_search_identity_states(search, a);
		OpsSource  *source = left->identity->sources == NIL ? NULL :
		linitial(left->identity->sources);
		const char *names = search->problem->role->names;

		if (source && source->kind == SOURCE_ROLE &&
			strcmp(left->identity->key, "current_user") == 0 &&
			strcmp(names, search->problem->role->name) == 0)
		{
			*relates = strcmp(right->term->key, names) == 0 ?
				RELATES_EQ : RELATES_NE;
			return true;
		}
		if (right->term->key[0] == '\0' && (states & STATE_EMPTY) == 0)
			*relates = RELATES_NE;
		else if (states == STATE_EMPTY)
			*relates = right->term->key[0] == '\0' ? RELATES_EQ : RELATES_NE;
		return true;
	}
	if (ops_search_is_foreign_key(search, a) &&
		((right->term->kind == TERM_IDENTITY && ops_search_binds(search, a, b)) ||
		 ops_search_is_nobodys(right->term)))
	{
		*relates = RELATES_NE;
		return true;
	}
	return false;
}
