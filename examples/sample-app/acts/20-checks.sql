-- What is wrong, worst first
-- ops.checks('deep') also looks through the catalogs; a row for each check,
-- measured against its limits.
CREATE TEMPORARY TABLE demo_checks AS
SELECT * FROM ops.checks('deep');

SELECT status, severity, check_name, value::numeric(20, 1)::text AS value, unit, message
  FROM demo_checks
 WHERE status IN ('fail', 'warn')
 ORDER BY status = 'warn', severity, check_name COLLATE "C";

\echo 'What could not be measured is said to be unknown, never ok:'
SELECT check_name, details ->> 'reason' AS reason, message
  FROM demo_checks
 WHERE status = 'unknown'
 ORDER BY check_name COLLATE "C";

\pset tuples_only on
SELECT format('And %s are ok: %s.', count(*), string_agg(check_name, ', ' ORDER BY check_name COLLATE "C"))
  FROM demo_checks
 WHERE status = 'ok';

\pset tuples_only off
\echo 'Limits that are not the built-in ones stand in ops.threshold:'
SELECT check_name, warning, critical, reason
  FROM ops.threshold
 ORDER BY check_name COLLATE "C";
