/*-------------------------------------------------------------------------
 *
 * routine_parse.c
 *	  The text of a plpgsql function, statement by statement.
 *
 * What is not known here for certain raises an error: nobody looks into such
 * a function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "core/relation.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rls/routine.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void read_options(RoutineReader *reader);
static List *read_block(RoutineReader *reader);
static List *read_statements(RoutineReader *reader);
static void read_statement(RoutineReader *reader, List **statements);
static OpsStatement *read_return(RoutineReader *reader);
static OpsStatement *read_return_query(RoutineReader *reader);
static OpsStatement *read_if(RoutineReader *reader);
static OpsStatement *read_case(RoutineReader *reader, List **statements);
static void read_arm(RoutineReader *reader, OpsStatement *choice,
					 const char *condition);
static OpsStatement *read_raise(RoutineReader *reader);
static OpsStatement *read_perform(RoutineReader *reader);
static OpsStatement *read_select(RoutineReader *reader);
static OpsStatement *read_assignment(RoutineReader *reader);
static Query *read_expression(RoutineReader *reader, const char *word);
static void refuse_statement(RoutineReader *reader);
static OpsStatement *make_statement(OpsStatementKind kind);
static bool any_ends(List *statements);

/*
 * Read a whole function: its arguments have names already.
 */
void
ops_routine_parse(RoutineReader *reader)
{
	ops_routine_scan(reader);
	read_options(reader);
	reader->routine->statements = read_block(reader);
	if (ops_routine_peek(reader)->code == ';')
		reader->next++;
	if (ops_routine_peek(reader)->code != 0)
		ops_routine_refuse("its syntax");
}

/*
 * Options that a function begins with.
 */
static void
read_options(RoutineReader *reader)
{
	while (ops_routine_peek(reader)->code != 0 &&
		   reader->source[ops_routine_peek(reader)->start] == '#')
	{
		reader->next++;
		ops_routine_expect(reader, "variable_conflict");
		if (ops_routine_accept(reader, "use_column"))
			reader->conflict = CONFLICT_COLUMN;
		else if (ops_routine_accept(reader, "use_variable"))
			reader->conflict = CONFLICT_VARIABLE;
		else
		{
			ops_routine_expect(reader, "error");
			reader->conflict = CONFLICT_ERROR;
		}
	}
}

/*
 * A block, up to its END.
 *
 * Default values are computed before the block's own handlers are in force.
 */
static List *
read_block(RoutineReader *reader)
{
	int			outer = list_length(reader->names);
	List	   *statements = NIL;
	OpsStatement *block = make_statement(ROUTINE_BLOCK);

	check_stack_depth();
	if (ops_routine_accept(reader, "declare"))
	{
		while (!ops_routine_at(reader, "begin"))
		{
			if (!ops_routine_accept(reader, "declare"))
				ops_routine_declare(reader, outer, &statements);
		}
	}
	ops_routine_expect(reader, "begin");
	block->body = read_statements(reader);
	block->ends = any_ends(block->body);
	if (ops_routine_accept(reader, "exception"))
	{
		while (ops_routine_accept(reader, "when"))
		{
			List	   *handler;

			reader->next = ops_routine_end(reader, "then") + 1;
			handler = read_statements(reader);
			block->ends |= any_ends(handler);
			/* An empty handler is one, too. */
			if (handler == NIL)
				handler = list_make1(make_statement(ROUTINE_BLOCK));
			block->handlers = lappend(block->handlers, handler);
		}
		if (block->handlers == NIL)
			ops_routine_refuse("its syntax");
	}
	ops_routine_expect(reader, "end");
	if (ops_routine_peek(reader)->name)
		ops_routine_refuse("a label");
	reader->names = list_truncate(reader->names, outer);

	if (block->handlers == NIL)
		return list_concat(statements, block->body);
	return lappend(statements, block);
}

/*
 * Statements up to a word that ends them.
 */
static List *
read_statements(RoutineReader *reader)
{
	List	   *statements = NIL;
	static const char *const ends[] = {
		"end", "exception", "else", "elsif", "elseif", "when",
	};

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < lengthof(ends); i++)
		{
			if (ops_routine_at(reader, ends[i]))
				return statements;
		}
		read_statement(reader, &statements);
	}
}

/*
 * Append a statement to the list; one that does nothing is left out.
 */
static void
read_statement(RoutineReader *reader, List **statements)
{
	RoutineToken *token = ops_routine_peek(reader);
	OpsStatement *statement = NULL;

	check_stack_depth();
	if (token->name && ops_routine_assigns(reader, token + 1))
		statement = read_assignment(reader);
	else if (ops_routine_at(reader, "declare") ||
			 ops_routine_at(reader, "begin"))
		*statements = list_concat(*statements, read_block(reader));
	else if (ops_routine_accept(reader, "return"))
		statement = read_return(reader);
	else if (ops_routine_accept(reader, "if"))
		statement = read_if(reader);
	else if (ops_routine_accept(reader, "case"))
		statement = read_case(reader, statements);
	else if (ops_routine_accept(reader, "raise"))
		statement = read_raise(reader);
	else if (ops_routine_accept(reader, "perform"))
		statement = read_perform(reader);
	else if (ops_routine_at(reader, "select") ||
			 ops_routine_at(reader, "with"))
		statement = read_select(reader);
	else if (!ops_routine_accept(reader, "null"))
		refuse_statement(reader);

	ops_routine_expect_code(reader, ';');
	if (statement)
		*statements = lappend(*statements, statement);
}

static OpsStatement *
read_return(RoutineReader *reader)
{
	OpsStatement *statement = make_statement(ROUTINE_RETURN);

	statement->ends = true;
	if (ops_routine_accept(reader, "query"))
		return read_return_query(reader);
	if (ops_routine_at(reader, "next"))
		ops_routine_refuse("RETURN NEXT");
	if (reader->function->set_returning)
	{
		/* The end of the rows. */
		if (ops_routine_peek(reader)->code != ';')
			ops_routine_refuse("its syntax");
		return make_statement(ROUTINE_BLOCK);
	}
	statement->query = read_expression(reader, NULL);
	ops_routine_cast(reader, statement->query, 1, reader->function->result,
					 -1);
	return statement;
}

/*
 * RETURN QUERY, whose columns have to be of the very types of the result.
 */
static OpsStatement *
read_return_query(RoutineReader *reader)
{
	OpsStatement *statement = make_statement(ROUTINE_RETURN_QUERY);
	Query	   *query;
	TypeFuncClass class;
	Oid			type;
	TupleDesc	columns;
	int			count;
	Oid			relid;
	int			holder;

	if (!reader->function->set_returning)
		ops_routine_refuse("its syntax");
	if (ops_routine_at(reader, "execute"))
		ops_routine_refuse("EXECUTE");
	relid = get_typ_typrelid(reader->function->result);
	if (OidIsValid(relid) && !ops_relation_try_lock(relid, &holder))
		ops_routine_refuse("its result's table is locked");
	query = ops_routine_select(reader, ops_routine_read_text(reader, NULL));
	count = ops_routine_column_count(query);

	class = get_func_result_type(reader->function->oid, &type, &columns);
	if (class == TYPEFUNC_SCALAR)
	{
		if (count != 1 || ops_routine_column_type(query, 1) != type)
			ops_routine_refuse("rows of another type");
	}
	else if (class == TYPEFUNC_COMPOSITE)
	{
		if (count != columns->natts)
			ops_routine_refuse("rows of another type");
		for (int i = 0; i < count; i++)
		{
			Form_pg_attribute column = TupleDescAttr(columns, i);

			if (column->attisdropped ||
				ops_routine_column_type(query, i + 1) != column->atttypid)
				ops_routine_refuse("rows of another type");
		}
	}
	else
		ops_routine_refuse("rows of any type");
	statement->query = query;
	return statement;
}

static OpsStatement *
read_if(RoutineReader *reader)
{
	OpsStatement *choice = make_statement(ROUTINE_IF);

	do
	{
		char	   *condition = ops_routine_read_text(reader, "then");

		read_arm(reader, choice, condition);
	} while (ops_routine_accept(reader, "elsif") ||
			 ops_routine_accept(reader, "elseif"));
	if (ops_routine_accept(reader, "else"))
		choice->otherwise = read_statements(reader);
	ops_routine_expect(reader, "end");
	ops_routine_expect(reader, "if");
	choice->ends |= any_ends(choice->otherwise);
	return choice;
}

/*
 * CASE with an operand keeps it in a variable, as plpgsql does; one that finds
 * no arm fails.
 */
static OpsStatement *
read_case(RoutineReader *reader, List **statements)
{
	OpsStatement *choice = make_statement(ROUTINE_IF);
	const char *operand = NULL;
	int			outer = list_length(reader->names);

	if (!ops_routine_at(reader, "when"))
	{
		Query	   *value = read_expression(reader, "when");
		Oid			type = ops_routine_column_type(value, 1);
		int			number;

		operand = psprintf("__case__variable_%d__", ++reader->ncases);
		number = ops_routine_add_variable(reader, operand, type, -1);
		*statements = lappend(*statements,
							  ops_routine_assignment(reader, value,
													 list_make1_int(number)));
	}
	while (ops_routine_accept(reader, "when"))
	{
		char	   *condition = ops_routine_read_text(reader, "then");

		if (operand)
			condition = psprintf("%s IN (%s)", operand, condition);
		read_arm(reader, choice, condition);
	}
	if (ops_routine_accept(reader, "else"))
		choice->otherwise = read_statements(reader);
	else
	{
		choice->otherwise = list_make1(make_statement(ROUTINE_ERROR));
		choice->ends = true;
	}
	ops_routine_expect(reader, "end");
	ops_routine_expect(reader, "case");
	choice->ends |= any_ends(choice->otherwise);
	reader->names = list_truncate(reader->names, outer);
	return choice;
}

/*
 * THEN and statements.
 */
static void
read_arm(RoutineReader *reader, OpsStatement *choice, const char *condition)
{
	OpsStatementArm *arm = palloc0(sizeof(OpsStatementArm));

	arm->condition = ops_routine_expression(reader, condition);
	ops_routine_cast(reader, arm->condition, 1, BOOLOID, -1);
	ops_routine_expect(reader, "then");
	arm->body = read_statements(reader);
	choice->ends |= any_ends(arm->body);
	choice->arms = lappend(choice->arms, arm);
}

/*
 * RAISE: an error, or else a message, which does nothing as long as it says
 * only what is there.
 */
static OpsStatement *
read_raise(RoutineReader *reader)
{
	static const char *const messages[] = {
		"debug", "log", "info", "notice", "warning",
	};
	bool		fails = true;
	int			end = ops_routine_end(reader, NULL);

	for (int i = 0; i < lengthof(messages); i++)
		fails &= !ops_routine_at(reader, messages[i]);
	for (int i = reader->next; i < end && !fails; i++)
	{
		RoutineToken *token = &reader->tokens[i];

		if (token->code == '(' ||
			strchr("~!@#^&|`?+-*/%<>=:", reader->source[token->start]))
			ops_routine_refuse("RAISE with an expression");
	}
	reader->next = end;
	return fails ? make_statement(ROUTINE_ERROR) : NULL;
}

static OpsStatement *
read_perform(RoutineReader *reader)
{
	OpsStatement *statement = make_statement(ROUTINE_ASSIGN);
	char	   *rest = ops_routine_read_text(reader, NULL);

	statement->query = ops_routine_select(reader, psprintf("SELECT %s", rest));
	statement->sets_found = true;
	return statement;
}

/*
 * SELECT with INTO somewhere, and without it for the server.
 */
static OpsStatement *
read_select(RoutineReader *reader)
{
	int			first = reader->next;
	int			end = ops_routine_end(reader, NULL);
	int			into = 0;
	char	   *before;
	char	   *after = "";
	List	   *targets;
	bool		strict;
	RoutineName *record;
	Query	   *query;
	OpsStatement *statement;

	for (int i = first; i < end; i++)
	{
		if (!ops_routine_is_word(&reader->tokens[i], "into"))
			continue;
		if (into > 0)
			ops_routine_refuse("its syntax");
		into = i;
	}
	if (into == 0)
		ops_routine_refuse("a query without INTO");
	before = ops_routine_text(reader, first, into);
	reader->next = into + 1;
	strict = ops_routine_accept(reader, "strict");
	record = ops_routine_record_target(reader);
	targets = record ? NIL : ops_routine_targets(reader);
	if (reader->next < end)
		after = ops_routine_text(reader, reader->next, end);
	reader->next = end;

	query = ops_routine_select(reader, psprintf("%s %s", before, after));
	if (record)
		targets = ops_routine_fields(reader, record, query);
	statement = ops_routine_assignment(reader, query, targets);
	statement->strict = strict;
	statement->ends = strict;
	statement->sets_found = true;
	return statement;
}

static OpsStatement *
read_assignment(RoutineReader *reader)
{
	const char *name = ops_routine_expect_name(reader);
	int			number = ops_routine_find(reader, name);

	if (number < 1)
		ops_routine_refuse("an assignment to what is no variable");
	reader->next++;
	return ops_routine_assignment(reader, read_expression(reader, NULL),
								  list_make1_int(number));
}

/*
 * An expression, up to a word or, without one, a semicolon.
 */
static Query *
read_expression(RoutineReader *reader, const char *word)
{
	return ops_routine_expression(reader, ops_routine_read_text(reader, word));
}

static void
refuse_statement(RoutineReader *reader)
{
	RoutineToken *token = ops_routine_peek(reader);
	static const struct
	{
		const char *word;
		const char *what;
	}			known[] = {
		{"loop", "a loop"},
		{"while", "a loop"},
		{"for", "a loop"},
		{"foreach", "a loop"},
		{"execute", "EXECUTE"},
		{"insert", "it writes"},
		{"update", "it writes"},
		{"delete", "it writes"},
		{"merge", "it writes"},
		{"open", "a cursor"},
		{"fetch", "a cursor"},
		{"get", "GET DIAGNOSTICS"},
		{"assert", "ASSERT"},
		{"call", "CALL"},
		{"do", "DO"},
	};

	for (int i = 0; i < lengthof(known); i++)
	{
		if (ops_routine_is_word(token, known[i].word))
			ops_routine_refuse(known[i].what);
	}
	if (token->code != 0 && reader->source[token->start] == '<')
		ops_routine_refuse("a label");
	ops_routine_refuse("a statement of another kind");
}

static OpsStatement *
make_statement(OpsStatementKind kind)
{
	OpsStatement *statement = palloc0(sizeof(OpsStatement));

	statement->kind = kind;
	statement->ends = kind == ROUTINE_ERROR;
	return statement;
}

/*
 * Columns of a query to variables, a cast each.
 */
OpsStatement *
ops_routine_assignment(RoutineReader *reader, Query *query, List *targets)
{
	OpsStatement *statement = make_statement(ROUTINE_ASSIGN);
	int			column = 0;
	ListCell   *lc;

	if (ops_routine_column_count(query) != list_length(targets))
		ops_routine_refuse("INTO with more or fewer columns than variables");
	foreach(lc, targets)
	{
		OpsVariable *variable = ops_routine_variable(reader, lfirst_int(lc));

		if (variable->constant)
			ops_routine_refuse("an assignment to a constant");
		ops_routine_cast(reader, query, ++column, variable->type,
						 variable->typmod);
	}
	statement->query = query;
	statement->targets = targets;
	return statement;
}

static bool
any_ends(List *statements)
{
	ListCell   *lc;

	foreach(lc, statements)
	{
		if (((OpsStatement *) lfirst(lc))->ends)
			return true;
	}
	return false;
}
