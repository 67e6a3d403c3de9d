/*-------------------------------------------------------------------------
 *
 * summary.c
 *	  How the policies are doing, for who has no time to read the log.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cleanup/summary.h"
#include "core/query.h"
#include "core/relation.h"
#include "utils/memutils.h"

/*
 * The last run of each table of each policy, looked up by
 * cleanup_run_policy.  Tables that are gone are nobody's trouble any more; a
 * run that says it runs and is not there was cut off.
 */
#define SUMMARY_QUERY \
	"WITH RECURSIVE pair AS (" \
	" (SELECT p.policy_name, r.relid FROM ops.retention_policy p" \
	"  LEFT JOIN LATERAL (SELECT x.relid FROM ops.cleanup_run x" \
	"   WHERE x.policy_name = p.policy_name ORDER BY x.relid LIMIT 1) r ON true" \
	"  WHERE p.enabled)" \
	" UNION ALL" \
	" (SELECT p.policy_name, r.relid FROM pair p" \
	"  CROSS JOIN LATERAL (SELECT x.relid FROM ops.cleanup_run x" \
	"   WHERE x.policy_name = p.policy_name AND x.relid > p.relid" \
	"   ORDER BY x.relid LIMIT 1) r)" \
	"), last AS (" \
	" SELECT p.policy_name, l.*, d.ended_at AS done_at FROM pair p" \
	" LEFT JOIN LATERAL (SELECT r.run_id, r.relid, r.relation, r.status," \
	"  r.stopped, r.error FROM ops.cleanup_run r" \
	"  WHERE r.policy_name = p.policy_name AND r.relid = p.relid" \
	"  ORDER BY r.run_id DESC LIMIT 1) l ON true" \
	" LEFT JOIN LATERAL (SELECT r.ended_at FROM ops.cleanup_run r" \
	"  WHERE r.policy_name = p.policy_name AND r.relid = p.relid" \
	"  AND r.status = 'done' ORDER BY r.run_id DESC LIMIT 1) d ON true" \
	"), trouble AS (" \
	" SELECT DISTINCT ON (l.policy_name) l.policy_name, l.relation," \
	" CASE WHEN l.error IS NOT NULL THEN l.error" \
	"  WHEN l.status = 'stopped' THEN l.stopped ELSE 'interrupted' END AS words" \
	" FROM last l WHERE EXISTS (SELECT FROM pg_class c WHERE c.oid = l.relid)" \
	" AND (l.status IN ('failed', 'interrupted') OR l.error IS NOT NULL" \
	"  OR l.status = 'stopped' AND starts_with(l.stopped, 'guard ')" \
	"  OR l.status = 'running' AND NOT EXISTS (SELECT FROM" \
	"   ops.cleanup_progress g WHERE g.run_id = l.run_id AND g.active))" \
	" ORDER BY l.policy_name, l.run_id DESC" \
	") SELECT p.policy_name," \
	" (extract(epoch FROM clock_timestamp()" \
	"  - coalesce(max(l.done_at), p.created_at)) / 3600)::float8," \
	" max(l.done_at) IS NOT NULL, t.relation, t.words" \
	" FROM ops.retention_policy p" \
	" LEFT JOIN last l ON l.policy_name = p.policy_name" \
	" LEFT JOIN trouble t ON t.policy_name = p.policy_name" \
	" WHERE p.enabled" \
	" GROUP BY p.policy_name, t.relation, t.words ORDER BY 2 DESC, 1"

static char *copy(MemoryContext context, const char *string);

/*
 * Reads the tables of the room as their owner.
 */
List *
ops_retention_summarize(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *states = NIL;
	OpsQuery	query;

	ops_query_run(&query, ops_own_relation_owner("cleanup_run"),
				  SUMMARY_QUERY);
	for (uint64 i = 0; i < query.nrows; i++)
	{
		MemoryContext own = MemoryContextSwitchTo(caller);
		OpsRetentionState *state = palloc0(sizeof(OpsRetentionState));
		bool		isnull;

		states = lappend(states, state);
		MemoryContextSwitchTo(own);
		state->policy_name = copy(caller, ops_query_text(&query, i, 1));
		state->hours = ops_query_float8(&query, i, 2, &isnull);
		state->ever = ops_query_bool(&query, i, 3);
		state->relation = copy(caller, ops_query_text(&query, i, 4));
		state->trouble = copy(caller, ops_query_text(&query, i, 5));
	}
	ops_query_end(&query);
	return states;
}

static char *
copy(MemoryContext context, const char *string)
{
	return string ? MemoryContextStrdup(context, string) : NULL;
}
