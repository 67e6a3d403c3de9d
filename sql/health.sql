-- arguments that name nothing
SELECT ops.health('xml');
SELECT ops.health(depth => 'shallow');
SELECT ops.health(budget => '0');
SELECT ops.health(budget => '-1 day');
\set VERBOSITY sqlstate
SELECT ops.health("only" => '{nonesuch}');
SELECT ops.health("only" => '{}');
SELECT ops.health("only" => '{NULL}');
SELECT ops.health("only" => '{database,"Database"}');
\set VERBOSITY default

-- null stands for the default
SELECT ops.health(NULL, NULL, NULL, NULL) ->> 'depth' AS depth;

-- the document
SELECT key, jsonb_typeof(value) FROM jsonb_each(ops.health())
 WHERE key NOT IN ('version', 'env', 'environment') ORDER BY key COLLATE "C";
SET operations_runbook.release = 'abc1234';
SET operations_runbook.environment = 'production';
SELECT h ->> 'version' AS version, h ->> 'env' AS env, h ->> 'environment' AS environment,
       h ->> 'role' AS role, h ->> 'timestamp' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$' AS iso8601,
       (h ->> 'latency_ms')::float8 > 0 AS timed, h -> 'truncated' AS truncated
  FROM ops.health() AS h;
RESET operations_runbook.release;
RESET operations_runbook.environment;
SELECT ops.health() ->> 'service' = system_identifier::text AS service FROM pg_control_system();

-- its members are of one shape, and the summary counts them
SELECT count(*) AS misshapen FROM jsonb_each(ops.health('default', 'deep') -> 'checks') AS c
 WHERE NOT value ?& ARRAY['status', 'severity', 'message']
    OR value ->> 'status' NOT IN ('ok', 'unknown', 'warn', 'fail')
    OR value ->> 'severity' NOT IN ('P0', 'P1', 'P2', 'P3')
    OR (value ->> 'status' = 'unknown') <> (value ? 'reason');
SELECT (SELECT count(*) FROM jsonb_object_keys(h -> 'checks')) =
       (SELECT sum(value::text::int) FROM jsonb_each(h -> 'summary')) AS adds_up
  FROM ops.health() AS h;

-- a name means the check, deep or not; a family means its checks
SELECT jsonb_object_keys(ops.health("only" => '{database,lock_table}') -> 'checks') ORDER BY 1;
SELECT array_agg(c.check_name ORDER BY c.check_name COLLATE "C") =
       (SELECT array_agg(l.check_name ORDER BY l.check_name COLLATE "C")
          FROM ops.check_list() l WHERE family = 'activity' AND depth = 'fast') AS family
  FROM ops.checks("only" => '{activity}') c;
SELECT count(*) AS twice_is_once FROM ops.checks("only" => '{database,database}');

-- checks() is the same run as rows
SELECT check_name, severity, status, value, unit, warning, critical, gates, message, remedy, details
  FROM ops.checks("only" => '{database,prepared}');
SELECT count(*) = (SELECT count(*) FROM ops.check_list() WHERE depth = 'fast') AS all_fast
  FROM ops.checks();
SELECT count(*) = (SELECT count(*) FROM ops.check_list()) AS all_deep
  FROM ops.checks('deep');

-- a budget that is too small leaves nothing out of the answer
SELECT count(*) > 0 AS cut, bool_and(status = 'unknown') AS unknown,
       bool_and(details ->> 'reason' = 'out_of_budget') AS reason
  FROM ops.checks('deep', '{schema}', '1 microsecond') WHERE status <> 'ok'
   AND details ->> 'reason' <> 'not_applicable';
SELECT h -> 'truncated' AS truncated, h ->> 'status' <> 'ok' AS no_false_green
  FROM ops.health(budget => '1 microsecond') AS h;

-- read-only, repeatable, in a cursor, in a subtransaction
BEGIN READ ONLY;
SELECT ops.health() ? 'status' AS answers;
SAVEPOINT s;
SELECT ops.health('default', 'deep') ? 'status' AS answers;
ROLLBACK TO s;
DECLARE c CURSOR FOR SELECT count(*) > 0 AS answers FROM ops.checks();
FETCH c;
COMMIT;

-- a remedy wherever something is wrong, none where nothing is
SELECT check_name FROM ops.checks('deep')
 WHERE (status IN ('warn', 'fail') AND remedy IS NULL)
    OR (status = 'ok' AND remedy IS NOT NULL)
 ORDER BY check_name COLLATE "C";

-- cancel and timeout are the server's
SET statement_timeout = '50ms';
SELECT count(ops.health()) FROM generate_series(1, 1000000);
RESET statement_timeout;

-- nor does what was cancelled leave a subtransaction behind
COMMIT;
