/*-------------------------------------------------------------------------
 *
 * literals.c
 *	  Analysing a statement without reading its literals.
 *
 * Analysis turns a string into a value of the type that is wanted of it.  For
 * an array of a domain, or a row with one, that runs the domain's checks: code
 * of whoever made the domain.  So strings are hidden behind parameters while a
 * statement is analysed, and only those that turn out to be of a type whose
 * input function came with the server are read afterwards.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rls/literals.h"
#include "utils/lsyscache.h"

/* Numbers of parameters that nobody writes. */
#define FIRST_LITERAL	1000000

static bool hide(Node *node, List **literals);
static Node *resolve_parameter(ParseState *pstate, ParamRef *reference);
static Node *coerce_parameter(ParseState *pstate, Param *param, Oid type,
							  int32 typmod, int location);
static Node *show(Node *node, List *literals);

/* The hook that was there before; set for each analysis anew. */
static ParseParamRefHook other_hook = NULL;

List *
ops_literals_hide(Node *statement)
{
	List	   *literals = NIL;

	if (IsA(statement, RawStmt))
		statement = ((RawStmt *) statement)->stmt;
	(void) hide(statement, &literals);
	return literals;
}

static bool
hide(Node *node, List **literals)
{
	if (node == NULL)
		return false;
	check_stack_depth();
	/* Type modifiers have to be literals, and are no values. */
	if (IsA(node, TypeName))
		return false;
	if (IsA(node, A_Const))
	{
		A_Const    *constant = (A_Const *) node;
		ParamRef   *reference = (ParamRef *) node;
		int			location = constant->location;

		if (constant->isnull || !IsA(&constant->val, String))
			return false;
		*literals = lappend(*literals, constant->val.sval.sval);
		/* The smaller node takes the place of the larger one. */
		StaticAssertStmt(sizeof(ParamRef) <= sizeof(A_Const),
						 "a reference fits where a constant was");
		reference->type = T_ParamRef;
		reference->number = FIRST_LITERAL + list_length(*literals) - 1;
		reference->location = location;
		return false;
	}
	return raw_expression_tree_walker(node, hide, literals);
}

void
ops_literals_hook(ParseState *pstate)
{
	other_hook = pstate->p_paramref_hook;
	pstate->p_paramref_hook = resolve_parameter;
	pstate->p_coerce_param_hook = coerce_parameter;
}

static Node *
resolve_parameter(ParseState *pstate, ParamRef *reference)
{
	Param	   *param;

	if (reference->number < FIRST_LITERAL)
		return other_hook ? other_hook(pstate, reference) : NULL;
	param = makeNode(Param);
	param->paramkind = PARAM_EXTERN;
	param->paramid = reference->number;
	param->paramtype = UNKNOWNOID;
	param->paramtypmod = -1;
	param->location = reference->location;
	return (Node *) param;
}

/*
 * What is wanted of a literal is what it is; others are left to the server.
 */
static Node *
coerce_parameter(ParseState *pstate, Param *param, Oid type, int32 typmod,
				 int location)
{
	Param	   *copy;

	if (param->paramkind != PARAM_EXTERN ||
		param->paramid < FIRST_LITERAL || param->paramtype != UNKNOWNOID)
		return NULL;
	copy = copyObject(param);
	copy->paramtype = type;
	copy->paramtypmod = -1;
	copy->paramcollid = get_typcollation(type);
	return (Node *) copy;
}

Query *
ops_literals_show(Query *query, List *literals)
{
	if (literals == NIL)
		return query;
	return query_tree_mutator(query, show, literals, 0);
}

static Node *
show(Node *node, List *literals)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
		return (Node *) query_tree_mutator((Query *) node, show, literals, 0);
	if (IsA(node, Param) &&
		((Param *) node)->paramkind == PARAM_EXTERN &&
		((Param *) node)->paramid >= FIRST_LITERAL)
	{
		Param	   *param = (Param *) node;
		char	   *string = list_nth(literals,
									  param->paramid - FIRST_LITERAL);
		int16		length;
		bool		by_value;
		Oid			input;
		Oid			io_param;

		if (!ops_literals_is_plain(param->paramtype))
			return (Node *) copyObject(param);
		getTypeInputInfo(param->paramtype, &input, &io_param);
		get_typlenbyval(param->paramtype, &length, &by_value);
		return (Node *) makeConst(param->paramtype, -1, param->paramcollid,
								  length,
								  OidInputFunctionCall(input, string, io_param, -1),
								  false, by_value);
	}
	return expression_tree_mutator(node, show, literals);
}

/*
 * Whether values of a type are read by code that came with the server: base
 * types, and arrays of them; no ranges of, rows of or domains over anything.
 */
bool
ops_literals_is_plain(Oid type)
{
	Oid			element = get_element_type(type);

	if (OidIsValid(element))
		type = element;
	return type < FirstGenbkiObjectId && get_typtype(type) == TYPTYPE_BASE;
}
