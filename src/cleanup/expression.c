/*-------------------------------------------------------------------------
 *
 * expression.c
 *	  SQL that users give: one expression over the rows of a table.
 *
 * A policy is made by one role, under that role's search_path, and carried
 * out later by another session under ours.  So an expression is analysed when
 * it is given and kept as the server prints it: with names that mean the same
 * wherever they are read, literals in unambiguous form, and nothing left of
 * comments, quotes or whatever else could reach beyond it.
 *
 * It has to be an expression that only reads.  Statements inside of it must
 * be queries without row locks, and functions not volatile: a plan evaluates
 * them too, and a plan changes nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "cleanup/cleanup.h"
#include "cleanup/expression.h"
#include "core/relation.h"
#include "core/scope.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/ruleutils.h"

/* What is being read, for messages. */
typedef struct Source
{
	const char *sql;
	const char *what;			/* the parameter it was given for */
	const char *table;
} Source;

/* What an expression turned out to refer to. */
typedef struct Survey
{
	ParseState *pstate;
	const char *what;
	int			depth;			/* of sub-selects */
	bool		temporary;		/* the table itself is */
	Oid			function;		/* the last one looked at */
	bool		reads_row;
	bool		names_row;
} Survey;

static Node *parse(const Source *source);
static bool is_star(Node *node);
static bool survey_statements(Node *node, void *context);
static Node *analyse(ParseState *pstate, Relation table, const char *alias,
					 Node *raw, Oid type, const char *what);
static bool survey_tree(Node *node, void *context);
static void survey_range_table(Query *query, const Survey *survey);
static bool is_temporary(Oid function, void *context);
static bool is_volatile(Oid function, void *context);
static char *print(Node *node, const char *alias, Oid relation);
static void locate_error(void *arg);

/*
 * The canonical form of an expression over the rows of a relation, of the
 * given type; InvalidOid stands for any.
 *
 * Raises an error about the parameter "what" unless it is a single expression
 * that only reads: 42601 for what is no expression, 42703 and its kin for
 * names, 42804 for the type, 0A000 for what a policy cannot hold, 55P03 if
 * the relation or one that a sub-select reads is locked; no lock is waited
 * for.  No privilege is asked for: the analysis reads no table.
 */
char *
ops_expression_check(Oid relation, const char *sql, Oid type,
					 const char *what)
{
	const char *alias = get_rel_name(relation);

	return ops_expression_read(relation, alias ? alias : "", sql, type,
							   what)->sql;
}

/*
 * Same, with all there is to know of it, and the relation under any name.
 */
OpsExpression *
ops_expression_read(Oid relation, const char *alias, const char *sql,
					Oid type, const char *what)
{
	OpsExpression *expression = palloc0(sizeof(OpsExpression));
	Source		source = {.sql = sql,.what = what,.table = alias};
	ErrorContextCallback callback;
	ParseState *pstate;
	Survey		survey;
	Relation	table;
	Node	   *raw;

	ops_expression_lock(relation);
	table = try_relation_open(relation, NoLock);
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));

	callback.callback = locate_error;
	callback.arg = &source;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	raw = parse(&source);
	pstate = make_parsestate(NULL);
	pstate->p_sourcetext = sql;
	survey_statements(raw, pstate);
	expression->node = analyse(pstate, table, alias, raw, type, what);
	expression->type = exprType(expression->node);

	memset(&survey, 0, sizeof(survey));
	survey.pstate = pstate;
	survey.what = what;
	survey.temporary = table->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
	survey_tree(expression->node, &survey);
	expression->reads_row = survey.reads_row;
	expression->names_row = survey.names_row;
	expression->sql = print(expression->node, alias, relation);

	error_context_stack = callback.previous;
	relation_close(table, AccessShareLock);
	return expression;
}

/*
 * Parse a text that has to be one expression and nothing else.
 *
 * The grammar's form for PL/pgSQL takes what can follow SELECT; all of it but
 * the expression has to be missing.
 */
static Node *
parse(const Source *source)
{
	List	   *statements = raw_parser(source->sql, RAW_PARSE_PLPGSQL_EXPR);
	Node	   *statement = (Node *) linitial_node(RawStmt, statements)->stmt;
	SelectStmt *bare = makeNode(SelectStmt);
	ResTarget  *target;

	if (IsA(statement, SelectStmt))
	{
		bare->targetList = ((SelectStmt *) statement)->targetList;
		if (bare->targetList == NIL && equal(statement, bare))
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("%s is empty", source->what),
					 errhint("Give an SQL expression over the columns of the table.")));
	}
	if (list_length(bare->targetList) == 1 && equal(statement, bare))
	{
		target = linitial_node(ResTarget, bare->targetList);
		if (target->name == NULL && target->indirection == NIL &&
			!is_star(target->val))
			return target->val;
	}
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("%s is not a single expression", source->what),
			 errdetail("It has more than one column, a name, or clauses of a query."),
			 errhint("Give one SQL expression over the columns of the table; a query has to be in parentheses.")));
}

/*
 * A star stands for columns, in a query only.
 */
static bool
is_star(Node *node)
{
	return IsA(node, ColumnRef) &&
		IsA(llast(((ColumnRef *) node)->fields), A_Star);
}

/*
 * Refuse statements that do more than read, and take the locks that the
 * analysis is going to ask for, so that it does not wait for them.
 */
static bool
survey_statements(Node *node, void *context)
{
	ParseState *pstate = context;
	Oid			relation;

	if (node == NULL)
		return false;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_InsertStmt:
		case T_UpdateStmt:
		case T_DeleteStmt:
		case T_MergeStmt:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("an expression of a retention policy cannot change data"),
					 errhint("Only queries can stand in it.")));
			break;
		case T_LockingClause:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("an expression of a retention policy cannot lock rows"),
					 errhint("Leave out FOR UPDATE and FOR SHARE.")));
			break;
		case T_ParamRef:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_PARAMETER),
					 errmsg("an expression of a retention policy cannot have parameters"),
					 parser_errposition(pstate,
										((ParamRef *) node)->location)));
			break;
		case T_RangeVar:
			relation = RangeVarGetRelid((RangeVar *) node, NoLock, true);
			if (OidIsValid(relation))
				ops_expression_lock(relation);
			break;
		default:
			break;
	}
	return raw_expression_tree_walker(node, survey_statements, context);
}

/*
 * Take AccessShareLock at once or raise 55P03.
 */
void
ops_expression_lock(Oid relation)
{
	int			holder;
	const char *name;

	if (ops_relation_try_lock(relation, &holder))
		return;
	name = get_rel_name(relation);
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("relation \"%s\" is locked", name ? name : "?"),
			 holder > 0 ? errdetail("Process %d holds the lock or waits for it.",
									holder) : 0,
			 errhint("Try again later.")));
}

/*
 * Analyse an expression as the WHERE clause of the relation, which refuses
 * aggregates, window functions and set-returning functions.
 */
static Node *
analyse(ParseState *pstate, Relation table, const char *alias, Node *raw,
		Oid type, const char *what)
{
	ParseNamespaceItem *item =
	addRangeTableEntryForRelation(pstate, table, AccessShareLock,
								  makeAlias(alias, NIL), true, true);
	Node	   *node;
	Node	   *coerced;

	addNSItemToQuery(pstate, item, false, true, true);
	node = transformExpr(pstate, raw, EXPR_KIND_WHERE);
	if (OidIsValid(type))
	{
		coerced = coerce_to_target_type(pstate, node, exprType(node), type,
										-1, COERCION_IMPLICIT,
										COERCE_IMPLICIT_CAST, -1);
		if (coerced == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("%s must be of type %s, not %s", what,
							format_type_be(type),
							format_type_be(exprType(node))),
					 parser_errposition(pstate, exprLocation(raw))));
		node = coerced;
	}
	assign_expr_collations(pstate, node);
	return node;
}

/*
 * Look at what an analysed expression refers to; raises an error for what a
 * policy cannot hold.
 */
static bool
survey_tree(Node *node, void *context)
{
	Survey	   *survey = context;
	bool		stopped;

	if (node == NULL)
		return false;
	check_stack_depth();

	if (!survey->temporary &&
		check_functions_in_node(node, is_temporary, survey))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s calls the temporary function \"%s\"", survey->what,
						get_func_name(survey->function)),
				 errdetail("Other sessions do not have it."),
				 parser_errposition(survey->pstate, exprLocation(node))));
	if (check_functions_in_node(node, is_volatile, survey))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s calls the volatile function %s", survey->what,
						format_procedure(survey->function)),
				 errdetail("A plan evaluates it as well, and must not change anything."),
				 errhint("If it only reads, declare it so with ALTER FUNCTION ... STABLE."),
				 parser_errposition(survey->pstate, exprLocation(node))));

	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (var->varlevelsup != survey->depth)
			return false;
		if (var->varattno < 0 && var->varattno != TableOidAttributeNumber)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("%s refers to a system column", survey->what),
					 errdetail("Where a row lies and which transaction wrote it says nothing about how long it is to be kept."),
					 parser_errposition(survey->pstate, var->location)));
		survey->reads_row = true;
		if (survey->depth > 0 || var->varattno == InvalidAttrNumber)
			survey->names_row = true;
		return false;
	}

	if (IsA(node, Query))
	{
		survey_range_table((Query *) node, survey);
		survey->depth++;
		stopped = query_tree_walker((Query *) node, survey_tree, survey, 0);
		survey->depth--;
		return stopped;
	}
	return expression_tree_walker(node, survey_tree, context);
}

/*
 * A query of an expression reads tables that are there in every session.
 */
static void
survey_range_table(Query *query, const Survey *survey)
{
	ListCell   *lc;

	if (query->commandType != CMD_SELECT || query->rowMarks != NIL)
		elog(ERROR, "a query that does more than read was not seen");
	foreach(lc, query->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, lc);

		if (entry->rtekind == RTE_RELATION && !survey->temporary &&
			get_rel_persistence(entry->relid) == RELPERSISTENCE_TEMP)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("%s reads the temporary relation \"%s\"",
							survey->what, get_rel_name(entry->relid)),
					 errdetail("Other sessions do not have it.")));
	}
}

static bool
is_temporary(Oid function, void *context)
{
	Survey	   *survey = context;

	survey->function = function;
	return isAnyTempNamespace(get_func_namespace(function));
}

static bool
is_volatile(Oid function, void *context)
{
	Survey	   *survey = context;

	survey->function = function;
	return func_volatile(function) == PROVOLATILE_VOLATILE;
}

/*
 * Enter the closed scope, as the caller, with settings under which the server
 * prints expressions so that they mean the same under our search_path, and
 * their literals the same under all settings of those who read them.
 */
void
ops_expression_scope(OpsScope *scope)
{
	static const char *const setting[][2] = {
		{"datestyle", "ISO"},
		{"intervalstyle", "postgres"},
		{"extra_float_digits", "3"},
		{"bytea_output", "hex"},
		{"timezone", "UTC"},
	};

	ops_scope_enter(scope, InvalidOid);
	for (int i = 0; i < lengthof(setting); i++)
		(void) set_config_option(setting[i][0], setting[i][1],
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

static char *
print(Node *node, const char *alias, Oid relation)
{
	OpsScope	scope;
	char	   *sql;

	ops_expression_scope(&scope);
	sql = deparse_expression(node, deparse_context_for(alias, relation),
							 false, false);
	ops_scope_leave(&scope);
	return sql;
}

/*
 * Say which parameter an error is about, and move its cursor from the calling
 * statement into the parameter's text.
 */
static void
locate_error(void *arg)
{
	const Source *source = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(source->sql);
	}
	errcontext("%s of a retention policy for table \"%s\"",
			   source->what, source->table);
}
