/*-------------------------------------------------------------------------
 *
 * checks_jobs.c
 *	  Checks of what other tools do in this database: scheduled jobs,
 *	  migrations, an application's statements.
 *
 * Their tables belong to other roles and are read as tool.c says.  That shows
 * the caller what the owner sees, hence only to pg_monitor.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "commands/extension.h"
#include "common/hashfn.h"
#include "core/guc.h"
#include "core/memory.h"
#include "core/query.h"
#include "health/activity.h"
#include "health/cron_jobs.h"
#include "health/tool.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* How many migrations are looked at, the newest ones. */
#define MAX_MIGRATIONS	"5000"

/* Longer numbers are dates, which have gaps by nature. */
#define MAX_DIGITS		6

/* A statement that ran less often in between is not judged. */
#define MIN_CALLS		50

/*
 * How one tool keeps its migrations.
 */
typedef struct MigrationDialect
{
	const char *schema;			/* NULL: any */
	const char *table;
	const char *columns[4];		/* tell this dialect from others */
	const char *query;			/* name and whether it failed, newest first */
} MigrationDialect;

/* Numbers kept as text are compared as numbers. */
#define BY_VERSION \
	" ORDER BY length(version::text) DESC, version::text COLLATE \"C\" DESC"

/* The first one that fits a table is used. */
static const MigrationDialect migration_dialects[] = {
	/* Supabase */
	{"supabase_migrations", "schema_migrations", {"version"},
	"SELECT version::text, false FROM %s" BY_VERSION},
	/* golang-migrate */
	{"public", "schema_migrations", {"version", "dirty"},
	"SELECT version::text, dirty FROM %s" BY_VERSION},
	/* Rails, Ecto, dbmate */
	{"public", "schema_migrations", {"version"},
	"SELECT version::text, false FROM %s" BY_VERSION},
	/* Prisma */
	{NULL, "_prisma_migrations",
		{"migration_name", "started_at", "finished_at", "rolled_back_at"},
		"SELECT migration_name::text, finished_at IS NULL FROM %s"
		" WHERE rolled_back_at IS NULL"
	" ORDER BY migration_name::text COLLATE \"C\" DESC"},
	/* Flyway; what is repeatable has no version */
	{NULL, "flyway_schema_history",
		{"installed_rank", "version", "script", "success"},
		"SELECT coalesce(version, script)::text, NOT success FROM %s"
		" WHERE version IS NOT NULL OR NOT success"
	" ORDER BY installed_rank DESC"},
	/* Knex */
	{NULL, "knex_migrations", {"id", "name"},
	"SELECT name::text, false FROM %s ORDER BY id DESC"},
	/* Drizzle, which knows a migration by its date in milliseconds */
	{NULL, "__drizzle_migrations", {"id", "created_at"},
	"SELECT created_at::text, false FROM %s ORDER BY created_at DESC"},
};

/* What the migrations of all tools together say. */
typedef struct MigrationFindings
{
	int			tables;
	int			failed;
	int			missing;
	bool		expected;		/* the newest one of some tool is as expected */
	const char *first_failed;
	const char *first_missing;
	const OpsToolTable *first_table;
	const char *newest;			/* migration of the first table */
} MigrationFindings;

/*
 * The dialect that fits a table by name and columns, or NULL.
 *
 * Columns of types that users made do not count: they could bring code.
 */
static const MigrationDialect *
migration_dialect(const OpsToolTable *table)
{
	if (table->relkind != RELKIND_RELATION &&
		table->relkind != RELKIND_PARTITIONED_TABLE)
		return NULL;

	for (int i = 0; i < lengthof(migration_dialects); i++)
	{
		const MigrationDialect *dialect = &migration_dialects[i];
		bool		fits;

		fits = strcmp(table->name, dialect->table) == 0 &&
			(dialect->schema == NULL ||
			 strcmp(table->schema_name, dialect->schema) == 0);
		for (int j = 0; fits && j < lengthof(dialect->columns); j++)
		{
			const char *column = dialect->columns[j];
			AttrNumber	number = column ?
			get_attnum(table->relid, column) : InvalidAttrNumber;

			if (column != NULL)
				fits = number != InvalidAttrNumber &&
					get_atttype(table->relid, number) < FirstNormalObjectId;
		}
		if (fits)
			return dialect;
	}
	return NULL;
}

/*
 * The number that a migration's name begins with, -1 if it has none that
 * could be part of a plain numbering.
 */
static int
migration_number(const char *name)
{
	int			digits = strspn(name, "0123456789");
	const char *rest = name + digits;

	if (digits == 0 || digits > MAX_DIGITS)
		return -1;
	if (*rest == '.' && isdigit((unsigned char) rest[1]))
		return -1;				/* 1.2 is no whole number */
	if (*rest != '\0' && strchr("_-. ", *rest) == NULL)
		return -1;
	return atoi(name);
}

static int
compare_ints(const void *a, const void *b)
{
	int			left = *(const int *) a;
	int			right = *(const int *) b;

	return (left > right) - (left < right);
}

/*
 * Say which numbers are missing, if the names are numbered one by one: all of
 * them have a number, and three of four numbers are there.
 */
static void
find_gaps(OpsResult *result, MigrationFindings *findings,
		  const OpsToolTable *table, List *names)
{
	int			count = list_length(names);
	int		   *numbers = palloc(Max(count, 1) * sizeof(int));
	int			width = count > 0 ? strspn((const char *) llast(names), "0123456789") : 0;
	int			distinct = 0;
	int			span;

	for (int i = 0; i < count; i++)
	{
		numbers[i] = migration_number((const char *) list_nth(names, i));
		if (numbers[i] < 0)
			return;
	}
	if (count == 0)
		return;
	qsort(numbers, count, sizeof(int), compare_ints);
	for (int i = 0; i < count; i++)
	{
		if (i == 0 || numbers[i] != numbers[i - 1])
			distinct++;
	}
	span = numbers[count - 1] - numbers[0] + 1;
	if (distinct * 4 < span * 3)
		return;

	for (int i = 1; i < count; i++)
	{
		for (int number = numbers[i - 1] + 1; number < numbers[i]; number++)
		{
			const char *name = psprintf("%0*d", width, number);
			OpsCulprit *culprit = ops_result_culprit(result, 1);

			if (findings->missing++ == 0)
				findings->first_missing = name;
			if (culprit == NULL)
				continue;
			culprit->schema_name = table->schema_name;
			culprit->relation = table->name;
			culprit->name = name;
			culprit->note = _("missing");
		}
	}
}

/*
 * Whether two names mean the same migration; one of them may be the number
 * that the other one starts with.
 */
static bool
same_migration(const char *a, const char *b)
{
	size_t		shorter = Min(strlen(a), strlen(b));
	const char *rest = a[shorter] != '\0' ? a + shorter : b + shorter;

	return strncmp(a, b, shorter) == 0 &&
		(*rest == '\0' || *rest == '_' || *rest == '-');
}

static void
judge_migrations(OpsRun *run, OpsResult *result, MigrationFindings *findings,
				 const OpsToolTable *table, const MigrationDialect *dialect)
{
	char	   *sql = psprintf(dialect->query, table->quoted);
	const char *newest = NULL;
	List	   *names = NIL;
	OpsQuery	query;

	ops_query_run(&query, table->owner,
				  psprintf("%s LIMIT " MAX_MIGRATIONS, sql));
	MemoryContextSwitchTo(run->context);	/* strings outlive the query */
	for (uint64 row = 0; row < query.nrows; row++)
	{
		char	   *name = ops_query_text(&query, row, 1);
		bool		failed = ops_query_bool(&query, row, 2);
		OpsCulprit *culprit;

		if (name == NULL)
			continue;
		names = lappend(names, name);
		if (!failed)
		{
			if (newest == NULL)
				newest = name;
			continue;
		}
		if (findings->failed++ == 0)
			findings->first_failed = name;
		culprit = ops_result_culprit(result, 2);
		if (culprit == NULL)
			continue;
		culprit->schema_name = table->schema_name;
		culprit->relation = table->name;
		culprit->name = name;
		culprit->note = _("failed or not finished");
	}
	ops_query_end(&query);

	find_gaps(result, findings, table, names);
	if (findings->tables++ == 0)
	{
		findings->newest = newest;
		findings->first_table = table;
	}
	if (newest && same_migration(newest, ops_guc_expected_migration))
		findings->expected = true;
}

/*
 * Say in one sentence what the findings come to.
 */
static void
report_migrations(OpsResult *result, const MigrationFindings *findings)
{
	int			problems = findings->failed + findings->missing;
	const char *newest = findings->newest ? findings->newest : _("none");
	const OpsToolTable *table = findings->first_table;

	if (findings->failed > 0)
	{
		ops_result_at_least(result, OPS_FAIL);
		ops_result_value(result, problems,
						 ngettext("%d migration failed or was not finished: %s",
								  "%d migrations failed or were not finished, among them %s",
								  findings->failed),
						 findings->failed, findings->first_failed);
	}
	else if (findings->missing > 0)
		ops_result_value(result, problems,
						 ngettext("%d migration is missing from the numbering: %s",
								  "%d migrations are missing from the numbering, among them %s",
								  findings->missing),
						 findings->missing, findings->first_missing);
	else if (ops_guc_expected_migration[0] != '\0' && !findings->expected)
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, 0, _("the newest migration is %s, expected was %s"),
						 newest, ops_guc_expected_migration);
	}
	else
		ops_result_value(result, 0, _("the newest migration is %s"), newest);

	if (result->nculprits > 0)
		ops_result_remedy(result, "SELECT * FROM %s;",
						  quote_qualified_identifier(result->culprit[0].schema_name,
													 result->culprit[0].relation));
	else
		ops_result_remedy(result, "SELECT * FROM %s;", table->quoted);
}

/*
 * migrations: whether those on record went through, and whether all did.
 */
static void
probe_migrations(OpsRun *run, OpsResult *result)
{
	MigrationFindings findings = {0};
	const char *previous = NULL;
	bool		closed = false;

	for (int i = 0; i < lengthof(migration_dialects); i++)
	{
		const char *name = migration_dialects[i].table;
		ListCell   *cell;

		/* Dialects of one table stand together. */
		if (previous && strcmp(name, previous) == 0)
			continue;
		previous = name;
		foreach(cell, ops_tool_tables(run, name))
		{
			OpsToolTable *table = (OpsToolTable *) lfirst(cell);
			const MigrationDialect *dialect = migration_dialect(table);

			if (dialect == NULL)
				continue;
			if (!ops_tool_open(table, result))
			{
				closed = true;
				continue;
			}
			judge_migrations(run, result, &findings, table, dialect);
			ops_tool_close(table);
		}
	}

	/* What is known to be bad is worth more than what is not known. */
	if (closed && findings.failed + findings.missing == 0)
		return;
	result->reason = OPS_REASON_NONE;
	if (findings.tables == 0)
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: no migration tool known here has a table in this database"));
	else
		report_migrations(result, &findings);
}

/*
 * The worst statement so far, and how many were judged.
 */
typedef struct StatementFindings
{
	int			judged;
	double		worst_ms;
} StatementFindings;

static int
compare_statements(const void *a, const void *b)
{
	uint64		left = ((const OpsStatementSample *) a)->key;
	uint64		right = ((const OpsStatementSample *) b)->key;

	return (left > right) - (left < right);
}

/*
 * Judge one statement by its executions since the earlier round.
 *
 * What is not in a full round may just have been too light for it, so it is
 * not known where its figures stood.  What is not in a round that had room
 * left came later, and so did what begins anew with smaller figures.
 */
static void
judge_statement(OpsResult *result, StatementFindings *findings,
				const OpsStatementSample *now,
				const OpsStatementSample *earlier, int nearlier,
				int64 queryid, Oid role)
{
	const OpsStatementSample *before = bsearch(now, earlier, nearlier,
											   sizeof(OpsStatementSample),
											   compare_statements);
	int64		calls = now->calls;
	double		total_ms = now->total_ms;
	double		mean;
	OpsCulprit *culprit;

	if (before == NULL && nearlier == OPS_MAX_STATEMENTS)
		return;
	if (before && before->calls <= now->calls)
	{
		calls -= before->calls;
		total_ms -= before->total_ms;
	}
	if (calls < MIN_CALLS)
		return;

	findings->judged++;
	mean = Max(total_ms, 0) / calls;
	findings->worst_ms = Max(findings->worst_ms, mean);
	culprit = ops_result_culprit(result, mean);
	if (culprit == NULL)
		return;
	culprit->name = psprintf("%lld", (long long) queryid);
	culprit->role = ops_role_name(role);
	culprit->note = psprintf(_("%lld calls"), (long long) calls);
	culprit->value = mean;
}

/*
 * Whether pg_stat_statements can be asked; else false, and why not in the
 * result.
 */
static bool
statements_are_tracked(OpsResult *result)
{
	const char *track = GetConfigOption("pg_stat_statements.track", true, false);
	const char *query_id = GetConfigOption("compute_query_id", false, false);

	if (!OidIsValid(get_extension_oid("pg_stat_statements", true)))
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: pg_stat_statements is not installed in this database"));
		ops_result_remedy(result, track ?
						  "CREATE EXTENSION pg_stat_statements;" :
						  "SHOW shared_preload_libraries; -- add pg_stat_statements, restart, then: CREATE EXTENSION pg_stat_statements;");
	}
	else if (track == NULL)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: pg_stat_statements is not preloaded"));
		ops_result_remedy(result, "SHOW shared_preload_libraries; -- add pg_stat_statements and restart");
	}
	else if (strcmp(track, "none") == 0 || strcmp(query_id, "off") == 0)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: pg_stat_statements records nothing"));
		ops_result_remedy(result, "SHOW pg_stat_statements.track; SHOW compute_query_id;");
	}
	return result->reason == OPS_REASON_NONE;
}

/*
 * slow_queries: mean time of the worst statement since the earlier round.
 *
 * The query comes without the statements' text, which lies in a file, and
 * reads heaviest statements first: those are kept for the next time.
 */
static void
probe_slow_queries(OpsRun *run, OpsResult *result)
{
	OpsStatementSample *earlier = palloc(OPS_MAX_STATEMENTS * sizeof(OpsStatementSample));
	OpsStatementSample *kept = palloc(OPS_MAX_STATEMENTS * sizeof(OpsStatementSample));
	StatementFindings findings = {0};
	OpsToolTable *view;
	const char *schema;
	OpsQuery	query;
	TimestampTz epoch;
	TimestampTz taken;
	int			nearlier;
	int			nkept = 0;
	bool		isnull;

	if (!statements_are_tracked(result))
		return;
	view = ops_tool_extension_table(run, get_extension_oid("pg_stat_statements", false),
									"pg_stat_statements");
	if (get_attnum(view->relid, "toplevel") == InvalidAttrNumber)
	{
		ops_result_unknown(result, OPS_FAILED, "%s",
						   _("could not be measured: pg_stat_statements is older than version 1.9"));
		ops_result_remedy(result, "ALTER EXTENSION pg_stat_statements UPDATE;");
		return;
	}

	schema = quote_identifier(view->schema_name);
	ops_query_run(&query, InvalidOid,
				  psprintf("SELECT (extract(epoch FROM i.stats_reset) * 1000000)::int8,"
						   " s.queryid, s.userid::int8, s.toplevel, s.calls, s.total_exec_time"
						   " FROM %s.pg_stat_statements_info() i"
						   " LEFT JOIN %s.pg_stat_statements(false) s"
						   "  ON s.dbid = %u AND s.queryid IS NOT NULL"
						   " ORDER BY s.total_exec_time DESC NULLS LAST",
						   schema, schema, MyDatabaseId));
	MemoryContextSwitchTo(run->context);	/* strings outlive the query */
	epoch = ops_query_int64(&query, 0, 1, &isnull);
	nearlier = ops_memory_recall_statements(MyDatabaseId, run->now, epoch,
											&taken, earlier);
	qsort(earlier, Max(nearlier, 0), sizeof(OpsStatementSample),
		  compare_statements);

	for (uint64 row = 0; row < query.nrows; row++)
	{
		OpsStatementSample statement;
		int64		queryid = ops_query_int64(&query, row, 2, &isnull);
		Oid			role;

		if (isnull)
			break;				/* the only row: no statement at all */
		role = (Oid) ops_query_int64(&query, row, 3, &isnull);
		statement.key = hash_combine64(queryid,
									   (uint64) role << 1 | ops_query_bool(&query, row, 4));
		statement.calls = ops_query_int64(&query, row, 5, &isnull);
		statement.total_ms = ops_query_float8(&query, row, 6, &isnull);
		if (nkept < OPS_MAX_STATEMENTS)
			kept[nkept++] = statement;
		if (nearlier >= 0)
			judge_statement(result, &findings, &statement, earlier, nearlier,
							queryid, role);
	}
	ops_query_end(&query);
	ops_memory_remember_statements(MyDatabaseId, run->now, epoch, nkept, kept);

	if (nearlier < 0)
		ops_result_unknown(result, OPS_TOO_YOUNG, "%s", ops_memory_available() ?
						   _("needs a second sample") :
						   _("needs a second sample: preload operations_runbook to keep one"));
	else if (findings.judged == 0)
		ops_result_value(result, 0, _("no statement ran %d times in the last %s"),
						 MIN_CALLS, ops_duration(ops_seconds_since(run, taken)));
	else
		ops_result_value(result, findings.worst_ms,
						 ngettext("%d statement ran often in the last %s; the slowest takes %.1f ms on average",
								  "%d statements ran often in the last %s; the slowest takes %.1f ms on average",
								  findings.judged),
						 findings.judged,
						 ops_duration(ops_seconds_since(run, taken)),
						 findings.worst_ms);
	if (result->nculprits > 0)
		ops_result_remedy(result, "SELECT calls, mean_exec_time, query FROM %s WHERE queryid = %s;",
						  view->quoted, result->culprit[0].name);
}

const OpsCheck ops_jobs_checks[] = {
	{
		.name = "cron",
		.title = gettext_noop("jobs of pg_cron that fail, or do not run as they should"),
		.unit = "jobs",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.where = OPS_ON_PRIMARY,
		.audience = OPS_FOR_MONITOR,
		.warning = 1,
		.critical = NAN,
		.probe = ops_probe_cron,
	},
	{
		.name = "migrations",
		.title = gettext_noop("migrations that failed or are missing"),
		.unit = "migrations",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.audience = OPS_FOR_MONITOR,
		.warning = 1,
		.critical = NAN,
		.probe = probe_migrations,
	},
	{
		.name = "slow_queries",
		.title = gettext_noop("mean execution time of the slowest statement that runs often"),
		.unit = "milliseconds",
		.severity = OPS_P2,
		.depth = OPS_DEEP,
		.audience = OPS_FOR_MONITOR,
		.warning = 100,
		.critical = 1000,
		.probe = probe_slow_queries,
	},
};
const int	ops_jobs_count = lengthof(ops_jobs_checks);
