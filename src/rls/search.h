/*-------------------------------------------------------------------------
 *
 * search.h
 *	  A search for a way in which a goal is true: shared by what tries
 *	  (solve.c), what evaluates (evaluate.c), who knows whose row it is
 *	  (owner.c) and what explains (explain.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SEARCH_H
#define OPS_SEARCH_H

#include "rls/problem.h"

#define NULLNESS_NOT	0x1
#define NULLNESS_NULL	0x2
#define NULLNESS_ERROR	0x4

typedef struct OpsSearch
{
	OpsProblem *problem;
	const OpsQuestion *question;
	OpsGoal    *goal;
	OpsTruth	wanted;
	int64		work;
	bool		gave_up;
	List	   *lookups;
} OpsSearch;

extern OpsTruth ops_search_evaluate(OpsSearch *search, OpsGoal *goal);
extern OpsTruth ops_search_truth(OpsSearch *search, OpsGoal *goal);
extern bool ops_search_is_gated(OpsSearch *search, const Variable *variable);
extern uint8 ops_search_nullness(OpsSearch *search, int term);
extern uint8 ops_search_domain(OpsSearch *search, int variable);
extern bool ops_search_is_foreign_key(const OpsSearch *search, int term);
extern bool ops_search_is_nobodys(const OpsTerm *term);
extern bool ops_search_trusted(const OpsSearch *search, const OpsIdentity *identity);
extern bool ops_search_binds(const OpsSearch *search, int key, int identity);
extern bool ops_search_foreign_is_own(OpsSearch *search);
extern bool ops_search_uses_editable(const OpsProblem *problem, int term);
extern int	ops_search_group_of(OpsProblem *problem, int term);
extern void ops_search_group_terms(OpsSearch *search);
extern void ops_search_explain(OpsSearch *search, OpsAnswer *answer);
extern uint8 ops_search_identity_states(OpsSearch *search, int term);

#endif							/* OPS_SEARCH_H */
