/*-------------------------------------------------------------------------
 *
 * routine_names.c
 *	  Variables of a plpgsql function, and what their names mean where.
 *
 * A record is as many variables as it has fields.  One that is declared to be
 * any record gets them from the first query that it is given a row of.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "rls/routine.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static void declare_alias(RoutineReader *reader, const char *name);
static void declare_record(RoutineReader *reader, const char *name,
						   Oid type);
static int	type_end(RoutineReader *reader);
static void read_type(RoutineReader *reader, Oid *type, int32 *typmod);
static void copy_type(RoutineReader *reader, int first, int end, Oid *type,
					  int32 *typmod);
static Oid	find_relation(List *names);
static void check_type(Oid type);
static RoutineName *add_name(RoutineReader *reader, const char *name,
							 int variable);
static RoutineName *make_name(const char *name, int variable);
static int	make_variable(RoutineReader *reader, Oid type, int32 typmod);
static RoutineName *find_name(RoutineReader *reader, const char *name);

/*
 * A declaration; the names from number outer on are of the same block.
 */
void
ops_routine_declare(RoutineReader *reader, int outer, List **statements)
{
	const char *name = ops_routine_expect_name(reader);
	bool		constant;
	bool		notnull = false;
	Query	   *value = NULL;
	Oid			type = InvalidOid;
	int32		typmod;
	OpsVariable *variable;
	int			number;

	for (int i = outer; i < list_length(reader->names); i++)
	{
		RoutineName *other = list_nth(reader->names, i);

		if (strcmp(other->name, name) == 0)
			ops_routine_refuse("a variable declared twice");
	}
	if (ops_routine_accept(reader, "alias"))
	{
		declare_alias(reader, name);
		return;
	}
	if (ops_routine_at(reader, "cursor") || ops_routine_at(reader, "scroll") ||
		ops_routine_at(reader, "no"))
		ops_routine_refuse("a cursor");

	constant = ops_routine_accept(reader, "constant");
	read_type(reader, &type, &typmod);
	if (type == RECORDOID || get_typtype(type) == TYPTYPE_COMPOSITE)
	{
		declare_record(reader, name, type);
		return;
	}
	check_type(type);
	if (ops_routine_at(reader, "collate"))
		ops_routine_refuse("a collation");
	if (ops_routine_accept(reader, "not"))
	{
		ops_routine_expect(reader, "null");
		notnull = true;
	}
	if (ops_routine_at(reader, "default") ||
		ops_routine_assigns(reader, ops_routine_peek(reader)))
	{
		reader->next++;
		value = ops_routine_expression(reader,
									   ops_routine_read_text(reader, NULL));
	}
	ops_routine_expect_code(reader, ';');

	/* Its own default does not see it. */
	number = ops_routine_add_variable(reader, name, type, typmod);
	variable = ops_routine_variable(reader, number);
	variable->notnull = notnull;
	if (value)
		*statements = lappend(*statements,
							  ops_routine_assignment(reader, value,
													 list_make1_int(number)));
	variable->constant = constant;
}

/*
 * Another name for a variable or for $1.
 */
static void
declare_alias(RoutineReader *reader, const char *name)
{
	RoutineToken *token;
	int			number;

	ops_routine_expect(reader, "for");
	token = ops_routine_peek(reader);
	if (token->name)
		number = ops_routine_find(reader, ops_routine_expect_name(reader));
	else
	{
		if (token->code == 0 || reader->source[token->start] != '$')
			ops_routine_refuse("its syntax");
		number = atoi(&reader->source[token->start + 1]);
		if (number > reader->routine->nargs)
			number = 0;
		reader->next++;
	}
	ops_routine_expect_code(reader, ';');
	if (number < 1)
		ops_routine_refuse("an alias of what is no variable");
	(void) add_name(reader, name, number);
}

/*
 * A record; of one that has the type of a table, the fields are known.
 */
static void
declare_record(RoutineReader *reader, const char *name, Oid type)
{
	RoutineName *record;
	Oid			relid;
	HeapTuple	tuple;

	ops_routine_expect_code(reader, ';');
	record = add_name(reader, name, 0);
	record->is_record = true;
	if (type == RECORDOID)
		return;
	relid = get_typ_typrelid(type);
	for (AttrNumber i = 1;
		 HeapTupleIsValid(tuple = SearchSysCache2(ATTNUM,
												  ObjectIdGetDatum(relid),
												  Int16GetDatum(i)));
		 i++)
	{
		Form_pg_attribute column = (Form_pg_attribute) GETSTRUCT(tuple);

		if (!column->attisdropped)
		{
			int			number = make_variable(reader, column->atttypid,
											   column->atttypmod);

			record->fields = lappend(record->fields,
									 make_name(NameStr(column->attname),
											   number));
		}
		ReleaseSysCache(tuple);
	}
}

/*
 * Where a type ends, in a declaration.
 */
static int
type_end(RoutineReader *reader)
{
	int			depth = 0;

	for (int i = reader->next;; i++)
	{
		RoutineToken *token = &reader->tokens[i];

		if (token->code == 0)
			ops_routine_refuse("its syntax");
		if (token->code == '(' || token->code == '[')
			depth++;
		else if (token->code == ')' || token->code == ']')
			depth--;
		else if (depth == 0 &&
				 (token->code == ';' || ops_routine_is_word(token, "not") ||
				  ops_routine_is_word(token, "collate") ||
				  ops_routine_is_word(token, "default") ||
				  ops_routine_assigns(reader, token)))
			return i;
	}
}

static void
read_type(RoutineReader *reader, Oid *type, int32 *typmod)
{
	int			first = reader->next;
	int			end = type_end(reader);
	TypeName   *name;

	reader->next = end;
	for (int i = first; i < end; i++)
	{
		if (reader->tokens[i].code == '%')
		{
			copy_type(reader, first, end, type, typmod);
			return;
		}
	}
	name = linitial_node(TypeName,
						 raw_parser(ops_routine_text(reader, first, end),
									RAW_PARSE_TYPE_NAME));
	if (name->setof)
		ops_routine_refuse("a variable of rows");
	typenameTypeIdAndMod(NULL, name, type, typmod);
}

/*
 * The type of a variable, a column or a table, given by its name.
 */
static void
copy_type(RoutineReader *reader, int first, int end, Oid *type, int32 *typmod)
{
	List	   *names = NIL;
	RoutineToken *last = &reader->tokens[end - 1];

	for (int i = first; i < end - 2; i++)
	{
		bool		separates = (i - first) % 2 == 1;

		if (separates ? reader->tokens[i].code != '.' :
			reader->tokens[i].name == NULL)
			ops_routine_refuse("its syntax");
		if (!separates)
			names = lappend(names, unconstify(char *, reader->tokens[i].name));
	}
	*typmod = -1;
	if (end - first < 3 || reader->tokens[end - 2].code != '%' ||
		(end - first) % 2 == 0 || names == NIL || list_length(names) > 3)
		ops_routine_refuse("its syntax");
	else if (ops_routine_is_word(last, "rowtype") && list_length(names) <= 2)
	{
		*type = get_rel_type_id(find_relation(names));
		if (!OidIsValid(*type))
			ops_routine_refuse("a type that is not there");
	}
	else if (!ops_routine_is_word(last, "type"))
		ops_routine_refuse("its syntax");
	else if (find_name(reader, linitial(names)) ||
			 strcmp(linitial(names), reader->function->proname) == 0)
	{
		int			number = ops_routine_find(reader, linitial(names));

		if (number < 1 || list_length(names) > 1)
			ops_routine_refuse("a type of what is no variable");
		*type = ops_routine_variable(reader, number)->type;
		*typmod = ops_routine_variable(reader, number)->typmod;
	}
	else
	{
		const char *column = llast(names);
		Oid			relid;
		Oid			collation;
		AttrNumber	number;

		if (list_length(names) == 1)
			ops_routine_refuse("a type that is not there");
		relid = find_relation(list_truncate(names, list_length(names) - 1));
		number = get_attnum(relid, column);
		if (number <= 0)
			ops_routine_refuse("a type that is not there");
		get_atttypetypmodcoll(relid, number, type, typmod, &collation);
	}
}

static Oid
find_relation(List *names)
{
	RangeVar   *relation = makeRangeVar(list_length(names) > 1 ?
										linitial(names) : NULL,
										llast(names), -1);
	Oid			relid = RangeVarGetRelid(relation, NoLock, true);

	if (!OidIsValid(relid))
		ops_routine_refuse("a type that is not there");
	return relid;
}

static void
check_type(Oid type)
{
	if (type == REFCURSOROID)
		ops_routine_refuse("a cursor");
	if (type_is_rowtype(type) || get_typtype(type) == TYPTYPE_PSEUDO)
		ops_routine_refuse("a variable of rows");
}

int
ops_routine_add_variable(RoutineReader *reader, const char *name, Oid type,
						 int32 typmod)
{
	int			number = make_variable(reader, type, typmod);

	(void) add_name(reader, name, number);
	return number;
}

static RoutineName *
add_name(RoutineReader *reader, const char *name, int variable)
{
	RoutineName *entry = make_name(name, variable);

	reader->names = lappend(reader->names, entry);
	return entry;
}

static RoutineName *
make_name(const char *name, int variable)
{
	RoutineName *entry = palloc0(sizeof(RoutineName));

	entry->name = pstrdup(name);
	entry->variable = variable;
	return entry;
}

/*
 * Numbers are never used again: a block is entered no more than once.
 */
static int
make_variable(RoutineReader *reader, Oid type, int32 typmod)
{
	OpsVariable *variable = palloc0(sizeof(OpsVariable));
	OpsRoutine *routine = reader->routine;

	variable->type = type;
	variable->typmod = typmod;
	routine->variables = lappend(routine->variables, variable);
	return list_length(routine->variables);
}

static RoutineName *
find_name(RoutineReader *reader, const char *name)
{
	for (int i = list_length(reader->names) - 1; i >= 0; i--)
	{
		RoutineName *entry = list_nth(reader->names, i);

		if (strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

/*
 * The number of a variable; 0 if there is none of that name.
 */
int
ops_routine_find(RoutineReader *reader, const char *name)
{
	RoutineName *entry = find_name(reader, name);

	return entry ? entry->variable : 0;
}

OpsVariable *
ops_routine_variable(RoutineReader *reader, int number)
{
	return list_nth(reader->routine->variables, number - 1);
}

/*
 * What a reference in a query means: the number of a variable, -1 if it is
 * none.  First comes a name by itself or one with a qualifier: the function's
 * for an argument, a record's for a field.
 */
int
ops_routine_resolve(RoutineReader *reader, const char *qualifier,
					const char *name)
{
	for (int i = list_length(reader->names) - 1; i >= 0; i--)
	{
		RoutineName *entry = list_nth(reader->names, i);
		ListCell   *lc;

		if (qualifier == NULL)
		{
			if (strcmp(entry->name, name) != 0)
				continue;
			if (entry->is_record)
				ops_routine_refuse("a whole record");
			return entry->variable;
		}
		if (entry->is_record && strcmp(entry->name, qualifier) == 0)
		{
			foreach(lc, entry->fields)
			{
				RoutineName *field = lfirst(lc);

				if (strcmp(field->name, name) == 0)
					return field->variable;
			}
			ops_routine_refuse("a field that is not there");
		}
		if (entry->is_argument && strcmp(entry->name, name) == 0 &&
			strcmp(reader->function->proname, qualifier) == 0)
			return entry->variable;
	}
	return -1;
}

/*
 * The target of INTO if it is a record, else NULL.
 */
RoutineName *
ops_routine_record_target(RoutineReader *reader)
{
	RoutineToken *token = ops_routine_peek(reader);
	RoutineName *entry = token->name ? find_name(reader, token->name) : NULL;

	if (entry == NULL || !entry->is_record)
		return NULL;
	reader->next++;
	return entry;
}

/*
 * Numbers of a record's fields, which a query is about to fill.
 */
List *
ops_routine_fields(RoutineReader *reader, RoutineName *record, Query *query)
{
	List	   *numbers = NIL;
	ListCell   *lc;
	bool		is_new = record->fields == NIL;

	if (is_new)
	{
		foreach(lc, query->targetList)
		{
			TargetEntry *entry = lfirst(lc);
			const char *name;
			Oid			type;
			int			number;

			if (entry->resjunk)
				continue;
			type = exprType((Node *) entry->expr);
			check_type(type);
			number = make_variable(reader, type, -1);
			name = entry->resname ? entry->resname : "";
			record->fields = lappend(record->fields, make_name(name, number));
			record->is_open = true;
		}
	}
	else if (record->is_open)
		ops_routine_refuse("a record used twice");
	foreach(lc, record->fields)
		numbers = lappend_int(numbers, ((RoutineName *) lfirst(lc))->variable);
	return numbers;
}

/*
 * The variables that follow INTO.
 */
List *
ops_routine_targets(RoutineReader *reader)
{
	List	   *targets = NIL;

	for (;;)
	{
		int			number = ops_routine_find(reader,
											  ops_routine_expect_name(reader));
		RoutineToken *token = ops_routine_peek(reader);

		if (number < 1 || token->code == '.' || token->code == '[')
			ops_routine_refuse("INTO something that is no variable");
		targets = lappend_int(targets, number);
		if (token->code != ',')
			return targets;
		reader->next++;
	}
}
