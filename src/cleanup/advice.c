/*-------------------------------------------------------------------------
 *
 * advice.c
 *	  What would make a policy cheaper: indexes that are missing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "cleanup/expression.h"
#include "cleanup/retention.h"
#include "core/query.h"
#include "miscadmin.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Tables of one policy about which something is said. */
#define MOST_ADVISED	10

static void advise_time_index(const OpsRetention *policy, Oid table);
static bool is_indexable(const OpsRetention *policy, Oid table);
static void advise_foreign_keys(Oid table);
static const char *create_index(const char *table, bool partitioned,
								const char *columns);

/*
 * Tell which tables of a policy lack an index that begins with the time, and
 * which foreign keys to them one that begins with their columns.
 *
 * Asks for no privilege on the tables, and for no lock that it has to wait
 * for.
 */
void
ops_retention_advise(const OpsRetention *policy)
{
	List	   *tables = ops_retention_tables(policy);
	int			advised = 0;
	ListCell   *lc;

	if (policy->pattern)
		ereport(NOTICE,
				(errmsg_plural("pattern \"%s\" takes in %d table now",
							   "pattern \"%s\" takes in %d tables now",
							   list_length(tables),
							   policy->pattern, list_length(tables))));
	foreach(lc, tables)
	{
		CHECK_FOR_INTERRUPTS();
		if (advised++ == MOST_ADVISED)
			break;
		advise_time_index(policy, lfirst_oid(lc));
		advise_foreign_keys(lfirst_oid(lc));
	}
}

/*
 * An index whose first column tells the time finds old rows.  One over part
 * of the table does not count.
 */
static void
advise_time_index(const OpsRetention *policy, Oid table)
{
	const char *name = ops_retention_table_name(table);
	const char *column;
	const char *key;
	OpsScope	scope;
	OpsQuery	query;
	bool		found;

	if (name == NULL)
		return;
	column = policy->time_column ? quote_identifier(policy->time_column) :
		psprintf("(%s)", policy->time_expression);
	key = policy->time_column ? column : policy->time_expression;
	ops_expression_scope(&scope);
	ops_query_run(&query, InvalidOid,
				  psprintf("SELECT FROM pg_index i"
						   " JOIN pg_class c ON c.oid = i.indexrelid"
						   " JOIN pg_am a ON a.oid = c.relam"
						   " WHERE i.indrelid = %u AND i.indisvalid"
						   " AND i.indpred IS NULL"
						   " AND a.amname IN ('btree', 'brin')"
						   " AND CASE WHEN i.indrelid = %u"
						   " THEN pg_get_indexdef(c.oid, 1, false) IN (%s, %s) END"
						   " LIMIT 1",
						   table, table, quote_literal_cstr(column),
						   quote_literal_cstr(key)));
	found = query.nrows > 0;
	ops_query_end(&query);
	ops_scope_leave(&scope);
	if (found)
		return;
	ereport(NOTICE,
			(errmsg("no index of table %s begins with %s", name, column),
			 errdetail("Each run reads all of the table."),
			 is_indexable(policy, table) ?
			 errhint("%s",
					 create_index(name,
								  get_rel_relkind(table) == RELKIND_PARTITIONED_TABLE,
								  column)) :
			 errhint("None can: its value can change while the row does not.")));
}

/*
 * Whether an index on what tells the time can be had: on an immutable
 * expression.
 */
static bool
is_indexable(const OpsRetention *policy, Oid table)
{
	const char *alias = get_rel_name(table);
	OpsExpression *expression;
	OpsScope	scope;

	if (policy->time_column)
		return true;
	ops_scope_enter(&scope, policy->run_as);
	expression = ops_expression_read(table, alias ? alias : "",
									 policy->time_expression, InvalidOid,
									 "time_column");
	ops_scope_leave(&scope);
	return !contain_mutable_functions(expression->node) &&
		!contain_subplans(expression->node);
}

/*
 * For each deleted row, each foreign key to it looks for rows that refer to
 * it.
 */
static void
advise_foreign_keys(Oid table)
{
	const char *name = ops_retention_table_name(table);
	OpsQuery	query;

	if (name == NULL)
		return;
	ops_query_run(&query, InvalidOid,
				  psprintf("SELECT k.conname, c.relkind = 'p',"
						   " format('%%I.%%I', n.nspname, c.relname),"
						   " (SELECT string_agg(quote_ident(a.attname), ', '"
						   " ORDER BY o.place) FROM pg_attribute a,"
						   " unnest(k.conkey) WITH ORDINALITY o (number, place)"
						   " WHERE a.attrelid = c.oid AND a.attnum = o.number)"
						   " FROM pg_constraint k"
						   " JOIN pg_class c ON c.oid = k.conrelid"
						   " JOIN pg_namespace n ON n.oid = c.relnamespace"
						   " WHERE k.contype = 'f' AND k.confrelid = %u"
						   " AND k.conparentid = 0 AND NOT EXISTS"
						   " (SELECT FROM pg_index i"
						   " WHERE i.indrelid = c.oid AND i.indisvalid"
						   " AND i.indpred IS NULL"
						   " AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey"
						   " AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] <@ k.conkey)"
						   " ORDER BY n.nspname, c.relname, k.conname", table));
	for (uint64 row = 0; row < query.nrows; row++)
	{
		const char *referencing = ops_query_text(&query, row, 3);

		ereport(WARNING,
				(errmsg("no index of table %s begins with the columns of foreign key \"%s\", which refers to %s",
						referencing, ops_query_text(&query, row, 1), name),
				 errdetail("Each row that is deleted reads all of %s.",
						   referencing),
				 errhint("%s",
						 create_index(referencing,
									  ops_query_bool(&query, row, 2),
									  ops_query_text(&query, row, 4)))));
	}
	ops_query_end(&query);
}

/*
 * An index of a partitioned table is built without stopping anybody only
 * partition by partition.
 */
static const char *
create_index(const char *table, bool partitioned, const char *columns)
{
	if (partitioned)
		return psprintf(_("CREATE INDEX ON ONLY %s (%s); then CREATE INDEX CONCURRENTLY on each partition, and ALTER INDEX ... ATTACH PARTITION."),
						table, columns);
	return psprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", table, columns);
}
