/* src/schedule/mode.sql: maintenance mode, and what of maintenance is on */

CREATE TABLE ops.maintenance_mode (
    only_row boolean NOT NULL DEFAULT true,
    who name NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    reason text,
    CONSTRAINT maintenance_mode_pkey PRIMARY KEY (only_row),
    CONSTRAINT maintenance_mode_only_row CHECK (only_row),
    CONSTRAINT maintenance_mode_ends_later CHECK (until > since)
);
COMMENT ON TABLE ops.maintenance_mode IS
'a row if maintenance mode of this database was switched on, by ops.set_maintenance(); see ops.maintenance_state()';
COMMENT ON COLUMN ops.maintenance_mode.only_row IS 'true: there is one row or none';
COMMENT ON COLUMN ops.maintenance_mode.who IS 'the role that switched it on, or changed it last';
COMMENT ON COLUMN ops.maintenance_mode.since IS 'when it was switched on';
COMMENT ON COLUMN ops.maintenance_mode.until IS 'when it ends by itself; null: never';
COMMENT ON COLUMN ops.maintenance_mode.reason IS 'why it is on';
REVOKE ALL ON TABLE ops.maintenance_mode FROM PUBLIC;
GRANT SELECT ON TABLE ops.maintenance_mode TO pg_monitor;

CREATE FUNCTION ops.set_maintenance(
    "on" boolean,
    until timestamptz DEFAULT NULL,
    reason text DEFAULT NULL
) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_set_maintenance';
REVOKE ALL ON FUNCTION ops.set_maintenance(boolean, timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION ops.set_maintenance(boolean, timestamptz, text) IS
'switches maintenance mode of this database on, until an instant or until further notice, or off; whether it was on before';

CREATE FUNCTION ops.maintenance_state(
    OUT kind text,
    OUT name text,
    OUT since timestamptz,
    OUT until timestamptz,
    OUT reason text
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE
ROWS 1
AS 'MODULE_PATHNAME', 'ops_maintenance_state';
REVOKE ALL ON FUNCTION ops.maintenance_state() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.maintenance_state() TO pg_monitor;
COMMENT ON FUNCTION ops.maintenance_state() IS
'what of maintenance is on now: the mode, with the role that switched it on, and open windows';
