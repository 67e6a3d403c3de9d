/*-------------------------------------------------------------------------
 *
 * performance_index.c
 *	  Which comparisons the indexes of a table can answer.
 *
 * One pass over pg_index keeps of each usable index what it leads with.
 * Expressions and predicates stay text until somebody asks for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteManip.h"
#include "rls/performance.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* A usable index, by a column or expression that it can be searched for. */
typedef struct IndexLead
{
	struct IndexLead *next;		/* of the same table */
	AttrNumber	column;			/* 0: an expression */
	Oid			family;			/* operators that it can be searched with */
	int			place;			/* of the expression */
	const char *expressions;	/* as pg_index has them, or NULL */
	const char *predicate;		/* likewise */
	Node	   *expression;		/* read from there when asked for */
	List	   *requires;
	bool		read;
} IndexLead;

typedef struct TableIndexes
{
	Oid			table;			/* hash key, first */
	IndexLead  *leads;
} TableIndexes;

/* What an operator class is, as last asked. */
typedef struct OpclassFacts
{
	Oid			opclass;
	Oid			family;
	Oid			method;
} OpclassFacts;

static void read_index(HTAB *indexes, HeapTuple tuple, TupleDesc desc,
					   OpclassFacts *facts);
static const char *tree_text(HeapTuple tuple, TupleDesc desc,
							 AttrNumber place);
static bool look_up_opclass(Oid opclass, OpclassFacts *facts);
static bool searches_any_column(Oid method);
static void read_trees(OpsRlsAudit *audit, IndexLead *lead);
static Node *without_relabel(Node *node);
static bool is_implied(Node *required, Node *expr, List *conditions,
					   int varno);

/*
 * Fill in audit->performance->indexes.
 */
void
ops_rls_read_indexes(OpsRlsAudit *audit)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false,
										  audit->snapshot, 0, NULL);
	HASHCTL		ctl = {0};
	OpclassFacts facts = {0};
	HeapTuple	tuple;

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(TableIndexes);
	ctl.hcxt = audit->context;
	audit->performance->indexes = hash_create("indexes by table", 1024, &ctl,
											  HASH_ELEM | HASH_BLOBS |
											  HASH_CONTEXT);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		read_index(audit->performance->indexes, tuple,
				   RelationGetDescr(catalog), &facts);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/*
 * A row of pg_index.
 */
static void
read_index(HTAB *indexes, HeapTuple tuple, TupleDesc desc,
		   OpclassFacts *facts)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	TableIndexes *table;
	oidvector  *classes;
	const char *expressions;
	const char *predicate;
	int			nexpressions = 0;
	bool		isnull;
	bool		found;

	if (form->indrelid < FirstNormalObjectId || form->indnkeyatts == 0 ||
		!form->indisvalid || !form->indisready || !form->indislive)
		return;
	classes = (oidvector *) DatumGetPointer(heap_getattr(tuple,
														 Anum_pg_index_indclass,
														 desc, &isnull));
	expressions = tree_text(tuple, desc, Anum_pg_index_indexprs);
	predicate = tree_text(tuple, desc, Anum_pg_index_indpred);

	table = hash_search(indexes, &form->indrelid, HASH_ENTER, &found);
	if (!found)
		table->leads = NULL;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		IndexLead  *lead;

		if (!look_up_opclass(classes->values[i], facts))
			return;
		if (i > 0 && !searches_any_column(facts->method))
			return;
		lead = palloc0(sizeof(IndexLead));
		lead->column = form->indkey.values[i];
		lead->family = facts->family;
		lead->place = lead->column == 0 ? nexpressions++ : 0;
		lead->expressions = expressions;
		lead->predicate = predicate;
		lead->next = table->leads;
		table->leads = lead;
	}
}

static const char *
tree_text(HeapTuple tuple, TupleDesc desc, AttrNumber place)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, place, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * Indexes mostly use the operator class that the one before did.
 */
static bool
look_up_opclass(Oid opclass, OpclassFacts *facts)
{
	HeapTuple	tuple;
	Form_pg_opclass form;

	if (facts->opclass == opclass)
		return true;
	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_opclass) GETSTRUCT(tuple);
	facts->opclass = opclass;
	facts->family = form->opcfamily;
	facts->method = form->opcmethod;
	ReleaseSysCache(tuple);
	return true;
}

static bool
searches_any_column(Oid method)
{
	return method == GIN_AM_OID || method == BRIN_AM_OID;
}

/*
 * Whether an index of a table can find the rows for which an expression over
 * its columns equals something.
 *
 * The expression comes without relabelling, on the left of the operator; the
 * table is varno in it and in the conditions that hold besides.
 */
bool
ops_rls_index_serves(OpsRlsAudit *audit, Oid table, int varno, Node *expr,
					 Oid operator, List *conditions)
{
	TableIndexes *indexes = hash_search(audit->performance->indexes, &table,
										HASH_FIND, NULL);
	AttrNumber	column = IsA(expr, Var) ? ((Var *) expr)->varattno : 0;

	if (indexes == NULL)
		return false;
	for (IndexLead *lead = indexes->leads; lead; lead = lead->next)
	{
		ListCell   *lc;
		bool		implied = true;

		if (lead->column != column || !op_in_opfamily(operator, lead->family))
			continue;
		if (column != 0 && lead->predicate == NULL)
			return true;

		read_trees(audit, lead);
		if (varno != 1)
		{
			expr = copyObject(expr);
			conditions = copyObject(conditions);
			ChangeVarNodes(expr, varno, 1, 0);
			ChangeVarNodes((Node *) conditions, varno, 1, 0);
			varno = 1;
		}
		if (column == 0 && !equal(lead->expression, expr))
			continue;
		foreach(lc, lead->requires)
			implied = implied && is_implied(lfirst(lc), expr, conditions, varno);
		if (implied)
			return true;
	}
	return false;
}

static void
read_trees(OpsRlsAudit *audit, IndexLead *lead)
{
	MemoryContext caller;

	if (lead->read)
		return;
	lead->read = true;
	caller = MemoryContextSwitchTo(audit->context);
	if (lead->column == 0)
	{
		List	   *expressions = stringToNode(lead->expressions);

		if (lead->place < list_length(expressions))
			lead->expression = without_relabel(list_nth(expressions, lead->place));
	}
	if (lead->predicate)
		lead->requires = make_ands_implicit(stringToNode(lead->predicate));
	MemoryContextSwitchTo(caller);
}

static Node *
without_relabel(Node *node)
{
	while (node && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/*
 * Whether a row for which the comparison is true fulfils a condition of the
 * index: it says that the column is not null, or the policy says the same.
 */
static bool
is_implied(Node *required, Node *expr, List *conditions, int varno)
{
	NullTest   *test = (NullTest *) required;

	if (IsA(required, NullTest) && test->nulltesttype == IS_NOT_NULL &&
		equal(without_relabel((Node *) test->arg), expr))
		return true;
	return list_member(conditions, required);
}
