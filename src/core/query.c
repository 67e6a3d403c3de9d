/*-------------------------------------------------------------------------
 *
 * query.c
 *	  Queries of our own, inside the closed scope.
 *
 * Whatever a reader below returns lives until ops_query_end(), which gives
 * back all of the query's memory; copy what has to outlive it.  An error in
 * between is cleaned up by the abort of the surrounding subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "core/query.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static Datum column_datum(const OpsQuery *query, uint64 row, int column,
						  Oid type, bool *isnull);

/*
 * Run one read-only query as the given role (InvalidOid: the caller).
 */
void
ops_query_run(OpsQuery *query, Oid owner, const char *sql)
{
	int			rc;

	ops_scope_enter(&query->scope, owner);
	SPI_connect();
	rc = SPI_execute(sql, true, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "query failed: %s", SPI_result_code_string(rc));
	query->nrows = SPI_processed;
	query->rows = SPI_tuptable;
}

/*
 * Run one statement with parameters as the given role.
 */
void
ops_query_execute(OpsQuery *query, Oid owner, const char *sql,
				  int nargs, Oid *types, Datum *values, const char *nulls)
{
	int			rc;

	ops_scope_enter(&query->scope, owner);
	SPI_connect();
	rc = SPI_execute_with_args(sql, nargs, types, values, nulls, false, 0);
	if (rc < 0)
		elog(ERROR, "query failed: %s", SPI_result_code_string(rc));
	query->nrows = SPI_processed;
	query->rows = SPI_tuptable;
}

/*
 * A text parameter; a NULL string is a null.
 */
void
ops_query_set_text(Datum *value, char *null, const char *string)
{
	*null = string ? ' ' : 'n';
	*value = string ? CStringGetTextDatum(string) : (Datum) 0;
}

/*
 * Give back the query's memory and leave its scope.
 */
void
ops_query_end(OpsQuery *query)
{
	query->rows = NULL;
	SPI_finish();
	ops_scope_leave(&query->scope);
}

/*
 * A column of any type, as text; NULL if null.
 */
char *
ops_query_text(const OpsQuery *query, uint64 row, int column)
{
	Assert(row < query->nrows);

	return SPI_getvalue(query->rows->vals[row], query->rows->tupdesc, column);
}

int64
ops_query_int64(const OpsQuery *query, uint64 row, int column, bool *isnull)
{
	Datum		datum = column_datum(query, row, column, INT8OID, isnull);

	return *isnull ? 0 : DatumGetInt64(datum);
}

TimestampTz
ops_query_timestamptz(const OpsQuery *query, uint64 row, int column,
					  bool *isnull)
{
	Datum		datum = column_datum(query, row, column, TIMESTAMPTZOID, isnull);

	return *isnull ? 0 : DatumGetTimestampTz(datum);
}

double
ops_query_float8(const OpsQuery *query, uint64 row, int column, bool *isnull)
{
	Datum		datum = column_datum(query, row, column, FLOAT8OID, isnull);

	return *isnull ? 0 : DatumGetFloat8(datum);
}

/*
 * A boolean column; null counts as false.
 */
bool
ops_query_bool(const OpsQuery *query, uint64 row, int column)
{
	bool		isnull;
	Datum		datum = column_datum(query, row, column, BOOLOID, &isnull);

	return !isnull && DatumGetBool(datum);
}

/*
 * The column must be of just this type: the query says so with a cast.
 */
static Datum
column_datum(const OpsQuery *query, uint64 row, int column, Oid type,
			 bool *isnull)
{
	Assert(row < query->nrows);

	if (SPI_gettypeid(query->rows->tupdesc, column) != type)
		elog(ERROR, "column %d has an unexpected type", column);
	return SPI_getbinval(query->rows->vals[row], query->rows->tupdesc,
						 column, isnull);
}
