/*-------------------------------------------------------------------------
 *
 * level.c
 *	  Queries inside conditions: the rows they read, and their columns.
 *
 * A level is a query whose expressions are being read: a sub-select, the body
 * of a function, a view.  Its tables become numbered rows, each visible only
 * as far as the policies of its table let the user of the level see it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rls/formula.h"

/* Functions in functions, views on views: deeper than anybody writes. */
#define MAX_DEPTH	24

/* Rows of VALUES; those of a longer list are not told apart. */
#define MAX_VALUES	16

typedef struct SetCall
{
	FuncExpr   *call;
	OpsLevel   *level;
} SetCall;

static void open_branches(OpsLevel *level, Node *setop);
static OpsLevel *open_branch(OpsLevel *level, Node *reference);
static OpsFormula *same_value(OpsLevel *level, List *a, List *b);
static OpsFormula *in_common(OpsLevel *level, OpsFormula *rows);
static void open_calls(OpsLevel *level);
static void note_absences(OpsLevel *level, Node *item, List *absences);
static OpsFromItem *open_from_item(OpsLevel *level, int index);
static void open_relation(OpsLevel *level, OpsFromItem *item,
						  RangeTblEntry *rte);
static void open_function(OpsLevel *level, OpsFromItem *item,
						  RangeTblEntry *rte);
static void open_cte(OpsLevel *level, OpsFromItem *item, RangeTblEntry *rte);
static OpsFormula *item_rows(OpsLevel *level, Node *item);
static OpsFormula *join_rows(OpsLevel *level, JoinExpr *join);
static List *from_item_column(OpsLevel *level, RangeTblEntry *rte,
							  OpsFromItem *item, Var *var);
static List *values_column(OpsLevel *level, RangeTblEntry *rte,
						   OpsFromItem *item, AttrNumber column);
static List *unknown_value(OpsLevel *level, Oid type, const char *what);

/*
 * The condition of a policy: row 0 is of the policy's table.
 */
OpsLevel *
ops_level_policy(OpsReading *reading, OpsRlsRelation *relation)
{
	OpsLevel   *level = palloc0(sizeof(OpsLevel));

	level->reading = reading;
	level->target = relation;
	return level;
}

/*
 * A query; NULL if it is nested too deeply.
 */
OpsLevel *
ops_level_query(OpsReading *reading, OpsLevel *up, Query *query, Oid user,
				Oid definer, List *args)
{
	OpsLevel   *level;

	check_stack_depth();
	if (reading->depth >= MAX_DEPTH)
		return NULL;

	level = palloc0(sizeof(OpsLevel));
	level->reading = reading;
	level->up = up;
	level->query = query;
	level->user = user;
	level->definer = definer;
	level->args = args;
	level->from = palloc0((list_length(query->rtable) + 1) *
						  sizeof(OpsFromItem));
	if (query->setOperations)
		open_branches(level, query->setOperations);
	else
	{
		note_absences(level, (Node *) query->jointree, NIL);
		open_calls(level);
	}
	return level;
}

/*
 * The body of a function; NULL if there is none that can be read.
 */
OpsLevel *
ops_level_function(OpsLevel *level, OpsFunction *function, List *args)
{
	OpsReading *reading = level->reading;
	OpsLevel   *body;

	ops_rls_read_body(reading->audit, function);
	if (function->query == NULL)
		return NULL;

	reading->depth++;
	body = ops_level_query(reading, NULL, function->query,
						   function->definer ? function->owner : level->definer,
						   function->definer ? function->owner : level->definer,
						   args);
	reading->depth--;
	return body;
}

/*
 * A row of UNION comes from one of its branches; of INTERSECT and EXCEPT,
 * from the first.  An INTERSECT of two plain queries is a row of the second
 * one as well; what else others demand is left out.
 */
static void
open_branches(OpsLevel *level, Node *setop)
{
	if (IsA(setop, SetOperationStmt))
	{
		SetOperationStmt *operation = (SetOperationStmt *) setop;

		open_branches(level, operation->larg);
		if (operation->op == SETOP_UNION)
		{
			level->choices = lappend(level->choices, ops_formula_choice());
			open_branches(level, operation->rarg);
		}
		else if (operation->op == SETOP_INTERSECT &&
				 setop == level->query->setOperations &&
				 IsA(operation->larg, RangeTblRef) &&
				 IsA(operation->rarg, RangeTblRef))
		{
			OpsLevel   *other = open_branch(level, operation->rarg);

			if (other)
				level->common = list_make1(other);
		}
	}
	else
		level->branches = lappend(level->branches, open_branch(level, setop));
}

static OpsLevel *
open_branch(OpsLevel *level, Node *reference)
{
	RangeTblEntry *rte = rt_fetch(((RangeTblRef *) reference)->rtindex,
								  level->query->rtable);
	OpsLevel   *branch;

	level->reading->depth++;
	branch = ops_level_query(level->reading, level, rte->subquery,
							 level->user, level->definer, level->args);
	level->reading->depth--;
	return branch;
}

/*
 * Set-returning functions in the target list join the rows.
 */
static void
open_calls(OpsLevel *level)
{
	ListCell   *lc;

	if (!level->query->hasTargetSRFs)
		return;
	foreach(lc, level->query->targetList)
	{
		Node	   *expr = strip_implicit_coercions((Node *) ((TargetEntry *) lfirst(lc))->expr);
		FuncExpr   *call = (FuncExpr *) expr;
		OpsFunction *function;
		SetCall    *entry;
		List	   *args = NIL;
		ListCell   *arg;

		if (!IsA(expr, FuncExpr) || !call->funcretset)
			continue;
		function = ops_rls_function(level->reading->audit, call->funcid);
		if (function->builtin)
		{
			level->may_be_empty = ops_formula_choice();
			continue;
		}
		foreach(arg, call->args)
			args = lappend(args, ops_value(level, lfirst(arg)));
		entry = palloc0(sizeof(SetCall));
		entry->call = call;
		entry->level = ops_level_function(level, function, args);
		if (entry->level)
			level->calls = lappend(level->calls, entry);
	}
}

/*
 * What a set-returning call in the target list gives; NIL if it is none that
 * was opened.
 */
List *
ops_level_call(OpsLevel *level, FuncExpr *call)
{
	ListCell   *lc;

	foreach(lc, level->calls)
	{
		SetCall    *entry = lfirst(lc);

		if (entry->call == call)
			return ops_level_output(entry->level, 1);
	}
	return NIL;
}

/*
 * Say of each table below an outer join whether its row may be the null row.
 */
static void
note_absences(OpsLevel *level, Node *item, List *absences)
{
	ListCell   *lc;

	if (item == NULL)
		return;
	if (IsA(item, FromExpr))
	{
		foreach(lc, ((FromExpr *) item)->fromlist)
			note_absences(level, lfirst(lc), absences);
	}
	else if (IsA(item, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) item;
		List	   *left = absences;
		List	   *right = absences;

		if (join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL)
			right = lappend(list_copy(absences), ops_formula_choice());
		if (join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL)
			left = lappend(list_copy(absences), ops_formula_choice());
		note_absences(level, join->larg, left);
		note_absences(level, join->rarg, right);
		/* What join_rows() looks for stands at the join itself. */
		level->from[join->rtindex].absences = list_make2(left, right);
	}
	else if (IsA(item, RangeTblRef))
		level->from[((RangeTblRef *) item)->rtindex].absences = absences;
}

/*
 * What a row that comes out of the level satisfies.
 */
OpsFormula *
ops_level_rows(OpsLevel *level)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *rows;
	ListCell   *lc;

	if (level->branches)
	{
		OpsLevel   *last = llast(level->branches);

		rows = last ? ops_level_has_row(last) : ops_formula_free("nesting");
		for (int i = list_length(level->choices) - 1; i >= 0; i--)
		{
			OpsLevel   *branch = list_nth(level->branches, i);

			rows = ops_formula_if(audit, list_nth(level->choices, i),
								  branch ? ops_level_has_row(branch) :
								  ops_formula_free("nesting"), rows);
		}
		return in_common(level, rows);
	}

	rows = item_rows(level, (Node *) level->query->jointree);
	if (level->may_be_empty)
		rows = ops_formula_and(audit, rows, level->may_be_empty);
	foreach(lc, level->calls)
		rows = ops_formula_and(audit, rows,
							   ops_level_has_row(((SetCall *) lfirst(lc))->level));
	return rows;
}

/*
 * Rows that another query has as well, column by column.
 */
static OpsFormula *
in_common(OpsLevel *level, OpsFormula *rows)
{
	OpsRlsAudit *audit = level->reading->audit;
	ListCell   *lc;

	foreach(lc, level->common)
	{
		OpsLevel   *other = lfirst(lc);

		rows = ops_formula_and(audit, rows, ops_level_has_row(other));
		for (int i = 1; i <= list_length(other->query->targetList); i++)
			rows = ops_formula_and(audit, rows,
								   same_value(level, ops_level_output(level, i),
											  ops_level_output(other, i)));
	}
	return rows;
}

/*
 * Equal, or both null, as INTERSECT compares.
 */
static OpsFormula *
same_value(OpsLevel *level, List *a, List *b)
{
	OpsRlsAudit *audit = level->reading->audit;

	return ops_formula_if(audit, ops_value_isnull(level, a),
						  ops_value_isnull(level, b),
						  ops_value_relate(level, a, b, RELATES_EQ));
}

/*
 * What makes the level return a row at all: an aggregate over everything
 * returns one, whatever it found.
 */
OpsFormula *
ops_level_has_row(OpsLevel *level)
{
	OpsRlsAudit *audit = level->reading->audit;
	Query	   *query = level->query;
	OpsFormula *rows;

	if (level->branches)
		return ops_level_rows(level);
	if (query->hasAggs && query->groupClause == NIL)
		rows = ops_formula_const(audit, TRUTH_T);
	else
		rows = ops_level_rows(level);
	if (query->havingQual)
		rows = ops_formula_and(audit, rows,
							   ops_condition(level, query->havingQual));
	if (query->limitOffset || query->limitCount)
		rows = ops_formula_and(audit, rows, ops_formula_choice());
	return rows;
}

static OpsFormula *
item_rows(OpsLevel *level, Node *item)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *rows = ops_formula_const(audit, TRUTH_T);
	ListCell   *lc;

	if (item == NULL)
		return rows;
	if (IsA(item, RangeTblRef))
		return open_from_item(level, ((RangeTblRef *) item)->rtindex)->visible;
	if (IsA(item, JoinExpr))
		return join_rows(level, (JoinExpr *) item);

	foreach(lc, ((FromExpr *) item)->fromlist)
		rows = ops_formula_and(audit, rows, item_rows(level, lfirst(lc)));
	if (((FromExpr *) item)->quals)
		rows = ops_formula_and(audit, rows,
							   ops_condition(level, ((FromExpr *) item)->quals));
	return rows;
}

/*
 * An outer join either finds a partner or has a null row in its place.
 */
static OpsFormula *
join_rows(OpsLevel *level, JoinExpr *join)
{
	OpsRlsAudit *audit = level->reading->audit;
	List	   *absences = level->from[join->rtindex].absences;
	OpsFormula *left = item_rows(level, join->larg);
	OpsFormula *right = item_rows(level, join->rarg);
	OpsFormula *quals = join->quals ? ops_condition(level, join->quals) :
	ops_formula_const(audit, TRUTH_T);

	switch (join->jointype)
	{
		case JOIN_INNER:
			return ops_formula_and(audit, ops_formula_and(audit, left, right),
								   quals);
		case JOIN_LEFT:
			return ops_formula_and(audit, left,
								   ops_formula_or(audit,
												  llast((List *) lsecond(absences)),
												  ops_formula_and(audit, right, quals)));
		case JOIN_RIGHT:
			return ops_formula_and(audit, right,
								   ops_formula_or(audit,
												  llast((List *) linitial(absences)),
												  ops_formula_and(audit, left, quals)));
		default:
			return ops_formula_const(audit, TRUTH_T);
	}
}

/*
 * A column of what the level returns, counted from 1.
 */
List *
ops_level_output(OpsLevel *level, int column)
{
	List	   *value;

	if (level->branches)
	{
		OpsLevel   *last = llast(level->branches);

		value = last ? ops_level_output(last, column) :
			unknown_value(level, InvalidOid, "nesting");
		for (int i = list_length(level->choices) - 1; i >= 0; i--)
		{
			OpsLevel   *branch = list_nth(level->branches, i);

			if (branch)
				value = ops_value_guard(level, list_nth(level->choices, i),
										ops_level_output(branch, column),
										value);
		}
		return value;
	}
	if (column < 1 || column > list_length(level->query->targetList))
		return unknown_value(level, InvalidOid, "a row");
	return ops_value(level, (Node *) ((TargetEntry *)
									  list_nth(level->query->targetList,
											   column - 1))->expr);
}

/*
 * A variable.
 */
List *
ops_level_var(OpsLevel *level, Var *var)
{
	RangeTblEntry *rte;
	OpsFromItem *item;
	List	   *value;
	ListCell   *lc;

	for (Index up = var->varlevelsup; up > 0 && level; up--)
		level = level->up;
	if (level == NULL)
		elog(ERROR, "variable of a query that is not there");

	if (level->query == NULL)
	{
		OpsRlsRelation *relation = level->target;
		AttrNumber	column = var->varattno;

		if (column <= 0 || column > relation->ncolumns)
			return unknown_value(level, var->vartype, "a whole row");
		return ops_value_of_term(level,
								 ops_term_column(0, column, var->vartype,
												 !relation->columns[column - 1].notnull));
	}

	if (var->varno < 1 || var->varno > list_length(level->query->rtable))
		return unknown_value(level, var->vartype, "a row of a rule");
	rte = rt_fetch(var->varno, level->query->rtable);
	if (rte->rtekind == RTE_JOIN)
	{
		if (var->varattno < 1 ||
			var->varattno > list_length(rte->joinaliasvars))
			return unknown_value(level, var->vartype, "a whole row");
		return ops_value(level, list_nth(rte->joinaliasvars,
										 var->varattno - 1));
	}
	if (ops_compat_group_expression(rte, var->varattno))
		return ops_value(level, ops_compat_group_expression(rte, var->varattno));

	item = open_from_item(level, var->varno);
	value = from_item_column(level, rte, item, var);
	foreach(lc, item->absences)
		value = ops_value_guard(level, lfirst(lc),
								ops_value_of_term(level,
												  ops_term_null(var->vartype)),
								value);
	return value;
}

static List *
from_item_column(OpsLevel *level, RangeTblEntry *rte, OpsFromItem *item,
				 Var *var)
{
	if (item->level)
		return ops_level_output(item->level, var->varattno);
	if (item->value && var->varattno == 1)
		return item->value;
	if (rte->rtekind == RTE_VALUES && var->varattno >= 1 &&
		list_length(rte->values_lists) <= MAX_VALUES)
		return values_column(level, rte, item, var->varattno);
	if (item->row > 0 && var->varattno > 0)
	{
		OpsRlsRelation *relation = ops_rls_relation(level->reading->audit,
													rte->relid);
		bool		nullable = relation == NULL ||
		var->varattno > relation->ncolumns ||
		!relation->columns[var->varattno - 1].notnull;

		return ops_value_of_term(level,
								 ops_term_column(item->row, var->varattno,
												 var->vartype, nullable));
	}
	return unknown_value(level, var->vartype, "a whole row");
}

/*
 * A column of VALUES: of one of its rows.
 */
static List *
values_column(OpsLevel *level, RangeTblEntry *rte, OpsFromItem *item,
			  AttrNumber column)
{
	int			last = list_length(rte->values_lists) - 1;
	List	   *value = ops_value(level,
								  list_nth(list_nth(rte->values_lists, last),
										   column - 1));

	for (int i = last - 1; i >= 0; i--)
		value = ops_value_guard(level, list_nth(item->choices, i),
								ops_value(level,
										  list_nth(list_nth(rte->values_lists, i),
												   column - 1)),
								value);
	return value;
}

static OpsFromItem *
open_from_item(OpsLevel *level, int index)
{
	OpsFromItem *item = &level->from[index];
	RangeTblEntry *rte = rt_fetch(index, level->query->rtable);
	OpsRlsAudit *audit = level->reading->audit;

	if (item->opened)
		return item;
	item->opened = true;
	item->visible = ops_formula_const(audit, TRUTH_T);

	level->reading->depth++;
	switch (rte->rtekind)
	{
		case RTE_RELATION:
			open_relation(level, item, rte);
			break;
		case RTE_SUBQUERY:
			item->level = ops_level_query(level->reading, level,
										  rte->subquery, level->user,
										  level->definer, level->args);
			break;
		case RTE_FUNCTION:
			open_function(level, item, rte);
			break;
		case RTE_CTE:
			open_cte(level, item, rte);
			break;
		case RTE_VALUES:
			for (int i = 1; i < list_length(rte->values_lists); i++)
				item->choices = lappend(item->choices, ops_formula_choice());
			break;
		default:
			break;
	}
	level->reading->depth--;

	if (item->level)
		item->visible = ops_level_has_row(item->level);
	return item;
}

/*
 * A table becomes a numbered row.  A view is read like a sub-select, as its
 * owner or, for an invoker's view, as whoever runs the statement.
 */
static void
open_relation(OpsLevel *level, OpsFromItem *item, RangeTblEntry *rte)
{
	OpsReading *reading = level->reading;
	OpsRlsRelation *relation = ops_rls_relation(reading->audit, rte->relid);
	OpsQueryRow *row;

	if (relation && relation->kind == RELKIND_VIEW)
	{
		Query	   *query = ops_rls_view_query(reading->audit, relation->oid);

		if (query)
			item->level = ops_level_query(reading, NULL, query,
										  relation->security_invoker ?
										  level->definer : relation->owner,
										  level->definer, NIL);
		if (item->level == NULL)
			item->visible = ops_formula_free(pstrdup(relation->name));
		return;
	}

	/* There may be no row, even where no policy hides one. */
	item->row = ++reading->nrows;
	if (relation == NULL)
	{
		item->visible = ops_formula_choice();
		return;
	}
	row = palloc(sizeof(OpsQueryRow));
	row->row = item->row;
	row->relation = relation;
	row->user = level->user;
	reading->rows = lappend(reading->rows, row);
	item->visible = ops_formula_choice();
	if (relation->kind == RELKIND_RELATION ||
		relation->kind == RELKIND_PARTITIONED_TABLE)
		item->visible = ops_formula_visible(item->row, relation->oid,
											level->user);
}

/*
 * A function in FROM: a body that can be read is a sub-select.  Functions of
 * the server, such as unnest(), give elements of their argument.
 */
static void
open_function(OpsLevel *level, OpsFromItem *item, RangeTblEntry *rte)
{
	RangeTblFunction *first = linitial_node(RangeTblFunction, rte->functions);
	FuncExpr   *call = (FuncExpr *) first->funcexpr;
	OpsFunction *function;
	List	   *args = NIL;
	ListCell   *lc;

	if (!IsA(call, FuncExpr) || list_length(rte->functions) != 1)
		return;
	function = ops_rls_function(level->reading->audit, call->funcid);
	if (function->builtin)
	{
		item->value = ops_value(level, (Node *) call);
		item->visible = ops_formula_choice();
		return;
	}
	foreach(lc, call->args)
		args = lappend(args, ops_value(level, lfirst(lc)));
	item->level = ops_level_function(level, function, args);
	if (item->level == NULL)
	{
		item->visible = ops_formula_free(function->name ? function->name :
										 "a dropped function");
		item->value = ops_value(level, (Node *) call);
	}
}

static void
open_cte(OpsLevel *level, OpsFromItem *item, RangeTblEntry *rte)
{
	OpsLevel   *owner = level;
	ListCell   *lc;

	for (Index up = rte->ctelevelsup; up > 0 && owner; up--)
		owner = owner->up;
	if (owner == NULL || owner->query == NULL || rte->self_reference)
		return;
	foreach(lc, owner->query->cteList)
	{
		CommonTableExpr *cte = lfirst(lc);

		if (strcmp(cte->ctename, rte->ctename) != 0)
			continue;
		if (cte->cterecursive || !IsA(cte->ctequery, Query) ||
			((Query *) cte->ctequery)->commandType != CMD_SELECT)
		{
			item->visible = ops_formula_free("WITH RECURSIVE");
			return;
		}
		item->level = ops_level_query(level->reading, owner,
									  (Query *) cte->ctequery, owner->user,
									  owner->definer, owner->args);
	}
}

/*
 * A value of which nothing is known: no other one is surely equal to it.
 */
static List *
unknown_value(OpsLevel *level, Oid type, const char *what)
{
	char	   *key = psprintf("%s %d", what, ++level->reading->nnodes);

	return ops_value_of_term(level,
							 ops_term_apply(key, type, 0, NULL, what));
}
