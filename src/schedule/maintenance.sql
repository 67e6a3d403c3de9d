/* src/schedule/maintenance.sql: what was done in a window, and the doing */

CREATE FUNCTION ops.maintenance_tasks()
RETURNS text[]
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_maintenance_tasks';
REVOKE ALL ON FUNCTION ops.maintenance_tasks() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.maintenance_tasks() TO pg_monitor;
COMMENT ON FUNCTION ops.maintenance_tasks() IS
'what ops.run_maintenance() can do, in the order in which it does it';

CREATE FUNCTION ops.demand_tasks(tasks text[])
RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_demand_tasks';
REVOKE ALL ON FUNCTION ops.demand_tasks(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.demand_tasks(text[]) TO pg_monitor;
COMMENT ON FUNCTION ops.demand_tasks(text[]) IS
'the tasks, if all of them are known, and for null the usual ones: all but retention and audit';

CREATE TABLE ops.maintenance_rule (
    schema_name text,
    relation_name text,
    exclude text[] NOT NULL DEFAULT '{}',
    dead_rows bigint,
    dead_share double precision,
    changed_rows bigint,
    changed_share double precision,
    freeze_share double precision,
    tail_bytes bigint,
    comment text,
    CONSTRAINT maintenance_rule_once UNIQUE NULLS NOT DISTINCT (schema_name, relation_name),
    CONSTRAINT maintenance_rule_relation_in_schema
        CHECK (relation_name IS NULL OR schema_name IS NOT NULL),
    CONSTRAINT maintenance_rule_tasks_known
        CHECK (exclude <@ ops.maintenance_tasks()),
    CONSTRAINT maintenance_rule_not_negative
        CHECK (dead_rows >= 0 AND changed_rows >= 0 AND tail_bytes >= 0),
    CONSTRAINT maintenance_rule_shares_sane
        CHECK (dead_share BETWEEN 0 AND 100 AND changed_share BETWEEN 0 AND 100 AND freeze_share BETWEEN 0 AND 100)
);
COMMENT ON TABLE ops.maintenance_rule IS
'limits of ops.maintenance_plan() for one relation, a schema, or all: the closest row that says something counts; written by INSERT, UPDATE and DELETE';
COMMENT ON COLUMN ops.maintenance_rule.schema_name IS 'null: every schema';
COMMENT ON COLUMN ops.maintenance_rule.relation_name IS 'a table, materialized view or index; null: all of the schema';
COMMENT ON COLUMN ops.maintenance_rule.exclude IS 'tasks that leave it alone; those of all rows that fit count';
COMMENT ON COLUMN ops.maintenance_rule.dead_rows IS
'VACUUM if there are more dead rows than this and dead_share of all rows together; 1000';
COMMENT ON COLUMN ops.maintenance_rule.dead_share IS '0.05';
COMMENT ON COLUMN ops.maintenance_rule.changed_rows IS
'ANALYZE if more rows have changed than this and changed_share of all rows together; 500';
COMMENT ON COLUMN ops.maintenance_rule.changed_share IS '0.05';
COMMENT ON COLUMN ops.maintenance_rule.freeze_share IS
'VACUUM (FREEZE) from this part of the age at which autovacuum would have to; 0.75';
COMMENT ON COLUMN ops.maintenance_rule.tail_bytes IS
'VACUUM (TRUNCATE) if at least so many bytes at the end are empty pages; 1 MB';
COMMENT ON COLUMN ops.maintenance_rule.comment IS 'why it is different here';
SELECT pg_catalog.pg_extension_config_dump('ops.maintenance_rule', '');
REVOKE ALL ON TABLE ops.maintenance_rule FROM PUBLIC;
GRANT SELECT ON TABLE ops.maintenance_rule TO pg_monitor;

CREATE TABLE ops.maintenance_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY,
    window_name text,
    occurrence timestamptz,
    tasks text[] NOT NULL,
    started_by name NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    stop_at timestamptz NOT NULL,
    ended_at timestamptz,
    status text NOT NULL DEFAULT 'running',
    stopped text,
    error text,
    CONSTRAINT maintenance_run_pkey PRIMARY KEY (run_id),
    CONSTRAINT maintenance_run_status_known
        CHECK (status IN ('running', 'done', 'stopped', 'failed', 'cancelled', 'interrupted'))
);
COMMENT ON SEQUENCE ops.maintenance_run_run_id_seq IS 'numbers of runs';
REVOKE ALL ON SEQUENCE ops.maintenance_run_run_id_seq FROM PUBLIC;
CREATE INDEX maintenance_run_window ON ops.maintenance_run (window_name, occurrence);
CREATE INDEX maintenance_run_ended_at ON ops.maintenance_run (ended_at);
COMMENT ON TABLE ops.maintenance_run IS 'runs of ops.run_maintenance(), written as they go';
COMMENT ON COLUMN ops.maintenance_run.run_id IS 'number of the run';
COMMENT ON COLUMN ops.maintenance_run.window_name IS 'of ops.maintenance_window; null if it ran without one';
COMMENT ON COLUMN ops.maintenance_run.occurrence IS 'when the window had opened';
COMMENT ON COLUMN ops.maintenance_run.tasks IS 'what it was to do';
COMMENT ON COLUMN ops.maintenance_run.started_by IS 'the role that called, and as which the steps ran';
COMMENT ON COLUMN ops.maintenance_run.pid IS 'of the server process';
COMMENT ON COLUMN ops.maintenance_run.started_at IS 'when it began';
COMMENT ON COLUMN ops.maintenance_run.stop_at IS 'when it had to end';
COMMENT ON COLUMN ops.maintenance_run.ended_at IS 'when it did; null if it runs, or was cut off';
COMMENT ON COLUMN ops.maintenance_run.status IS
'running; done: all steps had their turn; stopped: see stopped; failed; cancelled; interrupted: the server or the session ended first, as the next run found';
COMMENT ON COLUMN ops.maintenance_run.stopped IS 'why it ended before all steps had their turn';
COMMENT ON COLUMN ops.maintenance_run.error IS 'the message that ended it';

CREATE TABLE ops.maintenance_step (
    run_id bigint NOT NULL,
    step_no integer NOT NULL,
    task text NOT NULL,
    object text,
    relid oid,
    command text NOT NULL,
    reason text NOT NULL,
    expected interval,
    status text NOT NULL DEFAULT 'planned',
    started_at timestamptz,
    ended_at timestamptz,
    bytes_before bigint,
    bytes_after bigint,
    sqlstate text,
    error text,
    CONSTRAINT maintenance_step_pkey PRIMARY KEY (run_id, step_no),
    CONSTRAINT maintenance_step_status_known
        CHECK (status IN ('planned', 'running', 'done', 'failed', 'skipped', 'cancelled', 'reported', 'interrupted'))
);
CREATE INDEX maintenance_step_task ON ops.maintenance_step (task, ended_at) WHERE status = 'done';
COMMENT ON TABLE ops.maintenance_step IS 'the steps of each run, written when they are planned, begin and end';
COMMENT ON COLUMN ops.maintenance_step.run_id IS 'of ops.maintenance_run';
COMMENT ON COLUMN ops.maintenance_step.step_no IS 'counted from 1';
COMMENT ON COLUMN ops.maintenance_step.task IS 'one of ops.maintenance_tasks()';
COMMENT ON COLUMN ops.maintenance_step.object IS 'the table or index, as SQL; null if it is about none';
COMMENT ON COLUMN ops.maintenance_step.relid IS 'its OID';
COMMENT ON COLUMN ops.maintenance_step.command IS 'the statement';
COMMENT ON COLUMN ops.maintenance_step.reason IS 'why';
COMMENT ON COLUMN ops.maintenance_step.expected IS 'how long it was thought to take; null if nobody could tell';
COMMENT ON COLUMN ops.maintenance_step.status IS
'planned, running, done, failed; skipped: see error; cancelled: it was begun and ended by us; reported: it is for people to do; interrupted: the server or the session ended first';
COMMENT ON COLUMN ops.maintenance_step.started_at IS 'when it began';
COMMENT ON COLUMN ops.maintenance_step.ended_at IS 'when it ended';
COMMENT ON COLUMN ops.maintenance_step.bytes_before IS
'size before: of the index, or of the table with its indexes and TOAST table';
COMMENT ON COLUMN ops.maintenance_step.bytes_after IS 'size afterwards';
COMMENT ON COLUMN ops.maintenance_step.sqlstate IS 'of the error';
COMMENT ON COLUMN ops.maintenance_step.error IS 'why it was not done';

-- A run holds an advisory lock of its own kind: that is how one that was cut
-- off is told from one that runs.
CREATE VIEW ops.maintenance_progress AS
SELECT r.run_id, r.window_name, r.pid, r.started_at, r.stop_at,
       EXISTS (SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype = 'advisory' AND l.classid = 0::oid AND l.objid = 1869640557::oid
                 AND l.objsubid = 4 AND l.pid = r.pid AND l.granted
                 AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                   WHERE d.datname = pg_catalog.current_database())) AS active,
       s.step_no, n.steps, n.ended, s.task, s.object, s.command, s.started_at AS step_started_at, s.expected,
       coalesce(v.phase, x.phase, a.phase) AS phase,
       pg_catalog.round(coalesce(
           100.0 * v.heap_blks_scanned / nullif(v.heap_blks_total, 0),
           100.0 * x.blocks_done / nullif(x.blocks_total, 0),
           100.0 * a.sample_blks_scanned / nullif(a.sample_blks_total, 0)), 1) AS percent
FROM ops.maintenance_run r
LEFT JOIN ops.maintenance_step s ON s.run_id = r.run_id AND s.status = 'running'
CROSS JOIN LATERAL (
    SELECT pg_catalog.count(*) FILTER (WHERE c.status <> 'reported') AS steps,
           pg_catalog.count(*) FILTER (WHERE c.status NOT IN ('planned', 'running', 'reported')) AS ended
    FROM ops.maintenance_step c
    WHERE c.run_id = r.run_id) n
LEFT JOIN pg_catalog.pg_stat_activity w
    ON w.backend_type = 'operations_runbook worker' AND w.datname = pg_catalog.current_database()
       AND w.query = s.command
LEFT JOIN pg_catalog.pg_stat_progress_vacuum v ON v.pid = w.pid
LEFT JOIN pg_catalog.pg_stat_progress_create_index x ON x.pid = w.pid
LEFT JOIN pg_catalog.pg_stat_progress_analyze a ON a.pid = w.pid
WHERE r.status = 'running';
COMMENT ON VIEW ops.maintenance_progress IS
'runs that have not ended: how far they are; active is false where the session or the server ended first';
COMMENT ON COLUMN ops.maintenance_progress.run_id IS 'of ops.maintenance_run';
COMMENT ON COLUMN ops.maintenance_progress.window_name IS 'of ops.maintenance_window';
COMMENT ON COLUMN ops.maintenance_progress.pid IS 'of the server process';
COMMENT ON COLUMN ops.maintenance_progress.started_at IS 'when the run began';
COMMENT ON COLUMN ops.maintenance_progress.stop_at IS 'when it has to end';
COMMENT ON COLUMN ops.maintenance_progress.active IS 'whether it still runs';
COMMENT ON COLUMN ops.maintenance_progress.step_no IS 'the step that it is at';
COMMENT ON COLUMN ops.maintenance_progress.steps IS 'how many there are';
COMMENT ON COLUMN ops.maintenance_progress.ended IS 'how many of them had their turn';
COMMENT ON COLUMN ops.maintenance_progress.task IS 'what is being done';
COMMENT ON COLUMN ops.maintenance_progress.object IS 'to what';
COMMENT ON COLUMN ops.maintenance_progress.command IS 'the statement';
COMMENT ON COLUMN ops.maintenance_progress.step_started_at IS 'since when';
COMMENT ON COLUMN ops.maintenance_progress.expected IS 'how long it was thought to take';
COMMENT ON COLUMN ops.maintenance_progress.phase IS 'of the statement, as the views pg_stat_progress_* name it';
COMMENT ON COLUMN ops.maintenance_progress.percent IS 'of the phase';

REVOKE ALL ON TABLE ops.maintenance_run FROM PUBLIC;
REVOKE ALL ON TABLE ops.maintenance_step FROM PUBLIC;
REVOKE ALL ON TABLE ops.maintenance_progress FROM PUBLIC;
GRANT SELECT ON TABLE ops.maintenance_run TO pg_monitor;
GRANT SELECT ON TABLE ops.maintenance_step TO pg_monitor;
GRANT SELECT ON TABLE ops.maintenance_progress TO pg_monitor;

CREATE PROCEDURE ops.run_maintenance(
    maintenance_window text DEFAULT NULL,
    tasks text[] DEFAULT NULL,
    max_duration interval DEFAULT NULL,
    wait boolean DEFAULT true,
    again boolean DEFAULT false,
    grace interval DEFAULT '30 s',
    lock_timeout interval DEFAULT '1 s',
    step_timeout interval DEFAULT NULL,
    vacuum_cost_delay double precision DEFAULT 2,
    max_sessions integer DEFAULT NULL,
    max_waiters integer DEFAULT NULL,
    max_lag_bytes bigint DEFAULT NULL,
    max_lag interval DEFAULT NULL,
    on_pressure text DEFAULT 'wait',
    INOUT run_id bigint DEFAULT NULL,
    INOUT done integer DEFAULT NULL,
    INOUT skipped integer DEFAULT NULL,
    INOUT failed integer DEFAULT NULL,
    INOUT stopped text DEFAULT NULL
)
LANGUAGE c
AS 'MODULE_PATHNAME', 'ops_run_maintenance';
REVOKE ALL ON PROCEDURE ops.run_maintenance(text, text[], interval, boolean, boolean, interval, interval, interval,
    double precision, integer, integer, bigint, interval, text, bigint, integer, integer, integer, text) FROM PUBLIC;
COMMENT ON PROCEDURE ops.run_maintenance(text, text[], interval, boolean, boolean, interval, interval, interval,
    double precision, integer, integer, bigint, interval, text, bigint, integer, integer, integer, text) IS
'does what ops.maintenance_plan() says, one statement after the other in a background worker, while a window is open and once in each of its occurrences; for pg_cron and psql';

CREATE FUNCTION ops.cancel_maintenance()
RETURNS boolean
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(bool_or(pg_cancel_backend(l.pid)), false)
      FROM pg_locks l
     WHERE l.locktype = 'advisory' AND l.classid = 0::oid AND l.objid = 1869640557::oid AND l.objsubid = 4 AND l.granted
       AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
END;
REVOKE ALL ON FUNCTION ops.cancel_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION ops.cancel_maintenance() IS
'ends the run of ops.run_maintenance() in this database, and its step, at once; false if there is none. As pg_cancel_backend() does, it wants the role of the run or pg_signal_backend';
