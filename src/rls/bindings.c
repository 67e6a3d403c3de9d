/*-------------------------------------------------------------------------
 *
 * bindings.c
 *	  What conditions compare columns with.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "core/relation.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rls/identity.h"
#include "rls/roles.h"
#include "rls/tenancy.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* A walk through a condition for what it hands to functions. */
typedef struct ArgumentWalk
{
	OpsRlsAudit *audit;
	OpsRlsRelation *subject;
	Index		depth;			/* of sub-selects */
	int			inside;			/* of calls */
} ArgumentWalk;

static void walk_bindings(OpsRlsAudit *audit, OpsRlsRelation *subject, OpsRlsPolicy *policy, const OpsFormula *formula, const List *rows, List **bindings, List **links);
static void note_candidates(OpsRlsRelation *subject, const OpsTerm *term);
static void note_candidate(OpsRlsRelation *subject, AttrNumber column);
static bool walk_arguments(Node *node, ArgumentWalk *walk);
static void note_term_pair(OpsRlsAudit *audit, OpsRlsRelation *subject, OpsRlsPolicy *policy, const List *rows, const OpsTerm *left, const OpsTerm *right, List **bindings, List **links);
static OpsRlsRelation *row_relation(OpsRlsRelation *subject, const List *rows, int row);

/*
 * Note what a condition sets equal.  The current context is the audit's.
 */
void
ops_tenancy_note_bindings(OpsRlsAudit *audit, OpsRlsRelation *subject,
						  OpsRlsPolicy *policy, const OpsFormula *formula,
						  const List *rows)
{
	List	   *bindings = NIL;
	List	   *links = NIL;
	Bitmapset  *columns = NULL;
	ListCell   *lc;

	walk_bindings(audit, subject, policy, formula, rows, &bindings, &links);
	foreach(lc, bindings)
	{
		OpsBinding *binding = lfirst(lc);

		if (binding->direct)
			columns = bms_add_member(columns, binding->column);
	}
	foreach(lc, bindings)
		((OpsBinding *) lfirst(lc))->alone = bms_num_members(columns) == 1;
	foreach(lc, links)
	{
		OpsLink    *link = lfirst(lc);
		ListCell   *other;

		foreach(other, bindings)
			link->identified |= ((OpsBinding *) lfirst(other))->relation == link->lookup;
	}
	audit->tenancy->bindings = list_concat(audit->tenancy->bindings, bindings);
	audit->tenancy->links = list_concat(audit->tenancy->links, links);
}

static void
walk_bindings(OpsRlsAudit *audit, OpsRlsRelation *subject,
			  OpsRlsPolicy *policy, const OpsFormula *formula,
			  const List *rows, List **bindings, List **links)
{
	if (formula->kind == FORMULA_BOOL)
		note_candidates(subject, formula->left);
	if (formula->kind == FORMULA_RELATE)
	{
		if (formula->left->kind != TERM_CONST &&
			formula->right->kind != TERM_CONST)
		{
			note_candidates(subject, formula->left);
			note_candidates(subject, formula->right);
		}
		note_term_pair(audit, subject, policy, rows, formula->left,
					   formula->right, bindings, links);
		note_term_pair(audit, subject, policy, rows, formula->right,
					   formula->left, bindings, links);
	}
	for (int i = 0; i < formula->nargs; i++)
		walk_bindings(audit, subject, policy, formula->args[i], rows,
					  bindings, links);
}

/*
 * A column that is compared with anything but a constant may be what tells
 * tenants apart, if nothing better does.
 */
static void
note_candidates(OpsRlsRelation *subject, const OpsTerm *term)
{
	if (term->kind == TERM_COLUMN && term->row == 0)
		note_candidate(subject, term->column);
	for (int i = 0; i < term->nargs; i++)
		note_candidates(subject, term->args[i]);
}

static void
note_candidate(OpsRlsRelation *subject, AttrNumber column)
{
	if (column >= 1 && column <= subject->ncolumns &&
		subject->columns[column - 1].name &&
		ops_tenancy_can_be_key(subject->columns[column - 1].type))
		subject->candidates = bms_add_member(subject->candidates, column);
}

void
ops_tenancy_note_arguments(OpsRlsAudit *audit, OpsRlsRelation *subject,
						   Node *condition)
{
	ArgumentWalk walk = {.audit = audit,.subject = subject};

	(void) walk_arguments(condition, &walk);
}

static bool
walk_arguments(Node *node, ArgumentWalk *walk)
{
	bool		result;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		if (walk->inside > 0 && ((Var *) node)->varlevelsup == walk->depth)
			note_candidate(walk->subject, ((Var *) node)->varattno);
		return false;
	}
	if (IsA(node, Query))
	{
		walk->depth++;
		result = query_tree_walker((Query *) node, walk_arguments, walk, 0);
		walk->depth--;
		return result;
	}
	if (IsA(node, FuncExpr) &&
		!ops_rls_function(walk->audit, ((FuncExpr *) node)->funcid)->builtin)
	{
		walk->inside++;
		result = expression_tree_walker(node, walk_arguments, walk);
		walk->inside--;
		return result;
	}
	return expression_tree_walker(node, walk_arguments, walk);
}

static void
note_term_pair(OpsRlsAudit *audit, OpsRlsRelation *subject,
			   OpsRlsPolicy *policy, const List *rows, const OpsTerm *left,
			   const OpsTerm *right, List **bindings, List **links)
{
	OpsRlsRelation *relation;

	if (left->kind != TERM_COLUMN)
		return;
	relation = row_relation(subject, rows, left->row);
	if (relation == NULL)
		return;
	if (right->kind == TERM_IDENTITY && right->identity->sources != NIL)
	{
		OpsBinding *binding = palloc0(sizeof(OpsBinding));

		binding->relation = relation;
		binding->column = left->column;
		binding->identity = right->identity;
		binding->subject = subject;
		binding->policy = policy;
		binding->direct = left->row == 0;
		*bindings = lappend(*bindings, binding);
		relation->identified = bms_add_member(relation->identified,
											  left->column);
	}
	else if (right->kind == TERM_COLUMN && left->row == 0 && right->row != 0)
	{
		OpsLink    *link = palloc0(sizeof(OpsLink));

		link->relation = relation;
		link->column = left->column;
		link->lookup = row_relation(subject, rows, right->row);
		link->lookup_column = right->column;
		if (link->lookup)
			*links = lappend(*links, link);
	}
}

static OpsRlsRelation *
row_relation(OpsRlsRelation *subject, const List *rows, int row)
{
	ListCell   *lc;

	if (row == 0)
		return subject;
	foreach(lc, rows)
	{
		OpsQueryRow *known = lfirst(lc);

		if (known->row == row)
			return known->relation;
	}
	return NULL;
}
