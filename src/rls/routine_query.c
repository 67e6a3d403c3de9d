/*-------------------------------------------------------------------------
 *
 * routine_query.c
 *	  Queries and expressions that stand in a plpgsql function.
 *
 * They are analysed as plpgsql itself has them analysed, names of variables
 * becoming parameters, and cast as plpgsql casts them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/readfuncs.h"
#include "parser/analyze.h"
#include "parser/parse_coerce.h"
#include "parser/parse_node.h"
#include "parser/parser.h"
#include "rls/identity.h"
#include "rls/literals.h"
#include "rls/routine.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* A search for side effects through functions and views. */
typedef struct EffectSearch
{
	OpsRlsAudit *audit;
	List	   *seen;			/* oids of functions and views */
	const char *effect;
} EffectSearch;

static Query *analyse(RoutineReader *reader, const char *source,
					  RawParseMode mode);
static void set_hooks(ParseState *pstate, RoutineReader *reader);
static Node *before_column(ParseState *pstate, ColumnRef *reference);
static Node *after_column(ParseState *pstate, ColumnRef *reference,
						  Node *column);
static Node *resolve_name(RoutineReader *reader, ColumnRef *reference);
static Node *resolve_number(ParseState *pstate, ParamRef *reference);
static Node *make_parameter(RoutineReader *reader, int number, int location);
static TargetEntry *column_of(const Query *query, int column);
static Node *coerce(Node *expr, Oid type, int32 typmod);
static bool has_effect(Node *node, EffectSearch *search);
static bool checks_have_effect(Oid domain, EffectSearch *search);
static Oid	parent_domain(Oid domain);
static bool function_has_effect(Oid oid, void *context);
static bool is_harmless_volatile(const char *name);
static bool is_trusted_code(Oid oid);

/*
 * An expression: what could follow SELECT, with one column.
 */
Query *
ops_routine_expression(RoutineReader *reader, const char *source)
{
	Query	   *query = analyse(reader, source, RAW_PARSE_PLPGSQL_EXPR);

	if (ops_routine_column_count(query) != 1)
		ops_routine_refuse("a row");
	return query;
}

Query *
ops_routine_select(RoutineReader *reader, const char *source)
{
	return analyse(reader, source, RAW_PARSE_DEFAULT);
}

static Query *
analyse(RoutineReader *reader, const char *source, RawParseMode mode)
{
	MemoryContext keep = MemoryContextSwitchTo(reader->scratch);
	List	   *statements = raw_parser(source, mode);
	RawStmt    *statement;
	Query	   *query;
	List	   *literals;
	const char *locked;
	const char *effect;

	if (list_length(statements) != 1)
		ops_routine_refuse("several statements at once");
	statement = linitial_node(RawStmt, statements);
	if (!IsA(statement->stmt, SelectStmt) ||
		((SelectStmt *) statement->stmt)->intoClause)
		ops_routine_refuse("a statement that is no query");
	if (!ops_rls_lock_tables((Node *) statement, &locked))
		ops_routine_refuse(psprintf("%s is locked", locked));

	literals = ops_literals_hide((Node *) statement);
	query = ops_literals_show(parse_analyze_withcb(statement, source,
												   (ParserSetupHook) set_hooks,
												   reader, NULL),
							  literals);
	if (query->commandType != CMD_SELECT || query->utilityStmt ||
		query->hasModifyingCTE || query->rowMarks)
		ops_routine_refuse("a query that writes or locks");
	effect = ops_routine_side_effect(NULL, (Node *) query);
	if (effect)
		ops_routine_refuse(effect);

	MemoryContextSwitchTo(keep);
	query = copyObject(query);
	reader->routine->queries = lappend(reader->routine->queries, query);
	return query;
}

static void
set_hooks(ParseState *pstate, RoutineReader *reader)
{
	pstate->p_pre_columnref_hook = before_column;
	pstate->p_post_columnref_hook = after_column;
	pstate->p_paramref_hook = resolve_number;
	pstate->p_ref_hook_state = reader;
	ops_literals_hook(pstate);
}

static Node *
before_column(ParseState *pstate, ColumnRef *reference)
{
	RoutineReader *reader = pstate->p_ref_hook_state;

	if (reader->conflict == CONFLICT_VARIABLE)
		return resolve_name(reader, reference);
	return NULL;
}

static Node *
after_column(ParseState *pstate, ColumnRef *reference, Node *column)
{
	RoutineReader *reader = pstate->p_ref_hook_state;
	Node	   *variable;

	if (reader->conflict == CONFLICT_VARIABLE ||
		(reader->conflict == CONFLICT_COLUMN && column))
		return NULL;
	variable = resolve_name(reader, reference);
	if (variable && column)
		ops_routine_refuse("a name of both a variable and a column");
	return variable;
}

/*
 * The variable of a name; NULL if there is none.
 */
static Node *
resolve_name(RoutineReader *reader, ColumnRef *reference)
{
	Node	   *last = llast(reference->fields);
	int			nfields = list_length(reference->fields);
	const char *qualifier = NULL;
	int			number;

	if (nfields > 2 || !IsA(last, String))
		return NULL;
	if (nfields == 2)
		qualifier = strVal(linitial(reference->fields));
	number = ops_routine_resolve(reader, qualifier, strVal(last));
	return number < 0 ? NULL :
		make_parameter(reader, number, reference->location);
}

static Node *
resolve_number(ParseState *pstate, ParamRef *reference)
{
	RoutineReader *reader = pstate->p_ref_hook_state;

	if (reference->number < 1 || reference->number > reader->routine->nargs)
		return NULL;
	return make_parameter(reader, reference->number, reference->location);
}

static Node *
make_parameter(RoutineReader *reader, int number, int location)
{
	Param	   *param = makeNode(Param);
	OpsVariable *variable;

	if (number == 0)
		ops_routine_refuse("an OUT parameter");
	variable = list_nth(reader->routine->variables, number - 1);
	param->paramkind = PARAM_EXTERN;
	param->paramid = number;
	param->paramtype = variable->type;
	param->paramtypmod = variable->typmod;
	param->paramcollid = get_typcollation(variable->type);
	param->location = location;
	return (Node *) param;
}

static TargetEntry *
column_of(const Query *query, int column)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst(lc);

		if (!entry->resjunk && entry->resno == column)
			return entry;
	}
	return NULL;
}

int
ops_routine_column_count(const Query *query)
{
	int			count = 0;

	while (column_of(query, count + 1))
		count++;
	return count;
}

Oid
ops_routine_column_type(const Query *query, int column)
{
	return exprType((Node *) column_of(query, column)->expr);
}

/*
 * Cast a column of a query the way plpgsql casts what it assigns.
 */
void
ops_routine_cast(RoutineReader *reader, Query *query, int column, Oid type,
				 int32 typmod)
{
	TargetEntry *entry = column_of(query, column);
	Node	   *expr = (Node *) entry->expr;

	if (exprType(expr) == type &&
		(typmod < 0 || exprTypmod(expr) == typmod))
		return;
	if (query->setOperations)
		ops_routine_refuse("a cast of what UNION returns");
	if (type_is_rowtype(exprType(expr)))
		ops_routine_refuse("a row");
	entry->expr = (Expr *) coerce(expr, type, typmod);
	if (ops_routine_side_effect(NULL, (Node *) query))
		ops_routine_refuse("a cast");
}

/*
 * A literal is read as a value of the type, so that it becomes the constant
 * that it stands for.
 */
static Node *
coerce(Node *expr, Oid type, int32 typmod)
{
	Node	   *cast;
	Const	   *literal = (Const *) expr;

	if (IsA(expr, Const) && literal->constisnull)
		return (Node *) makeNullConst(type, typmod, get_typcollation(type));
	cast = coerce_to_target_type(NULL, expr, exprType(expr), type, typmod,
								 COERCION_PLPGSQL, COERCE_IMPLICIT_CAST, -1);
	if (cast && IsA(cast, CoerceViaIO) &&
		IsA(expr, Const) && literal->consttype == TEXTOID)
	{
		char	   *string = TextDatumGetCString(literal->constvalue);
		Const	   *unknown;

		if (!ops_literals_is_plain(type))
			ops_routine_refuse("a literal of a type of the schema");
		unknown = makeConst(UNKNOWNOID, -1, InvalidOid, -2,
							CStringGetDatum(string), false, false);

		cast = coerce_to_target_type(NULL, (Node *) unknown, UNKNOWNOID, type,
									 typmod, COERCION_PLPGSQL,
									 COERCE_IMPLICIT_CAST, -1);
	}
	if (cast == NULL)
		ops_routine_refuse("a cast");
	return cast;
}

const char *
ops_routine_side_effect(OpsRlsAudit *audit, Node *node)
{
	EffectSearch search = {audit, NIL, NULL};

	(void) has_effect(node, &search);
	return search.effect;
}

static bool
has_effect(Node *node, EffectSearch *search)
{
	if (node == NULL)
		return false;
	check_stack_depth();
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		if (search->audit && rte->rtekind == RTE_RELATION &&
			rte->relkind == RELKIND_VIEW &&
			!list_member_oid(search->seen, rte->relid))
		{
			search->seen = lappend_oid(search->seen, rte->relid);
			return has_effect((Node *) ops_rls_view_query(search->audit,
														  rte->relid),
							  search);
		}
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_effect, search,
								 QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, CoerceToDomain) &&
		checks_have_effect(((CoerceToDomain *) node)->resulttype, search))
		return true;
	return check_functions_in_node(node, function_has_effect, search) ||
		expression_tree_walker(node, has_effect, search);
}

/*
 * Whether casting to a domain does more than compute.  The type cache knows
 * the constraints, too, but calls functions of them to find out.
 */
static bool
checks_have_effect(Oid domain, EffectSearch *search)
{
	Relation	constraints = table_open(ConstraintRelationId, AccessShareLock);
	bool		found = false;

	while (!found && get_typtype(domain) == TYPTYPE_DOMAIN)
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(domain));
		scan = systable_beginscan(constraints, ConstraintTypidIndexId, true,
								  NULL, 1, &key);
		while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			bool		isnull;
			Datum		check = heap_getattr(tuple, Anum_pg_constraint_conbin,
											 RelationGetDescr(constraints),
											 &isnull);

			if (!isnull)
				found = has_effect(stringToNode(TextDatumGetCString(check)),
								   search);
		}
		systable_endscan(scan);
		domain = parent_domain(domain);
	}
	table_close(constraints, AccessShareLock);
	return found;
}

static Oid
parent_domain(Oid domain)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
	Oid			parent = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		parent = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
		ReleaseSysCache(tuple);
	}
	return parent;
}

/*
 * What a function that nobody can look into does, nobody knows, whatever it
 * is declared to be; code in C is taken at its word.
 */
static bool
function_has_effect(Oid oid, void *context)
{
	EffectSearch *search = context;
	OpsFunction *function;
	ListCell   *lc;

	if (oid < FirstGenbkiObjectId)
	{
		char	   *name = get_func_name(oid);

		if (func_volatile(oid) == PROVOLATILE_VOLATILE &&
			(name == NULL || !is_harmless_volatile(name)))
			search->effect = name ? name : "a dropped function";
		return search->effect != NULL;
	}
	if (search->audit == NULL || list_member_oid(search->seen, oid))
		return false;

	search->seen = lappend_oid(search->seen, oid);
	function = ops_rls_function(search->audit, oid);
	ops_rls_read_body(search->audit, function);
	if (function->query)
		return has_effect((Node *) function->query, search);
	if (function->routine)
	{
		foreach(lc, function->routine->queries)
		{
			if (has_effect(lfirst(lc), search))
				return true;
		}
		return false;
	}
	if (ops_identity_is_declared(search->audit, function) ||
		is_trusted_code(oid))
		return false;
	search->effect = function->obstacle ? function->obstacle :
		function->proname;
	return true;
}

/*
 * Functions of the server that are volatile for another reason than that
 * they change something a session could read back.
 */
static bool
is_harmless_volatile(const char *name)
{
	static const char *const names[] = {
		"random", "random_normal", "gen_random_uuid", "uuidv4", "uuidv7",
		"clock_timestamp", "timeofday", "nextval", "currval", "lastval",
		"pg_sleep", "txid_current", "pg_current_xact_id",
	};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Only a superuser can have put code of the server's own language there.
 */
static bool
is_trusted_code(Oid oid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	Form_pg_proc form;
	bool		trusted;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	trusted = (form->prolang == ClanguageId ||
			   form->prolang == INTERNALlanguageId) &&
		form->provolatile != PROVOLATILE_VOLATILE;
	ReleaseSysCache(tuple);
	return trusted;
}
