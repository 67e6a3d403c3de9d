/*-------------------------------------------------------------------------
 *
 * routine_inline.c
 *	  Routines that are no more than a query.
 *
 * A list of tenants that a variable holds is best seen as the query that it
 * came from: it takes the variable's place wherever the variable is sure to
 * have that value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rls/routine.h"
#include "utils/lsyscache.h"

/* Put a query in the place of a variable. */
typedef struct Replacement
{
	int			number;
	Query	   *query;
} Replacement;

static int	count_assignments(List *statements, int number);
static bool is_changing(Node *node, OpsRoutine *routine);
static void replace_in_list(List *statements, int first,
							Replacement *replacement);
static void replace_in_query(Query *query, Replacement *replacement);
static Node *replace(Node *node, Replacement *replacement);

/*
 * Replace variables that hold an array, are assigned once and outside of any
 * branch, by what they were assigned.
 */
void
ops_routine_inline(OpsRoutine *routine)
{
	int			place = 0;
	ListCell   *lc;

	foreach(lc, routine->statements)
	{
		OpsStatement *statement = lfirst(lc);
		Replacement replacement;
		OpsVariable *variable;

		place++;
		if (statement->kind != ROUTINE_ASSIGN || statement->strict ||
			list_length(statement->targets) != 1)
			continue;
		replacement.number = linitial_int(statement->targets);
		replacement.query = statement->query;
		variable = list_nth(routine->variables, replacement.number - 1);
		if (!OidIsValid(get_element_type(variable->type)) ||
			variable->notnull ||
			count_assignments(routine->statements, replacement.number) != 1 ||
			is_changing((Node *) statement->query, routine))
			continue;
		replace_in_list(routine->statements, place, &replacement);
	}
}

static int
count_assignments(List *statements, int number)
{
	int			count = 0;
	ListCell   *lc;
	ListCell   *inner;

	check_stack_depth();
	foreach(lc, statements)
	{
		OpsStatement *statement = lfirst(lc);

		count += list_member_int(statement->targets, number);
		foreach(inner, statement->arms)
		{
			OpsStatementArm *arm = lfirst(inner);

			count += count_assignments(arm->body, number);
		}
		foreach(inner, statement->handlers)
			count += count_assignments(lfirst(inner), number);
		count += count_assignments(statement->otherwise, number);
		count += count_assignments(statement->body, number);
	}
	return count;
}

/*
 * Whether a tree speaks of anything but arguments that keep their values.
 */
static bool
is_changing(Node *node, OpsRoutine *routine)
{
	Param	   *param = (Param *) node;

	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return param->paramkind == PARAM_EXTERN &&
			(param->paramid > routine->nargs ||
			 count_assignments(routine->statements, param->paramid) > 0);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, is_changing, routine, 0);
	return expression_tree_walker(node, is_changing, routine);
}

static void
replace_in_list(List *statements, int first, Replacement *replacement)
{
	check_stack_depth();
	for (int i = first; i < list_length(statements); i++)
	{
		OpsStatement *statement = list_nth(statements, i);
		ListCell   *lc;

		if (statement->query)
			replace_in_query(statement->query, replacement);
		foreach(lc, statement->arms)
		{
			OpsStatementArm *arm = lfirst(lc);

			replace_in_query(arm->condition, replacement);
			replace_in_list(arm->body, 0, replacement);
		}
		foreach(lc, statement->handlers)
			replace_in_list(lfirst(lc), 0, replacement);
		replace_in_list(statement->otherwise, 0, replacement);
		replace_in_list(statement->body, 0, replacement);
	}
}

static void
replace_in_query(Query *query, Replacement *replacement)
{
	(void) query_tree_mutator(query, replace, replacement,
							  QTW_DONT_COPY_QUERY);
}

static Node *
replace(Node *node, Replacement *replacement)
{
	Param	   *param = (Param *) node;

	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
		return (Node *) query_tree_mutator((Query *) node, replace,
										   replacement, 0);
	if (IsA(node, Param) && param->paramkind == PARAM_EXTERN &&
		param->paramid == replacement->number)
	{
		SubLink    *sublink = makeNode(SubLink);

		sublink->subLinkType = EXPR_SUBLINK;
		sublink->subselect = (Node *) copyObject(replacement->query);
		sublink->location = -1;
		return (Node *) sublink;
	}
	return expression_tree_mutator(node, replace, replacement);
}

/*
 * The query of a routine that returns its rows and does nothing else.
 */
Query *
ops_routine_only_rows(const OpsRoutine *routine)
{
	OpsStatement *first;

	if (routine->statements == NIL)
		return NULL;
	first = linitial(routine->statements);
	if (first->kind != ROUTINE_RETURN_QUERY)
		return NULL;
	if (list_length(routine->statements) > 1)
	{
		OpsStatement *second = lsecond(routine->statements);

		/* RETURN by itself is an empty block. */
		if (list_length(routine->statements) > 2 ||
			second->kind != ROUTINE_BLOCK || second->body || second->handlers)
			return NULL;
	}
	return first->query;
}

/*
 * The query that gives a routine's value, if nothing that comes before it
 * counts any more; else NULL.
 */
Query *
ops_routine_only_value(OpsRoutine *routine)
{
	OpsStatement *last = NULL;
	ListCell   *lc;

	foreach(lc, routine->statements)
	{
		last = lfirst(lc);
		if (last->kind == ROUTINE_RETURN)
			break;
		if (last->kind != ROUTINE_ASSIGN || last->ends)
			return NULL;
	}
	if (last == NULL || last->kind != ROUTINE_RETURN ||
		is_changing((Node *) last->query, routine))
		return NULL;
	return last->query;
}
