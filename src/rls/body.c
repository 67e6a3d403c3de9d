/*-------------------------------------------------------------------------
 *
 * body.c
 *	  Functions, operators and views that conditions are made of.
 *
 * A body given as text is parsed as its owner, with the search path that it
 * would run with, in a subtransaction that is rolled back in any case.
 * Analysis reads the catalogs and runs nothing of the body.  It locks the
 * tables that a body names, so these locks are taken before, and only if
 * nobody is in the way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "core/relation.h"
#include "core/scope.h"
#include "executor/functions.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "rls/formula.h"
#include "rls/literals.h"
#include "rls/routine.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

typedef struct BodyEntry
{
	Oid			oid;			/* hash key */
	OpsFunction *function;		/* of a function */
	Query	   *query;			/* of a view */
	uint8		relates;		/* of an operator */
} BodyEntry;

typedef struct BodyParse
{
	SQLFunctionParseInfoPtr info;
} BodyParse;

static void set_hooks(ParseState *pstate, BodyParse *parse);
static BodyEntry *find_entry(OpsRlsAudit *audit, char kind, Oid oid,
							 bool *found);
static void read_function(OpsFunction *function);
static void read_guarded(OpsRlsAudit *audit, OpsFunction *function,
						 HeapTuple tuple);
static void read_sql(OpsFunction *function, HeapTuple tuple,
					 MemoryContext keep);
static Query *parse_body(OpsFunction *function, HeapTuple tuple);
static Query *only_query(Node *body);
static bool lock_tables(Node *node, const char **locked);

/* Key of the shared hash table: oids of catalogs can coincide. */
typedef struct BodyKey
{
	Oid			oid;
	char		kind;
} BodyKey;

typedef struct BodyHash
{
	BodyKey		key;
	BodyEntry	entry;
} BodyHash;

static BodyEntry *
find_entry(OpsRlsAudit *audit, char kind, Oid oid, bool *found)
{
	OpsTermTable *terms = audit->terms;
	BodyKey		key;
	BodyHash   *hash;

	if (terms->bodies == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(BodyKey);
		ctl.entrysize = sizeof(BodyHash);
		ctl.hcxt = audit->context;
		terms->bodies = hash_create("operations_runbook bodies", 128, &ctl,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	memset(&key, 0, sizeof(key));
	key.oid = oid;
	key.kind = kind;
	hash = hash_search(terms->bodies, &key, HASH_ENTER, found);
	if (!*found)
		memset(&hash->entry, 0, sizeof(BodyEntry));
	return &hash->entry;
}

/*
 * What is known of a function; of one that is gone, that it is not strict,
 * not built in and has no body.
 */
OpsFunction *
ops_rls_function(OpsRlsAudit *audit, Oid oid)
{
	bool		found;
	BodyEntry  *entry = find_entry(audit, 'f', oid, &found);
	MemoryContext caller;

	if (found)
		return entry->function;
	caller = MemoryContextSwitchTo(audit->context);
	entry->function = palloc0(sizeof(OpsFunction));
	entry->function->oid = oid;
	read_function(entry->function);
	MemoryContextSwitchTo(caller);
	return entry->function;
}

static void
read_function(OpsFunction *function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID,
										ObjectIdGetDatum(function->oid));
	Form_pg_proc form;
	char	   *schema;

	if (!HeapTupleIsValid(tuple))
	{
		function->volatility = PROVOLATILE_VOLATILE;
		function->proname = "a dropped function";
		function->obstacle = function->proname;
		function->read = true;
		return;
	}
	form = (Form_pg_proc) GETSTRUCT(tuple);
	function->builtin = function->oid < FirstGenbkiObjectId;
	schema = get_namespace_name(form->pronamespace);
	function->proname = pstrdup(NameStr(form->proname));
	function->name = function->builtin || schema == NULL ?
		function->proname :
		quote_qualified_identifier(schema, function->proname);
	function->owner = form->proowner;
	function->result = form->prorettype;
	function->volatility = form->provolatile;
	function->strict = form->proisstrict;
	function->set_returning = form->proretset;
	function->definer = form->prosecdef;
	function->nargs = form->pronargs;
	function->has_settings = !heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL);
	ReleaseSysCache(tuple);
}

/*
 * Read the body of a function, once; leaves an obstacle if there is none
 * that can be read.
 */
void
ops_rls_read_body(OpsRlsAudit *audit, OpsFunction *function)
{
	HeapTuple	tuple;
	MemoryContext caller;

	if (function->read)
		return;
	function->read = true;
	caller = MemoryContextSwitchTo(audit->context);
	tuple = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function->oid));
	if (HeapTupleIsValid(tuple) && !function->builtin &&
		((Form_pg_proc) GETSTRUCT(tuple))->prokind == PROKIND_FUNCTION)
		read_guarded(audit, function, tuple);
	if (function->query == NULL && function->routine == NULL &&
		function->obstacle == NULL)
		function->obstacle = function->name;
	MemoryContextSwitchTo(caller);
}

/*
 * Read a body so that whatever is wrong with it is an obstacle and no error.
 */
static void
read_guarded(OpsRlsAudit *audit, OpsFunction *function, HeapTuple tuple)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	OpsScope	scope;

	for (int i = 0; i < form->pronargs; i++)
	{
		if (IsPolymorphicType(form->proargtypes.values[i]))
			return;
	}
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		ops_scope_enter(&scope, function->owner);
		ops_routine_check_settings(tuple);
		ops_routine_search_path(tuple);
		if (form->prolang == SQLlanguageId)
			read_sql(function, tuple, caller);
		else
			ops_routine_read(function, tuple, caller);
		ops_scope_leave(&scope);
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
			ReThrowError(edata);
		function->query = NULL;
		function->routine = NULL;
		function->obstacle = psprintf("%s (%s)", function->name,
									  edata->message);
		FreeErrorData(edata);
		return;
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
}

static void
read_sql(OpsFunction *function, HeapTuple tuple, MemoryContext keep)
{
	Query	   *query;
	Datum		body;
	bool		isnull;
	const char *effect;

	body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &isnull);
	if (!isnull)
		query = only_query(stringToNode(TextDatumGetCString(body)));
	else
		query = parse_body(function, tuple);
	if (query == NULL || query->commandType != CMD_SELECT ||
		query->rowMarks != NIL || query->hasModifyingCTE)
		return;
	effect = ops_routine_side_effect(NULL, (Node *) query);
	if (effect)
	{
		MemoryContextSwitchTo(keep);
		function->obstacle = psprintf("%s (%s)", function->name, effect);
		return;
	}
	MemoryContextSwitchTo(keep);
	function->query = copyObject(query);
}

/*
 * The one query of a body that was stored analysed; NULL if it has several.
 */
static Query *
only_query(Node *body)
{
	if (body && IsA(body, List) && list_length((List *) body) == 1)
		body = linitial((List *) body);
	if (body && IsA(body, List) && list_length((List *) body) == 1)
		body = linitial((List *) body);
	return body && IsA(body, Query) ? (Query *) body : NULL;
}

static Query *
parse_body(OpsFunction *function, HeapTuple tuple)
{
	bool		isnull;
	Datum		source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc,
										 &isnull);
	char	   *string = isnull ? "" : TextDatumGetCString(source);
	List	   *statements = raw_parser(string, RAW_PARSE_DEFAULT);
	BodyParse	parse;
	List	   *literals;
	const char *locked = NULL;

	if (list_length(statements) != 1)
		return NULL;
	if (!ops_rls_lock_tables(linitial(statements), &locked))
	{
		function->obstacle = psprintf("%s (%s is locked)", function->name,
									  locked);
		return NULL;
	}
	parse.info = prepare_sql_fn_parse_info(tuple, NULL, InvalidOid);
	literals = ops_literals_hide(linitial(statements));
	return ops_literals_show(parse_analyze_withcb(linitial_node(RawStmt, statements),
												  string,
												  (ParserSetupHook) set_hooks,
												  &parse, NULL),
							 literals);
}

static void
set_hooks(ParseState *pstate, BodyParse *parse)
{
	sql_fn_parser_setup(pstate, parse->info);
	ops_literals_hook(pstate);
}

/*
 * Lock the tables that a statement names, as its analysis is going to, but
 * without waiting; false, and a name, if somebody is in the way.  The lock
 * goes with the subtransaction.
 */
bool
ops_rls_lock_tables(Node *statement, const char **locked)
{
	*locked = NULL;
	if (IsA(statement, RawStmt))
		statement = ((RawStmt *) statement)->stmt;
	lock_tables(statement, locked);
	return *locked == NULL;
}

static bool
lock_tables(Node *node, const char **locked)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeVar))
	{
		Oid			relid = RangeVarGetRelid((RangeVar *) node, NoLock, true);
		int			holder;

		if (OidIsValid(relid) && !ops_relation_try_lock(relid, &holder))
		{
			*locked = ((RangeVar *) node)->relname;
			return true;
		}
		return false;
	}
	return raw_expression_tree_walker(node, lock_tables, locked);
}

/*
 * The query of a view, from its rule; NULL if it has none.
 */
Query *
ops_rls_view_query(OpsRlsAudit *audit, Oid view)
{
	bool		found;
	BodyEntry  *entry = find_entry(audit, 'v', view, &found);
	Relation	rewrite;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	MemoryContext caller;

	if (found)
		return entry->query;

	caller = MemoryContextSwitchTo(audit->context);
	rewrite = table_open(RewriteRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_rewrite_ev_class, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(view));
	scan = systable_beginscan(rewrite, RewriteRelRulenameIndexId, true, NULL,
							  1, &key);
	while ((tuple = systable_getnext(scan)) != NULL)
	{
		bool		isnull;
		Datum		action;

		if (((Form_pg_rewrite) GETSTRUCT(tuple))->ev_type != '1')
			continue;
		action = heap_getattr(tuple, Anum_pg_rewrite_ev_action,
							  RelationGetDescr(rewrite), &isnull);
		if (!isnull)
			entry->query = only_query(stringToNode(TextDatumGetCString(action)));
	}
	systable_endscan(scan);
	table_close(rewrite, AccessShareLock);
	MemoryContextSwitchTo(caller);
	return entry->query;
}

/*
 * How values relate of which an operator is true, as far as B-trees know it;
 * 0 if they do not, or if it is not strict.
 */
uint8
ops_rls_operator_relates(OpsRlsAudit *audit, Oid operator)
{
	/* By strategy; the last one is "not equal". */
	static const uint8 relates[] = {
		0,
		RELATES_LT,
		RELATES_LT | RELATES_EQ,
		RELATES_EQ,
		RELATES_GT | RELATES_EQ,
		RELATES_GT,
		RELATES_NE,
	};
	bool		found;
	BodyEntry  *entry = find_entry(audit, 'o', operator, &found);

	Oid			function = found ? InvalidOid : get_opcode(operator);

	if (OidIsValid(function) && ops_rls_function(audit, function)->strict)
	{
		int			strategies = ops_compat_operator_strategies(operator);

		for (int i = 0; i < lengthof(relates); i++)
		{
			if (strategies & (1 << i))
				entry->relates |= relates[i];
		}
		if (entry->relates == 0 && op_hashjoinable(operator, InvalidOid))
			entry->relates = RELATES_EQ;
	}
	return entry->relates;
}
