/*-------------------------------------------------------------------------
 *
 * runbook.c
 *	  The retention rules of the runbooks, for the tables that are here.
 *
 * Runbooks say: notifications older than 90 days and read, logs 90 days,
 * monitoring data.  What grows without limit and nobody thinks of comes with
 * them: the history of pg_cron and our own.  Tables are known by name and
 * columns, as applications call them; a trail of who did what is no log that
 * may go, so tables that are called audit are left to their owners.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "cleanup/retention.h"
#include "core/attempt.h"
#include "core/compat.h"
#include "core/query.h"
#include "core/report.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(ops_add_runbook_retention);

/* One rule for one table. */
typedef struct Rule
{
	Oid			relation;
	const char *name;			/* of the table, quoted */
	const char *time;			/* column or expression, NULL: none found */
	int			days;
	const char *condition;
	bool		extension_table;
	const char *obstacle;		/* why not, or NULL */
	const char *policy_name;	/* made, or there before */
} Rule;

/*
 * Tables that the rules are about, each with the first column of a usual name
 * that tells the time, and for notifications with what says that they are
 * read.
 */
static const char *const find_rules =
"WITH candidate AS ("
" SELECT c.oid, n.nspname, c.relname,"
"  CASE WHEN n.nspname = 'cron' AND c.relname = 'job_run_details' THEN 'cron'"
"   WHEN n.nspname = 'ops' THEN CASE WHEN c.relname IN ('cleanup_run', 'cleanup_batch') THEN 'ops' END"
"   WHEN c.relname = 'notifications' THEN 'notifications'"
"   WHEN c.relname ~* 'audit' AND c.relname ~* '(^|_)(logs?|trail)$' THEN 'audit'"
"   WHEN c.relname ~* '^(monitoring|(api|app|request|performance|system)_(metrics|usage)|error_events|health_checks?)$'"
"    OR c.relname ~* '(^monitoring_|_monitoring$)' THEN 'monitoring'"
"   WHEN c.relname ~* '(^|_)logs?$' THEN 'log' END AS kind"
" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
" WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
" AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'"
" AND n.nspname <> 'information_schema'"
" AND (n.nspname IN ('cron', 'ops') OR NOT EXISTS"
"  (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
"   AND d.objid = c.oid AND d.deptype = 'e')))"
"SELECT t.oid::int8, format('%I.%I', t.nspname, t.relname),"
" CASE t.kind WHEN 'cron' THEN 'COALESCE(end_time, start_time)'"
"  WHEN 'ops' THEN 'ended_at' ELSE"
"  (SELECT a.attname FROM pg_attribute a"
"   JOIN unnest('{created_at,inserted_at,occurred_at,recorded_at,logged_at,event_time,timestamp,ts,time}'::text[])"
"   WITH ORDINALITY o (name, place) ON o.name = a.attname"
"   WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped"
"   AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)"
"   ORDER BY o.place LIMIT 1) END,"
" CASE t.kind WHEN 'cron' THEN 30 WHEN 'ops' THEN 400 ELSE 90 END::int8,"
" CASE t.kind WHEN 'notifications' THEN"
"  (SELECT CASE WHEN a.attname = 'read_at' THEN 'read_at IS NOT NULL'"
"   ELSE quote_ident(a.attname) END FROM pg_attribute a"
"   WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped"
"   AND (a.attname IN ('read', 'is_read') AND a.atttypid = 'bool'::regtype"
"    OR a.attname = 'read_at')"
"   ORDER BY a.attname = 'read_at', a.attname DESC LIMIT 1) END,"
" t.kind IN ('cron', 'ops'), t.kind"
" FROM candidate t WHERE t.kind IS NOT NULL"
" ORDER BY t.nspname COLLATE \"C\", t.relname COLLATE \"C\"";

static List *read_rules(void);
static const char *obstacle_of(const Rule *rule, const char *kind);
static void make(void *arg);
static void report(const Rule *rule, const char *note, ReturnSetInfo *rsinfo);

/*
 * ops.add_runbook_retention()
 * RETURNS TABLE (policy_name text, relation regclass, made boolean, note text)
 *
 * Makes a policy for each table that the runbooks' rules are about, unless
 * one is about it already.  What cannot be made, for lack of rights or
 * because the table is locked, is a row that says why; only cancels are
 * raised.
 */
Datum
ops_add_runbook_retention(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, read_rules())
	{
		Rule	   *rule = lfirst(lc);
		const char *note = rule->obstacle;
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		if (note == NULL)
		{
			error = ops_attempt(make, rule);
			if (error)
			{
				rule->policy_name = NULL;
				note = error->message;
			}
			else
				note = rule->obstacle;
		}
		report(rule, note, rsinfo);
	}
	return (Datum) 0;
}

static List *
read_rules(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *rules = NIL;
	OpsQuery	query;

	ops_query_run(&query, InvalidOid, find_rules);
	for (uint64 row = 0; row < query.nrows; row++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);
		Rule	   *rule = palloc0(sizeof(Rule));
		bool		isnull;

		rule->relation = (Oid) ops_query_int64(&query, row, 1, &isnull);
		rule->name = ops_query_text(&query, row, 2);
		rule->time = ops_query_text(&query, row, 3);
		rule->days = (int) ops_query_int64(&query, row, 4, &isnull);
		rule->condition = ops_query_text(&query, row, 5);
		rule->extension_table = ops_query_bool(&query, row, 6);
		rule->obstacle = obstacle_of(rule, ops_query_text(&query, row, 7));
		rules = lappend(rules, rule);
		MemoryContextSwitchTo(spi);
	}
	ops_query_end(&query);
	return rules;
}

/*
 * Why a table that fits a rule by its name gets no policy, or NULL.
 */
static const char *
obstacle_of(const Rule *rule, const char *kind)
{
	if (strcmp(kind, "audit") == 0)
		return _("an audit trail is kept until somebody decides otherwise: use ops.add_retention()");
	if (rule->time == NULL)
		return _("no column of a usual name tells the time: use ops.add_retention()");
	if (strcmp(kind, "notifications") == 0 && rule->condition == NULL)
		return _("no column says which are read: use ops.add_retention()");
	return NULL;
}

/*
 * Make one policy; an obstacle and no name if there is no need.
 */
static void
make(void *arg)
{
	Rule	   *rule = arg;
	OpsRetention *policy = ops_retention_defaults();
	OpsRetentionNews news = {.time = rule->time};
	const char *present = ops_retention_about(rule->relation);

	if (present)
	{
		rule->obstacle = psprintf(_("policy \"%s\" is there already"), present);
		return;
	}
	policy->name = psprintf("runbook: %s", rule->name);
	policy->relation = rule->relation;
	policy->keep = palloc0(sizeof(Interval));
	policy->keep->day = rule->days;
	policy->condition = rule->condition;
	news.condition = rule->condition != NULL;
	if (rule->extension_table)
		policy->overrides = list_make1(pstrdup("extension_table"));
	rule->policy_name = ops_retention_make(policy, &news);
}

static void
report(const Rule *rule, const char *note, ReturnSetInfo *rsinfo)
{
	Datum		values[4] = {0};
	bool		nulls[4] = {0};

	ops_report_text(&values[0], &nulls[0], rule->policy_name);
	values[1] = ObjectIdGetDatum(rule->relation);
	values[2] = BoolGetDatum(rule->policy_name != NULL);
	if (note == NULL)
		note = psprintf(_("rows older than %d days go"), rule->days);
	ops_report_text(&values[3], &nulls[3], note);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}
