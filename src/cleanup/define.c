/*-------------------------------------------------------------------------
 *
 * define.c
 *	  Whether a policy is sound: all that can be known when it is made.
 *
 * A policy that is accepted can be carried out: its tables are there and can
 * tell the time, its expressions mean something for each of them, and its
 * role may do what it says.  The last word has a query with the policy's own
 * predicate, which that role runs over no rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/catalog.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "cleanup/expression.h"
#include "cleanup/retention.h"
#include "core/compat.h"
#include "core/query.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

static void check_values(const OpsRetention *policy);
static void check_interval(const Interval *span, const char *what);
static void check_zone(const char *name);
static List *settle_tables(OpsRetention *policy, const OpsRetentionNews *news);
static void check_table(Oid relation);
static Oid	common_role(List *tables);
static void settle_expressions(OpsRetention *policy,
							   const OpsRetentionNews *news, List *tables);
static void settle_time(OpsRetention *policy, const char *given,
						List *tables);
static const char *settle(const OpsRetention *policy, List *tables,
						  const char *sql, bool fresh, Oid type,
						  const char *what);
static OpsExpression *read_as(const OpsRetention *policy, Oid table,
							  const char *sql, Oid type, const char *what);
static void check_clock(const OpsRetention *policy, List *tables);
static void check_rights(const OpsRetention *policy, Oid table);
static void rehearse(const OpsTarget *target);
static void check_archive(const OpsRetention *policy, List *tables);
static void check_archive_columns(Oid archive, Oid table);
static int	columns_of(Oid table);

/*
 * Check all of a policy and fill in what follows from it: canonical
 * expressions and the role.
 *
 * Errors: 22023 for values, those of ops_expression_check() and
 * ops_clock_set(), 42501 where the caller lacks the rights of the role or the
 * role those on a table, 42P01, 42809 and 0A000 for what is no table of ours
 * to clean, 55P03 if a table is locked; no lock is waited for on them.
 */
void
ops_retention_define(OpsRetention *policy, const OpsRetentionNews *news)
{
	List	   *tables;
	ListCell   *lc;

	check_values(policy);
	tables = settle_tables(policy, news);
	settle_expressions(policy, news, tables);
	foreach(lc, tables)
		check_rights(policy, lfirst_oid(lc));
	check_clock(policy, tables);
	if (OidIsValid(policy->archive))
		check_archive(policy, tables);
}

/*
 * What can be said of the values without looking at any table.
 */
static void
check_values(const OpsRetention *policy)
{
	bool		snowflake = policy->time_format &&
	strcmp(policy->time_format, "snowflake") == 0;

	if (policy->name && policy->name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("policy_name must not be empty")));
	check_interval(policy->keep, "keep");
	check_interval(policy->min_keep, "min_keep");
	if (ops_compat_interval_infinite(policy->min_keep))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_keep must be finite")));
	if (!(policy->max_share > 0 && policy->max_share <= 100))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_share must be a percentage above 0, and 100 at most")));
	if (policy->row_cap < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("row_cap must be positive")));
	if (!(policy->batch_ms >= 1 && policy->batch_ms <= 3600000))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_target must be between a millisecond and an hour")));
	if (snowflake != (policy->snowflake_epoch != DT_NOBEGIN))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 snowflake ?
				 errmsg("time_format snowflake needs a snowflake_epoch") :
				 errmsg("snowflake_epoch needs time_format snowflake"),
				 errhint("It is the time at which the identifiers' clock began, such as '2010-11-04 01:42:54.657+00' for Twitter's and '2015-01-01 00:00+00' for Discord's.")));
	if (snowflake && TIMESTAMP_NOT_FINITE(policy->snowflake_epoch))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("snowflake_epoch must be finite")));
	if (policy->time_zone)
		check_zone(policy->time_zone);
	ops_cleanup_check_overrides(policy->overrides);
}

static void
check_interval(const Interval *span, const char *what)
{
	Interval	zero = {0};

	if (DatumGetBool(DirectFunctionCall2(interval_lt,
										 IntervalPGetDatum(span),
										 IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", what),
				 errhint("It is how long rows are kept, such as '90 days'.")));
}

static void
check_zone(const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL || !pg_tz_acceptable(zone))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name),
				 errhint("Names are listed in pg_timezone_names.")));
}

/*
 * Find the tables that a policy is about and the role that it runs as.
 */
static List *
settle_tables(OpsRetention *policy, const OpsRetentionNews *news)
{
	Oid			role = policy->run_as;
	List	   *tables;
	ListCell   *lc;

	if (news->run_as)
		role = get_role_oid(news->run_as, false);
	policy->run_as = InvalidOid;
	tables = ops_retention_tables(policy);
	foreach(lc, tables)
		check_table(lfirst_oid(lc));
	if (tables == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("pattern \"%s\" fits no table", policy->pattern),
				 errhint("It is written as for \\d of psql, as in public.*_log; temporary and system tables are left out.")));

	if (!OidIsValid(role))
		role = policy->pattern ? common_role(tables) :
			ops_retention_default_role(policy->relation);
	policy->run_as = role;
	ops_retention_demand_right(policy);

	tables = ops_retention_tables(policy);
	if (tables == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("pattern \"%s\" fits no table whose owner has the privileges of role \"%s\"",
						policy->pattern, GetUserNameFromId(role, false)),
				 errdetail("To delete rows can run code of the table's owner, and a pattern must not lend a role to whoever creates a table."),
				 errhint("Set run_as to the role that owns the tables, or make a policy for each.")));
	return tables;
}

/*
 * Raise an error for what is not an ordinary or partitioned table of users.
 */
static void
check_table(Oid relation)
{
	char		kind = get_rel_relkind(relation);
	const char *name = get_rel_name(relation);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", name),
				 kind == RELKIND_VIEW || kind == RELKIND_MATVIEW ?
				 errhint("Make a policy for the tables that it reads.") :
				 kind == RELKIND_FOREIGN_TABLE ?
				 errhint("Make a policy where its rows are.") : 0));
	if (IsCatalogRelationOid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied: \"%s\" is a system catalog",
						name)));
	if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a temporary table cannot have a retention policy"),
				 errdetail("\"%s\" is gone before a policy comes to it.", name),
				 errhint("Clean it with ops.cleanup_old_rows() in its own session.")));
}

/*
 * The role that a policy of many tables runs as by default: their owner, if
 * it is one and the caller has his privileges, else the caller.
 *
 * Not if the caller is a superuser, who would lend his rights to the owners.
 */
static Oid
common_role(List *tables)
{
	Oid			first = ops_retention_default_role(linitial_oid(tables));
	ListCell   *lc;

	foreach(lc, tables)
	{
		if (ops_retention_default_role(lfirst_oid(lc)) == first)
			continue;
		if (superuser())
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the tables of the pattern belong to different roles"),
					 errdetail("\"%s\" and \"%s\" do.",
							   get_rel_name(linitial_oid(tables)),
							   get_rel_name(lfirst_oid(lc))),
					 errhint("Set run_as to one of them and make a policy for each role.")));
		return GetUserId();
	}
	return first;
}

/*
 * Bring all expressions into canonical form, or see that they still are.
 */
static void
settle_expressions(OpsRetention *policy, const OpsRetentionNews *news,
				   List *tables)
{
	if (news->time)
		settle_time(policy, news->time, tables);
	else if (policy->time_expression)
		policy->time_expression = settle(policy, tables,
										 policy->time_expression, false,
										 InvalidOid, "time_column");
	policy->condition = settle(policy, tables, policy->condition,
							   news->condition, BOOLOID, "condition");
	policy->hold = settle(policy, tables, policy->hold, news->hold, BOOLOID,
						  "hold");
	policy->keep_for = settle(policy, tables, policy->keep_for,
							  news->keep_for, INTERVALOID, "keep_for");
}

/*
 * What tells the time: the column of just this name, else an expression.
 */
static void
settle_time(OpsRetention *policy, const char *given, List *tables)
{
	Oid			table = linitial_oid(tables);
	OpsExpression *expression;

	policy->time_column = NULL;
	policy->time_expression = NULL;
	if (get_attnum(table, given) != InvalidAttrNumber)
	{
		policy->time_column = given;
		return;
	}

	expression = ops_expression_read(table, get_rel_name(table), given,
									 InvalidOid, "time_column");
	if (!expression->reads_row)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time_column does not depend on the row"),
				 errhint("Give a column of the table, or an SQL expression over its columns.")));
	if (IsA(expression->node, Var) &&
		((Var *) expression->node)->varattno > 0)
		policy->time_column = get_attname(table,
										  ((Var *) expression->node)->varattno,
										  false);
	else
		policy->time_expression = settle(policy, tables, given, true,
										 InvalidOid, "time_column");
}

/*
 * The canonical form of an expression, which has to be the same for all
 * tables; NULL for none.
 *
 * What the caller wrote is read as the caller would.  What he did not is
 * canonical and another's, perhaps, and read as the policy's role.
 */
static const char *
settle(const OpsRetention *policy, List *tables, const char *sql, bool fresh,
	   Oid type, const char *what)
{
	Oid			table = linitial_oid(tables);
	OpsExpression *expression;
	ListCell   *lc;

	if (sql == NULL)
		return NULL;
	if (fresh)
		sql = ops_expression_read(table, get_rel_name(table), sql, type,
								  what)->sql;

	expression = read_as(policy, table, sql, type, what);
	if (policy->pattern && expression->names_row)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s refers to the table by its name", what),
				 errdetail("Tables that fit a pattern have different names, and sub-selects need one."),
				 errhint("Make a policy for each table.")));
	for_each_from(lc, tables, 1)
	{
		OpsExpression *other = read_as(policy, lfirst_oid(lc), sql, type,
									   what);

		if (strcmp(other->sql, expression->sql) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("%s does not mean the same for all tables of the pattern",
							what),
					 errdetail("For \"%s\" it is %s, for \"%s\" it is %s.",
							   get_rel_name(table), expression->sql,
							   get_rel_name(lfirst_oid(lc)), other->sql),
					 errhint("Make a policy for each kind of table.")));
	}
	return sql;
}

/*
 * Read a canonical expression as the policy's role.
 */
static OpsExpression *
read_as(const OpsRetention *policy, Oid table, const char *sql, Oid type,
		const char *what)
{
	const char *alias = get_rel_name(table);
	OpsExpression *expression;
	OpsScope	scope;

	ops_scope_enter(&scope, policy->run_as);
	expression = ops_expression_read(table, alias ? alias : "", sql, type,
									 what);
	ops_scope_leave(&scope);
	return expression;
}

/*
 * See that each table tells the time, and that the role can run the query.
 */
static void
check_clock(const OpsRetention *policy, List *tables)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		OpsTarget	target = {.policy = policy};

		CHECK_FOR_INTERRUPTS();
		target.relid = target.root = lfirst_oid(lc);
		target.run_as = policy->run_as;
		target.now = GetCurrentTimestamp();
		ops_clock_set(&target);
		rehearse(&target);
	}
}

/*
 * The role has to read and delete, and not columns only: rows are found by
 * their place.
 */
static void
check_rights(const OpsRetention *policy, Oid table)
{
	static const struct
	{
		AclMode		mode;
		const char *name;
	}			needed[] = {
		{ACL_SELECT, "SELECT"},
		{ACL_DELETE, "DELETE"},
	};

	for (int i = 0; i < lengthof(needed); i++)
	{
		const char *role = GetUserNameFromId(policy->run_as, false);

		if (pg_class_aclcheck(table, policy->run_as,
							  needed[i].mode) == ACLCHECK_OK)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" lacks the privilege %s on table \"%s\"",
						role, needed[i].name, get_rel_name(table)),
				 errhint("GRANT SELECT, DELETE ON %s TO %s; or set run_as to a role that has them.",
						 ops_retention_table_name(table),
						 quote_identifier(role))));
	}
}

/*
 * Run the policy's predicate over no rows, as its role: whatever is missing
 * for it shows now.
 */
static void
rehearse(const OpsTarget *target)
{
	OpsQuery	query;

	ops_expression_lock(target->relid);
	ops_query_run(&query, target->run_as,
				  psprintf("SELECT FROM ONLY %s AS %s WHERE %s LIMIT 0",
						   ops_retention_table_name(target->relid),
						   quote_identifier(get_rel_name(target->relid)),
						   target->predicate));
	ops_query_end(&query);
}

/*
 * Rows can move to the archive: it is another table, takes all columns and
 * lets the role insert.
 */
static void
check_archive(const OpsRetention *policy, List *tables)
{
	const char *name = get_rel_name(policy->archive);
	ListCell   *lc;

	check_table(policy->archive);
	if (list_member_oid(tables, policy->archive) ||
		ops_retention_below(policy->archive, tables))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("archive \"%s\" is one of the tables to be cleaned",
						name)));
	if (pg_class_aclcheck(policy->archive, policy->run_as,
						  ACL_INSERT) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" lacks the privilege %s on table \"%s\"",
						GetUserNameFromId(policy->run_as, false), "INSERT",
						name)));
	foreach(lc, tables)
		check_archive_columns(policy->archive, lfirst_oid(lc));
}

/*
 * Every column of the table has one of its name and type in the archive.
 */
static void
check_archive_columns(Oid archive, Oid table)
{
	for (int i = 1; i <= columns_of(table); i++)
	{
		const char *name = get_attname(table, i, true);
		AttrNumber	place;

		if (name == NULL)
			continue;			/* dropped */
		place = get_attnum(archive, name);
		if (place > 0 && get_attgenerated(archive, place) == '\0' &&
			get_atttype(archive, place) == get_atttype(table, i))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("archive \"%s\" cannot take column \"%s\" of table \"%s\"",
						get_rel_name(archive), name, get_rel_name(table)),
				 errdetail("The archive needs an ordinary column of this name and of type %s.",
						   format_type_be(get_atttype(table, i))),
				 errhint("CREATE TABLE ... (LIKE %s) makes a fitting one.",
						 ops_retention_table_name(table))));
	}
}

static int
columns_of(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	int			columns = 0;

	if (HeapTupleIsValid(tuple))
	{
		columns = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
		ReleaseSysCache(tuple);
	}
	return columns;
}
