/*-------------------------------------------------------------------------
 *
 * store.c
 *	  Policies in their table.
 *
 * Who may make or run a policy has no rights on ops.retention_policy itself.
 * It is read and written as its owner, in the closed scope; what is written
 * has been checked before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "cleanup/retention.h"
#include "core/compat.h"
#include "core/relation.h"
#include "core/report.h"
#include "core/scope.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

const char *const ops_partitions_name[] = {
	[OPS_PARTITIONS_DROP] = "drop",
	[OPS_PARTITIONS_DETACH] = "detach",
	[OPS_PARTITIONS_ROWS] = "rows",
};

/* Columns of ops.retention_policy, from 1. */
enum
{
	POLICY_NAME = 1,
	RELATION,
	PATTERN,
	TIME_COLUMN,
	TIME_EXPRESSION,
	TIME_FORMAT,
	SNOWFLAKE_EPOCH,
	KEEP,
	MIN_KEEP,
	CONDITION,
	HOLD,
	KEEP_FOR,
	NULL_IS_OLD,
	ARCHIVE,
	PARTITIONS,
	MAX_SHARE,
	ROW_CAP,
	BATCH_TARGET,
	OVERRIDES,
	ENABLED,
	RUN_AS,
	TIME_ZONE,
	NUM_COLUMNS = TIME_ZONE
};

#define COLUMNS "policy_name, relation, pattern, time_column," \
	" time_expression, time_format, snowflake_epoch, keep, min_keep," \
	" condition, hold, keep_for, null_is_old, archive, partitions," \
	" max_share, row_cap, batch_target, overrides, enabled, run_as, time_zone"

/* The types of the columns, for a row to be written. */
static Oid	column_type[NUM_COLUMNS] = {
	TEXTOID, REGCLASSOID, TEXTOID, TEXTOID,
	TEXTOID, TEXTOID, TIMESTAMPTZOID, INTERVALOID, INTERVALOID,
	TEXTOID, TEXTOID, TEXTOID, BOOLOID, REGCLASSOID, TEXTOID,
	FLOAT8OID, INT8OID, INTERVALOID, TEXTARRAYOID, BOOLOID, NAMEOID, TEXTOID,
};

/* A row to be written; nulls as SPI wants them. */
typedef struct Row
{
	Datum		values[NUM_COLUMNS];
	char		nulls[NUM_COLUMNS];
} Row;

static Oid	enter_store(OpsScope *scope);
static List *select_policies(const char *sql, const char *name);
static OpsRetention *read_policy(HeapTuple tuple, TupleDesc tupdesc);
static Datum column(HeapTuple tuple, TupleDesc tupdesc, int number,
					bool *isnull);
static const char *column_text(HeapTuple tuple, TupleDesc tupdesc, int number);
static Interval *column_interval(HeapTuple tuple, TupleDesc tupdesc,
								 int number);
static List *column_texts(HeapTuple tuple, TupleDesc tupdesc, int number);
static OpsPartitions partitions_of(const char *name);
static uint64 write_row(const char *sql, const OpsRetention *policy);
static void fill_row(Row *row, const OpsRetention *policy);
static void put(Row *row, int number, Datum value);
static void put_text(Row *row, int number, const char *value);
static Interval *interval_of_ms(double ms);
pg_noreturn static void raise_unknown(const char *name);

/*
 * What holds for a policy unless it says otherwise.
 */
OpsRetention *
ops_retention_defaults(void)
{
	OpsRetention *policy = palloc0(sizeof(OpsRetention));

	policy->min_keep = palloc0(sizeof(Interval));
	policy->min_keep->day = 1;
	policy->snowflake_epoch = DT_NOBEGIN;
	policy->partitions = OPS_PARTITIONS_DROP;
	policy->max_share = 50;
	policy->batch_ms = 1;
	policy->enabled = true;
	return policy;
}

/*
 * The policy of a name; raises 42704 if there is none.
 *
 * Reads a table of our own and asks for no privilege on it: the caller has to
 * ask ops_retention_demand_right().  What a policy points to can be gone.
 */
OpsRetention *
ops_retention_by_name(const char *name)
{
	List	   *policies = select_policies("SELECT " COLUMNS
										   " FROM ops.retention_policy WHERE policy_name = $1",
										   name);

	if (policies == NIL)
		raise_unknown(name);
	return linitial(policies);
}

/*
 * All policies, enabled or not, by name.
 */
List *
ops_retention_all(void)
{
	return select_policies("SELECT " COLUMNS
						   " FROM ops.retention_policy ORDER BY policy_name COLLATE \"C\"",
						   NULL);
}

/*
 * The policy of a name, locked against changes until the transaction ends;
 * NULL if there is none and missing_ok.
 */
OpsRetention *
ops_retention_lock(const char *name, bool missing_ok)
{
	List	   *policies = select_policies("SELECT " COLUMNS
										   " FROM ops.retention_policy WHERE policy_name = $1 FOR UPDATE",
										   name);

	if (policies == NIL && !missing_ok)
		raise_unknown(name);
	return policies ? linitial(policies) : NULL;
}

/*
 * The name of the first policy that is about this one relation, or NULL.
 */
const char *
ops_retention_about(Oid relation)
{
	ListCell   *lc;

	foreach(lc, ops_retention_all())
	{
		const OpsRetention *policy = lfirst(lc);

		if (policy->relation == relation)
			return policy->name;
	}
	return NULL;
}

/*
 * Write a new policy; raises 42710 if the name is taken.
 */
void
ops_retention_insert(const OpsRetention *policy)
{
	if (write_row("INSERT INTO ops.retention_policy (" COLUMNS ") VALUES"
				  " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
				  " $15, $16, $17, $18, $19, $20, $21, $22)"
				  " ON CONFLICT (policy_name) DO NOTHING",
				  policy) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("retention policy \"%s\" already exists", policy->name),
				 errhint("Change it with ops.alter_retention(), or give the new one another policy_name.")));
}

void
ops_retention_update(const OpsRetention *policy)
{
	if (write_row("UPDATE ops.retention_policy SET (" COLUMNS ") ="
				  " ROW($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
				  " $15, $16, $17, $18, $19, $20, $21, $22)"
				  " WHERE policy_name = $1",
				  policy) == 0)
		raise_unknown(policy->name);
}

/*
 * Delete a policy; false if there was none.
 */
bool
ops_retention_delete(const char *name)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(name)};
	OpsScope	scope;
	bool		found;

	enter_store(&scope);
	SPI_connect();
	if (SPI_execute_with_args("DELETE FROM ops.retention_policy WHERE policy_name = $1",
							  1, types, values, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete a policy");
	found = SPI_processed > 0;
	SPI_finish();
	ops_scope_leave(&scope);
	return found;
}

/*
 * Become the owner of ops.retention_policy, in the closed scope.
 */
static Oid
enter_store(OpsScope *scope)
{
	Oid			relation = ops_own_relation("retention_policy");
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	ops_scope_enter(scope, owner);
	return owner;
}

/*
 * Policies of a query with at most one parameter, in the caller's memory.
 */
static List *
select_policies(const char *sql, const char *name)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {0};
	List	   *policies = NIL;
	bool		locks = strstr(sql, "FOR UPDATE") != NULL;
	OpsScope	scope;

	if (name)
		values[0] = CStringGetTextDatum(name);
	enter_store(&scope);
	SPI_connect();
	if (SPI_execute_with_args(sql, name ? 1 : 0, types, values, NULL,
							  !locks, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read policies");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		policies = lappend(policies,
						   read_policy(SPI_tuptable->vals[i],
									   SPI_tuptable->tupdesc));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	ops_scope_leave(&scope);
	return policies;
}

static OpsRetention *
read_policy(HeapTuple tuple, TupleDesc tupdesc)
{
	OpsRetention *policy = ops_retention_defaults();
	const Interval *batch;
	Datum		epoch;
	bool		isnull;

	policy->name = column_text(tuple, tupdesc, POLICY_NAME);
	policy->relation =
		DatumGetObjectId(column(tuple, tupdesc, RELATION, &isnull));
	policy->pattern = column_text(tuple, tupdesc, PATTERN);
	policy->time_column = column_text(tuple, tupdesc, TIME_COLUMN);
	policy->time_expression = column_text(tuple, tupdesc, TIME_EXPRESSION);
	policy->time_format = column_text(tuple, tupdesc, TIME_FORMAT);
	epoch = column(tuple, tupdesc, SNOWFLAKE_EPOCH, &isnull);
	if (!isnull)
		policy->snowflake_epoch = DatumGetTimestampTz(epoch);
	policy->keep = column_interval(tuple, tupdesc, KEEP);
	policy->min_keep = column_interval(tuple, tupdesc, MIN_KEEP);
	policy->condition = column_text(tuple, tupdesc, CONDITION);
	policy->hold = column_text(tuple, tupdesc, HOLD);
	policy->keep_for = column_text(tuple, tupdesc, KEEP_FOR);
	policy->null_is_old =
		DatumGetBool(column(tuple, tupdesc, NULL_IS_OLD, &isnull));
	policy->archive =
		DatumGetObjectId(column(tuple, tupdesc, ARCHIVE, &isnull));
	policy->partitions =
		partitions_of(column_text(tuple, tupdesc, PARTITIONS));
	policy->max_share =
		DatumGetFloat8(column(tuple, tupdesc, MAX_SHARE, &isnull));
	policy->row_cap = DatumGetInt64(column(tuple, tupdesc, ROW_CAP, &isnull));
	batch = column_interval(tuple, tupdesc, BATCH_TARGET);
	policy->batch_ms = ops_interval_ms(batch);
	policy->overrides = column_texts(tuple, tupdesc, OVERRIDES);
	policy->enabled = DatumGetBool(column(tuple, tupdesc, ENABLED, &isnull));
	policy->run_as = get_role_oid(column_text(tuple, tupdesc, RUN_AS), true);
	policy->time_zone = column_text(tuple, tupdesc, TIME_ZONE);
	return policy;
}

/*
 * A column of a row; zero, which is also InvalidOid and false, if null.
 */
static Datum
column(HeapTuple tuple, TupleDesc tupdesc, int number, bool *isnull)
{
	Datum		value = SPI_getbinval(tuple, tupdesc, number, isnull);

	return *isnull ? (Datum) 0 : value;
}

static const char *
column_text(HeapTuple tuple, TupleDesc tupdesc, int number)
{
	char	   *value = SPI_getvalue(tuple, tupdesc, number);

	return value ? pstrdup(value) : NULL;
}

static Interval *
column_interval(HeapTuple tuple, TupleDesc tupdesc, int number)
{
	bool		isnull;
	Datum		value = column(tuple, tupdesc, number, &isnull);
	Interval   *copy;

	if (isnull)
		return NULL;
	copy = palloc(sizeof(Interval));
	memcpy(copy, DatumGetIntervalP(value), sizeof(Interval));
	return copy;
}

static List *
column_texts(HeapTuple tuple, TupleDesc tupdesc, int number)
{
	bool		isnull;
	Datum		value = column(tuple, tupdesc, number, &isnull);
	List	   *texts = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			texts = lappend(texts, TextDatumGetCString(elements[i]));
	}
	return texts;
}

static OpsPartitions
partitions_of(const char *name)
{
	for (int i = 0; name && i < lengthof(ops_partitions_name); i++)
	{
		if (strcmp(name, ops_partitions_name[i]) == 0)
			return i;
	}
	elog(ERROR, "unexpected treatment of partitions: %s", name ? name : "null");
}

/*
 * Run a statement that has the columns of a policy for parameters; the result
 * is the number of rows.
 */
static uint64
write_row(const char *sql, const OpsRetention *policy)
{
	Row			row;
	OpsScope	scope;
	uint64		count;

	fill_row(&row, policy);
	enter_store(&scope);
	SPI_connect();
	if (SPI_execute_with_args(sql, NUM_COLUMNS, column_type, row.values,
							  row.nulls, false, 0) < 0)
		elog(ERROR, "could not write a policy");
	count = SPI_processed;
	SPI_finish();
	ops_scope_leave(&scope);
	return count;
}

static void
fill_row(Row *row, const OpsRetention *policy)
{
	Datum	   *overrides = palloc(sizeof(Datum) *
								   (list_length(policy->overrides) + 1));
	int			count = 0;
	ListCell   *lc;

	memset(row->nulls, 'n', sizeof(row->nulls));
	put_text(row, POLICY_NAME, policy->name);
	if (policy->pattern == NULL)
		put(row, RELATION, ObjectIdGetDatum(policy->relation));
	put_text(row, PATTERN, policy->pattern);
	put_text(row, TIME_COLUMN, policy->time_column);
	put_text(row, TIME_EXPRESSION, policy->time_expression);
	put_text(row, TIME_FORMAT, policy->time_format);
	if (policy->snowflake_epoch != DT_NOBEGIN)
		put(row, SNOWFLAKE_EPOCH, TimestampTzGetDatum(policy->snowflake_epoch));
	put(row, KEEP, IntervalPGetDatum(policy->keep));
	put(row, MIN_KEEP, IntervalPGetDatum(policy->min_keep));
	put_text(row, CONDITION, policy->condition);
	put_text(row, HOLD, policy->hold);
	put_text(row, KEEP_FOR, policy->keep_for);
	put(row, NULL_IS_OLD, BoolGetDatum(policy->null_is_old));
	if (OidIsValid(policy->archive))
		put(row, ARCHIVE, ObjectIdGetDatum(policy->archive));
	put_text(row, PARTITIONS, ops_partitions_name[policy->partitions]);
	put(row, MAX_SHARE, Float8GetDatum(policy->max_share));
	if (policy->row_cap > 0)
		put(row, ROW_CAP, Int64GetDatum(policy->row_cap));
	put(row, BATCH_TARGET,
		IntervalPGetDatum(interval_of_ms(policy->batch_ms)));
	foreach(lc, policy->overrides)
		overrides[count++] = CStringGetTextDatum(lfirst(lc));
	put(row, OVERRIDES,
		PointerGetDatum(construct_array(overrides, count, TEXTOID, -1, false,
										TYPALIGN_INT)));
	put(row, ENABLED, BoolGetDatum(policy->enabled));
	put(row, RUN_AS,
		DirectFunctionCall1(namein,
							CStringGetDatum(GetUserNameFromId(policy->run_as,
															  false))));
	put_text(row, TIME_ZONE, policy->time_zone);
}

static void
put(Row *row, int number, Datum value)
{
	row->values[number - 1] = value;
	row->nulls[number - 1] = ' ';
}

static void
put_text(Row *row, int number, const char *value)
{
	if (value)
		put(row, number, CStringGetTextDatum(value));
}

static Interval *
interval_of_ms(double ms)
{
	Interval   *span = palloc0(sizeof(Interval));

	span->time = (TimeOffset) (ms * 1000.0);
	return span;
}

/*
 * Raise 42704, and say which names there are.
 */
static void
raise_unknown(const char *name)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, ops_retention_all())
	{
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "",
						 ((const OpsRetention *) lfirst(lc))->name);
		if (names.len > 1000)
		{
			appendStringInfoString(&names, ", ...");
			break;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("retention policy \"%s\" does not exist", name),
			 names.len > 0 ? errhint("There are: %s.", names.data) :
			 errhint("There is none yet: make one with ops.add_retention().")));
}
