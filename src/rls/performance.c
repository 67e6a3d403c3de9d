/*-------------------------------------------------------------------------
 *
 * performance.c
 *	  Policies that are slow for no need.
 *
 * A condition is looked at when its tree is at hand, once.  What is wrong
 * with one policy is reported there and then; what concerns the table waits
 * until all its policies are known.  Nobody waits for a policy that does not
 * bind anybody, so only those are reported that some audited role's
 * statements meet.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rls/performance_report.h"
#include "utils/lsyscache.h"

static bool survey(Node *node, OpsSlowness *slow);
static void survey_qual(Node *qual, bool alone, OpsSlowness *slow);
static bool survey_sublink(SubLink *sublink, OpsSlowness *slow);
static bool survey_from_function(Node *node, OpsSlowness *slow);
static bool survey_call(Node *node, Oid function, OpsSlowness *slow);
static bool could_be_hashed(const SubLink *sublink);
static bool is_hashable_pair(Node *node);
static bool stands_alone(const OpsRlsRelation *relation,
						 const OpsRlsPolicy *policy);
static bool is_slow(const OpsSlowness *slow);

/*
 * Make ready for the policies.
 */
void
ops_rls_performance_begin(OpsRlsAudit *audit)
{
	audit->performance = palloc0(sizeof(struct OpsPerformance));
	ops_rls_read_indexes(audit);
}

/*
 * Look at one policy, in any memory context.
 */
void
ops_rls_performance_policy(OpsRlsAudit *audit, OpsRlsRelation *relation,
						   OpsRlsPolicy *policy, Node *qual, Node *check)
{
	OpsSlowness slow = {.audit = audit};

	if (!relation->row_security || !relation->in_scope)
		return;
	if (qual)
	{
		slow.finds_rows = true;
		survey_qual(qual, stands_alone(relation, policy), &slow);
		slow.unserved = list_concat(ops_rls_unserved_rows(audit, relation, qual),
									slow.unserved);
		slow.finds_rows = false;
	}
	if (check)
		survey(check, &slow);

	if (is_slow(&slow))
		ops_rls_report_slowness(audit, relation, policy, qual, check, &slow);
}

static bool
is_slow(const OpsSlowness *slow)
{
	return slow->ncalls > 0 || slow->volatiles != NIL ||
		slow->tame_volatiles != NIL || slow->per_row != NIL ||
		slow->per_new_row != NIL || slow->correlated || slow->unserved != NIL;
}

/*
 * Look at the conditions of USING one by one.
 *
 * One that changes with no row is tested once for a statement, if it stands
 * by itself, so its calls matter little.
 */
static void
survey_qual(Node *qual, bool alone, OpsSlowness *slow)
{
	ListCell   *lc;
	int			ncalls = slow->ncalls;
	int			nvolatiles = list_length(slow->volatiles);

	check_stack_depth();
	if (is_andclause(qual))
	{
		foreach(lc, ((BoolExpr *) qual)->args)
			survey_qual(lfirst(lc), alone, slow);
		return;
	}
	survey(qual, slow);
	if (alone && slow->ncalls > ncalls && !ops_tree_depends_on_rows(qual) &&
		list_length(slow->volatiles) == nvolatiles)
		slow->nonce += slow->ncalls - ncalls;
}

/*
 * Whether the conditions of a policy are not alternatives to those of others.
 */
static bool
stands_alone(const OpsRlsRelation *relation, const OpsRlsPolicy *policy)
{
	ListCell   *lc;

	if (!policy->permissive)
		return true;
	foreach(lc, relation->policies)
	{
		const OpsRlsPolicy *other = lfirst(lc);

		if (other != policy && other->permissive &&
			(other->command == policy->command || other->command == '*' ||
			 policy->command == '*'))
			return false;
	}
	return true;
}

static bool
survey(Node *node, OpsSlowness *slow)
{
	Oid			function;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Query:
			if (slow->finds_rows)
				slow->unserved = list_concat(slow->unserved,
											 ops_rls_unserved_lookups(slow->audit,
																	  (Query *) node));
			return query_tree_walker((Query *) node, survey, slow, 0);
		case T_SubLink:
			slow->has_sublinks = true;
			return survey_sublink((SubLink *) node, slow);
		case T_RangeTblFunction:
			return survey_from_function(node, slow);
		default:
			function = ops_tree_function(node);
			if (OidIsValid(function))
				return survey_call(node, function, slow);
			return expression_tree_walker(node, survey, slow);
	}
}

/*
 * A sub-select that depends on no row outside runs once.
 */
static bool
survey_sublink(SubLink *sublink, OpsSlowness *slow)
{
	bool		once = slow->once;

	survey(sublink->testexpr, slow);
	if (!ops_tree_depends_on_rows(sublink->subselect))
		slow->once = true;
	else if (!once && could_be_hashed(sublink))
		slow->correlated = true;
	survey(sublink->subselect, slow);
	slow->once = once;
	return false;
}

/*
 * A function in FROM runs once for each run of its query.
 */
static bool
survey_from_function(Node *node, OpsSlowness *slow)
{
	bool		in_call = slow->in_call;

	slow->in_call = true;
	expression_tree_walker(node, survey, slow);
	slow->in_call = in_call;
	return false;
}

static bool
survey_call(Node *node, Oid function, OpsSlowness *slow)
{
	const OpsHelper *helper = ops_rls_helper(slow->audit, function);
	bool		in_call = slow->in_call;

	if (helper->session && !slow->once && !in_call &&
		ops_tree_is_session_call(slow->audit, node))
	{
		slow->calls = list_append_unique_oid(slow->calls, function);
		slow->ncalls++;
		slow->in_call = true;
	}
	if (helper->is_volatile && (slow->once || helper->melts))
		slow->tame_volatiles = list_append_unique_oid(slow->tame_volatiles,
													  function);
	else if (helper->is_volatile)
		slow->volatiles = list_append_unique_oid(slow->volatiles, function);
	if (helper->reads_tables && !slow->once && ops_tree_depends_on_rows(node))
	{
		if (slow->finds_rows)
			slow->per_row = list_append_unique_oid(slow->per_row, function);
		else
			slow->per_new_row = list_append_unique_oid(slow->per_new_row,
													   function);
	}
	if (slow->finds_rows && helper->unserved != NIL)
		slow->unserved = list_concat(slow->unserved, helper->unserved);

	expression_tree_walker(node, survey, slow);
	slow->in_call = in_call;
	return false;
}

/*
 * Whether a correlated sub-select depends on the row outside by nothing but
 * equality, so that IN (SELECT ...) says the same and runs once.
 */
static bool
could_be_hashed(const SubLink *sublink)
{
	Query	   *query = (Query *) sublink->subselect;
	Query		rest;
	FromExpr	from;
	List	   *others = NIL;
	List	   *conditions;
	ListCell   *lc;
	bool		paired = false;

	if (query->jointree == NULL || query->jointree->fromlist == NIL ||
		query->setOperations || query->hasAggs || query->hasWindowFuncs ||
		query->groupClause != NIL || query->groupingSets != NIL ||
		query->havingQual || query->limitCount || query->limitOffset ||
		query->cteList != NIL)
		return false;
	conditions = is_andclause(query->jointree->quals) ?
		((BoolExpr *) query->jointree->quals)->args :
		list_make1(query->jointree->quals);

	/* As in a query of its own, one level down: what is left there. */
	rest = *query;
	from = *query->jointree;
	foreach(lc, conditions)
	{
		if (is_hashable_pair(lfirst(lc)))
			paired = true;
		else
			others = lappend(others, lfirst(lc));
	}
	from.quals = (Node *) others;
	rest.jointree = &from;
	if (sublink->subLinkType == EXISTS_SUBLINK)
		rest.targetList = NIL;
	return paired && !ops_tree_depends_on_rows((Node *) &rest);
}

/*
 * An expression of the sub-select equals one of the row outside.
 */
static bool
is_hashable_pair(Node *node)
{
	OpExpr	   *expr = (OpExpr *) node;
	Node	   *left;
	Node	   *right;
	bool		left_outside;

	if (node == NULL || !IsA(node, OpExpr) || list_length(expr->args) != 2)
		return false;
	left = linitial(expr->args);
	right = lsecond(expr->args);
	left_outside = contain_vars_of_level(left, 1);
	if (left_outside == contain_vars_of_level(right, 1) ||
		contain_vars_of_level(left_outside ? left : right, 0))
		return false;
	return op_hashjoinable(expr->opno, exprType(left));
}
