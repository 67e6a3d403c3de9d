/*-------------------------------------------------------------------------
 *
 * solve.h
 *	  Whether a formula can be true of a row.
 *
 * A problem is a set of rows and formulas about them, for one role.  A
 * question asks whether the goal can be true when one of the rows belongs to
 * somebody else.  No is a proof: everything that the formula leaves open was
 * tried both ways.  Yes comes with what was assumed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SOLVE_H
#define OPS_SOLVE_H

#include "rls/formula.h"

typedef struct OpsProblem OpsProblem;
typedef struct OpsGoal OpsGoal;

/* Whose row it is that the question is about. */
typedef enum OpsRowOwner
{
	OWNER_ANY,
	OWNER_FOREIGN,				/* another tenant */
	OWNER_FOREIGN_OR_NOBODY,	/* or its keys, some of them, are null */
} OpsRowOwner;

typedef struct OpsQuestion
{
	OpsGoal    *goal;
	int			row;
	OpsRowOwner owner;
	Bitmapset  *keys;			/* columns of the row that name the owner */
	bool		any_identity;	/* a user's name in a tenant's column will do */
	bool		identified;		/* every source has a value */
	bool		with_session;	/* what else the session says may hold */
	bool		with_opaque;	/* what cannot be looked into may hold */
	OpsTruth	wanted;			/* what the goal could be; 0: true */
} OpsQuestion;

/* A relation that a proof trusts, since its rows say who belongs where. */
typedef struct OpsLookup
{
	OpsRlsRelation *relation;
	Oid			user;
	AttrNumber	link;			/* column equated with the key */
	Bitmapset  *own;			/* columns equated with the identity */
} OpsLookup;

typedef struct OpsAnswer
{
	bool		possible;
	bool		gave_up;		/* too many ways to try */
	const char *obstacle;		/* what had to be assumed true unseen */
	List	   *lookups;		/* OpsLookup: what a "no" rests on */
	/* of a "yes" */
	List	   *facts;			/* char *: what holds then, for a reader */
	bool		always;			/* nothing had to be assumed */
	bool		self_comparison;
	bool		uncorrelated;
	bool		pattern;
	bool		editable;		/* a claim that the user writes */
	bool		wrong_identity;
	bool		role_identity;
	bool		state;			/* some source has no value */
	bool		literal;
	bool		by_setting;		/* a setting that is no claim says more */
} OpsAnswer;

extern OpsProblem *ops_problem(OpsRlsAudit *audit, const OpsRlsRole *role);
extern int	ops_problem_row(OpsProblem *problem, OpsRlsRelation *relation,
							Oid user);
extern void ops_problem_name_row(OpsProblem *problem, int row,
								 OpsRlsRelation *relation, Oid user);
extern OpsGoal *ops_problem_formula(OpsProblem *problem,
									const OpsFormula *formula, int row);

/* The formula of a query, whose row n becomes the problem's mapped[n]. */
extern OpsGoal *ops_problem_query(OpsProblem *problem,
								  const OpsFormula *formula, int nrows,
								  const int *mapped);
extern OpsGoal *ops_problem_and(OpsProblem *problem, OpsGoal *a, OpsGoal *b);
extern OpsGoal *ops_problem_policies(OpsProblem *problem,
									 OpsRlsRelation *relation, Oid user,
									 char command, int row);
extern void ops_problem_enter(OpsProblem *problem, Oid relation);
extern Oid	ops_problem_recursion(const OpsProblem *problem);
extern OpsAnswer ops_problem_ask(OpsProblem *problem,
								 const OpsQuestion *question);

/* Policies of a command that bind a user; InvalidOid is the role. */
extern bool ops_policy_applies(const OpsRlsAudit *audit,
							   const OpsRlsRole *role, Oid user,
							   const OpsRlsPolicy *policy, char command);
extern bool ops_policies_exempt(const OpsRlsAudit *audit,
								const OpsRlsRole *role, Oid user,
								const OpsRlsRelation *relation);

#endif							/* OPS_SOLVE_H */
