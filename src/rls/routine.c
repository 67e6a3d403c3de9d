/*-------------------------------------------------------------------------
 *
 * routine.c
 *	  Functions in plpgsql that do little more than compute a value.
 *
 * A routine is run with what is known of values in place of values: each
 * variable has a list of cases, and a branch that may or may not be taken
 * leaves both behind.  A statement that may fail inside a block with handlers
 * may have failed, with the variables as they were at any time before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rls/routine.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Ways through a routine, and the size of a value, that are followed. */
#define MAX_STATEMENTS	500
#define MAX_VALUE_SIZE	1000

/* Values that were assigned inside a block that has handlers. */
typedef struct Trace
{
	List	   *numbers;
	List	   *values;
	struct Trace *outer;
} Trace;

/* Statements that are still to be run. */
typedef struct Rest
{
	List	   *statements;
	int			next;
	Trace	   *trace;
	const struct Rest *outer;
} Rest;

typedef struct Run
{
	OpsLevel   *level;			/* of the call */
	OpsRoutine *routine;
	Oid			user;			/* as whom its queries run */
	int			nstatements;
	bool		failed;			/* gave up */
} Run;

static void read_arguments(RoutineReader *reader, HeapTuple tuple);
static void read_conflict(RoutineReader *reader);
static bool is_pure(OpsRlsAudit *audit, OpsFunction *function);
static List *initial_values(OpsLevel *level, OpsRoutine *routine, List *args);
static List *run_all(Run *run, const Rest *rest, List *values);
static List *run_ends(Run *run, OpsStatement *statement, const Rest *rest,
					  List *values);
static List *run_list(Run *run, List *statements, List *values, Trace *trace);
static List *run_one(Run *run, OpsStatement *statement, List *values,
					 Trace *trace);
static List *run_assignment(Run *run, OpsStatement *statement, List *values,
							Trace *trace, OpsFormula **found);
static List *assign(Run *run, List *values, int number, List *value,
					Trace *trace);
static List *merge(Run *run, OpsFormula *when, List *yes, List *no);
static List *after_failure(Run *run, List *values, const Trace *trace);
static OpsFormula *arm_taken(Run *run, OpsStatementArm *arm, List *values);
static List *query_value(Run *run, Query *query, List *values);
static OpsLevel *open_query(Run *run, Query *query, List *values,
							OpsFormula **found);
static bool surely_one_row(const Query *query);
static List *error_value(OpsLevel *level, Oid type);
static int	value_size(const List *value, int limit);
static int	formula_size(const OpsFormula *formula, int limit);

/*
 * Set the search path that a function runs with: its own or, if it has none,
 * what sessions begin with.
 */
void
ops_routine_search_path(HeapTuple tuple)
{
	bool		isnull;
	Datum		settings = SysCacheGetAttr(PROCOID, tuple,
										   Anum_pg_proc_proconfig, &isnull);
	const char *path = GetConfigOptionResetString("search_path");
	Datum	   *values;
	bool	   *nulls;
	int			count = 0;

	if (!isnull)
		deconstruct_array(DatumGetArrayTypeP(settings), TEXTOID, -1, false,
						  TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		char	   *setting = TextDatumGetCString(values[i]);

		if (pg_strncasecmp(setting, "search_path=", 12) == 0)
			path = setting + 12;
	}
	(void) set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Read a function in plpgsql, within a subtransaction: raises an error, which
 * says what stood in the way, unless all of it is understood.
 *
 * One that gives nothing but what a query gives is as good as that query.
 */
void
ops_routine_read(OpsFunction *function, HeapTuple tuple, MemoryContext keep)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	char	   *language = get_language_name(form->prolang, true);
	RoutineReader reader = {0};
	bool		isnull;
	Datum		source;

	if (language == NULL || strcmp(language, "plpgsql") != 0)
		return;
	source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	if (isnull)
		return;
	if (!form->proretset &&
		(type_is_rowtype(form->prorettype) ||
		 get_typtype(form->prorettype) == TYPTYPE_PSEUDO))
		ops_routine_refuse("what it returns");

	reader.scratch = MemoryContextSwitchTo(keep);
	reader.function = function;
	reader.source = TextDatumGetCString(source);
	reader.routine = palloc0(sizeof(OpsRoutine));
	read_conflict(&reader);
	read_arguments(&reader, tuple);
	ops_routine_parse(&reader);
	ops_routine_inline(reader.routine);

	if (form->proretset)
		function->query = ops_routine_only_rows(reader.routine);
	else if (OidIsValid(get_element_type(form->prorettype)))
		function->query = ops_routine_only_value(reader.routine);
	if (function->query == NULL)
	{
		if (form->proretset)
			ops_routine_refuse("rows of several statements");
		function->routine = reader.routine;
	}
	MemoryContextSwitchTo(reader.scratch);
}

/*
 * Settings that a function runs with may be what its body reads.
 */
void
ops_routine_check_settings(HeapTuple tuple)
{
	static const char *const harmless[] = {
		"search_path=", "row_security=", "statement_timeout=",
		"lock_timeout=", "client_min_messages=", "work_mem=",
		"plan_cache_mode=", "jit=",
	};
	bool		isnull;
	Datum		settings = SysCacheGetAttr(PROCOID, tuple,
										   Anum_pg_proc_proconfig, &isnull);
	Datum	   *values;
	bool	   *nulls;
	int			count;

	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypeP(settings), TEXTOID, -1, false,
					  TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		char	   *setting = TextDatumGetCString(values[i]);
		bool		known = false;

		for (int j = 0; j < lengthof(harmless); j++)
			known |= pg_strncasecmp(setting, harmless[j],
									strlen(harmless[j])) == 0;
		if (!known)
			ops_routine_refuse(psprintf("SET %s", setting));
	}
}

/*
 * Names and types of arguments; the columns of RETURNS TABLE have names as
 * well, which a query can run into.
 */
static void
read_arguments(RoutineReader *reader, HeapTuple tuple)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	OpsRoutine *routine = reader->routine;
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			count = get_func_arg_info(tuple, &types, &names, &modes);

	for (int i = 0; i < count; i++)
	{
		bool		output = modes && modes[i] == PROARGMODE_TABLE;
		RoutineName *name;

		if (modes && (modes[i] == PROARGMODE_OUT ||
					  modes[i] == PROARGMODE_INOUT))
			ops_routine_refuse("an OUT parameter");
		if (!output)
		{
			OpsVariable *variable = palloc0(sizeof(OpsVariable));

			variable->type = types[i];
			variable->typmod = -1;
			routine->variables = lappend(routine->variables, variable);
			routine->nargs++;
		}
		if (names == NULL || names[i] == NULL || names[i][0] == '\0')
			continue;
		name = palloc0(sizeof(RoutineName));
		name->name = names[i];
		name->variable = output ? 0 : routine->nargs;
		name->is_argument = true;
		reader->names = lappend(reader->names, name);
	}
	if (routine->nargs != form->pronargs)
		ops_routine_refuse("an OUT parameter");

	{
		OpsVariable *found = palloc0(sizeof(OpsVariable));
		RoutineName *name = palloc0(sizeof(RoutineName));

		found->type = BOOLOID;
		found->typmod = -1;
		routine->variables = lappend(routine->variables, found);
		name->name = "found";
		name->variable = list_length(routine->variables);
		name->is_argument = true;
		reader->names = lappend(reader->names, name);
	}
}

/*
 * What a name means that is one of a variable and of a column.
 */
static void
read_conflict(RoutineReader *reader)
{
	const char *setting = GetConfigOption("plpgsql.variable_conflict", true,
										  false);

	reader->conflict = CONFLICT_ERROR;
	if (setting && strcmp(setting, "use_column") == 0)
		reader->conflict = CONFLICT_COLUMN;
	else if (setting && strcmp(setting, "use_variable") == 0)
		reader->conflict = CONFLICT_VARIABLE;
}

/*
 * The value of a call; NIL if it cannot be told.
 */
List *
ops_routine_value(OpsLevel *level, OpsFunction *function, List *args)
{
	OpsReading *reading = level->reading;
	OpsRoutine *routine = function->routine;
	Run			run = {0};
	Rest		rest = {0};
	List	   *value;

	check_stack_depth();
	if (routine == NULL || routine->busy || function->set_returning ||
		list_length(args) > routine->nargs ||
		!is_pure(reading->audit, function))
		return NIL;

	run.level = level;
	run.routine = routine;
	run.user = function->definer ? function->owner : level->definer;
	rest.statements = routine->statements;
	routine->busy = true;
	reading->depth++;
	value = run_all(&run, &rest, initial_values(level, routine, args));
	reading->depth--;
	routine->busy = false;
	return run.failed ? NIL : value;
}

/*
 * Whether a routine leaves the session as it is.  One that does not is never
 * looked into again.
 */
static bool
is_pure(OpsRlsAudit *audit, OpsFunction *function)
{
	OpsRoutine *routine = function->routine;
	MemoryContext caller;
	const char *effect = NULL;
	ListCell   *lc;

	if (routine->judged)
		return true;
	caller = MemoryContextSwitchTo(audit->context);
	foreach(lc, routine->queries)
	{
		effect = ops_routine_side_effect(audit, lfirst(lc));
		if (effect)
			break;
	}
	if (effect)
	{
		function->routine = NULL;
		function->obstacle = psprintf("%s (%s)", function->name, effect);
	}
	routine->judged = true;
	MemoryContextSwitchTo(caller);
	return effect == NULL;
}

/*
 * Variables are null to begin with and FOUND is false.  What a default value
 * gives an argument is not known.
 */
static List *
initial_values(OpsLevel *level, OpsRoutine *routine, List *args)
{
	OpsFormula *none = ops_formula_const(level->reading->audit, TRUTH_F);
	List	   *values = list_copy(args);

	for (int i = list_length(args); i < list_length(routine->variables); i++)
	{
		OpsVariable *variable = list_nth(routine->variables, i);
		OpsTerm    *term;

		if (i == routine->nargs)
		{
			values = lappend(values, ops_value_of_truth(level, none));
			continue;
		}
		if (i < routine->nargs)
			term = ops_term_apply(psprintf("default value %d",
										   ++level->reading->nnodes),
								  variable->type, 0, NULL,
								  "a default value");
		else
			term = ops_term_null(variable->type);
		values = lappend(values, ops_value_of_term(level, term));
	}
	return values;
}

/*
 * What a routine returns that has these statements still to run.
 */
static List *
run_all(Run *run, const Rest *rest, List *values)
{
	Rest		here = *rest;

	check_stack_depth();
	while (!run->failed)
	{
		OpsStatement *statement;

		if (here.next >= list_length(here.statements))
		{
			if (here.outer == NULL)
				break;
			here = *here.outer;
			continue;
		}
		statement = list_nth(here.statements, here.next++);
		if (statement->ends)
			return run_ends(run, statement, &here, values);
		values = run_one(run, statement, values, here.trace);
	}
	/* It ends without RETURN. */
	return error_value(run->level, InvalidOid);
}

/*
 * The same, beginning with a statement that may end the routine: every way it
 * can go is followed to the end.
 */
static List *
run_ends(Run *run, OpsStatement *statement, const Rest *rest, List *values)
{
	Rest		inner = {0};
	Trace		trace = {.outer = rest->trace};
	OpsFormula *found;
	ListCell   *lc;
	List	   *result;

	CHECK_FOR_INTERRUPTS();
	inner.outer = rest;
	inner.trace = rest->trace;
	if (++run->nstatements > MAX_STATEMENTS)
	{
		run->failed = true;
		return error_value(run->level, InvalidOid);
	}
	switch (statement->kind)
	{
		case ROUTINE_RETURN:
			result = query_value(run, statement->query, values);
			break;
		case ROUTINE_ASSIGN:
			/* STRICT: without a row, an error. */
			values = run_assignment(run, statement, values, rest->trace,
									&found);
			result = ops_value_guard(run->level, found,
									 run_all(run, rest, values),
									 error_value(run->level, InvalidOid));
			break;
		case ROUTINE_IF:
			inner.statements = statement->otherwise;
			result = run_all(run, &inner, values);
			for (int i = list_length(statement->arms) - 1; i >= 0; i--)
			{
				OpsStatementArm *arm = list_nth(statement->arms, i);
				OpsFormula *taken = arm_taken(run, arm, values);

				inner.statements = arm->body;
				result = ops_value_guard(run->level, taken,
										 run_all(run, &inner, values), result);
			}
			break;
		case ROUTINE_BLOCK:
			inner.statements = statement->body;
			if (statement->handlers)
				inner.trace = &trace;
			result = run_all(run, &inner, values);
			inner.trace = rest->trace;
			foreach(lc, statement->handlers)
			{
				List	   *failed = after_failure(run, values, &trace);

				inner.statements = lfirst(lc);
				result = ops_value_guard(run->level, ops_formula_choice(),
										 run_all(run, &inner, failed), result);
			}
			break;
		default:
			result = error_value(run->level, InvalidOid);
			break;
	}
	if (value_size(result, MAX_VALUE_SIZE) > MAX_VALUE_SIZE)
		run->failed = true;
	return result;
}

/*
 * What variables are after statements none of which ends the routine.
 */
static List *
run_list(Run *run, List *statements, List *values, Trace *trace)
{
	ListCell   *lc;

	foreach(lc, statements)
		values = run_one(run, lfirst(lc), values, trace);
	return values;
}

static List *
run_one(Run *run, OpsStatement *statement, List *values, Trace *outer)
{
	Trace		trace = {.outer = outer};
	OpsFormula *found;
	ListCell   *lc;
	List	   *result;

	CHECK_FOR_INTERRUPTS();
	if (run->failed || ++run->nstatements > MAX_STATEMENTS)
	{
		run->failed = true;
		return values;
	}
	switch (statement->kind)
	{
		case ROUTINE_ASSIGN:
			return run_assignment(run, statement, values, outer, &found);
		case ROUTINE_IF:
			result = run_list(run, statement->otherwise, values, outer);
			for (int i = list_length(statement->arms) - 1; i >= 0; i--)
			{
				OpsStatementArm *arm = list_nth(statement->arms, i);
				OpsFormula *taken = arm_taken(run, arm, values);

				result = merge(run, taken,
							   run_list(run, arm->body, values, outer),
							   result);
			}
			return result;
		case ROUTINE_BLOCK:
			result = run_list(run, statement->body, values,
							  statement->handlers ? &trace : outer);
			foreach(lc, statement->handlers)
			{
				List	   *failed = after_failure(run, values, &trace);

				result = merge(run, ops_formula_choice(),
							   run_list(run, lfirst(lc), failed, outer),
							   result);
			}
			return result;
		default:
			run->failed = true;
			return values;
	}
}

/*
 * A row of a query to variables; nulls if it finds none.
 */
static List *
run_assignment(Run *run, OpsStatement *statement, List *values, Trace *trace,
			   OpsFormula **found)
{
	OpsLevel   *query = open_query(run, statement->query, values, found);
	List	   *result = values;
	int			column = 0;
	ListCell   *lc;

	if (query == NULL)
		return values;
	foreach(lc, statement->targets)
	{
		int			number = lfirst_int(lc);
		OpsVariable *variable = list_nth(run->routine->variables, number - 1);
		List	   *none = ops_value_of_term(run->level,
											 ops_term_null(variable->type));
		List	   *value = ops_value_guard(run->level, *found,
											ops_level_output(query, ++column),
											none);

		if (variable->notnull)
			value = ops_value_guard(run->level,
									ops_value_isnull(run->level, value),
									error_value(run->level, variable->type),
									value);
		result = assign(run, result, number, value, trace);
	}
	if (statement->sets_found)
		result = assign(run, result, run->routine->nargs + 1,
						ops_value_of_truth(run->level, *found), trace);
	return result;
}

/*
 * The values with another one for a variable.
 */
static List *
assign(Run *run, List *values, int number, List *value, Trace *trace)
{
	if (value_size(value, MAX_VALUE_SIZE) > MAX_VALUE_SIZE)
	{
		run->failed = true;
		return values;
	}
	for (; trace; trace = trace->outer)
	{
		trace->numbers = lappend_int(trace->numbers, number);
		trace->values = lappend(trace->values, value);
	}
	values = list_copy(values);
	lfirst(list_nth_cell(values, number - 1)) = value;
	return values;
}

/*
 * The values of either branch.
 */
static List *
merge(Run *run, OpsFormula *when, List *yes, List *no)
{
	List	   *values = NIL;
	ListCell   *y;
	ListCell   *n;

	forboth(y, yes, n, no)
	{
		List	   *value = lfirst(y);

		if (value != (List *) lfirst(n))
		{
			value = ops_value_guard(run->level, when, value, lfirst(n));
			if (value_size(value, MAX_VALUE_SIZE) > MAX_VALUE_SIZE)
				run->failed = true;
		}
		values = lappend(values, value);
	}
	return values;
}

/*
 * The values that a handler finds: an error undoes no assignment, and nobody
 * knows which ones were made before it.
 */
static List *
after_failure(Run *run, List *values, const Trace *trace)
{
	ListCell   *number;
	ListCell   *value;

	forboth(number, trace->numbers, value, trace->values)
	{
		int			place = lfirst_int(number) - 1;
		List	   *either = ops_value_guard(run->level, ops_formula_choice(),
											 lfirst(value),
											 list_nth(values, place));

		values = assign(run, values, place + 1, either, NULL);
	}
	return values;
}

/*
 * Whether the condition of an arm is true: false or null are the same.
 */
static OpsFormula *
arm_taken(Run *run, OpsStatementArm *arm, List *values)
{
	List	   *condition = query_value(run, arm->condition, values);

	return ops_formula_test(run->level->reading->audit,
							ops_value_truth(run->level, condition), TRUTH_T);
}

/*
 * The value of an expression, or null if it finds no row.
 */
static List *
query_value(Run *run, Query *query, List *values)
{
	OpsFormula *found;
	OpsLevel   *opened = open_query(run, query, values, &found);
	Oid			type = ops_routine_column_type(query, 1);

	if (opened == NULL)
		return error_value(run->level, type);
	return ops_value_guard(run->level, found, ops_level_output(opened, 1),
						   ops_value_of_term(run->level, ops_term_null(type)));
}

/*
 * A query, and whether it finds a row.
 */
static OpsLevel *
open_query(Run *run, Query *query, List *values, OpsFormula **found)
{
	OpsReading *reading = run->level->reading;
	OpsRlsAudit *audit = reading->audit;
	OpsLevel   *level = ops_level_query(reading, NULL, query, run->user,
										run->user, values);
	OpsFormula *rows;

	*found = ops_formula_const(audit, TRUTH_F);
	if (level == NULL)
	{
		run->failed = true;
		return NULL;
	}
	rows = ops_level_has_row(level);
	if (!surely_one_row(query))
		rows = ops_formula_and(audit, rows, ops_formula_choice());
	*found = ops_formula_witness(audit, rows, false);
	return level;
}

/*
 * Whether nothing but what ops_level_has_row() says keeps a query from giving
 * a row.
 */
static bool
surely_one_row(const Query *query)
{
	return (query->jointree->fromlist == NIL || query->hasAggs) &&
		query->setOperations == NULL && !query->hasTargetSRFs &&
		query->groupClause == NIL && query->groupingSets == NIL &&
		query->limitCount == NULL && query->limitOffset == NULL;
}

/*
 * A value that is none: whatever asks for it fails.
 */
static List *
error_value(OpsLevel *level, Oid type)
{
	OpsCase    *one = palloc0(sizeof(OpsCase));

	one->when = ops_formula_const(level->reading->audit, TRUTH_E);
	one->then = ops_term_null(type);
	return lcons(one, ops_value_of_term(level, ops_term_null(type)));
}

/*
 * How large a value is, written out; more than the limit if it is larger.
 */
static int
value_size(const List *value, int limit)
{
	int			size = 0;
	ListCell   *lc;

	foreach(lc, value)
	{
		OpsCase    *one = lfirst(lc);

		size += formula_size(one->when, limit - size);
		if (one->truth && size <= limit)
			size += formula_size(one->truth, limit - size);
		if (++size > limit)
			break;
	}
	return size;
}

static int
formula_size(const OpsFormula *formula, int limit)
{
	int			size = 1;

	check_stack_depth();
	for (int i = 0; i < formula->nargs && size <= limit; i++)
		size += formula_size(formula->args[i], limit - size);
	return size;
}
