/* src/incident/history.sql: what health and row security said before */

CREATE TABLE ops.health_history (
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    status text NOT NULL,
    latency_ms double precision NOT NULL,
    document jsonb NOT NULL
);
CREATE INDEX health_history_recorded_at ON ops.health_history (recorded_at);
COMMENT ON TABLE ops.health_history IS
'documents of ops.health(), written by ops.record_health(); shortened by ops.prune_history()';
COMMENT ON COLUMN ops.health_history.recorded_at IS 'when it was recorded';
COMMENT ON COLUMN ops.health_history.status IS 'of the whole: ok, unknown, warn or fail';
COMMENT ON COLUMN ops.health_history.latency_ms IS 'how long the checks took';
COMMENT ON COLUMN ops.health_history.document IS 'all of it, in the default format, as the role saw it that recorded it';

CREATE TABLE ops.audit_history (
    recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    previous_at timestamptz,
    p0 integer NOT NULL,
    p1 integer NOT NULL,
    p2 integer NOT NULL,
    p3 integer NOT NULL,
    waived integer NOT NULL,
    appeared text[],
    gone text[],
    findings jsonb NOT NULL
);
CREATE INDEX audit_history_recorded_at ON ops.audit_history (recorded_at);
COMMENT ON TABLE ops.audit_history IS
'audits of ops.rls_audit(), written by ops.record_audit(); shortened by ops.prune_history()';
COMMENT ON COLUMN ops.audit_history.recorded_at IS 'when it was recorded';
COMMENT ON COLUMN ops.audit_history.previous_at IS 'when the audit before it was; null for the first';
COMMENT ON COLUMN ops.audit_history.p0 IS 'findings of severity P0 that are not waived';
COMMENT ON COLUMN ops.audit_history.p1 IS 'of severity P1';
COMMENT ON COLUMN ops.audit_history.p2 IS 'of severity P2';
COMMENT ON COLUMN ops.audit_history.p3 IS 'of severity P3';
COMMENT ON COLUMN ops.audit_history.waived IS 'findings that are waived';
COMMENT ON COLUMN ops.audit_history.appeared IS
'findings that were not there, were waived, or read otherwise in the audit before: severity, code, object, role, command; null for the first';
COMMENT ON COLUMN ops.audit_history.gone IS
'findings of the audit before that are not there any more, or are waived now; null for the first';
COMMENT ON COLUMN ops.audit_history.findings IS 'the rows of ops.rls_audit(), without what is null';

REVOKE ALL ON TABLE ops.health_history FROM PUBLIC;
REVOKE ALL ON TABLE ops.audit_history FROM PUBLIC;
GRANT SELECT ON TABLE ops.health_history TO pg_monitor;
GRANT SELECT ON TABLE ops.audit_history TO pg_monitor;

CREATE FUNCTION ops.record_health(depth text DEFAULT 'fast') RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_record_health';
REVOKE ALL ON FUNCTION ops.record_health(text) FROM PUBLIC;
COMMENT ON FUNCTION ops.record_health(text) IS
'asks ops.health() and writes the document into ops.health_history; the status of the whole';

CREATE FUNCTION ops.record_audit(
    OUT recorded_at timestamptz,
    OUT previous_at timestamptz,
    OUT p0 integer,
    OUT p1 integer,
    OUT p2 integer,
    OUT p3 integer,
    OUT waived integer,
    OUT appeared text[],
    OUT gone text[]
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE
ROWS 1
AS 'MODULE_PATHNAME', 'ops_record_audit';
REVOKE ALL ON FUNCTION ops.record_audit() FROM PUBLIC;
COMMENT ON FUNCTION ops.record_audit() IS
'asks ops.rls_audit() and writes the findings into ops.audit_history; how many there are, and which are new or gone since the audit before';

CREATE FUNCTION ops.prune_history(
    keep interval DEFAULT '90 days',
    OUT relation text,
    OUT deleted bigint,
    OUT note text
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE
ROWS 6
AS 'MODULE_PATHNAME', 'ops_prune_history';
REVOKE ALL ON FUNCTION ops.prune_history(interval) FROM PUBLIC;
COMMENT ON FUNCTION ops.prune_history(interval) IS
'deletes what is older from the history and the logs of the extension, but for the last of each; a row for each table';
