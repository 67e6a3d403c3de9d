/*-------------------------------------------------------------------------
 *
 * normal.c
 *	  Conditions of analysed trees, as formulas.
 *
 * Exact in three-valued logic for whatever is known here; the rest is free
 * to be anything, and says what stood in the way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rls/formula.h"
#include "rls/identity.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* A constant array longer than this is not taken apart. */
#define MAX_ELEMENTS	64

static OpsFormula *bool_condition(OpsLevel *level, BoolExpr *expr);
static OpsFormula *test_condition(OpsLevel *level, BooleanTest *expr);
static OpsFormula *null_condition(OpsLevel *level, NullTest *expr);
static OpsFormula *operator_condition(OpsLevel *level, OpExpr *expr);
static bool is_ordinary_collation(Oid collation, uint8 relates);
static OpsFormula *truths_equal(OpsLevel *level, Node *left, Node *right);
static OpsFormula *member_condition(OpsLevel *level, OpExpr *expr);
static OpsFormula *distinct_condition(OpsLevel *level, OpExpr *expr);
static OpsFormula *array_condition(OpsLevel *level, ScalarArrayOpExpr *expr);
static OpsFormula *some_element(OpsLevel *level, OpsTerm *array, List *left,
								OpsTerm *element, uint8 relates);
static OpsFormula *constant_elements(OpsLevel *level, Const *array,
									 List *left, uint8 relates);
static OpsFormula *sublink_condition(OpsLevel *level, SubLink *sublink);
static OpsFormula *has_role_condition(OpsLevel *level, FuncExpr *call);
static bool is_query(Node *array);
static OpsFormula *element_of_query(OpsLevel *level, OpsLevel *query,
									List *left, uint8 relates);
static OpsFormula *element_of_function(OpsLevel *level, FuncExpr *call,
									   List *left, uint8 relates);

/*
 * The formula of a boolean expression.
 */
OpsFormula *
ops_condition(OpsLevel *level, Node *node)
{
	OpsRlsAudit *audit = level->reading->audit;

	check_stack_depth();
	level->reading->nnodes++;
	switch (nodeTag(node))
	{
		case T_BoolExpr:
			return bool_condition(level, (BoolExpr *) node);
		case T_BooleanTest:
			return test_condition(level, (BooleanTest *) node);
		case T_NullTest:
			return null_condition(level, (NullTest *) node);
		case T_OpExpr:
			return operator_condition(level, (OpExpr *) node);
		case T_DistinctExpr:
			return distinct_condition(level, (OpExpr *) node);
		case T_ScalarArrayOpExpr:
			return array_condition(level, (ScalarArrayOpExpr *) node);
		case T_RowCompareExpr:
			return ops_formula_free("a comparison of rows");
		case T_SubLink:
			if (((SubLink *) node)->subLinkType != EXPR_SUBLINK)
				return sublink_condition(level, (SubLink *) node);
			break;
		case T_FuncExpr:
			{
				OpsFormula *has_role = has_role_condition(level,
														  (FuncExpr *) node);

				if (has_role)
					return has_role;
				break;
			}
		case T_List:
			{
				OpsFormula *all = ops_formula_const(audit, TRUTH_T);
				ListCell   *lc;

				foreach(lc, (List *) node)
					all = ops_formula_and(audit, all,
										  ops_condition(level, lfirst(lc)));
				return all;
			}
		default:
			break;
	}
	return ops_value_truth(level, ops_value(level, node));
}

static OpsFormula *
bool_condition(OpsLevel *level, BoolExpr *expr)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *formula = NULL;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		OpsFormula *arg = ops_condition(level, lfirst(lc));

		if (expr->boolop == NOT_EXPR)
			return ops_formula_not(audit, arg);
		if (formula == NULL)
			formula = arg;
		else if (expr->boolop == AND_EXPR)
			formula = ops_formula_and(audit, formula, arg);
		else
			formula = ops_formula_or(audit, formula, arg);
	}
	return formula;
}

static OpsFormula *
test_condition(OpsLevel *level, BooleanTest *expr)
{
	OpsTruth	truth = 0;

	switch (expr->booltesttype)
	{
		case IS_TRUE:
			truth = TRUTH_T;
			break;
		case IS_NOT_TRUE:
			truth = TRUTH_F | TRUTH_N;
			break;
		case IS_FALSE:
			truth = TRUTH_F;
			break;
		case IS_NOT_FALSE:
			truth = TRUTH_T | TRUTH_N;
			break;
		case IS_UNKNOWN:
			truth = TRUTH_N;
			break;
		case IS_NOT_UNKNOWN:
			truth = TRUTH_T | TRUTH_F;
			break;
	}
	return ops_formula_test(level->reading->audit,
							ops_condition(level, (Node *) expr->arg), truth);
}

static OpsFormula *
null_condition(OpsLevel *level, NullTest *expr)
{
	OpsFormula *isnull;

	if (expr->argisrow)
		return ops_formula_free("a null test of a row");
	isnull = ops_value_isnull(level, ops_value(level, (Node *) expr->arg));
	return expr->nulltesttype == IS_NULL ? isnull :
		ops_formula_not(level->reading->audit, isnull);
}

static OpsFormula *
operator_condition(OpsLevel *level, OpExpr *expr)
{
	uint8		relates = ops_rls_operator_relates(level->reading->audit,
												   expr->opno);
	Node	   *left = linitial(expr->args);
	OpsFormula *member;

	if (list_length(expr->args) == 2 && relates != 0 &&
		is_ordinary_collation(expr->inputcollid, relates))
	{
		if (exprType(left) == BOOLOID &&
			(relates == RELATES_EQ || relates == RELATES_NE))
		{
			OpsFormula *equal = truths_equal(level, left, lsecond(expr->args));

			return relates == RELATES_EQ ? equal :
				ops_formula_not(level->reading->audit, equal);
		}
		return ops_value_relate(level, ops_value(level, left),
								ops_value(level, lsecond(expr->args)),
								relates);
	}
	member = member_condition(level, expr);
	if (member)
		return member;

	set_opfuncid(expr);
	{
		List	   *values = NIL;
		ListCell   *lc;

		foreach(lc, expr->args)
			values = lappend(values, ops_value(level, lfirst(lc)));
		return ops_value_truth(level,
							   ops_value_apply(level, expr->opfuncid,
											   ops_rls_function(level->reading->audit, expr->opfuncid)->proname,
											   BOOLOID, values));
	}
}

/*
 * Whether values that are equal are the same, and all orders of the formula
 * are the same order.
 */
static bool
is_ordinary_collation(Oid collation, uint8 relates)
{
	if (!OidIsValid(collation) || collation == DEFAULT_COLLATION_OID)
		return true;
	return (relates == RELATES_EQ || relates == RELATES_NE) &&
		get_collation_isdeterministic(collation);
}

/*
 * Two booleans are equal: both true, or neither, or one is unknown.
 */
static OpsFormula *
truths_equal(OpsLevel *level, Node *left, Node *right)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *a = ops_condition(level, left);
	OpsFormula *b = ops_condition(level, right);

	return ops_formula_or(audit, ops_formula_and(audit, a, b),
						  ops_formula_and(audit, ops_formula_not(audit, a),
										  ops_formula_not(audit, b)));
}

/*
 * Operators that look for a value in a list that the session brings along;
 * NULL if it is none.
 */
static OpsFormula *
member_condition(OpsLevel *level, OpExpr *expr)
{
	OpsRlsAudit *audit = level->reading->audit;
	Node	   *container;
	Node	   *elements;
	OpsFormula *some = ops_formula_const(audit, TRUTH_F);
	OpsFormula *every = ops_formula_const(audit, TRUTH_T);
	ListCell   *lc;

	if (list_length(expr->args) != 2)
		return NULL;
	set_opfuncid(expr);
	container = linitial(expr->args);
	elements = lsecond(expr->args);
	if (expr->opfuncid == F_JSONB_EXISTS)
		return ops_any_element(level, container, ops_value(level, elements),
							   RELATES_EQ);
	if (expr->opfuncid == F_ARRAYCONTAINED ||
		(expr->opfuncid == F_ARRAYOVERLAP && !IsA(elements, ArrayExpr)))
	{
		Node	   *swap = container;

		container = elements;
		elements = swap;
	}
	if ((expr->opfuncid != F_ARRAYCONTAINS &&
		 expr->opfuncid != F_ARRAYCONTAINED &&
		 expr->opfuncid != F_ARRAYOVERLAP) ||
		!IsA(elements, ArrayExpr) || ((ArrayExpr *) elements)->multidims ||
		((ArrayExpr *) elements)->elements == NIL)
		return NULL;
	foreach(lc, ((ArrayExpr *) elements)->elements)
	{
		OpsFormula *one = ops_any_element(level, container,
										  ops_value(level, lfirst(lc)),
										  RELATES_EQ);

		some = ops_formula_or(audit, some, one);
		every = ops_formula_and(audit, every, one);
	}
	/* A null element is in no list: that is false, not null. */
	return ops_formula_test(audit, expr->opfuncid == F_ARRAYOVERLAP ?
							some : every, TRUTH_T);
}

static OpsFormula *
distinct_condition(OpsLevel *level, OpExpr *expr)
{
	OpsRlsAudit *audit = level->reading->audit;
	List	   *left = ops_value(level, linitial(expr->args));
	List	   *right = ops_value(level, lsecond(expr->args));
	OpsFormula *left_null = ops_value_isnull(level, left);
	OpsFormula *right_null = ops_value_isnull(level, right);
	OpsFormula *equal;

	if (exprType(linitial(expr->args)) == BOOLOID)
		equal = truths_equal(level, linitial(expr->args),
							 lsecond(expr->args));
	else if (ops_rls_operator_relates(audit, expr->opno) == RELATES_EQ)
		equal = ops_value_relate(level, left, right, RELATES_EQ);
	else
		equal = ops_formula_free("IS DISTINCT FROM");
	return ops_formula_if(audit, left_null,
						  ops_formula_not(audit, right_null),
						  ops_formula_if(audit, right_null,
										 ops_formula_const(audit, TRUTH_T),
										 ops_formula_not(audit, equal)));
}

/*
 * x op ANY (array), x op ALL (array).
 */
static OpsFormula *
array_condition(OpsLevel *level, ScalarArrayOpExpr *expr)
{
	OpsRlsAudit *audit = level->reading->audit;
	uint8		relates = ops_rls_operator_relates(audit, expr->opno);
	List	   *left = ops_value(level, linitial(expr->args));
	OpsFormula *any;

	if (relates == 0 || !is_ordinary_collation(expr->inputcollid, relates))
		return ops_formula_free(get_opname(expr->opno));
	if (expr->useOr)
		return ops_any_element(level, lsecond(expr->args), left, relates);
	any = ops_any_element(level, lsecond(expr->args), left,
						  RELATES_ANY & ~relates);
	return ops_formula_not(audit, any);
}

/*
 * Some element of an array relates to a value.
 */
OpsFormula *
ops_any_element(OpsLevel *level, Node *array, List *left, uint8 relates)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *any = NULL;
	List	   *value;
	ListCell   *lc;

	check_stack_depth();
	switch (nodeTag(array))
	{
		case T_RelabelType:
			return ops_any_element(level,
								   (Node *) ((RelabelType *) array)->arg,
								   left, relates);
		case T_Const:
			if (!((Const *) array)->constisnull)
				return constant_elements(level, (Const *) array, left,
										 relates);
			return ops_formula_const(audit, TRUTH_N);
		case T_ArrayExpr:
			if (((ArrayExpr *) array)->multidims)
				break;
			any = ops_formula_const(audit, TRUTH_F);
			foreach(lc, ((ArrayExpr *) array)->elements)
				any = ops_formula_or(audit, any,
									 ops_value_relate(level, left,
													  ops_value(level, lfirst(lc)),
													  relates));
			return any;
		case T_ArrayCoerceExpr:
			/* Elements are cast one by one. */
			if (is_query((Node *) ((ArrayCoerceExpr *) array)->arg))
				return ops_any_element(level,
									   (Node *) ((ArrayCoerceExpr *) array)->arg,
									   left, relates);
			break;
		case T_CoalesceExpr:
			{
				List	   *args = ((CoalesceExpr *) array)->args;

				any = ops_any_element(level, llast(args), left, relates);
				for (int i = list_length(args) - 2; i >= 0; i--)
					any = ops_formula_if(audit,
										 ops_value_isnull(level, ops_value(level, list_nth(args, i))),
										 any,
										 ops_any_element(level, list_nth(args, i), left, relates));
				return any;
			}
		case T_SubLink:
			if (((SubLink *) array)->subLinkType == ARRAY_SUBLINK ||
				((SubLink *) array)->subLinkType == EXPR_SUBLINK)
			{
				OpsLevel   *query;

				level->reading->depth++;
				query = ops_level_query(level->reading, level,
										(Query *) ((SubLink *) array)->subselect,
										level->user, level->definer,
										level->args);
				if (query == NULL)
					any = ops_formula_free("nesting");
				else if (((SubLink *) array)->subLinkType == ARRAY_SUBLINK)
					any = ops_formula_witness(audit,
											  ops_formula_and(audit,
															  ops_level_rows(query),
															  ops_value_relate(level, left, ops_level_output(query, 1), relates)),
											  true);
				else
					any = element_of_query(level, query, left, relates);
				level->reading->depth--;
				return any;
			}
			break;
		case T_Aggref:
			if (((Aggref *) array)->aggfnoid == F_ARRAY_AGG_ANYNONARRAY &&
				((Aggref *) array)->agglevelsup == 0 &&
				((Aggref *) array)->aggfilter == NULL)
			{
				TargetEntry *arg = linitial(((Aggref *) array)->args);

				return ops_formula_witness(audit,
										   ops_formula_and(audit,
														   ops_level_rows(level),
														   ops_value_relate(level, left,
																			ops_value(level, (Node *) arg->expr),
																			relates)),
										   true);
			}
			break;
		case T_FuncExpr:
			any = element_of_function(level, (FuncExpr *) array, left,
									  relates);
			if (any)
				return any;
			break;
		default:
			break;
	}

	value = ops_value(level, array);
	for (int i = list_length(value) - 1; i >= 0; i--)
	{
		OpsCase    *one = list_nth(value, i);
		OpsFormula *here;

		if (one->then && one->then->kind == TERM_IDENTITY)
			here = some_element(level, one->then, left,
								ops_term_element(audit, one->then), relates);
		else if (one->then && one->then->kind == TERM_CONST &&
				 one->then->isnull)
			here = ops_formula_const(audit, TRUTH_N);
		else if (one->then && one->then->kind == TERM_CONST &&
				 one->then->path && one->then->path[0] == '\0')
			here = ops_formula_const(audit, TRUTH_F);
		else if (one->then && ops_term_obstacle(one->then) == NULL)
			here = some_element(level, one->then, left,
								ops_term_apply("one of", InvalidOid, 1, &one->then, NULL),
								relates);
		else
			here = ops_formula_free(one->then ? ops_term_obstacle(one->then) :
									"an array");
		any = any == NULL ? here :
			ops_formula_if(audit, one->when, here, any);
	}
	return any;
}

/*
 * An element of an array, which may have none: then nothing equals one, not
 * even null.
 */
static OpsFormula *
some_element(OpsLevel *level, OpsTerm *array, List *left, OpsTerm *element,
			 uint8 relates)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsFormula *relation = ops_value_relate(level, left,
											ops_value_of_term(level, element),
											relates);

	return ops_formula_if(audit, ops_formula_isnull(audit, array),
						  ops_formula_const(audit, TRUTH_N),
						  ops_formula_if(audit, ops_formula_choice(),
										 ops_formula_const(audit, TRUTH_F),
										 relation));
}

/*
 * An array that a query builds, rather than one that the session has.
 */
static bool
is_query(Node *array)
{
	while (IsA(array, RelabelType))
		array = (Node *) ((RelabelType *) array)->arg;
	return IsA(array, ArrayExpr) || IsA(array, SubLink) ||
		IsA(array, Aggref) || IsA(array, Const);
}

/*
 * A query whose one value is the array.
 */
static OpsFormula *
element_of_query(OpsLevel *level, OpsLevel *query, List *left, uint8 relates)
{
	OpsRlsAudit *audit = level->reading->audit;
	TargetEntry *target;
	OpsFormula *any;

	if (query->branches)
		return ops_formula_free("UNION");
	target = linitial(query->query->targetList);
	any = ops_any_element(query, (Node *) target->expr, left, relates);
	return ops_formula_and(audit,
						   ops_formula_witness(audit, ops_level_has_row(query), true),
						   any);
}

/*
 * A function that gives the array; NULL if its body cannot be read.
 */
static OpsFormula *
element_of_function(OpsLevel *level, FuncExpr *call, List *left,
					uint8 relates)
{
	OpsFunction *function = ops_rls_function(level->reading->audit,
											 call->funcid);
	OpsLevel   *body;
	List	   *args = NIL;
	ListCell   *lc;
	OpsFormula *any = NULL;

	if (function->builtin || call->funcretset)
		return NULL;
	foreach(lc, call->args)
		args = lappend(args, ops_value(level, lfirst(lc)));
	body = ops_level_function(level, function, args);
	if (body == NULL)
		return NULL;
	level->reading->depth++;
	any = element_of_query(level, body, left, relates);
	level->reading->depth--;
	return any;
}

static OpsFormula *
constant_elements(OpsLevel *level, Const *array, List *left, uint8 relates)
{
	OpsRlsAudit *audit = level->reading->audit;
	ArrayType  *elements = DatumGetArrayTypeP(array->constvalue);
	Oid			type = ARR_ELEMTYPE(elements);
	OpsFormula *any = ops_formula_const(audit, TRUTH_F);
	int16		length;
	bool		by_value;
	char		align;
	Datum	   *values;
	bool	   *isnull;
	int			nvalues;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(elements, type, length, by_value, align,
					  &values, &isnull, &nvalues);
	if (nvalues > MAX_ELEMENTS)
		return ops_value_relate(level, left,
								ops_value_of_term(level, ops_term_unknown_const(type, "one of a long list", true)),
								relates);
	for (int i = 0; i < nvalues; i++)
	{
		Const	   *element = makeConst(type, -1, array->constcollid, length,
										values[i], isnull[i], by_value);

		any = ops_formula_or(audit, any,
							 ops_value_relate(level, left,
											  ops_value_of_term(level, ops_identity_const(element)),
											  relates));
	}
	return any;
}

/*
 * EXISTS, IN, op ANY, op ALL of a sub-select.
 */
static OpsFormula *
sublink_condition(OpsLevel *level, SubLink *sublink)
{
	OpsRlsAudit *audit = level->reading->audit;
	OpsLevel   *saved = level->sublink;
	OpsFormula *formula;
	OpsLevel   *query;

	level->reading->depth++;
	query = ops_level_query(level->reading, level,
							(Query *) sublink->subselect, level->user,
							level->definer, level->args);
	if (query == NULL)
		formula = ops_formula_free("nesting");
	else if (sublink->subLinkType == EXISTS_SUBLINK)
		formula = ops_formula_witness(audit, ops_level_has_row(query), false);
	else
	{
		OpsFormula *test;
		bool		all = sublink->subLinkType == ALL_SUBLINK;

		level->sublink = query;
		test = ops_condition(level, sublink->testexpr);
		level->sublink = saved;
		if (all)
			test = ops_formula_not(audit, test);
		formula = ops_formula_witness(audit,
									  ops_formula_and(audit,
													  ops_level_has_row(query),
													  test),
									  true);
		if (all)
			formula = ops_formula_not(audit, formula);
	}
	level->reading->depth--;
	return formula;
}

/*
 * pg_has_role() of the current user and a role that is named; NULL if it is
 * another function.
 */
static OpsFormula *
has_role_condition(OpsLevel *level, FuncExpr *call)
{
	List	   *role;
	OpsCase    *one;

	switch (call->funcid)
	{
		case F_PG_HAS_ROLE_NAME_TEXT:
			role = ops_value(level, linitial(call->args));
			break;
		case F_PG_HAS_ROLE_NAME_NAME_TEXT:
			{
				List	   *user = ops_value(level, linitial(call->args));

				one = linitial(user);
				if (list_length(user) != 1 || one->then == NULL ||
					one->then->kind != TERM_IDENTITY ||
					strcmp(one->then->identity->key, "current_user") != 0)
					return NULL;
				role = ops_value(level, lsecond(call->args));
				break;
			}
		default:
			return NULL;
	}
	one = linitial(role);
	if (list_length(role) != 1 || one->then == NULL ||
		one->then->kind != TERM_CONST || !one->then->known ||
		OidIsValid(level->definer))
		return NULL;
	return ops_formula_has_role(one->then->key);
}
