/* src/health/health.sql: checks, limits, pages */

CREATE FUNCTION ops.check_exists(check_name text)
RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_check_exists';
COMMENT ON FUNCTION ops.check_exists(text) IS
'whether this version has such a check';

CREATE FUNCTION ops.limits_in_order(check_name text, warning float8, critical float8)
RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_limits_in_order';
COMMENT ON FUNCTION ops.limits_in_order(text, float8, float8) IS
'whether a check would warn before it fails; a null limit stands for the built-in one';

CREATE TABLE ops.threshold (
    check_name text PRIMARY KEY,
    enabled boolean NOT NULL DEFAULT true,
    warning float8,
    critical float8,
    severity text,
    gates boolean,
    reason text,
    CONSTRAINT threshold_check_exists
        CHECK (ops.check_exists(check_name)),
    CONSTRAINT threshold_limits_in_order
        CHECK (ops.limits_in_order(check_name, warning, critical)),
    CONSTRAINT threshold_severity_known
        CHECK (severity IN ('P0', 'P1', 'P2', 'P3'))
);
COMMENT ON TABLE ops.threshold IS
'what is different here from the built-in limits: a row for each check that differs, null where it does not';
COMMENT ON COLUMN ops.threshold.check_name IS 'name of a check, see ops.check_list()';
COMMENT ON COLUMN ops.threshold.enabled IS 'false switches the check off';
COMMENT ON COLUMN ops.threshold.warning IS 'warn from this value on, in the unit of the check';
COMMENT ON COLUMN ops.threshold.critical IS 'fail from this value on; Infinity never fails';
COMMENT ON COLUMN ops.threshold.severity IS 'P0 to P3: how soon somebody has to act';
COMMENT ON COLUMN ops.threshold.gates IS 'whether a failure of this check fails the whole document';
COMMENT ON COLUMN ops.threshold.reason IS 'why it is different here';
SELECT pg_catalog.pg_extension_config_dump('ops.threshold', '');

CREATE FUNCTION ops.health(
    format text DEFAULT 'default',
    depth text DEFAULT 'fast',
    "only" text[] DEFAULT NULL,
    budget interval DEFAULT NULL)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_health';
COMMENT ON FUNCTION ops.health(text, text, text[], interval) IS
'health of this server and database as one document; never raises an error for what it finds';

CREATE FUNCTION ops.checks(
    depth text DEFAULT 'fast',
    "only" text[] DEFAULT NULL,
    budget interval DEFAULT NULL,
    OUT check_name text,
    OUT severity text,
    OUT status text,
    OUT value float8,
    OUT unit text,
    OUT warning float8,
    OUT critical float8,
    OUT gates boolean,
    OUT message text,
    OUT remedy text,
    OUT details jsonb)
RETURNS SETOF record
LANGUAGE c STABLE PARALLEL UNSAFE
ROWS 50
AS 'MODULE_PATHNAME', 'ops_checks';
COMMENT ON FUNCTION ops.checks(text, text[], interval) IS
'the same run as ops.health(), a row for each check';

CREATE FUNCTION ops.check_list(
    OUT check_name text,
    OUT family text,
    OUT depth text,
    OUT severity text,
    OUT gates boolean,
    OUT unit text,
    OUT warning float8,
    OUT critical float8,
    OUT lower_is_worse boolean,
    OUT works_on text,
    OUT shown_to text,
    OUT title text,
    OUT remedy text)
RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE
ROWS 70
AS 'MODULE_PATHNAME', 'ops_check_list';
COMMENT ON FUNCTION ops.check_list() IS
'what checks there are, with their built-in limits';

CREATE FUNCTION ops.runbook(check_name text)
RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_runbook';
COMMENT ON FUNCTION ops.runbook(text) IS
'the page for a check: what it means, how to look closer, what to do and what not to do; markdown';

REVOKE ALL ON FUNCTION ops.check_exists(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION ops.limits_in_order(text, float8, float8) FROM PUBLIC;
REVOKE ALL ON FUNCTION ops.health(text, text, text[], interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION ops.checks(text, text[], interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION ops.check_list() FROM PUBLIC;
REVOKE ALL ON FUNCTION ops.runbook(text) FROM PUBLIC;
REVOKE ALL ON TABLE ops.threshold FROM PUBLIC;

GRANT EXECUTE ON FUNCTION ops.check_exists(text) TO pg_monitor;
GRANT EXECUTE ON FUNCTION ops.limits_in_order(text, float8, float8) TO pg_monitor;
GRANT EXECUTE ON FUNCTION ops.health(text, text, text[], interval) TO pg_monitor;
GRANT EXECUTE ON FUNCTION ops.checks(text, text[], interval) TO pg_monitor;
GRANT EXECUTE ON FUNCTION ops.check_list() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ops.runbook(text) TO pg_monitor;
GRANT SELECT ON TABLE ops.threshold TO pg_monitor;
