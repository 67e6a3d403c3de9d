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
#include "rls/problem.h"

/* Ways to try before the question is given up. */
#define MAX_STEPS	20000

#define NULLNESS_NOT	0x1
#define NULLNESS_NULL	0x2
#define NULLNESS_ERROR	0x4

typedef struct Search
{
	OpsProblem *problem;
	const OpsQuestion *question;
	OpsGoal    *goal;
	OpsTruth	wanted;
	int			steps;
	bool		gave_up;
	List	   *lookups;
} Search;

static bool possible(Search *search);
static OpsTruth evaluate(Search *search, OpsGoal *goal);
static OpsTruth evaluate_and(OpsTruth a, OpsTruth b);
static OpsTruth negate(OpsTruth a);
static OpsTruth evaluate_relation(Search *search, OpsGoal *goal);
static OpsTruth evaluate_variable(Search *search, OpsGoal *goal);
static OpsTruth evaluate_witness(Search *search, OpsGoal *goal);
static bool sources_decided(Search *search, int term);
static uint8 nullness(Search *search, int term);
static uint8 identity_states(Search *search, int term);
static uint8 source_states(Search *search, OpsSource *source);
static bool is_gated(Search *search, const Variable *variable);
static uint8 relation_domain(Search *search, const Variable *variable);
static bool pair_domain(Search *search, int a, int b, uint8 *domain);
static uint8 domain(Search *search, int variable);
static int	pick(Search *search, OpsGoal *goal);
static int	pick_null(Search *search, int term);
static bool is_foreign_key(const Search *search, int term);
static bool is_nobodys(const OpsTerm *term);
static bool binds(const Search *search, int key, int identity);
static bool consistent(Search *search);
static int	group_of(OpsProblem *problem, int term);
static void group_terms(Search *search);
static bool groups_agree(Search *search);
static bool names_owner(const OpsProblem *problem, int term);
static int	term_of_row(const OpsProblem *problem, int term);
static bool is_editable(const OpsProblem *problem,
						const ProblemTerm *column);
static bool uses_editable(const OpsProblem *problem, int term);
static void find_own_rows(Search *search, List **chain);
static bool foreign_is_own(Search *search);
static List *add_lookup(Search *search, List *lookups, int term);
static bool trusted(const Search *search, const OpsIdentity *identity);
static void explain(Search *search, OpsAnswer *answer);
static bool key_is_identity(Search *search);
static void explain_variable(Search *search, Variable *variable,
							 OpsAnswer *answer);
static void explain_equality(Search *search, const ProblemTerm *a,
							 const ProblemTerm *b, OpsAnswer *answer);
static int	term_row(const OpsProblem *problem, int term);
static bool has_self_comparison(const OpsProblem *problem, OpsGoal *goal);
static const char *describe(Search *search, int term);

OpsAnswer
ops_problem_ask(OpsProblem *problem, const OpsQuestion *question)
{
	OpsAnswer	answer = {0};
	Search		search = {0};

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
		explain(&search, &answer);
	return answer;
}

static bool
possible(Search *search)
{
	OpsProblem *problem = search->problem;
	OpsTruth	truth;
	int			variable;
	uint8		values;

	CHECK_FOR_INTERRUPTS();
	if (++search->steps > MAX_STEPS)
	{
		search->gave_up = true;
		return true;
	}
	truth = evaluate(search, search->goal);
	if ((truth & search->wanted) == 0 || !consistent(search))
		return false;
	if (truth == search->wanted)
		return true;
	variable = pick(search, search->goal);
	if (variable < 0)
		return true;

	values = domain(search, variable);
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

static OpsTruth
evaluate(Search *search, OpsGoal *goal)
{
	OpsTruth	truth;
	OpsTruth	a;

	switch (goal->kind)
	{
		case FORMULA_CONST:
			return goal->truth;
		case FORMULA_AND:
			a = evaluate(search, goal->args[0]);
			/* What is surely not true settles whether it can be true. */
			return evaluate_and(a, evaluate(search, goal->args[1]));
		case FORMULA_OR:
			a = negate(evaluate(search, goal->args[0]));
			return negate(evaluate_and(a, negate(evaluate(search, goal->args[1]))));
		case FORMULA_NOT:
			return negate(evaluate(search, goal->args[0]));
		case FORMULA_IF:
			a = evaluate(search, goal->args[0]);
			truth = a & TRUTH_E;
			if (a & TRUTH_T)
				truth |= evaluate(search, goal->args[1]);
			if (a & (TRUTH_F | TRUTH_N))
				truth |= evaluate(search, goal->args[2]);
			return truth;
		case FORMULA_TEST:
			a = evaluate(search, goal->args[0]);
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
				uint8		null = nullness(search, goal->a);

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
evaluate_relation(Search *search, OpsGoal *goal)
{
	uint8		a = nullness(search, goal->a);
	uint8		b = nullness(search, goal->b);
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
				is_gated(search, variable) &&
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
evaluate_variable(Search *search, OpsGoal *goal)
{
	Variable   *variable = &search->problem->variables[goal->variable];
	OpsTruth	truth = 0;
	uint8		null = NULLNESS_NOT;

	if (goal->kind == FORMULA_BOOL)
		null = nullness(search, goal->a);
	if (null & NULLNESS_ERROR)
		truth |= TRUTH_E;
	if (null & NULLNESS_NULL)
		truth |= TRUTH_N;
	if (null & NULLNESS_NOT)
	{
		if (is_gated(search, variable))
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
evaluate_witness(Search *search, OpsGoal *goal)
{
	Variable   *variable = &search->problem->variables[goal->variable];
	OpsTruth	missing = TRUTH_F | (goal->null_possible ? TRUTH_N : 0);
	OpsTruth	body;

	if (variable->value == TRUTH_F)
		return missing;
	body = evaluate(search, goal->args[0]);
	if (variable->value == TRUTH_T)
		return body;
	return missing | (body & (TRUTH_T | TRUTH_E));
}

/*
 * What else the session says, and what nobody can look into, count only when
 * the question allows for it.
 */
static bool
is_gated(Search *search, const Variable *variable)
{
	return (variable->obstacle && !search->question->with_opaque) ||
		(variable->session && !search->question->with_session);
}

/*
 * Whether it is known which sources of an identity have a value.
 */
static bool
sources_decided(Search *search, int term)
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

static uint8
nullness(Search *search, int term)
{
	const ProblemTerm *known = &search->problem->terms[term];

	if (known->term->kind == TERM_IDENTITY)
	{
		uint8		states = identity_states(search, term);

		return ((states & (STATE_VALUE | STATE_EMPTY)) ? NULLNESS_NOT : 0) |
			((states & STATE_NULL) ? NULLNESS_NULL : 0) |
			((states & STATE_ERROR) ? NULLNESS_ERROR : 0);
	}
	if (known->term->kind == TERM_CONST && known->term->isnull)
		return NULLNESS_NULL;
	if (search->question->owner == OWNER_FOREIGN &&
		is_foreign_key(search, term))
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

static uint8
identity_states(Search *search, int term)
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
source_states(Search *search, OpsSource *source)
{
	OpsProblem *problem = search->problem;
	int			number = problem->source_variables[source->number];
	uint8		states;

	if (search->question->identified || source->kind == SOURCE_ROLE)
		return STATE_VALUE;
	states = problem->variables[number].value;
	if (states == 0)
		states = domain(search, number);
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
static uint8
domain(Search *search, int variable)
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
			return identity_states(search, known->a);
		case VARIABLE_RELATION:
			return relation_domain(search, known);
		case VARIABLE_FREE:
			return TRUTH_T | TRUTH_F | TRUTH_N;
		default:
			return TRUTH_T | TRUTH_F;
	}
}

static uint8
relation_domain(Search *search, const Variable *variable)
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
pair_domain(Search *search, int a, int b, uint8 *relates)
{
	const ProblemTerm *left = &search->problem->terms[a];
	const ProblemTerm *right = &search->problem->terms[b];

	if (left->term->kind == TERM_IDENTITY &&
		right->term->kind == TERM_CONST && right->term->known)
	{
		uint8		states = identity_states(search, a);
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
	if (is_foreign_key(search, a) &&
		((right->term->kind == TERM_IDENTITY && binds(search, a, b)) ||
		 is_nobodys(right->term)))
	{
		*relates = RELATES_NE;
		return true;
	}
	return false;
}

static bool
is_foreign_key(const Search *search, int term)
{
	const ProblemTerm *known = &search->problem->terms[term];

	return search->question->owner != OWNER_ANY &&
		known->term->kind == TERM_COLUMN &&
		known->row == search->question->row &&
		bms_is_member(known->term->column, search->question->keys);
}

/*
 * Constants that stand for "no tenant" in place of a null.
 */
static bool
is_nobodys(const OpsTerm *term)
{
	return term->kind == TERM_CONST && term->known &&
		(term->key[0] == '\0' || strcmp(term->key, "0") == 0 ||
		 strcmp(term->key, "-1") == 0 ||
		 strcmp(term->key, "00000000-0000-0000-0000-000000000000") == 0);
}

/*
 * An identity that can be trusted to name whoever runs the statement; a filter
 * that a view or function has of its own is taken at its word.
 */
static bool
trusted(const Search *search, const OpsIdentity *identity)
{
	bool		any = false;
	ListCell   *lc;

	if (identity->obstacle)
		return false;
	foreach(lc, identity->sources)
	{
		const OpsSource *source = lfirst(lc);

		if (source->user_editable)
			return false;
		any |= source->trusted || search->question->any_identity;
	}
	return any;
}

/*
 * Whether a key that is equal to an identity is the asker's: a tenant's name
 * in a tenant's column, a user's in a user's.
 */
static bool
binds(const Search *search, int key, int identity)
{
	const ProblemTerm *column = &search->problem->terms[key];
	const ProblemTerm *known = &search->problem->terms[identity];
	OpsRlsRelation *relation = search->problem->rows[column->row].relation;
	bool		names_user;
	ListCell   *lc;

	if (!trusted(search, known->identity))
		return false;
	if (search->question->any_identity)
		return true;
	names_user = bms_is_member(column->term->column, relation->user_keys);
	foreach(lc, known->identity->sources)
	{
		const OpsSource *source = lfirst(lc);

		if (source->kind == SOURCE_ROLE || source->is_user == names_user)
			return true;
	}
	return false;
}

/*
 * An undecided variable that keeps a goal undecided; -1 if there is none.
 */
static int
pick(Search *search, OpsGoal *goal)
{
	OpsTruth	truth = evaluate(search, goal);
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
				(!is_gated(search, &variables[goal->variable])))
				variable = goal->variable;
			return variable;
		case FORMULA_ISNULL:
			return pick_null(search, goal->a);
		case FORMULA_BOOL:
			variable = pick_null(search, goal->a);
			if (variable >= 0)
				return variable;
			/* fall through */
		case FORMULA_CHOICE:
		case FORMULA_FREE:
			if (variables[goal->variable].value == 0 &&
				!is_gated(search, &variables[goal->variable]))
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
pick_null(Search *search, int term)
{
	OpsProblem *problem = search->problem;
	ProblemTerm *known = &problem->terms[term];
	uint8		null = nullness(search, term);
	ListCell   *lc;

	if (known->term->kind != TERM_IDENTITY)
		return (null & (null - 1)) ? known->null_variable : -1;
	foreach(lc, known->identity->sources)
	{
		for (OpsSource *source = lfirst(lc); source; source = source->parent)
		{
			int			variable = problem->source_variables[source->number];
			uint8		values = domain(search, variable);

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
consistent(Search *search)
{
	group_terms(search);
	return groups_agree(search) && !foreign_is_own(search);
}

static int
group_of(OpsProblem *problem, int term)
{
	while (problem->terms[term].group != term)
		term = problem->terms[term].group;
	return term;
}

/*
 * Terms that were decided to be equal are of one group.
 */
static void
group_terms(Search *search)
{
	OpsProblem *problem = search->problem;

	for (int i = 0; i < problem->nterms; i++)
		problem->terms[i].group = i;
	for (int i = 0; i < problem->nvariables; i++)
	{
		Variable   *variable = &problem->variables[i];

		if (variable->kind == VARIABLE_RELATION &&
			variable->value == RELATES_EQ)
			problem->terms[group_of(problem, variable->a)].group =
				group_of(problem, variable->b);
	}
}

static bool
groups_agree(Search *search)
{
	OpsProblem *problem = search->problem;

	for (int i = 0; i < problem->nvariables; i++)
	{
		Variable   *variable = &problem->variables[i];

		if (variable->kind == VARIABLE_RELATION && variable->value &&
			variable->value != RELATES_EQ &&
			group_of(problem, variable->a) == group_of(problem, variable->b))
			return false;
	}
	for (int i = 0; i < problem->nterms; i++)
	{
		if (problem->terms[i].term->kind != TERM_CONST ||
			!problem->terms[i].term->known)
			continue;
		for (int j = 0; j < i; j++)
		{
			if (problem->terms[j].term->kind == TERM_CONST &&
				problem->terms[j].term->known &&
				group_of(problem, i) == group_of(problem, j))
				return false;
		}
	}
	return true;
}

/*
 * A contradiction: the key of the foreign row is what names the asker, or
 * stands in a row that is the asker's own.
 */
static bool
foreign_is_own(Search *search)
{
	OpsProblem *problem = search->problem;
	List	   *chain = NIL;
	bool		have_rows = false;

	if (search->question->owner == OWNER_ANY)
		return false;
	for (int i = 0; i < problem->nterms; i++)
	{
		if (!is_foreign_key(search, i))
			continue;
		for (int j = 0; j < problem->nterms; j++)
		{
			if (i == j || group_of(problem, i) != group_of(problem, j))
				continue;
			if (is_nobodys(problem->terms[j].term))
				return true;
			if (problem->terms[j].term->kind == TERM_IDENTITY &&
				binds(search, i, j))
				return true;
			have_rows |= term_of_row(problem, j) > 0 &&
				term_of_row(problem, j) != search->question->row;
		}
	}
	if (!have_rows)
		return false;

	find_own_rows(search, &chain);
	for (int i = 0; i < problem->nterms; i++)
	{
		if (!is_foreign_key(search, i))
			continue;
		for (int j = 0; j < problem->nterms; j++)
		{
			int			row = term_of_row(problem, j);

			if (row == 0 || row == search->question->row ||
				!problem->rows[row].mine || names_owner(problem, j) ||
				group_of(problem, i) != group_of(problem, j))
				continue;
			search->lookups = list_concat_unique_ptr(search->lookups, chain);
			search->lookups = add_lookup(search, search->lookups, j);
			return true;
		}
	}
	return false;
}

/*
 * Whether a term is the very column by which its row is the asker's.
 */
static bool
names_owner(const OpsProblem *problem, int term)
{
	const ProblemTerm *known = &problem->terms[term];

	return known->term->kind == TERM_COLUMN &&
		bms_is_member(known->term->column, problem->rows[known->row].own);
}

/*
 * The row whose column a term is, or is computed from; 0 if it is of none,
 * of several, or of a column that users write themselves.
 */
static int
term_of_row(const OpsProblem *problem, int term)
{
	const ProblemTerm *known = &problem->terms[term];
	int			row = 0;

	if (known->term->kind == TERM_COLUMN)
		return is_editable(problem, known) ? 0 : known->row;
	if (known->term->kind != TERM_APPLY || known->term->obstacle ||
		known->term->nargs > lengthof(known->args))
		return 0;
	for (int i = 0; i < known->term->nargs; i++)
	{
		int			other = term_of_row(problem, known->args[i]);

		if (problem->terms[known->args[i]].term->kind == TERM_CONST)
			continue;
		if (other == 0 || (row != 0 && other != row))
			return 0;
		row = other;
	}
	return row;
}

/*
 * Whether a column holds what users say about themselves, as the users table
 * of Supabase Auth and GoTrue does.
 */
static bool
is_editable(const OpsProblem *problem, const ProblemTerm *column)
{
	const OpsRlsRelation *relation = problem->rows[column->row].relation;
	const char *name = relation &&
		column->term->column >= 1 && column->term->column <= relation->ncolumns ?
		relation->columns[column->term->column - 1].name : NULL;

	return name && strstr(name, "user_meta") != NULL;
}

static bool
uses_editable(const OpsProblem *problem, int term)
{
	const ProblemTerm *known = &problem->terms[term];

	if (known->term->kind == TERM_COLUMN)
		return is_editable(problem, known);
	for (int i = 0; i < known->term->nargs && i < lengthof(known->args); i++)
	{
		if (uses_editable(problem, known->args[i]))
			return true;
	}
	return false;
}

/*
 * Rows of lookups that are the asker's own: one of their columns is what
 * names him, or their key stands in another row of his.
 */
static void
find_own_rows(Search *search, List **chain)
{
	OpsProblem *problem = search->problem;
	bool		found = true;

	for (int row = 1; row <= problem->nrows; row++)
	{
		problem->rows[row].mine = false;
		problem->rows[row].own = NULL;
	}
	for (int i = 0; i < problem->nterms; i++)
	{
		ProblemRow *row = &problem->rows[problem->terms[i].row];

		if (problem->terms[i].row == 0 ||
			problem->terms[i].term->kind != TERM_COLUMN ||
			row->relation == NULL ||
			problem->terms[i].row == search->question->row)
			continue;
		for (int j = 0; j < problem->nterms; j++)
		{
			if (problem->terms[j].term->kind == TERM_IDENTITY &&
				group_of(problem, i) == group_of(problem, j) &&
				trusted(search, problem->terms[j].identity))
			{
				row->mine = true;
				row->own = bms_add_member(row->own,
										  problem->terms[i].term->column);
			}
		}
	}
	while (found)
	{
		found = false;
		for (int i = 0; i < problem->nterms; i++)
		{
			int			number = problem->terms[i].row;
			ProblemRow *row = &problem->rows[number];

			if (number == 0 || number == search->question->row ||
				row->mine || row->relation == NULL ||
				problem->terms[i].term->kind != TERM_COLUMN ||
				!(bms_is_member(problem->terms[i].term->column,
								row->relation->tenant_keys) ||
				  bms_is_member(problem->terms[i].term->column,
								row->relation->links)))
				continue;
			for (int j = 0; j < problem->nterms && !row->mine; j++)
			{
				int			other = problem->terms[j].row;

				if (other == 0 || !problem->rows[other].mine ||
					group_of(problem, i) != group_of(problem, j))
					continue;
				row->mine = found = true;
				*chain = add_lookup(search, *chain, j);
			}
		}
	}
}

static List *
add_lookup(Search *search, List *lookups, int term)
{
	OpsProblem *problem = search->problem;
	ProblemRow *row = &problem->rows[term_of_row(problem, term)];
	OpsLookup  *lookup;
	ListCell   *lc;

	while (problem->terms[term].term->kind == TERM_APPLY)
	{
		int			arg = 0;

		while (problem->terms[problem->terms[term].args[arg]].term->kind == TERM_CONST)
			arg++;
		term = problem->terms[term].args[arg];
	}

	foreach(lc, lookups)
	{
		lookup = lfirst(lc);
		if (lookup->relation == row->relation &&
			lookup->link == problem->terms[term].term->column &&
			bms_equal(lookup->own, row->own))
			return lookups;
	}
	lookup = palloc(sizeof(OpsLookup));
	lookup->relation = row->relation;
	lookup->user = row->user;
	lookup->link = problem->terms[term].term->column;
	lookup->own = bms_copy(row->own);
	return lappend(lookups, lookup);
}

/*
 * What holds in the way that was found, and of what kind it is.
 */
static void
explain(Search *search, OpsAnswer *answer)
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
key_is_identity(Search *search)
{
	OpsProblem *problem = search->problem;

	group_terms(search);
	for (int i = 0; i < problem->nterms; i++)
	{
		if (!is_foreign_key(search, i))
			continue;
		for (int j = 0; j < problem->nterms; j++)
		{
			if (problem->terms[j].term->kind == TERM_IDENTITY &&
				group_of(problem, i) == group_of(problem, j) &&
				trusted(search, problem->terms[j].identity))
				return true;
		}
	}
	return false;
}

static void
explain_variable(Search *search, Variable *variable, OpsAnswer *answer)
{
	OpsProblem *problem = search->problem;
	const ProblemTerm *a = variable->a >= 0 ? &problem->terms[variable->a] : NULL;
	const ProblemTerm *b = variable->b >= 0 ? &problem->terms[variable->b] : NULL;
	const char *fact = NULL;

	if (variable->obstacle && answer->obstacle == NULL &&
		variable->kind != VARIABLE_WITNESS)
		answer->obstacle = variable->obstacle;

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
				answer->editable |= uses_editable(problem, variable->a) ||
					uses_editable(problem, variable->b);
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
 * A column that is equal to something of the session which does not name its
 * owner, or to a constant.
 */
static void
explain_equality(Search *search, const ProblemTerm *a, const ProblemTerm *b,
				 OpsAnswer *answer)
{
	const ProblemTerm *column = a->term->kind == TERM_COLUMN ? a : b;
	const ProblemTerm *other = column == a ? b : a;
	ListCell   *lc;

	if (column->term->kind != TERM_COLUMN)
		return;
	if (other->term->kind == TERM_CONST &&
		is_foreign_key(search, column - search->problem->terms))
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
		else if (is_foreign_key(search, column - search->problem->terms))
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

/*
 * A term, for a reader.
 */
static const char *
describe(Search *search, int term)
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
			if (known->term->known)
				return psprintf("'%s'", known->term->key);
			return known->term->key;
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
