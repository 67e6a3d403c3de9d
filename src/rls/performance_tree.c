/*-------------------------------------------------------------------------
 *
 * performance_tree.c
 *	  Which parts of a condition change from row to row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rls/performance.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* What rows an expression, or a query, depends on. */
typedef struct RowSearch
{
	int			depth;			/* of queries within it */
	int			varno;			/* one relation, or 0: any row outside */
} RowSearch;

static bool find_row(Node *node, RowSearch *search);
static bool find_unfixed(Node *node, void *unused);
static bool can_be_wrapped(OpsRlsAudit *audit, Node *node);
static bool find_session_call(Node *node, OpsRlsAudit *audit);
static Node *in_subselect(Node *node);

/*
 * Whether an expression changes with a row outside of it: of its own level,
 * or, for a query, of one above it.
 */
bool
ops_tree_depends_on_rows(Node *node)
{
	RowSearch	search = {0};

	return find_row(node, &search);
}

/*
 * Whether an expression changes with the row of one relation of its level.
 */
bool
ops_tree_mentions_row(Node *node, int varno)
{
	RowSearch	search = {.varno = varno};

	return find_row(node, &search);
}

/*
 * Nodes that stand for a value from outside count as a row's.
 */
static bool
find_row(Node *node, RowSearch *search)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			{
				Var		   *var = (Var *) node;

				if (search->varno == 0)
					return var->varlevelsup >= search->depth;
				return var->varlevelsup == search->depth &&
					var->varno == search->varno;
			}
		case T_CaseTestExpr:
		case T_CoerceToDomainValue:
			return search->varno == 0 && search->depth == 0;
		case T_Param:
			return ((Param *) node)->paramkind == PARAM_SUBLINK &&
				search->varno == 0 && search->depth == 0;
		case T_Aggref:
			if (search->varno == 0 &&
				((Aggref *) node)->agglevelsup >= search->depth)
				return true;
			return expression_tree_walker(node, find_row, search);
		case T_ArrayCoerceExpr:
			/* What it does to each element stands for no row. */
			return find_row((Node *) ((ArrayCoerceExpr *) node)->arg, search);
		case T_Query:
			{
				bool		found;

				search->depth++;
				found = query_tree_walker((Query *) node, find_row, search, 0);
				search->depth--;
				return found;
			}
		default:
			return expression_tree_walker(node, find_row, search);
	}
}

/*
 * Whether an expression is the same for every session: literals, and what
 * the server's own functions make of them.
 */
bool
ops_tree_is_fixed(Node *node)
{
	return !find_unfixed(node, NULL);
}

/*
 * The expression with its outermost cast as if somebody had written it, since
 * SQL for the expression leaves out a cast that comes by itself.
 */
Node *
ops_tree_shown_cast(Node *node)
{
	if (IsA(node, FuncExpr) &&
		((FuncExpr *) node)->funcformat == COERCE_IMPLICIT_CAST)
	{
		node = copyObject(node);
		((FuncExpr *) node)->funcformat = COERCE_EXPLICIT_CAST;
	}
	if (IsA(node, CoerceViaIO) &&
		((CoerceViaIO *) node)->coerceformat == COERCE_IMPLICIT_CAST)
	{
		node = copyObject(node);
		((CoerceViaIO *) node)->coerceformat = COERCE_EXPLICIT_CAST;
	}
	return node;
}

/*
 * Whether an index could be made on an expression; casts by way of text
 * depend on settings for some types.
 */
bool
ops_tree_all_immutable(Node *node)
{
	return !contain_mutable_functions(node);
}

/*
 * Whether a function is immutable; one that is gone is not.
 */
bool
ops_tree_is_immutable(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		immutable;

	if (!HeapTupleIsValid(tuple))
		return false;
	immutable = ((Form_pg_proc) GETSTRUCT(tuple))->provolatile ==
		PROVOLATILE_IMMUTABLE;
	ReleaseSysCache(tuple);
	return immutable;
}

static bool
find_unfixed(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Param:
		case T_SubLink:
		case T_SQLValueFunction:
			return true;
		case T_FuncExpr:
			if (!ops_tree_is_immutable(((FuncExpr *) node)->funcid))
				return true;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, find_unfixed, unused);
}

/*
 * The function that a node calls, InvalidOid if none or only the server's.
 */
Oid
ops_tree_function(Node *node)
{
	Oid			operator;

	switch (nodeTag(node))
	{
		case T_FuncExpr:
			return ((FuncExpr *) node)->funcid;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			operator = ((OpExpr *) node)->opno;
			break;
		case T_ScalarArrayOpExpr:
			operator = ((ScalarArrayOpExpr *) node)->opno;
			break;
		default:
			return InvalidOid;
	}

	/* Those of the server are not volatile and say nothing of a session. */
	if (operator < FirstNormalObjectId)
		return InvalidOid;
	return get_opcode(operator);
}

/*
 * Whether a node asks who the session is, and would get the same answer for
 * every row.
 */
bool
ops_tree_is_session_call(OpsRlsAudit *audit, Node *node)
{
	Oid			function = ops_tree_function(node);

	return OidIsValid(function) &&
		ops_rls_helper(audit, function)->session &&
		!(IsA(node, FuncExpr) && ((FuncExpr *) node)->funcretset) &&
		!ops_tree_depends_on_rows(node);
}

/*
 * The condition with each such call, and what is made of its result, in a
 * sub-select of its own, which runs once.
 */
Node *
ops_tree_wrap_calls(Node *node, OpsRlsAudit *audit)
{
	if (node == NULL)
		return NULL;
	if (can_be_wrapped(audit, node))
		return in_subselect(node);
	switch (nodeTag(node))
	{
		case T_Query:
			if (!ops_tree_depends_on_rows(node))
				return node;
			return (Node *) query_tree_mutator((Query *) node,
											   ops_tree_wrap_calls, audit, 0);
		case T_RangeTblFunction:
			return node;		/* in FROM it runs once */
		default:
			return expression_tree_mutator(node, ops_tree_wrap_calls, audit);
	}
}

static bool
can_be_wrapped(OpsRlsAudit *audit, Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_CoerceViaIO:
		case T_RelabelType:
		case T_ArrayCoerceExpr:
		case T_CoalesceExpr:
		case T_NullTest:
			return find_session_call(node, audit) &&
				!ops_tree_depends_on_rows(node) &&
				!expression_returns_set(node);
		default:
			return false;
	}
}

/*
 * Calls in a sub-select that runs once by itself are none.
 */
static bool
find_session_call(Node *node, OpsRlsAudit *audit)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return false;
	if (ops_tree_is_session_call(audit, node))
		return true;
	return expression_tree_walker(node, find_session_call, audit);
}

/*
 * (SELECT node)
 */
static Node *
in_subselect(Node *node)
{
	SubLink    *sublink = makeNode(SubLink);
	Query	   *query = makeNode(Query);

	query->commandType = CMD_SELECT;
	query->querySource = QSRC_ORIGINAL;
	query->canSetTag = true;
	query->targetList = list_make1(makeTargetEntry((Expr *) node, 1, NULL,
												   false));
	query->jointree = makeFromExpr(NIL, NULL);
	sublink->subLinkType = EXPR_SUBLINK;
	sublink->subselect = (Node *) query;
	sublink->location = -1;
	return (Node *) sublink;
}
