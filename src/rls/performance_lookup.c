/*-------------------------------------------------------------------------
 *
 * performance_lookup.c
 *	  What policies and their sub-selects look up by equality, and whether an
 *	  index helps.
 *
 * Conditions that hold together are a group: one of them that an index can
 * answer is enough.  Of alternatives each has to have one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "rls/formula.h"
#include "rls/performance.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* An expression over a table's columns equals something else. */
typedef struct Comparison
{
	Node	   *expr;			/* without relabelling */
	Oid			operator;		/* with the expression on its left */
	bool		joins;			/* the other is of another table beside it */
} Comparison;

/* One table of one query, or the table of the policy. */
typedef struct Lookup
{
	OpsRlsAudit *audit;
	const OpsRlsRelation *table;
	int			varno;
} Lookup;

static bool survey_group(const Lookup *lookup, List *conditions, List *besides,
						 List **unserved);
static bool survey_alternatives(const Lookup *lookup, List *arms,
								List *besides, List **unserved);
static List *conjuncts(Node *node, List *list);
static List *join_conjuncts(Node *node, List *list);
static List *add_comparisons(const Lookup *lookup, Node *node, List *list);
static List *add_in_select(const Lookup *lookup, SubLink *sublink,
						   List *list);
static List *add_comparison(const Lookup *lookup, Oid operator, Node *left,
							Node *right, List *list);
static Node *without_relabel(Node *node);
static bool is_foreign_part(Node *node, const Lookup *lookup);
static bool is_served(const Lookup *lookup, const Comparison *comparison,
					  List *conditions);
static bool is_list_key(const OpsRlsRelation *table, AttrNumber column);
static OpsUnserved *make_unserved(const Lookup *lookup, List *comparisons);

/*
 * What a policy asks of its own table's rows without an index to go by; a
 * list of OpsUnserved.
 */
List *
ops_rls_unserved_rows(OpsRlsAudit *audit, const OpsRlsRelation *table,
					  Node *qual)
{
	Lookup		lookup = {
		.audit = audit,
		.table = table,
		.varno = 1,
	};
	List	   *unserved = NIL;

	survey_group(&lookup, conjuncts(qual, NIL), NIL, &unserved);
	return unserved;
}

/*
 * The same of the tables that a query reads, those of its sub-selects left
 * out.
 */
List *
ops_rls_unserved_lookups(OpsRlsAudit *audit, Query *query)
{
	List	   *conditions = join_conjuncts((Node *) query->jointree, NIL);
	List	   *unserved = NIL;
	int			varno = 0;
	ListCell   *lc;

	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);
		Lookup		lookup = {.audit = audit};

		lookup.varno = ++varno;
		if (rte->rtekind != RTE_RELATION)
			continue;
		lookup.table = ops_rls_relation(audit, rte->relid);
		if (lookup.table == NULL ||
			lookup.table->kind == RELKIND_VIEW ||
			lookup.table->kind == RELKIND_FOREIGN_TABLE)
			continue;
		survey_group(&lookup, conditions, NIL, &unserved);
	}
	return unserved;
}

/*
 * Whether the same index would serve two lookups.
 */
bool
ops_rls_same_unserved(const OpsUnserved *a, const OpsUnserved *b)
{
	return a->table == b->table &&
		equal(a->columns, b->columns) && equal(a->expression, b->expression);
}

/*
 * Whether an index leads to the rows that fulfil all conditions, or nothing
 * in them asks for one; besides are those of the groups around this one.
 */
static bool
survey_group(const Lookup *lookup, List *conditions, List *besides,
			 List **unserved)
{
	List	   *comparisons = NIL;
	List	   *below = NIL;
	List	   *all = list_concat_copy(besides, conditions);
	OpsUnserved *missing;
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, conditions)
	{
		Node	   *node = lfirst(lc);

		if (!is_orclause(node))
			comparisons = add_comparisons(lookup, node, comparisons);
		else if (survey_alternatives(lookup, ((BoolExpr *) node)->args, all,
									 &below))
			return true;
	}
	foreach(lc, comparisons)
	{
		if (is_served(lookup, lfirst(lc), all))
			return true;
	}
	missing = make_unserved(lookup, comparisons);
	if (missing)
		*unserved = lappend(*unserved, missing);
	else
		*unserved = list_concat(*unserved, below);
	return false;
}

static bool
survey_alternatives(const Lookup *lookup, List *arms, List *besides,
					List **unserved)
{
	bool		served = true;
	ListCell   *lc;

	foreach(lc, arms)
	{
		if (!survey_group(lookup, conjuncts(lfirst(lc), NIL), besides,
						  unserved))
			served = false;
	}
	return served;
}

/*
 * What has to be true for a condition to be true.
 */
static List *
conjuncts(Node *node, List *list)
{
	ListCell   *lc;

	if (node == NULL)
		return list;
	if (IsA(node, BooleanTest) &&
		((BooleanTest *) node)->booltesttype == IS_TRUE)
		return conjuncts((Node *) ((BooleanTest *) node)->arg, list);
	if (!is_andclause(node))
		return lappend(list, node);
	foreach(lc, ((BoolExpr *) node)->args)
		list = conjuncts(lfirst(lc), list);
	return list;
}

static List *
join_conjuncts(Node *node, List *list)
{
	ListCell   *lc;

	if (node == NULL)
		return list;
	if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;

		foreach(lc, from->fromlist)
			list = join_conjuncts(lfirst(lc), list);
		return conjuncts(from->quals, list);
	}
	if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;

		list = join_conjuncts(join->larg, list);
		list = join_conjuncts(join->rarg, list);
		return conjuncts(join->quals, list);
	}
	return list;
}

static List *
add_comparisons(const Lookup *lookup, Node *node, List *list)
{
	if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 2)
	{
		OpExpr	   *expr = (OpExpr *) node;

		return add_comparison(lookup, expr->opno, linitial(expr->args),
							  lsecond(expr->args), list);
	}
	if (IsA(node, ScalarArrayOpExpr))
	{
		ScalarArrayOpExpr *expr = (ScalarArrayOpExpr *) node;

		if (expr->useOr &&
			!ops_tree_mentions_row(lsecond(expr->args), lookup->varno))
			return add_comparison(lookup, expr->opno, linitial(expr->args),
								  lsecond(expr->args), list);
	}
	if (IsA(node, SubLink) && ((SubLink *) node)->subLinkType == ANY_SUBLINK)
		return add_in_select(lookup, (SubLink *) node, list);
	return list;
}

/*
 * (a, b) IN (SELECT ...), of which each pair is a comparison.
 */
static List *
add_in_select(const Lookup *lookup, SubLink *sublink, List *list)
{
	ListCell   *lc;

	if (ops_tree_depends_on_rows(sublink->subselect))
		return list;
	foreach(lc, conjuncts(sublink->testexpr, NIL))
	{
		OpExpr	   *expr = lfirst(lc);

		if (IsA(expr, OpExpr) && list_length(expr->args) == 2)
			list = add_comparison(lookup, expr->opno, linitial(expr->args),
								  lsecond(expr->args), list);
	}
	return list;
}

/*
 * Only what tells rows of one session from those of another is worth an
 * index: no literals, and no booleans.
 */
static List *
add_comparison(const Lookup *lookup, Oid operator, Node *left, Node *right,
			   List *list)
{
	bool		on_left = ops_tree_mentions_row(left, lookup->varno);
	bool		on_right = ops_tree_mentions_row(right, lookup->varno);
	Node	   *expr = without_relabel(on_left ? left : right);
	Node	   *other = on_left ? right : left;
	Comparison *comparison;

	if (on_left == on_right ||
		ops_rls_operator_relates(lookup->audit, operator) != RELATES_EQ ||
		ops_tree_is_fixed(other) ||
		is_foreign_part(expr, (void *) lookup) ||
		exprType(expr) == BOOLOID)
		return list;
	if (on_right)
		operator = get_commutator(operator);
	if (!OidIsValid(operator))
		return list;

	comparison = palloc(sizeof(Comparison));
	comparison->expr = expr;
	comparison->operator = operator;
	comparison->joins = !bms_is_empty(pull_varnos(NULL, other));
	return lappend(list, comparison);
}

static Node *
without_relabel(Node *node)
{
	while (node && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/*
 * Whether anything but the table's columns, and what cannot be indexed, is
 * part of an expression.
 */
static bool
is_foreign_part(Node *node, const Lookup *lookup)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			{
				Var		   *var = (Var *) node;

				return var->varno != lookup->varno || var->varlevelsup != 0 ||
					var->varattno <= 0;
			}
		case T_Param:
		case T_SubLink:
		case T_CaseExpr:
		case T_SQLValueFunction:
			return true;
		case T_FuncExpr:
			{
				Oid			function = ((FuncExpr *) node)->funcid;

				if (function >= FirstNormalObjectId &&
					!ops_tree_is_immutable(function))
					return true;
				break;
			}
		default:
			break;
	}
	return expression_tree_walker(node, is_foreign_part, (void *) lookup);
}

static bool
is_served(const Lookup *lookup, const Comparison *comparison,
		  List *conditions)
{
	if (IsA(comparison->expr, Var) &&
		is_list_key(lookup->table, ((Var *) comparison->expr)->varattno))
		return true;
	return ops_rls_index_serves(lookup->audit, lookup->table->oid,
								lookup->varno, comparison->expr,
								comparison->operator, conditions);
}

/*
 * Whether each value of a column has a partition of its own.
 */
static bool
is_list_key(const OpsRlsRelation *table, AttrNumber column)
{
	HeapTuple	tuple;
	Form_pg_partitioned_table form;
	bool		is_key;

	if (table->kind != RELKIND_PARTITIONED_TABLE)
		return false;
	tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(table->oid));
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_partitioned_table) GETSTRUCT(tuple);
	is_key = form->partstrat == 'l' && form->partattrs.values[0] == column;
	ReleaseSysCache(tuple);
	return is_key;
}

/*
 * The columns that an index should have, those first that the session is
 * compared with; or the first expression; NULL if the table is only joined.
 */
static OpsUnserved *
make_unserved(const Lookup *lookup, List *comparisons)
{
	OpsUnserved *unserved = palloc0(sizeof(OpsUnserved));
	List	   *joined = NIL;
	ListCell   *lc;

	unserved->table = lookup->table;
	foreach(lc, comparisons)
	{
		const Comparison *comparison = lfirst(lc);
		bool		plain = IsA(comparison->expr, Var);

		if (plain && comparison->joins)
			joined = list_append_unique_int(joined, ((Var *) comparison->expr)->varattno);
		else if (plain)
			unserved->columns = list_append_unique_int(unserved->columns, ((Var *) comparison->expr)->varattno);
		else if (!comparison->joins && unserved->expression == NULL)
			unserved->expression = comparison->expr;
	}
	if (unserved->columns != NIL)
	{
		unserved->columns = list_concat_unique_int(unserved->columns, joined);
		unserved->expression = NULL;
		return unserved;
	}
	if (unserved->expression == NULL)
		return NULL;
	unserved->expression = copyObject(unserved->expression);
	ChangeVarNodes(unserved->expression, lookup->varno, 1, 0);
	return unserved;
}
