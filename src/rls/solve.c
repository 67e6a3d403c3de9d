/*-------------------------------------------------------------------------
 *
 * solve.c
 *	  Whether a goal can be true of a row that is somebody else's.
 *
 * The goal is evaluated over sets of truth values.  While the set leaves it
 * open, one variable that it hangs on is tried both ways.  A way that
 * contradicts itself is closed: values said to be equal and to differ, or a
 * foreign row whose key is equal to what names the asker, directly or by way
 * of a row of a lookup that is the asker's own.
 *
 * Leaving things open only ever makes more possible, so "no" is a proof.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "rls/search.h"

/* Nodes and terms to look at before the question is given up. */
#define MAX_WORK	4000000

static bool possible(OpsSearch *search);
static int	pick(OpsSearch *search, OpsGoal *goal);
static int	pick_null(OpsSearch *search, int term);
static bool consistent(OpsSearch *search);
static bool groups_agree(OpsSearch *search);

OpsAnswer
ops_problem_ask(OpsProblem *problem, const OpsQuestion *question)
{
	OpsAnswer	answer = {0};
	OpsSearch	search = {0};

	search.problem = problem;
	search.question = question;
	search.goal = question->goal;
	search.wanted = question->wanted ? question->wanted : TRUTH_T;
	for (int i = 0; i < problem->nvariables; i++)
		problem->variables[i].value = 0;

	answer.possible = possible(&search);
	answer.gave_up = search.gave_up;
	answer.lookups = search.lookups;
	if (search.gave_up)
	{
		answer.possible = true;
		answer.obstacle = "its size";
	}
	else if (answer.possible)
		ops_search_explain(&search, &answer);
	return answer;
}

static bool
possible(OpsSearch *search)
{
	OpsProblem *problem = search->problem;
	OpsTruth	truth;
	int			variable;
	uint8		values;

	CHECK_FOR_INTERRUPTS();
	search->work += problem->nvariables + problem->nterms;
	if (search->work > MAX_WORK)
	{
		search->gave_up = true;
		return true;
	}
	problem->round++;
	truth = ops_search_evaluate(search, search->goal);
	if ((truth & search->wanted) == 0 || !consistent(search))
		return false;
	if (truth == search->wanted)
		return true;
	variable = pick(search, search->goal);
	if (variable < 0)
		return true;

	values = ops_search_domain(search, variable);
	for (uint8 value = 1; value != 0 && value <= values; value <<= 1)
	{
		if ((values & value) == 0)
			continue;
		problem->variables[variable].value = value;
		if (possible(search))
			return true;
	}
	problem->variables[variable].value = 0;
	return false;
}

/*
 * An undecided variable that keeps a goal undecided; -1 if there is none.
 */
static int
pick(OpsSearch *search, OpsGoal *goal)
{
	OpsTruth	truth = ops_search_truth(search, goal);
	Variable   *variables = search->problem->variables;
	int			variable = -1;

	if (goal->kind != FORMULA_WITNESS &&
		(truth & (truth - 1)) == 0)
		return -1;
	switch (goal->kind)
	{
		case FORMULA_RELATE:
			variable = pick_null(search, goal->a);
			if (variable < 0)
				variable = pick_null(search, goal->b);
			if (variable < 0 && goal->a != goal->b &&
				variables[goal->variable].value == 0 &&
				(!ops_search_is_gated(search, &variables[goal->variable])))
				variable = goal->variable;
			return variable;
		case FORMULA_ISNULL:
			return pick_null(search, goal->a);
		case FORMULA_BOOL:
		case FORMULA_CHOICE:
		case FORMULA_FREE:
			if (goal->kind == FORMULA_BOOL)
			{
				variable = pick_null(search, goal->a);
				if (variable >= 0)
					return variable;
			}
			if (variables[goal->variable].value == 0 &&
				!ops_search_is_gated(search, &variables[goal->variable]))
				return goal->variable;
			return -1;
		case FORMULA_WITNESS:
			if (variables[goal->variable].value == 0)
				return goal->variable;
			if (variables[goal->variable].value == TRUTH_F)
				return -1;
			break;
		default:
			break;
	}
	for (int i = 0; i < goal->nargs && variable < 0; i++)
		variable = pick(search, goal->args[i]);
	return variable;
}

static int
pick_null(OpsSearch *search, int term)
{
	OpsProblem *problem = search->problem;
	ProblemTerm *known = &problem->terms[term];
	uint8		null = ops_search_nullness(search, term);
	ListCell   *lc;

	if (known->term->kind != TERM_IDENTITY)
		return (null & (null - 1)) ? known->null_variable : -1;
	foreach(lc, known->identity->sources)
	{
		for (OpsSource *source = lfirst(lc); source; source = source->parent)
		{
			int			variable = problem->source_variables[source->number];
			uint8		values = ops_search_domain(search, variable);

			if (problem->variables[variable].value == 0 &&
				(values & (values - 1)))
				return variable;
		}
	}
	if ((null & (null - 1)) == 0)
		return -1;
	{
		int			variable = ops_problem_state(problem, term);

		return problem->variables[variable].value == 0 ? variable : -1;
	}
}

/*
 * Whether the values that were decided can be so together.
 */
static bool
consistent(OpsSearch *search)
{
	ops_search_group_terms(search);
	return groups_agree(search) && !ops_search_foreign_is_own(search);
}

int
ops_search_group_of(OpsProblem *problem, int term)
{
	while (problem->terms[term].group != term)
		term = problem->terms[term].group;
	return term;
}

/*
 * Terms that were decided to be equal are of one group.
 */
void
ops_search_group_terms(OpsSearch *search)
{
	OpsProblem *problem = search->problem;

	for (int i = 0; i < problem->nterms; i++)
		problem->terms[i].group = i;
	for (int i = 0; i < problem->nvariables; i++)
	{
		Variable   *variable = &problem->variables[i];

		if (variable->kind == VARIABLE_RELATION &&
			variable->value == RELATES_EQ)
			problem->terms[ops_search_group_of(problem, variable->a)].group =
				ops_search_group_of(problem, variable->b);
	}
}

static bool
groups_agree(OpsSearch *search)
{
	OpsProblem *problem = search->problem;

	for (int i = 0; i < problem->nvariables; i++)
	{
		Variable   *variable = &problem->variables[i];

		if (variable->kind == VARIABLE_RELATION && variable->value &&
			variable->value != RELATES_EQ &&
			ops_search_group_of(problem, variable->a) == ops_search_group_of(problem, variable->b))
			return false;
	}
	/* No group has two different constants. */
	for (int i = 0; i < problem->nterms; i++)
		problem->terms[i].has_constant = false;
	for (int i = 0; i < problem->nterms; i++)
	{
		ProblemTerm *group = &problem->terms[ops_search_group_of(problem, i)];

		if (problem->terms[i].term->kind != TERM_CONST ||
			!problem->terms[i].term->known)
			continue;
		if (group->has_constant)
			return false;
		group->has_constant = true;
	}
	return true;
}
