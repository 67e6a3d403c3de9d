/*-------------------------------------------------------------------------
 *
 * probe_query.c
 *	  One query of a probe, as the role.
 *
 * Names and operators in it are qualified in full; search_path stays that of
 * the session, because policies and their helpers may depend on it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "core/guc.h"
#include "core/relation.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "rls/probe.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

typedef struct Question
{
	const OpsProbeTarget *target;
	const OpsRlsRole *role;
	OpsProbeState state;
	OpsProbeAnswer *answer;
	StringInfo	sql;
	List	   *types;			/* Oid: of the parameters */
	List	   *values;			/* List of char *: their elements */
} Question;

static bool can_ask(Question *question);
static void make_query(Question *question);
static void add_ownerless(Question *question, const char *from);
static void add_columns(Question *question, const OpsProbePerson *person);
static List *own_values(const Question *question, const OpsProbePerson *person,
						int place);
static const char *comparison(Question *question, AttrNumber column,
							  List *values);
static const char *quoted_column(const OpsProbeTarget *target, int place);
static void run_query(Question *question);
static bool answered(int column);
static Datum array_of(Oid type, List *values);

/*
 * The probe itself, in its subtransaction.
 */
void
ops_probe_ask(const OpsProbePlan *plan, const OpsProbeTarget *target,
			  const OpsRlsRole *role, OpsProbeState state,
			  OpsProbeAnswer *answer)
{
	Question	asked = {
		.target = target,.role = role,.state = state,.answer = answer,
	};
	Oid			userid;
	int			security_context;
	char		timeout[32];

	if (!can_ask(&asked))
		return;
	make_query(&asked);
	answer->statement = asked.sql->data;

	snprintf(timeout, sizeof(timeout), "%dms", ops_guc_lock_timeout);
	ops_probe_set("transaction_read_only", "on");
	ops_probe_set("row_security", "on");
	ops_probe_set("lock_timeout", timeout);
	ops_probe_set("client_min_messages", "error");
	if (state != PROBE_UNSET)
		ops_probe_become(plan,
						 state == PROBE_EMPTY ? NULL :
						 &target->person[state]);

	GetUserIdAndSecContext(&userid, &security_context);
	SetUserIdAndSecContext(role->oid,
						   security_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	run_query(&asked);
	SetUserIdAndSecContext(userid, security_context);
}

/*
 * Set a setting until the subtransaction ends.
 */
void
ops_probe_set(const char *name, const char *value)
{
	(void) set_config_option(name, value,
							 superuser() ? PGC_SUSET : PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * Lock the relation and see that it is still the one that was audited.
 */
static bool
can_ask(Question *question)
{
	const OpsRlsRelation *relation = question->target->relation;
	OpsProbeAnswer *answer = question->answer;
	int			holder;
	char	   *name;

	if (!ops_relation_try_lock(relation->oid, &holder))
	{
		answer->outcome = "locked";
		answer->message = holder == 0 ? _("it is locked") :
			psprintf(_("it is locked by process %d"), holder);
		answer->remedy = _("Call ops.rls_probe() again when the lock is gone.");
		return false;
	}
	name = get_rel_name(relation->oid);
	if (name == NULL || strcmp(name, relation->name) != 0 ||
		get_rel_namespace(relation->oid) != relation->schema)
	{
		answer->outcome = "not_testable";
		answer->message = _("it was dropped or renamed meanwhile");
		return false;
	}
	return true;
}

/*
 * SELECT whether there are own rows, foreign rows, and rows of nobody.
 */
static void
make_query(Question *question)
{
	const OpsProbeTarget *target = question->target;
	const OpsRlsRelation *relation = target->relation;
	bool		has_person = question->state == PROBE_AS_A ||
	question->state == PROBE_AS_B;
	const OpsProbePerson *person = &target->person[has_person ? question->state : 0];
	const char *from = psprintf("EXISTS (SELECT FROM %s AS t WHERE",
								quote_qualified_identifier(relation->schema_name,
														   relation->name));
	const char *first = quoted_column(target, 0);

	question->sql = makeStringInfo();
	question->types = NIL;
	question->values = NIL;
	if (!has_person)
	{
		appendStringInfo(question->sql, "SELECT false, %s t.%s IS NOT NULL), ",
						 from, first);
		add_ownerless(question, from);
		return;
	}
	appendStringInfo(question->sql, "SELECT %s ", from);
	add_columns(question, person);
	if (target->link)
		appendStringInfo(question->sql, "), %s %s), false", from,
						 comparison(question, target->columns[0],
									person->foreign));
	else
	{
		List	   *types = question->types;
		List	   *values = question->values;

		/* The same comparisons once more, with the same parameters. */
		appendStringInfo(question->sql, "), %s t.%s IS NOT NULL AND NOT coalesce(",
						 from, first);
		question->types = question->values = NIL;
		add_columns(question, person);
		question->types = types;
		question->values = values;
		appendStringInfoString(question->sql, ", false)), ");
		add_ownerless(question, from);
	}
}

/*
 * Whether there are rows of nobody.  A null link leads to no tenant that a
 * row could be hidden from.
 */
static void
add_ownerless(Question *question, const char *from)
{
	const OpsProbeTarget *target = question->target;

	if (target->link)
	{
		appendStringInfoString(question->sql, "false");
		return;
	}
	appendStringInfoString(question->sql, from);
	for (int i = 0; i < target->nkeys; i++)
		appendStringInfo(question->sql, "%s t.%s IS NULL",
						 i > 0 ? " AND" : "",
						 quoted_column(target, i));
	appendStringInfoChar(question->sql, ')');
}

/*
 * The condition that a row is the person's own.  Where one of several keys is
 * enough for that, a row that any of them gives to the person is no foreign
 * one: better a leak that is missed here than one that is none.
 */
static void
add_columns(Question *question, const OpsProbePerson *person)
{
	const OpsProbeTarget *target = question->target;

	for (int i = 0; i < target->nkeys; i++)
	{
		List	   *values = own_values(question, person, i);

		if (values == NIL)
			continue;
		if (i > 0)
			appendStringInfoString(question->sql,
								   target->relation->all_keys ? " AND " : " OR ");
		appendStringInfoString(question->sql,
							   comparison(question, target->columns[i], values));
	}
}

static List *
own_values(const Question *question, const OpsProbePerson *person, int place)
{
	const OpsProbeTarget *target = question->target;
	const OpsRlsColumn *columns = target->relation->columns;
	List	   *values = NIL;

	if (target->by_role && place == 0)
		return list_make1(unconstify(char *, question->role->name));
	if (place == 0)
		return person->own;
	if (person->row[place])
		values = list_make1(unconstify(char *, person->row[place]));
	if (columns[target->columns[place] - 1].type ==
		columns[target->columns[0] - 1].type && !target->relation->all_keys)
		values = list_concat(values, person->own);
	return values;
}

/*
 * That a column is one of some values, which become a parameter.  The
 * operator is the type's own equality, by its full name.
 */
static const char *
comparison(Question *question, AttrNumber column, List *values)
{
	const OpsRlsColumn *compared = &question->target->relation->columns[column - 1];
	Oid			type = getBaseType(compared->type);
	Oid			equality = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	char		kind = get_typtype(type);
	HeapTuple	tuple;
	Form_pg_operator form;
	const char *operator;
	const char *schema;

	/* Reading other types from text can run functions of their parts. */
	if ((kind != TYPTYPE_BASE && kind != TYPTYPE_ENUM) ||
		!OidIsValid(get_array_type(type)) || !OidIsValid(equality))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("values of column \"%s\" cannot be compared",
						compared->name)));
	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(equality));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", equality);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	schema = get_namespace_name(form->oprnamespace);
	if (schema == NULL)
		elog(ERROR, "cache lookup failed for schema %u", form->oprnamespace);
	operator = psprintf("OPERATOR(%s.%s)", quote_identifier(schema),
						NameStr(form->oprname));
	ReleaseSysCache(tuple);

	question->types = lappend_oid(question->types, type);
	question->values = lappend(question->values, values);
	return psprintf("t.%s %s ANY ($%d)", quote_identifier(compared->name),
					operator, list_length(question->types));
}

static const char *
quoted_column(const OpsProbeTarget *target, int place)
{
	AttrNumber	column = target->columns[place];

	return quote_identifier(target->relation->columns[column - 1].name);
}

/*
 * Run the query as whoever we are now.
 */
static void
run_query(Question *question)
{
	OpsProbeAnswer *answer = question->answer;
	int			nargs = list_length(question->types);
	Oid		   *types = palloc((nargs + 1) * sizeof(Oid));
	Datum	   *values = palloc((nargs + 1) * sizeof(Datum));
	int			rc;

	for (int i = 0; i < nargs; i++)
	{
		Oid			type = list_nth_oid(question->types, i);

		types[i] = get_array_type(type);
		values[i] = array_of(type, list_nth(question->values, i));
	}
	SPI_connect();
	rc = SPI_execute_with_args(question->sql->data, nargs, types, values, NULL,
							   true, 1);
	if (rc != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "query failed: %s", SPI_result_code_string(rc));
	answer->own = answered(1);
	answer->foreign = answered(2);
	answer->ownerless = answered(3);
	answer->looked = true;
	SPI_finish();
}

static bool
answered(int column)
{
	bool		isnull;

	return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0],
									  SPI_tuptable->tupdesc, column,
									  &isnull));
}

static Datum
array_of(Oid type, List *values)
{
	Datum	   *elements = palloc((list_length(values) + 1) * sizeof(Datum));
	int			nelements = 0;
	Oid			input;
	Oid			parameter;
	int16		length;
	bool		by_value;
	char		alignment;
	ListCell   *lc;

	getTypeInputInfo(type, &input, &parameter);
	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	foreach(lc, values)
		elements[nelements++] = OidInputFunctionCall(input, lfirst(lc),
													 parameter, -1);
	return PointerGetDatum(construct_array(elements, nelements, type, length,
										   by_value, alignment));
}
