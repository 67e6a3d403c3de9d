/*-------------------------------------------------------------------------
 *
 * standing.c
 *	  Whether windows are used: how their last occurrences went.
 *
 * A window that never had a run is nobody's promise, so only those are looked
 * at that had one.  What a window would have been by a rule that it did not
 * have then, or while it was switched off, was not missed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/query.h"
#include "core/relation.h"
#include "schedule/standing.h"
#include "schedule/window.h"

/* Missed occurrences from which on nobody counts. */
#define MISSED_ENOUGH	100

/*
 * The last run of each set of tasks tells how an occurrence went: a run that
 * failed is tried again while the window is open.  One that says it runs and
 * is not there was cut off.  One that was cancelled was somebody's wish.
 */
static const char *const read_runs =
"WITH run AS ("
" SELECT DISTINCT ON (r.window_name, r.occurrence, r.tasks)"
"  r.window_name, r.occurrence, r.run_id, r.status,"
"  CASE WHEN r.status = 'running' THEN 'interrupted'"
"   ELSE coalesce(r.error, r.stopped, r.status) END AS words,"
"  r.status = 'running' AND EXISTS (SELECT FROM ops.maintenance_progress p"
"   WHERE p.run_id = r.run_id AND p.active) AS active"
" FROM ops.maintenance_run r"
" JOIN ops.maintenance_window w ON w.window_name = r.window_name AND w.enabled"
" ORDER BY r.window_name, r.occurrence, r.tasks, r.run_id DESC"
"), occurrence AS ("
" SELECT r.window_name, r.occurrence, bool_or(r.active) AS active,"
"  bool_or(r.status NOT IN ('done', 'cancelled') AND NOT r.active) AS unfinished,"
"  (array_agg(r.words ORDER BY r.run_id DESC)"
"   FILTER (WHERE r.status NOT IN ('done', 'cancelled') AND NOT r.active))[1] AS words"
" FROM run r GROUP BY r.window_name, r.occurrence"
"), finished AS ("
" SELECT o.window_name, max(o.occurrence) FILTER"
"  (WHERE NOT o.unfinished AND NOT o.active) AS occurrence"
" FROM occurrence o GROUP BY o.window_name"
") SELECT o.window_name, max(o.occurrence),"
" count(*) FILTER (WHERE o.unfinished"
"  AND o.occurrence > coalesce(f.occurrence, '-infinity')),"
" (array_agg(o.words ORDER BY o.occurrence DESC) FILTER (WHERE o.unfinished"
"  AND o.occurrence > coalesce(f.occurrence, '-infinity')))[1]"
" FROM occurrence o JOIN finished f ON f.window_name = o.window_name"
" GROUP BY o.window_name";

static List *runs(void);
static OpsWindowStanding *find(List *standings, const char *window_name);
static int	count_missed(const OpsWindow *window, TimestampTz after,
						 TimestampTz now);

/*
 * In the order of names.
 */
List *
ops_window_standings(TimestampTz now)
{
	List	   *had_runs = runs();
	List	   *standings = NIL;
	OpsWindow  *windows;
	int			count;

	if (had_runs == NIL)
		return NIL;
	windows = ops_windows_read(NULL, &count);
	for (int i = 0; i < count; i++)
	{
		OpsWindowStanding *standing = find(had_runs, windows[i].name);

		if (standing == NULL)
			continue;
		standing->missed = count_missed(&windows[i],
										Max(standing->last_run,
											windows[i].changed_at),
										now);
		standings = lappend(standings, standing);
	}
	return standings;
}

/*
 * Reads the tables of the room as their owner.
 */
static List *
runs(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *standings = NIL;
	OpsQuery	query;

	ops_query_run(&query, ops_own_relation_owner("maintenance_run"),
				  read_runs);
	MemoryContextSwitchTo(caller);	/* what is read outlives the query */
	for (uint64 row = 0; row < query.nrows; row++)
	{
		OpsWindowStanding *standing = palloc0(sizeof(OpsWindowStanding));
		bool		isnull;

		standing->window_name = ops_query_text(&query, row, 1);
		standing->last_run = ops_query_timestamptz(&query, row, 2, &isnull);
		standing->unfinished = (int) ops_query_int64(&query, row, 3, &isnull);
		standing->trouble = ops_query_text(&query, row, 4);
		standings = lappend(standings, standing);
	}
	ops_query_end(&query);
	return standings;
}

static OpsWindowStanding *
find(List *standings, const char *window_name)
{
	ListCell   *lc;

	foreach(lc, standings)
	{
		OpsWindowStanding *standing = lfirst(lc);

		if (strcmp(standing->window_name, window_name) == 0)
			return standing;
	}
	return NULL;
}

/*
 * Occurrences that started after an instant and are over.
 */
static int
count_missed(const OpsWindow *window, TimestampTz after, TimestampTz now)
{
	OpsOccurrence occurrence;
	int			missed = 0;

	while (missed < MISSED_ENOUGH &&
		   ops_window_next(window, after, &occurrence) &&
		   occurrence.ends <= now)
	{
		missed++;
		after = occurrence.starts;
	}
	return missed;
}
