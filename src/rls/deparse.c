/*-------------------------------------------------------------------------
 *
 * deparse.c
 *	  Conditions of policies as SQL.
 *
 * ruleutils.c opens the relation that an expression is about, and waits for
 * its lock.  We hand it something that is no relation and has the columns as
 * the snapshot knows them, so that nothing is opened.  Tables in sub-selects
 * it does lock; those we lock before, and only if nobody is in the way.  All
 * of it goes with a subtransaction, which is rolled back in any case: things
 * can be dropped while we name them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "core/relation.h"
#include "core/scope.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "rls/deparse.h"
#include "storage/lock.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

/* Columns of the relation that an expression mentions. */
typedef struct ColumnSearch
{
	int			depth;
	Bitmapset  *columns;
} ColumnSearch;

static char *deparse_unlocked(const OpsRlsRelation *relation, Node *expr);
static bool locks_refused(Node *node, void *unused);
static bool relation_refused(Oid relid);
static bool operators_refused(List *operators);
static bool operator_refused(Oid operator);
static bool type_refused(Oid type);
static List *context_of(const OpsRlsRelation *relation, Node *expr);
static bool find_columns(Node *node, ColumnSearch *search);

char *
ops_rls_deparse(const OpsRlsRelation *relation, Node *expr)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "deparse",
												  ALLOCSET_DEFAULT_SIZES);
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile sql = NULL;
	char	   *kept = NULL;
	ErrorData  *volatile interrupt = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(scratch);
	PG_TRY();
	{
		sql = deparse_unlocked(relation, expr);
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		FlushErrorState();
		if (ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
			interrupt = edata;
		else
			FreeErrorData(edata);
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (interrupt)
		ReThrowError(interrupt);
	if (sql)
		kept = pstrdup(sql);
	MemoryContextDelete(scratch);
	return kept;
}

static char *
deparse_unlocked(const OpsRlsRelation *relation, Node *expr)
{
	OpsScope	scope;
	char	   *sql = NULL;

	ops_scope_enter(&scope, InvalidOid);
	if (!locks_refused(expr, NULL))
	{
		/* Taking locks on a sub-select can change it. */
		sql = deparse_expression(copyObject(expr), context_of(relation, expr),
								 false, false);
	}
	ops_scope_leave(&scope);
	return sql;
}

/*
 * Lock whatever is going to be opened; true if one lock cannot be had.
 */
static bool
locks_refused(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Query:
			return query_tree_walker((Query *) node, locks_refused, unused,
									 QTW_EXAMINE_RTES_BEFORE);
		case T_RangeTblEntry:
			{
				RangeTblEntry *rte = (RangeTblEntry *) node;

				/* The tree walker goes on to what is below it. */
				return rte->rtekind == RTE_RELATION &&
					relation_refused(rte->relid);
			}
		case T_FieldSelect:
			if (type_refused(exprType((Node *) ((FieldSelect *) node)->arg)))
				return true;
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (operator_refused(((OpExpr *) node)->opno))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (operator_refused(((ScalarArrayOpExpr *) node)->opno))
				return true;
			break;
		case T_RowCompareExpr:
			if (operators_refused(((RowCompareExpr *) node)->opnos))
				return true;
			break;
		case T_SortGroupClause:
			if (operator_refused(((SortGroupClause *) node)->sortop))
				return true;
			break;
		case T_Const:
		case T_FuncExpr:
		case T_RowExpr:
		case T_FieldStore:
			if (type_refused(exprType(node)))
				return true;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, locks_refused, unused);
}

static bool
relation_refused(Oid relid)
{
	int			holder;

	if (!ops_relation_try_lock(relid, &holder))
		return true;
	return !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid));
}

static bool
operators_refused(List *operators)
{
	ListCell   *lc;

	foreach(lc, operators)
	{
		if (operator_refused(lfirst_oid(lc)))
			return true;
	}
	return false;
}

/*
 * ruleutils.c takes for granted that the schema of an operator has a name,
 * and crashes if it was dropped with the operator meanwhile.
 */
static bool
operator_refused(Oid operator)
{
	HeapTuple	tuple;
	Oid			schema;
	LOCKTAG		tag;

	if (operator < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	if (!HeapTupleIsValid(tuple))
		return true;
	schema = ((Form_pg_operator) GETSTRUCT(tuple))->oprnamespace;
	ReleaseSysCache(tuple);

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, NamespaceRelationId, schema, 0);
	if (LockAcquire(&tag, AccessShareLock, false, true) ==
		LOCKACQUIRE_NOT_AVAIL)
		return true;
	AcceptInvalidationMessages();
	return !SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(schema));
}

/*
 * Names of a composite type's fields are looked up in its relation.
 */
static bool
type_refused(Oid type)
{
	Oid			element;
	Oid			relid;

	if (type < FirstNormalObjectId)
		return false;
	element = get_base_element_type(type);
	relid = get_typ_typrelid(getBaseType(OidIsValid(element) ? element : type));
	return OidIsValid(relid) && relation_refused(relid);
}

/*
 * The context in which varno 1 means the relation, made without opening it.
 * Columns that are not mentioned look as if they were dropped.
 */
static List *
context_of(const OpsRlsRelation *relation, Node *expr)
{
	PlannedStmt *statement = makeNode(PlannedStmt);
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	ColumnSearch search = {0};
	List	   *names = NIL;
	int			last;

	find_columns(expr, &search);
	last = Min(bms_prev_member(search.columns, -1), relation->ncolumns);
	for (int i = 1; i <= last; i++)
	{
		const char *name = relation->columns[i - 1].name;

		if (name == NULL || !bms_is_member(i, search.columns))
			name = "";
		names = lappend(names, makeString(pstrdup(name)));
	}

	rte->rtekind = RTE_VALUES;
	rte->eref = makeAlias(relation->name, names);
	rte->inFromCl = true;
	statement->rtable = list_make1(rte);
	return deparse_context_for_plan_tree(statement,
										 list_make1(pstrdup(relation->name)));
}

static bool
find_columns(Node *node, ColumnSearch *search)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (var->varlevelsup == search->depth && var->varattno > 0)
			search->columns = bms_add_member(search->columns, var->varattno);
		return false;
	}
	if (IsA(node, Query))
	{
		bool		stop;

		search->depth++;
		stop = query_tree_walker((Query *) node, find_columns, search, 0);
		search->depth--;
		return stop;
	}
	return expression_tree_walker(node, find_columns, search);
}
