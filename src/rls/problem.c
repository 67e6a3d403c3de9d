/*-------------------------------------------------------------------------
 *
 * problem.c
 *	  Formulas put together about the same rows.
 *
 * A formula speaks of its own rows by number; here they become rows of the
 * problem, and where one is visible only as far as policies go, the policies
 * of its table are put in place, for the role whose statement it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "rls/problem.h"
#include "utils/acl.h"

#define MAX_POLICY_DEPTH	12

/* Where the rows of a formula went. */
typedef struct Frame
{
	OpsProblem *problem;
	int			row;			/* what row 0 is */
	int			nmapped;
	int		   *mapped;			/* formula's row, problem's row, in turn */
	List	   *witnesses;		/* formula, variable: pointers in turn */
} Frame;

static OpsGoal *build(Frame *frame, const OpsFormula *formula);
static OpsGoal *build_visible(Frame *frame, const OpsFormula *formula);
static OpsGoal *make_goal(OpsFormulaKind kind, int nargs);
static int	map_row(Frame *frame, int row);
static int	add_term(Frame *frame, const OpsTerm *term);
static int	find_term(OpsProblem *problem, const ProblemTerm *wanted);
static int	add_variable(OpsProblem *problem, VariableKind kind);
static int	relation_variable(OpsProblem *problem, int a, int b);
static int	formula_variable(Frame *frame, const OpsFormula *formula,
							 VariableKind kind);
static int	truth_variable(OpsProblem *problem, int a);
static bool term_mentions(const OpsProblem *problem, int term);
static bool term_is_session(const OpsProblem *problem, int term);
static OpsTruth has_role(const OpsProblem *problem, const char *name);

OpsProblem *
ops_problem(OpsRlsAudit *audit, const OpsRlsRole *role)
{
	OpsProblem *problem = palloc0(sizeof(OpsProblem));

	problem->audit = audit;
	problem->role = role;
	problem->max_variables = 32;
	problem->variables = palloc(problem->max_variables * sizeof(Variable));
	problem->max_terms = 32;
	problem->terms = palloc(problem->max_terms * sizeof(ProblemTerm));
	problem->max_rows = 8;
	problem->rows = palloc0(problem->max_rows * sizeof(ProblemRow));
	problem->nsource_variables = audit->terms->nsources;
	problem->source_variables = palloc((problem->nsource_variables + 1) *
									   sizeof(int));
	for (int i = 0; i < problem->nsource_variables; i++)
		problem->source_variables[i] = -1;
	return problem;
}

/*
 * A row of a relation; rows count from 1.
 */
int
ops_problem_row(OpsProblem *problem, OpsRlsRelation *relation, Oid user)
{
	int			row = ++problem->nrows;

	if (row >= problem->max_rows)
	{
		problem->max_rows *= 2;
		problem->rows = repalloc(problem->rows,
								 problem->max_rows * sizeof(ProblemRow));
	}
	memset(&problem->rows[row], 0, sizeof(ProblemRow));
	problem->rows[row].relation = relation;
	problem->rows[row].user = user;
	return row;
}

void
ops_problem_name_row(OpsProblem *problem, int row, OpsRlsRelation *relation,
					 Oid user)
{
	problem->rows[row].relation = relation;
	problem->rows[row].user = user;
}

OpsGoal *
ops_problem_formula(OpsProblem *problem, const OpsFormula *formula, int row)
{
	Frame		frame = {.problem = problem,.row = row};

	return build(&frame, formula);
}

OpsGoal *
ops_problem_query(OpsProblem *problem, const OpsFormula *formula, int nrows,
				  const int *mapped)
{
	Frame		frame = {.problem = problem};

	/* map_row() makes space for eight more at each eighth row. */
	frame.mapped = palloc(sizeof(int) * 2 * (nrows + 8 - nrows % 8));
	for (int i = 1; i <= nrows; i++)
	{
		frame.mapped[2 * frame.nmapped] = i;
		frame.mapped[2 * frame.nmapped++ + 1] = mapped[i];
	}
	return build(&frame, formula);
}

OpsGoal *
ops_problem_and(OpsProblem *problem, OpsGoal *a, OpsGoal *b)
{
	OpsGoal    *goal;

	if (a == NULL || b == NULL)
		return a ? a : b;
	goal = make_goal(FORMULA_AND, 2);
	goal->args[0] = a;
	goal->args[1] = b;
	goal->mentions_row = a->mentions_row || b->mentions_row;
	return goal;
}

/*
 * Policies of a relation are about to be expanded: its name within them is a
 * recursion.
 */
void
ops_problem_enter(OpsProblem *problem, Oid relation)
{
	problem->active = lappend_oid(problem->active, relation);
}

Oid
ops_problem_recursion(const OpsProblem *problem)
{
	return problem->recursion;
}

bool
ops_policy_applies(const OpsRlsAudit *audit, const OpsRlsRole *role,
				   Oid user, const OpsRlsPolicy *policy, char command)
{
	if (policy->command != '*' && policy->command != command)
		return false;
	for (int i = 0; i < policy->nroles; i++)
	{
		if (policy->roles[i] == InvalidOid)
			return true;
		if (OidIsValid(user) ? has_privs_of_role(user, policy->roles[i]) :
			ops_rls_inherits(audit, role, policy->roles[i]))
			return true;
	}
	return false;
}

bool
ops_policies_exempt(const OpsRlsAudit *audit, const OpsRlsRole *role,
					Oid user, const OpsRlsRelation *relation)
{
	if (!relation->row_security)
		return true;
	return ops_rls_exempt(audit, OidIsValid(user) ? user : role->oid,
						  relation);
}

/*
 * What policies let through of a relation: any permissive one and every
 * restrictive one.  NULL if they do not bind the user.
 */
OpsGoal *
ops_problem_policies(OpsProblem *problem, OpsRlsRelation *relation, Oid user,
					 char command, int row)
{
	OpsGoal    *any = NULL;
	OpsGoal    *all = NULL;
	ListCell   *lc;

	if (ops_policies_exempt(problem->audit, problem->role, user, relation))
		return NULL;
	foreach(lc, relation->policies)
	{
		OpsRlsPolicy *policy = lfirst(lc);
		OpsGoal    *one;

		if (!ops_policy_applies(problem->audit, problem->role, user, policy,
								command))
			continue;
		if (policy->qual == NULL)
		{
			one = make_goal(FORMULA_CONST, 0);
			one->truth = TRUTH_T;
		}
		else
			one = ops_problem_formula(problem, policy->qual, row);
		if (!policy->permissive)
			all = ops_problem_and(problem, all, one);
		else if (any == NULL)
			any = one;
		else
		{
			OpsGoal    *both = make_goal(FORMULA_OR, 2);

			both->args[0] = any;
			both->args[1] = one;
			both->mentions_row = any->mentions_row || one->mentions_row;
			any = both;
		}
	}
	if (any == NULL)
	{
		any = make_goal(FORMULA_CONST, 0);
		any->truth = TRUTH_F;
	}
	return ops_problem_and(problem, any, all);
}

static OpsGoal *
make_goal(OpsFormulaKind kind, int nargs)
{
	OpsGoal    *goal = palloc0(sizeof(OpsGoal));

	goal->kind = kind;
	goal->nargs = nargs;
	goal->variable = -1;
	if (nargs > 0)
		goal->args = palloc(nargs * sizeof(OpsGoal *));
	return goal;
}

static OpsGoal *
build(Frame *frame, const OpsFormula *formula)
{
	OpsProblem *problem = frame->problem;
	OpsGoal    *goal;

	check_stack_depth();
	if (formula->kind == FORMULA_VISIBLE)
		return build_visible(frame, formula);

	goal = make_goal(formula->kind, formula->nargs);
	goal->truth = formula->truth;
	goal->relates = formula->relates;
	goal->null_possible = formula->null_possible;
	for (int i = 0; i < formula->nargs; i++)
	{
		goal->args[i] = build(frame, formula->args[i]);
		goal->mentions_row |= goal->args[i]->mentions_row;
	}

	switch (formula->kind)
	{
		case FORMULA_RELATE:
			goal->a = add_term(frame, formula->left);
			goal->b = add_term(frame, formula->right);
			if (goal->a > goal->b)
			{
				int			swap = goal->a;

				goal->a = goal->b;
				goal->b = swap;
				goal->relates = (formula->relates & RELATES_EQ) |
					((formula->relates & RELATES_LT) ? RELATES_GT : 0) |
					((formula->relates & RELATES_GT) ? RELATES_LT : 0);
			}
			goal->mentions_row = term_mentions(problem, goal->a) ||
				term_mentions(problem, goal->b);
			if (goal->a != goal->b)
				goal->variable = relation_variable(problem, goal->a, goal->b);
			break;
		case FORMULA_ISNULL:
			goal->a = add_term(frame, formula->left);
			goal->mentions_row = term_mentions(problem, goal->a);
			break;
		case FORMULA_BOOL:
			goal->a = add_term(frame, formula->left);
			goal->mentions_row = term_mentions(problem, goal->a);
			goal->variable = truth_variable(problem, goal->a);
			break;
		case FORMULA_CHOICE:
			goal->variable = formula_variable(frame, formula, VARIABLE_TRUTH);
			break;
		case FORMULA_FREE:
			goal->variable = formula_variable(frame, formula, VARIABLE_FREE);
			problem->variables[goal->variable].obstacle = formula->obstacle;
			break;
		case FORMULA_WITNESS:
			goal->variable = formula_variable(frame, formula, VARIABLE_WITNESS);
			problem->variables[goal->variable].correlated = goal->mentions_row;
			break;
		case FORMULA_HAS_ROLE:
			goal->kind = FORMULA_CONST;
			goal->truth = has_role(problem, formula->key);
			break;
		default:
			break;
	}
	return goal;
}

/*
 * Policies of the relation that a row is of, in place.
 */
static OpsGoal *
build_visible(Frame *frame, const OpsFormula *formula)
{
	OpsProblem *problem = frame->problem;
	OpsRlsRelation *relation = ops_rls_relation(problem->audit,
												formula->relation);
	int			row = map_row(frame, formula->row);
	OpsGoal    *goal = NULL;

	problem->rows[row].relation = relation;
	problem->rows[row].user = formula->user;
	if (relation && !ops_policies_exempt(problem->audit, problem->role,
										 formula->user, relation))
	{
		if (list_member_oid(problem->active, relation->oid) ||
			problem->depth >= MAX_POLICY_DEPTH)
		{
			if (!OidIsValid(problem->recursion))
				problem->recursion = relation->oid;
			goal = make_goal(FORMULA_CONST, 0);
			goal->truth = TRUTH_E;
			return goal;
		}
		problem->active = lappend_oid(problem->active, relation->oid);
		problem->depth++;
		goal = ops_problem_policies(problem, relation, formula->user,
									ACL_SELECT_CHR, row);
		problem->depth--;
		problem->active = list_delete_last(problem->active);
	}
	if (goal == NULL)
	{
		goal = make_goal(FORMULA_CONST, 0);
		goal->truth = TRUTH_T;
	}
	return goal;
}

static int
map_row(Frame *frame, int row)
{
	OpsProblem *problem = frame->problem;

	if (row == 0)
		return frame->row;
	for (int i = 0; i < frame->nmapped; i++)
	{
		if (frame->mapped[2 * i] == row)
			return frame->mapped[2 * i + 1];
	}
	if (frame->mapped == NULL)
		frame->mapped = palloc(sizeof(int) * 2 * 8);
	else if (frame->nmapped % 8 == 0)
		frame->mapped = repalloc(frame->mapped,
								 sizeof(int) * 2 * (frame->nmapped + 8));
	frame->mapped[2 * frame->nmapped] = row;
	frame->mapped[2 * frame->nmapped + 1] = ops_problem_row(problem, NULL,
															InvalidOid);
	return frame->mapped[2 * frame->nmapped++ + 1];
}

static int
add_term(Frame *frame, const OpsTerm *term)
{
	OpsProblem *problem = frame->problem;
	ProblemTerm made = {0};
	int			found;

	made.term = term;
	made.null_variable = -1;
	made.state_variable = -1;
	if (term->kind == TERM_COLUMN)
		made.row = map_row(frame, term->row);
	for (int i = 0; i < term->nargs && i < lengthof(made.args); i++)
		made.args[i] = add_term(frame, term->args[i]);

	found = find_term(problem, &made);
	if (found >= 0)
		return found;

	if (term->kind == TERM_COLUMN || term->kind == TERM_APPLY ||
		(term->kind == TERM_CONST && !term->isnull))
	{
		if (term->nullable)
		{
			made.null_variable = add_variable(problem, VARIABLE_NULL);
			problem->variables[made.null_variable].a = problem->nterms;
		}
	}
	if (term->kind == TERM_IDENTITY)
	{
		ListCell   *lc;

		made.identity = term->identity;
		foreach(lc, term->identity->sources)
			(void) ops_problem_source(problem, lfirst(lc));
	}
	if (problem->nterms == problem->max_terms)
	{
		problem->max_terms *= 2;
		problem->terms = repalloc(problem->terms,
								  problem->max_terms * sizeof(ProblemTerm));
	}
	problem->terms[problem->nterms] = made;
	return problem->nterms++;
}

static int
find_term(OpsProblem *problem, const ProblemTerm *wanted)
{
	const OpsTerm *term = wanted->term;

	for (int i = 0; i < problem->nterms; i++)
	{
		ProblemTerm *other = &problem->terms[i];

		if (other->term->kind != term->kind || other->row != wanted->row)
			continue;
		switch (term->kind)
		{
			case TERM_COLUMN:
				if (other->term->column == term->column)
					return i;
				break;
			case TERM_IDENTITY:
				if (other->identity == term->identity)
					return i;
				break;
			case TERM_CONST:
				if (ops_term_equal(other->term, term))
					return i;
				break;
			case TERM_APPLY:
				if (other->term->nargs == term->nargs &&
					term->nargs <= lengthof(wanted->args) &&
					strcmp(other->term->key, term->key) == 0 &&
					memcmp(other->args, wanted->args,
						   sizeof(wanted->args)) == 0)
					return i;
				break;
		}
	}
	return -1;
}

static int
add_variable(OpsProblem *problem, VariableKind kind)
{
	if (problem->nvariables == problem->max_variables)
	{
		problem->max_variables *= 2;
		problem->variables = repalloc(problem->variables,
									  problem->max_variables * sizeof(Variable));
	}
	memset(&problem->variables[problem->nvariables], 0, sizeof(Variable));
	problem->variables[problem->nvariables].kind = kind;
	problem->variables[problem->nvariables].a = -1;
	problem->variables[problem->nvariables].b = -1;
	return problem->nvariables++;
}

int
ops_problem_source(OpsProblem *problem, OpsSource *source)
{
	int			variable;

	if (source->number >= problem->nsource_variables)
		elog(ERROR, "source that came after its problem");
	variable = problem->source_variables[source->number];
	if (variable < 0)
	{
		variable = add_variable(problem, VARIABLE_SOURCE);
		problem->variables[variable].source = source;
		problem->source_variables[source->number] = variable;
		if (source->parent)
			(void) ops_problem_source(problem, source->parent);
	}
	return variable;
}

int
ops_problem_state(OpsProblem *problem, int term)
{
	if (problem->terms[term].state_variable < 0)
	{
		int			variable = add_variable(problem, VARIABLE_STATE);

		problem->variables[variable].a = term;
		problem->terms[term].state_variable = variable;
	}
	return problem->terms[term].state_variable;
}

static int
relation_variable(OpsProblem *problem, int a, int b)
{
	int			variable;

	for (int i = 0; i < problem->nvariables; i++)
	{
		if (problem->variables[i].kind == VARIABLE_RELATION &&
			problem->variables[i].a == a && problem->variables[i].b == b)
			return i;
	}
	variable = add_variable(problem, VARIABLE_RELATION);
	problem->variables[variable].a = a;
	problem->variables[variable].b = b;
	problem->variables[variable].session = term_is_session(problem, a) &&
		term_is_session(problem, b);
	problem->variables[variable].obstacle = ops_term_obstacle(problem->terms[a].term);
	if (problem->variables[variable].obstacle == NULL)
		problem->variables[variable].obstacle = ops_term_obstacle(problem->terms[b].term);
	return variable;
}

static int
truth_variable(OpsProblem *problem, int a)
{
	int			variable;

	for (int i = 0; i < problem->nvariables; i++)
	{
		if (problem->variables[i].kind == VARIABLE_TRUTH &&
			problem->variables[i].a == a)
			return i;
	}
	variable = add_variable(problem, VARIABLE_TRUTH);
	problem->variables[variable].a = a;
	problem->variables[variable].session = term_is_session(problem, a);
	problem->variables[variable].obstacle = ops_term_obstacle(problem->terms[a].term);
	return variable;
}

/*
 * The variable of a choice, a witness or something free: one for each place
 * in a formula, however often the formula mentions it.
 */
static int
formula_variable(Frame *frame, const OpsFormula *formula, VariableKind kind)
{
	int			variable;
	ListCell   *lc;

	foreach(lc, frame->witnesses)
	{
		variable = lfirst_int(lc);
		if (frame->problem->variables[variable].formula == formula)
			return variable;
	}
	variable = add_variable(frame->problem, kind);
	frame->problem->variables[variable].formula = formula;
	frame->witnesses = lappend_int(frame->witnesses, variable);
	return variable;
}

static bool
term_mentions(const OpsProblem *problem, int term)
{
	const ProblemTerm *known = &problem->terms[term];

	if (known->term->kind == TERM_COLUMN)
		return known->row == 1;
	for (int i = 0; i < known->term->nargs && i < lengthof(known->args); i++)
	{
		if (term_mentions(problem, known->args[i]))
			return true;
	}
	return false;
}

/*
 * Whether a term says something about the session, or nothing at all, but
 * nothing about a row.
 */
static bool
term_is_session(const OpsProblem *problem, int term)
{
	return !ops_term_depends_on_rows(problem->terms[term].term) &&
		problem->terms[term].term->kind != TERM_APPLY;
}

/*
 * pg_has_role(name, 'MEMBER') of the role; of several roles that are alike
 * for everything else, nobody knows.
 */
static OpsTruth
has_role(const OpsProblem *problem, const char *name)
{
	Oid			other = get_role_oid(name, true);

	if (!OidIsValid(other))
		return TRUTH_E;
	if (ops_rls_inherits(problem->audit, problem->role, other) ||
		ops_rls_becomes(problem->audit, problem->role, other))
		return TRUTH_T;
	return TRUTH_F;
}
