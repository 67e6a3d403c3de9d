/*-------------------------------------------------------------------------
 *
 * query.h
 *	  Queries of our own, inside the closed scope.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_QUERY_H
#define OPS_QUERY_H

#include "core/scope.h"
#include "datatype/timestamp.h"

typedef struct OpsQuery
{
	OpsScope	scope;
	uint64		nrows;
	struct SPITupleTable *rows;
} OpsQuery;

extern void ops_query_run(OpsQuery *query, Oid owner, const char *sql);

/* With parameters; may write.  nulls as SPI has them, or NULL. */
extern void ops_query_execute(OpsQuery *query, Oid owner, const char *sql,
							  int nargs, Oid *types, Datum *values,
							  const char *nulls);
extern void ops_query_set_text(Datum *value, char *null, const char *string);
extern void ops_query_end(OpsQuery *query);

/* Columns count from 1, rows from 0. */
extern char *ops_query_text(const OpsQuery *query, uint64 row, int column);
extern int64 ops_query_int64(const OpsQuery *query, uint64 row, int column,
							 bool *isnull);
extern TimestampTz ops_query_timestamptz(const OpsQuery *query, uint64 row,
										 int column, bool *isnull);
extern double ops_query_float8(const OpsQuery *query, uint64 row, int column,
							   bool *isnull);
extern bool ops_query_bool(const OpsQuery *query, uint64 row, int column);

#endif							/* OPS_QUERY_H */
