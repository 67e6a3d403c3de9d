-- What to do about it
-- Each finding names the next step.
SELECT check_name, remedy
  FROM ops.checks('deep')
 WHERE status IN ('fail', 'warn') AND remedy IS NOT NULL
 ORDER BY status = 'warn', severity, check_name COLLATE "C"
 LIMIT 6;

\echo 'And each check has a page, ops.runbook(''connections'') for example:'
\echo
\pset format unaligned
\pset tuples_only on
SELECT ops.runbook('connections');
