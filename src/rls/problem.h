/*-------------------------------------------------------------------------
 *
 * problem.h
 *	  Formulas put together about the same rows: shared by what builds a
 *	  problem (problem.c) and what solves it (solve.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PROBLEM_H
#define OPS_PROBLEM_H

#include "rls/solve.h"

typedef enum VariableKind
{
	VARIABLE_SOURCE,			/* a source has a value, is null, is '' */
	VARIABLE_STATE,				/* what an identity makes of that */
	VARIABLE_NULL,				/* a term is null */
	VARIABLE_RELATION,			/* how two terms relate */
	VARIABLE_TRUTH,				/* a boolean term, a choice */
	VARIABLE_FREE,				/* true, false or null */
	VARIABLE_WITNESS,			/* whether the row is found */
} VariableKind;

/* Values are sets of one element; 0 is not decided. */
typedef struct Variable
{
	VariableKind kind;
	uint8		value;
	OpsSource  *source;
	int			a;				/* terms */
	int			b;
	const OpsFormula *formula;
	const char *obstacle;		/* what nobody can look into, or NULL */
	bool		session;		/* depends on the session, on no row */
	bool		correlated;		/* VARIABLE_WITNESS: mentions the row */
	bool		needed;			/* mark of explain */
} Variable;

/* A term about the rows of the problem. */
typedef struct ProblemTerm
{
	const OpsTerm *term;
	int			row;			/* of the problem; 0 if of none */
	int			args[8];		/* of TERM_APPLY */
	int			null_variable;	/* -1: cannot be null */
	int			state_variable; /* of TERM_IDENTITY, -1 if not made */
	int			group;			/* union-find */
	bool		has_constant;	/* the group of which it is the root */
	OpsIdentity *identity;
} ProblemTerm;

typedef struct ProblemRow
{
	OpsRlsRelation *relation;	/* NULL: of a catalog */
	Oid			user;
	bool		mine;
	Bitmapset  *own;			/* columns equated with an identity */
} ProblemRow;

struct OpsGoal
{
	OpsFormulaKind kind;
	OpsTruth	truth;
	uint8		relates;
	bool		null_possible;
	int			nargs;
	OpsGoal   **args;
	int			a;
	int			b;
	int			variable;
	bool		mentions_row;	/* of the problem's first row */
	OpsTruth	truth_now;		/* as evaluated in that round */
	int64		round;
};

struct OpsProblem
{
	OpsRlsAudit *audit;
	const OpsRlsRole *role;
	int			nvariables;
	int			max_variables;
	Variable   *variables;
	int			nterms;
	int			max_terms;
	ProblemTerm *terms;
	int64		round;			/* of evaluating the whole goal */
	int			nrows;
	int			max_rows;
	ProblemRow *rows;			/* from 1 on */
	int		   *source_variables;	/* by source number, -1 if not made */
	int			nsource_variables;
	List	   *active;			/* relations whose policies are expanded */
	Oid			recursion;		/* one that came upon itself, or InvalidOid */
	int			depth;
};

extern int	ops_problem_source(OpsProblem *problem, OpsSource *source);
extern int	ops_problem_state(OpsProblem *problem, int term);

#endif							/* OPS_PROBLEM_H */
