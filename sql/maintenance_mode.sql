-- maintenance mode: switched on and off, and what is said of it
SET timezone = 'UTC';
SELECT * FROM ops.maintenance_state();
SELECT ops.health() ? 'maintenance' AS told;
SELECT count(*) AS during FROM ops.checks('deep') WHERE details ? 'during_maintenance';

-- arguments that make no sense
SELECT ops.set_maintenance(NULL);
\set VERBOSITY terse
SELECT ops.set_maintenance(true, '2001-01-01');
SELECT ops.set_maintenance(true, '-infinity');
SELECT ops.set_maintenance(true, now());
\set VERBOSITY default
SELECT ops.set_maintenance(false, '2100-01-01');
SELECT ops.set_maintenance(false, reason => 'done');
SELECT * FROM ops.maintenance_mode;

-- on until further notice
SELECT ops.set_maintenance(true);
SELECT kind, name = current_user AS mine, since BETWEEN now() - interval '1 minute' AND now() AS just_now, until, reason
  FROM ops.maintenance_state();

-- again: a new end and a new reason, the same beginning
SELECT since AS since_before FROM ops.maintenance_mode \gset
SELECT ops.set_maintenance(true, '2100-01-01', 'moving the "orders" to another disk');
SELECT kind, since = :'since_before' AS since_then, until, reason FROM ops.maintenance_state();
SELECT ops.set_maintenance(true, 'infinity');
SELECT kind, since = :'since_before' AS since_then, until, reason FROM ops.maintenance_state();
SELECT count(*) FROM ops.maintenance_mode;

-- off, and off
SELECT ops.set_maintenance(false);
SELECT ops.set_maintenance(false);
SELECT * FROM ops.maintenance_state();

-- it ends by itself, and what ended was not on before
SELECT ops.set_maintenance(true, clock_timestamp() + interval '1 s', 'short');
SELECT count(*) FROM ops.maintenance_state();
SELECT pg_sleep(1.1);
SELECT count(*) FROM ops.maintenance_state();
SELECT ops.health() ? 'maintenance' AS told;
SELECT since AS since_before FROM ops.maintenance_mode \gset
SELECT ops.set_maintenance(true, reason => 'long');
SELECT since > :'since_before' AS begins_anew, until, reason FROM ops.maintenance_state();

-- undone with its transaction
BEGIN;
SELECT ops.set_maintenance(false);
SELECT count(*) FROM ops.maintenance_state();
ROLLBACK;
SELECT count(*) FROM ops.maintenance_state();

-- windows: those that are open, not those that are switched off
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone, enabled, comment)
VALUES ('always', 'daily', '00:00', '1 day', 'UTC', true, 'for the test'),
       ('closed', 'daily', (now() AT TIME ZONE 'UTC' + interval '6 hours')::time, '1 hour', 'UTC', true, NULL),
       ('off', 'daily', '00:00', '1 day', 'UTC', false, NULL);
SELECT kind, name = 'always' AS named, since = date_trunc('day', now()) AS since_midnight,
       until = date_trunc('day', now()) + interval '1 day' AS until_midnight, reason
  FROM ops.maintenance_state() WHERE kind = 'window';

-- health tells of both, and of what is bad meanwhile; the status is what it is without
CREATE VIEW bad AS
SELECT check_name, status, details FROM ops.checks("only" => '{database,prepared,restarts,replay}');
INSERT INTO ops.threshold (check_name, warning) VALUES ('restarts', 1000000000);
SELECT jsonb_pretty(jsonb_agg(m - 'since' - 'until' - 'name')) AS maintenance
  FROM jsonb_array_elements(ops.health() -> 'maintenance') AS m;
SELECT m ->> 'name' = current_user AS mine,
       m ->> 'since' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$' AS iso8601, m -> 'until' AS until
  FROM jsonb_array_elements(ops.health() -> 'maintenance') AS m WHERE m ->> 'kind' = 'mode';
SELECT * FROM bad ORDER BY check_name COLLATE "C";
SELECT c.key, c.value -> 'during_maintenance' AS during
  FROM jsonb_each(ops.health("only" => '{database,prepared,restarts,replay}') -> 'checks') AS c
 ORDER BY c.key COLLATE "C";
SELECT count(*) AS wrong FROM ops.checks('deep')
 WHERE coalesce(details ? 'during_maintenance', false) <>
       (status <> 'ok' AND coalesce(details ->> 'reason', '') NOT IN ('not_applicable', 'denied'));
SELECT ops.health("only" => '{database,restarts}') ->> 'status' AS status;

-- a reason that is too long for a document is cut there
SELECT ops.set_maintenance(true, reason => repeat('x', 5000));
SELECT length(reason) FROM ops.maintenance_state() WHERE kind = 'mode';
SELECT length(m ->> 'reason') FROM jsonb_array_elements(ops.health() -> 'maintenance') AS m WHERE m ->> 'kind' = 'mode';

-- without it the same status, and no note
SELECT ops.set_maintenance(false);
DELETE FROM ops.maintenance_window;
SELECT * FROM bad ORDER BY check_name COLLATE "C";
SELECT ops.health("only" => '{database,restarts}') ->> 'status' AS status;

-- HTTP: 503 if a gate fails; in maintenance mode only by setting, in a window never
CREATE FUNCTION answer() RETURNS text
BEGIN ATOMIC
    SELECT set_config('response.status', '', true);
    SELECT ops.health("only" => '{database,restarts}');
    SELECT nullif(current_setting('response.status', true), '');
END;
CREATE PROCEDURE show_answers() LANGUAGE plpgsql AS
$$DECLARE of_request text; of_query text;
BEGIN
    PERFORM set_config('request.method', '', true);
    of_query = answer();
    PERFORM set_config('request.method', 'GET', true);
    of_request = answer();
    RAISE NOTICE 'query: %, request: %', of_query, of_request;
END$$;
CALL show_answers();
SELECT ops.set_maintenance(true);
CALL show_answers();
SET operations_runbook.maintenance_unavailable = on;
CALL show_answers();
SELECT ops.set_maintenance(false);
CALL show_answers();
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
VALUES ('always', 'daily', '00:00', '1 day', 'UTC');
CALL show_answers();
DELETE FROM ops.maintenance_window;
RESET operations_runbook.maintenance_unavailable;
UPDATE ops.threshold SET critical = 1000000000, gates = true WHERE check_name = 'restarts';
SELECT ops.health("only" => '{restarts}') ->> 'status' AS status;
CALL show_answers();
BEGIN READ ONLY;
SET LOCAL request.method = 'GET';
SELECT ops.health("only" => '{restarts}') ->> 'status' AS status;
SELECT current_setting('response.status') AS http;
COMMIT;
SELECT current_setting('response.status') AS http;
DELETE FROM ops.threshold;

-- a window whose zone is gone: unknown, nothing else of the document suffers
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
VALUES ('lost', 'daily', '00:00', '1 day', 'UTC');
ALTER TABLE ops.maintenance_window DROP CONSTRAINT maintenance_window_zone_in_pg_timezone_names;
UPDATE ops.maintenance_window SET time_zone = 'Europe/Atlantis';
SELECT ops.set_maintenance(true, reason => 'still told');
SELECT jsonb_pretty(jsonb_agg(m - 'since' - 'until' - 'name')) AS maintenance
  FROM jsonb_array_elements(ops.health() -> 'maintenance') AS m;
SELECT ops.health() ? 'checks' AS answers;
SELECT ops.set_maintenance(false);
SELECT count(*) AS during FROM ops.checks() WHERE details ? 'during_maintenance';
DELETE FROM ops.maintenance_window;
ALTER TABLE ops.maintenance_window ADD CONSTRAINT maintenance_window_zone_in_pg_timezone_names
    CHECK (ops.time_zone_exists(time_zone));

-- who may: nobody by himself; then without any right on the table
CREATE ROLE regress_ops_switch;
CREATE ROLE regress_ops_look IN ROLE pg_monitor;
CREATE ROLE regress_ops_ask;
GRANT USAGE ON SCHEMA ops TO regress_ops_switch, regress_ops_look, regress_ops_ask;
GRANT EXECUTE ON FUNCTION ops.health(text, text, text[], interval) TO regress_ops_ask;
SET ROLE regress_ops_look;
SELECT ops.set_maintenance(true);
RESET ROLE;
SET ROLE regress_ops_switch;
SELECT ops.set_maintenance(true);
SELECT ops.maintenance_state();
RESET ROLE;
GRANT EXECUTE ON FUNCTION ops.set_maintenance(boolean, timestamptz, text) TO regress_ops_switch;
SET ROLE regress_ops_switch;
SELECT ops.set_maintenance(true, reason => 'by another role');
SELECT * FROM ops.maintenance_mode;
DELETE FROM ops.maintenance_mode;
RESET ROLE;
SET ROLE regress_ops_look;
SELECT kind, name, reason FROM ops.maintenance_state();
SELECT who FROM ops.maintenance_mode;
SELECT m - 'since' AS maintenance FROM jsonb_array_elements(ops.health() -> 'maintenance') AS m;
RESET ROLE;
SET ROLE regress_ops_ask;
SELECT m - 'since' AS maintenance FROM jsonb_array_elements(ops.health() -> 'maintenance') AS m;
RESET ROLE;

-- not in a read-only transaction; looking is
BEGIN READ ONLY;
SELECT kind FROM ops.maintenance_state();
SAVEPOINT s;
SELECT ops.set_maintenance(false);
ROLLBACK;

SELECT ops.set_maintenance(false);
REVOKE ALL ON FUNCTION ops.set_maintenance(boolean, timestamptz, text) FROM regress_ops_switch;
REVOKE ALL ON FUNCTION ops.health(text, text, text[], interval) FROM regress_ops_ask;
REVOKE USAGE ON SCHEMA ops FROM regress_ops_switch, regress_ops_look, regress_ops_ask;
DROP ROLE regress_ops_switch, regress_ops_look, regress_ops_ask;
DROP PROCEDURE show_answers();
DROP FUNCTION answer();
DROP VIEW bad;
