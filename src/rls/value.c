/*-------------------------------------------------------------------------
 *
 * value.c
 *	  Values of analysed expressions.
 *
 * A value is a list of cases, the first true one counting; a term in a case
 * never chooses by itself.  A function of what the session says about itself,
 * and of nothing else, is an identity of its own: fixed as long as the
 * session does not change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rls/formula.h"
#include "rls/identity.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* A condition that asks more than this of one policy is nobody's policy. */
#define MAX_NODES	20000

/* Cases of one value; more are not told apart. */
#define MAX_CASES	32

static List *call_value(OpsLevel *level, Oid function, Oid type, List *args);
static List *full_arguments(OpsFunction *function, List *args);
static List *user_function_value(OpsLevel *level, OpsFunction *function,
								 Oid type, List *values);
static List *cast_value(OpsLevel *level, Node *arg, Oid type);
static List *case_value(OpsLevel *level, CaseExpr *expr);
static List *coalesce_value(OpsLevel *level, List *args);
static List *nullif_value(OpsLevel *level, List *args, Oid operator);
static List *sublink_value(OpsLevel *level, SubLink *sublink);
static List *aggregate_value(OpsLevel *level, Aggref *aggregate);
static List *param_value(OpsLevel *level, Param *param);
static List *session_value(OpsLevel *level, SQLValueFunction *function);
static List *values_of(OpsLevel *level, List *nodes);
static List *unknown(OpsLevel *level, Node *node, const char *what);
static bool is_condition(Node *node);
static void apply_cases(OpsLevel *level, Oid function, const char *key,
						Oid type, List *args, int place, OpsFormula *when,
						OpsTerm **terms, List **cases);
static OpsTerm *case_term(OpsLevel *level, OpsCase *one, OpsTruth truth);
static OpsFormula *exclusive(OpsLevel *level, OpsFormula *before,
							 OpsFormula *when);

/*
 * The value of an expression.
 */
List *
ops_value(OpsLevel *level, Node *node)
{
	OpsReading *reading = level->reading;

	check_stack_depth();
	if (++reading->nnodes > MAX_NODES)
		return unknown(level, node, "its size");

	switch (nodeTag(node))
	{
		case T_Const:
			return ops_value_of_term(level,
									 ops_identity_const((Const *) node));
		case T_Var:
			return ops_level_var(level, (Var *) node);
		case T_Param:
			return param_value(level, (Param *) node);
		case T_RelabelType:
			return cast_value(level, (Node *) ((RelabelType *) node)->arg,
							  ((RelabelType *) node)->resulttype);
		case T_CoerceToDomain:
			return ops_value(level, (Node *) ((CoerceToDomain *) node)->arg);
		case T_CollateExpr:
			return ops_value(level, (Node *) ((CollateExpr *) node)->arg);
		case T_CoerceViaIO:
			return cast_value(level, (Node *) ((CoerceViaIO *) node)->arg,
							  ((CoerceViaIO *) node)->resulttype);
		case T_ArrayCoerceExpr:
			return ops_value_apply(level, InvalidOid, "array cast",
								   ((ArrayCoerceExpr *) node)->resulttype,
								   list_make1(ops_value(level, (Node *) ((ArrayCoerceExpr *) node)->arg)));
		case T_FuncExpr:
			{
				FuncExpr   *call = (FuncExpr *) node;
				List	   *value = call->funcretset ?
				ops_level_call(level, call) : NIL;

				return value ? value :
					call_value(level, call->funcid, call->funcresulttype,
							   call->args);
			}
		case T_OpExpr:
			if (is_condition(node))
				return ops_value_of_truth(level, ops_condition(level, node));
			set_opfuncid((OpExpr *) node);
			return call_value(level, ((OpExpr *) node)->opfuncid,
							  ((OpExpr *) node)->opresulttype,
							  ((OpExpr *) node)->args);
		case T_NullIfExpr:
			return nullif_value(level, ((NullIfExpr *) node)->args,
								((NullIfExpr *) node)->opno);
		case T_CaseExpr:
			return case_value(level, (CaseExpr *) node);
		case T_CaseTestExpr:
			return level->case_test ? level->case_test :
				unknown(level, node, "an expression");
		case T_CoalesceExpr:
			return coalesce_value(level, ((CoalesceExpr *) node)->args);
		case T_SQLValueFunction:
			return session_value(level, (SQLValueFunction *) node);
		case T_SubLink:
			if (((SubLink *) node)->subLinkType == EXPR_SUBLINK)
				return sublink_value(level, (SubLink *) node);
			if (is_condition(node))
				return ops_value_of_truth(level, ops_condition(level, node));
			return unknown(level, node, "a sub-select");
		case T_Aggref:
			return aggregate_value(level, (Aggref *) node);
		case T_ArrayExpr:
			return ops_value_apply(level, InvalidOid, "array",
								   ((ArrayExpr *) node)->array_typeid,
								   values_of(level, ((ArrayExpr *) node)->elements));
		case T_RowExpr:
			return ops_value_apply(level, InvalidOid, "row",
								   ((RowExpr *) node)->row_typeid,
								   values_of(level, ((RowExpr *) node)->args));
		case T_MinMaxExpr:
			return ops_value_apply(level, InvalidOid,
								   ((MinMaxExpr *) node)->op == IS_GREATEST ?
								   "greatest" : "least",
								   ((MinMaxExpr *) node)->minmaxtype,
								   values_of(level, ((MinMaxExpr *) node)->args));
		case T_SubscriptingRef:
			{
				SubscriptingRef *ref = (SubscriptingRef *) node;

				if (ref->refassgnexpr || ref->reflowerindexpr ||
					list_length(ref->refupperindexpr) != 1)
					return unknown(level, node, "a subscript");
				return ops_value_apply(level,
									   ref->refcontainertype == JSONBOID ?
									   F_JSONB_OBJECT_FIELD : InvalidOid,
									   "subscript", ref->refrestype,
									   list_make2(ops_value(level, (Node *) ref->refexpr),
												  ops_value(level, linitial(ref->refupperindexpr))));
			}
		default:
			if (is_condition(node))
				return ops_value_of_truth(level, ops_condition(level, node));
			return unknown(level, node, "an expression");
	}
}

/*
 * Whether ops_condition() knows what to do with a boolean expression that is
 * no call.
 */
static bool
is_condition(Node *node)
{
	switch (nodeTag(node))
	{
		case T_OpExpr:
			return ((OpExpr *) node)->opresulttype == BOOLOID;
		case T_BoolExpr:
		case T_BooleanTest:
		case T_NullTest:
		case T_DistinctExpr:
		case T_ScalarArrayOpExpr:
		case T_RowCompareExpr:
			return true;
		case T_SubLink:
			return ((SubLink *) node)->subLinkType == EXISTS_SUBLINK ||
				((SubLink *) node)->subLinkType == ANY_SUBLINK ||
				((SubLink *) node)->subLinkType == ALL_SUBLINK;
		default:
			return false;
	}
}

List *
ops_value_of_term(OpsLevel *level, OpsTerm *term)
{
	OpsCase    *one = palloc0(sizeof(OpsCase));

	one->when = ops_formula_const(level->reading->audit, TRUTH_T);
	one->then = term;
	return list_make1(one);
}

List *
ops_value_of_truth(OpsLevel *level, OpsFormula *truth)
{
	OpsCase    *one = palloc0(sizeof(OpsCase));

	one->when = ops_formula_const(level->reading->audit, TRUTH_T);
	one->truth = truth;
	return list_make1(one);
}

/*
 * One value if the condition is true, else another one.
 */
List *
ops_value_guard(OpsLevel *level, OpsFormula *when, List *yes, List *no)
{
	OpsRlsAudit *audit = level->reading->audit;
	List	   *value = NIL;
	ListCell   *lc;

	if (when == audit->terms->true_formula)
		return yes;
	if (when == audit->terms->false_formula ||
		when == audit->terms->null_formula)
		return no;
	foreach(lc, yes)
	{
		OpsCase    *one = palloc(sizeof(OpsCase));

		*one = *(OpsCase *) lfirst(lc);
		/* The last case stands for whatever the ones before it leave. */
		one->when = lnext(yes, lc) == NULL ? when :
			ops_formula_if(audit, when, one->when,
						   ops_formula_const(audit, TRUTH_F));
		value = lappend(value, one);
	}
	return list_concat(value, no);
}

/*
 * A boolean value as a formula.
 */
OpsFormula *
ops_value_truth(OpsLevel *level, List *value)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *formula = NULL;

	for (int i = list_length(value) - 1; i >= 0; i--)
	{
		OpsCase    *one = list_nth(value, i);
		OpsFormula *truth = one->truth ? one->truth :
		ops_formula_bool(audit, one->then);

		formula = formula == NULL ? truth :
			ops_formula_if(audit, one->when, truth, formula);
	}
	return formula;
}

OpsFormula *
ops_value_isnull(OpsLevel *level, List *value)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *formula = NULL;

	for (int i = list_length(value) - 1; i >= 0; i--)
	{
		OpsCase    *one = list_nth(value, i);
		OpsFormula *isnull = one->truth ?
		ops_formula_test(audit, one->truth, TRUTH_N) :
		ops_formula_isnull(audit, one->then);

		formula = formula == NULL ? isnull :
			ops_formula_if(audit, one->when, isnull, formula);
	}
	return formula;
}

/*
 * How two values relate.
 */
OpsFormula *
ops_value_relate(OpsLevel *level, List *left, List *right, uint8 relates)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *formula = NULL;

	for (int i = list_length(left) - 1; i >= 0; i--)
	{
		OpsCase    *l = list_nth(left, i);
		OpsFormula *inner = NULL;

		for (int j = list_length(right) - 1; j >= 0; j--)
		{
			OpsCase    *r = list_nth(right, j);
			OpsFormula *relation;

			if (l->truth || r->truth)
				relation = ops_formula_free(NULL);
			else
				relation = ops_formula_relate(audit, l->then, r->then,
											  relates);
			inner = inner == NULL ? relation :
				ops_formula_if(audit, r->when, relation, inner);
		}
		formula = formula == NULL ? inner :
			ops_formula_if(audit, l->when, inner, formula);
	}
	return formula;
}

/*
 * A function of values: of each combination of their cases.
 */
List *
ops_value_apply(OpsLevel *level, Oid function, const char *key, Oid type,
				List *args)
{
	List	   *cases = NIL;
	OpsTerm   **terms = palloc((list_length(args) + 1) * sizeof(OpsTerm *));

	apply_cases(level, function, key, type, args, 0,
				ops_formula_const(level->reading->audit, TRUTH_T), terms,
				&cases);
	if (cases == NIL || list_length(cases) > MAX_CASES)
		return ops_value_of_term(level,
								 ops_term_apply(psprintf("cases %d", ++level->reading->nnodes),
												type, 0, NULL, "its many cases"));
	/* One of the combinations holds, so the last one needs no condition. */
	((OpsCase *) llast(cases))->when =
		ops_formula_const(level->reading->audit, TRUTH_T);
	return cases;
}

static void
apply_cases(OpsLevel *level, Oid function, const char *key, Oid type,
			List *args, int place, OpsFormula *when, OpsTerm **terms,
			List **cases)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *before = NULL;
	ListCell   *lc;

	if (list_length(*cases) > MAX_CASES)
		return;
	if (place == list_length(args))
	{
		OpsCase    *one = palloc0(sizeof(OpsCase));
		OpsTerm   **own = palloc(place * sizeof(OpsTerm *));

		if (place > 0)
			memcpy(own, terms, place * sizeof(OpsTerm *));
		one->when = when;
		one->then = ops_identity_apply(audit, level->reading, function, key,
									   type, place, own);
		*cases = lappend(*cases, one);
		return;
	}
	foreach(lc, (List *) list_nth(args, place))
	{
		OpsCase    *one = lfirst(lc);
		OpsFormula *here = ops_formula_if(audit, when,
										  exclusive(level, before, one->when),
										  ops_formula_const(audit, TRUTH_F));
		static const OpsTruth truths[] = {TRUTH_T, TRUTH_F, TRUTH_N};

		before = before ? ops_formula_or(audit, before, one->when) : one->when;
		if (one->truth == NULL)
		{
			terms[place] = one->then;
			apply_cases(level, function, key, type, args, place + 1, here,
						terms, cases);
			continue;
		}
		for (int i = 0; i < lengthof(truths); i++)
		{
			terms[place] = case_term(level, one, truths[i]);
			apply_cases(level, function, key, type, args, place + 1,
						ops_formula_and(audit, here,
										ops_formula_test(audit, one->truth, truths[i])),
						terms, cases);
		}
	}
}

static OpsTerm *
case_term(OpsLevel *level, OpsCase *one, OpsTruth truth)
{
	if (truth == TRUTH_N)
		return ops_term_null(BOOLOID);
	return ops_term_const(BOOLOID, truth == TRUTH_T ? "t" : "f");
}

/*
 * A case counts only if none before it was true.
 */
static OpsFormula *
exclusive(OpsLevel *level, OpsFormula *before, OpsFormula *when)
{
	OpsRlsAudit *audit = level->reading->audit;

	if (before == NULL)
		return when;
	return ops_formula_if(audit, before,
						  ops_formula_const(audit, TRUTH_F), when);
}

static List *
values_of(OpsLevel *level, List *nodes)
{
	List	   *values = NIL;
	ListCell   *lc;

	foreach(lc, nodes)
		values = lappend(values, ops_value(level, lfirst(lc)));
	return values;
}

/*
 * A value that the prover cannot describe: equal to nothing but itself.
 */
static List *
unknown(OpsLevel *level, Node *node, const char *what)
{
	return ops_value_of_term(level,
							 ops_term_apply(psprintf("%s %d", what,
													 ++level->reading->nnodes),
											exprType(node), 0, NULL, what));
}

/*
 * A call of a function, also by way of an operator.
 */
static List *
call_value(OpsLevel *level, Oid function, Oid type, List *args)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFunction *callee = ops_rls_function(audit, function);
	List	   *values;

	/* Within a definer's function the current user is its owner. */
	if (function == F_CURRENT_USER && OidIsValid(level->definer))
		return ops_value_of_term(level,
								 ops_term_unknown_const(type, "the owner", false));
	if (!callee->builtin)
		args = full_arguments(callee, args);
	values = values_of(level, args);
	if (!callee->builtin)
		return user_function_value(level, callee, type, values);
	if (list_length(values) == 1 && ops_identity_is_cast(function))
		return ops_value_apply(level, InvalidOid, "cast", type, values);
	return ops_value_apply(level, function, callee->proname, type, values);
}

/*
 * Arguments in order, those that were left out by their defaults.
 */
static List *
full_arguments(OpsFunction *function, List *args)
{
	bool		named = list_length(args) < function->nargs;
	HeapTuple	tuple;
	ListCell   *lc;

	foreach(lc, args)
		named |= IsA(lfirst(lc), NamedArgExpr);
	if (!named)
		return args;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function->oid));
	if (!HeapTupleIsValid(tuple))
		return args;
	args = expand_function_arguments(args, false, function->result, tuple);
	ReleaseSysCache(tuple);
	return args;
}

/*
 * A function of the schema: its body, if that can be read.
 */
static List *
user_function_value(OpsLevel *level, OpsFunction *function, Oid type,
					List *values)
{
	OpsRlsAudit *audit = level->reading->audit;
	List	   *value = NIL;
	OpsLevel   *body;
	ListCell   *lc;

	body = ops_identity_is_declared(audit, function) ? NULL :
		ops_level_function(level, function, values);
	if (body)
	{
		level->reading->depth++;
		value = ops_value_guard(level,
								ops_formula_witness(audit, ops_level_has_row(body), false),
								ops_level_output(body, 1),
								ops_value_of_term(level, ops_term_null(type)));
		level->reading->depth--;
	}
	else if (function->routine)
		value = ops_routine_value(level, function, values);
	if (value == NIL)
		return ops_value_apply(level, function->oid,
							   function->name ? function->name : "a dropped function",
							   type, values);

	if (function->strict)
	{
		foreach(lc, values)
			value = ops_value_guard(level,
									ops_value_isnull(level, lfirst(lc)),
									ops_value_of_term(level, ops_term_null(type)),
									value);
	}
	return value;
}

/*
 * A cast by relabelling or by way of text.
 */
static List *
cast_value(OpsLevel *level, Node *arg, Oid type)
{
	return ops_value_apply(level, InvalidOid, "cast", type,
						   list_make1(ops_value(level, arg)));
}

static List *
case_value(OpsLevel *level, CaseExpr *expr)
{
	List	   *saved = level->case_test;
	List	   *test = expr->arg ? ops_value(level, (Node *) expr->arg) : NIL;
	List	   *value = expr->defresult ?
	ops_value(level, (Node *) expr->defresult) :
	ops_value_of_term(level, ops_term_null(expr->casetype));

	for (int i = list_length(expr->args) - 1; i >= 0; i--)
	{
		CaseWhen   *when = list_nth(expr->args, i);
		OpsFormula *condition;

		level->case_test = test;
		condition = ops_condition(level, (Node *) when->expr);
		level->case_test = saved;
		value = ops_value_guard(level, condition,
								ops_value(level, (Node *) when->result), value);
	}
	return value;
}

static List *
coalesce_value(OpsLevel *level, List *args)
{
	OpsRlsAudit *audit = level->reading->audit;
	List	   *value = ops_value(level, llast(args));

	for (int i = list_length(args) - 2; i >= 0; i--)
	{
		List	   *one = ops_value(level, list_nth(args, i));

		value = ops_value_guard(level,
								ops_formula_not(audit, ops_value_isnull(level, one)),
								one, value);
	}
	return value;
}

static List *
nullif_value(OpsLevel *level, List *args, Oid operator)
{
	OpsRlsAudit *audit = level->reading->audit;
	List	   *value = ops_value(level, linitial(args));
	List	   *other = ops_value(level, lsecond(args));
	uint8		relates = ops_rls_operator_relates(audit, operator);
	OpsFormula *same = relates == RELATES_EQ ?
	ops_value_relate(level, value, other, RELATES_EQ) :
	ops_formula_free(NULL);

	return ops_value_guard(level, same,
						   ops_value_of_term(level, ops_term_null(InvalidOid)),
						   value);
}

/*
 * A sub-select that gives one value, or null if it finds no row.
 */
static List *
sublink_value(OpsLevel *level, SubLink *sublink)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsLevel   *query;
	List	   *value;

	level->reading->depth++;
	query = ops_level_query(level->reading, level,
							(Query *) sublink->subselect, level->user,
							level->definer, level->args);
	if (query == NULL)
		value = unknown(level, (Node *) sublink, "nesting");
	else
		value = ops_value_guard(level,
								ops_formula_witness(audit, ops_level_has_row(query), false),
								ops_level_output(query, 1),
								ops_value_of_term(level, ops_term_null(exprType((Node *) sublink))));
	level->reading->depth--;
	return value;
}

/*
 * An aggregate over the rows of its level.  Some give a value that one of the
 * rows has, or tell whether there is a row.
 */
static List *
aggregate_value(OpsLevel *level, Aggref *aggregate)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFunction *function = ops_rls_function(audit, aggregate->aggfnoid);
	Node	   *arg = aggregate->args == NIL ? NULL :
	(Node *) ((TargetEntry *) linitial(aggregate->args))->expr;
	OpsLevel   *home = level;
	OpsFormula *rows;

	for (Index up = aggregate->agglevelsup; up > 0 && home; up--)
		home = home->up;
	if (home == NULL || home->query == NULL || !function->builtin)
		return unknown(level, (Node *) aggregate, "an aggregate");

	level = home;
	rows = ops_level_rows(level);
	if (aggregate->aggfilter)
		rows = ops_formula_and(audit, rows,
							   ops_condition(level, (Node *) aggregate->aggfilter));

	if (strcmp(function->proname, "count") == 0)
		return ops_value_guard(level, ops_formula_witness(audit, rows, false),
							   ops_value_of_term(level,
												 ops_term_unknown_const(INT8OID, "a count above zero", false)),
							   ops_value_of_term(level, ops_term_const(INT8OID, "0")));
	if (arg && (strcmp(function->proname, "min") == 0 ||
				strcmp(function->proname, "max") == 0 ||
				strcmp(function->proname, "any_value") == 0))
		return ops_value_guard(level, ops_formula_witness(audit, rows, false),
							   ops_value(level, arg),
							   ops_value_of_term(level, ops_term_null(aggregate->aggtype)));
	if (arg && strcmp(function->proname, "bool_or") == 0)
	{
		OpsFormula *some = ops_formula_and(audit, rows,
										   ops_condition(level, arg));

		return ops_value_of_truth(level,
								  ops_formula_witness(audit, some, true));
	}
	return unknown(level, (Node *) aggregate, "an aggregate");
}

static List *
param_value(OpsLevel *level, Param *param)
{
	if (param->paramkind == PARAM_EXTERN && param->paramid >= 1 &&
		param->paramid <= list_length(level->args))
		return list_nth(level->args, param->paramid - 1);
	if (param->paramkind == PARAM_SUBLINK && level->sublink)
		return ops_level_output(level->sublink, param->paramid);
	return unknown(level, (Node *) param, "a parameter");
}

static List *
session_value(OpsLevel *level, SQLValueFunction *function)
{
	OpsRlsAudit *audit = level->reading->audit;
	const char *name;

	switch (function->op)
	{
		case SVFOP_CURRENT_ROLE:
		case SVFOP_CURRENT_USER:
		case SVFOP_USER:
			if (OidIsValid(level->definer))
				return ops_value_of_term(level,
										 ops_term_unknown_const(function->type, "the owner", false));
			name = "current_user";
			break;
		case SVFOP_SESSION_USER:
			name = "session_user";
			break;
		case SVFOP_CURRENT_CATALOG:
			return ops_value_of_term(level,
									 ops_term_unknown_const(function->type, "current_catalog", false));
		case SVFOP_CURRENT_SCHEMA:
			return ops_value_of_term(level,
									 ops_term_identity(ops_identity_setting(audit, "search_path", true),
													   function->type));
		default:
			return ops_value_of_term(level,
									 ops_term_identity(ops_identity(audit, "the time", NIL, STATE_VALUE, STATE_VALUE),
													   function->type));
	}
	return ops_value_of_term(level,
							 ops_term_identity(ops_identity_role(audit, name),
											   function->type));
}
