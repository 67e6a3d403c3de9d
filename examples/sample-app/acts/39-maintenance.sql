-- Sunday night, and nobody is up
-- The paper runbook says: VACUUM ANALYZE, then REINDEX, of everything.  Most of that
-- everything is in order.  ops.maintenance_plan() says what is not, and what it costs:
\pset format wrapped
SELECT step, task, object, action, round(extract(epoch FROM expected), 2) AS seconds, reason
  FROM ops.maintenance_plan();

\echo 'Step by step, each a statement of its own that waits for no lock for long:'
CALL ops.run_maintenance(max_duration => '1 min');

\echo 'All of it is on record:'
SELECT s.task, s.status, count(*) AS steps, round(sum(extract(epoch FROM s.ended_at - s.started_at)), 2) AS seconds,
       string_agg(s.object, ', ' ORDER BY s.step_no) AS objects
  FROM ops.maintenance_step AS s
 WHERE s.run_id = (SELECT max(run_id) FROM ops.maintenance_run)
 GROUP BY s.task, s.status
 ORDER BY min(s.step_no);

\echo 'What there is to do now.  What is reported is for people to decide:'
SELECT task, object, action, command
  FROM ops.maintenance_plan();
