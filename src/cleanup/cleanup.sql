/* src/cleanup/cleanup.sql: old rows go, and a log of it */

CREATE TABLE ops.cleanup_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY,
    job_id bigint,
    policy_name text,
    relation text NOT NULL,
    relid oid NOT NULL,
    run_as name,
    started_by name NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    cutoff timestamptz,
    predicate text,
    method text,
    plan jsonb,
    ended_at timestamptz,
    status text NOT NULL DEFAULT 'running',
    stopped text,
    deleted bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0,
    pages bigint NOT NULL DEFAULT 0,
    wal_bytes bigint NOT NULL DEFAULT 0,
    longest_ms double precision NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    error text,
    cancel_requested boolean NOT NULL DEFAULT false,
    detaching boolean NOT NULL DEFAULT false,
    CONSTRAINT cleanup_run_pkey PRIMARY KEY (run_id),
    CONSTRAINT cleanup_run_status_known
        CHECK (status IN ('running', 'done', 'stopped', 'failed', 'cancelled', 'interrupted'))
);
COMMENT ON SEQUENCE ops.cleanup_run_run_id_seq IS 'numbers of runs';
REVOKE ALL ON SEQUENCE ops.cleanup_run_run_id_seq FROM PUBLIC;
CREATE INDEX cleanup_run_ended_at ON ops.cleanup_run (ended_at);
CREATE INDEX cleanup_run_policy ON ops.cleanup_run (policy_name, relid, run_id);
CREATE INDEX cleanup_run_running ON ops.cleanup_run (relid) WHERE status = 'running';
CREATE INDEX cleanup_run_detaching ON ops.cleanup_run (policy_name) WHERE detaching AND status <> 'done';
COMMENT ON TABLE ops.cleanup_run IS
'what was deleted by ops.cleanup_old_rows() and ops.run_cleanup(): a row for each table of each run';
COMMENT ON COLUMN ops.cleanup_run.run_id IS 'number of the run';
COMMENT ON COLUMN ops.cleanup_run.job_id IS 'the first run of the same call';
COMMENT ON COLUMN ops.cleanup_run.policy_name IS 'of ops.retention_policy; null for a call with a table';
COMMENT ON COLUMN ops.cleanup_run.relation IS 'the table, as it was called';
COMMENT ON COLUMN ops.cleanup_run.relid IS 'its OID';
COMMENT ON COLUMN ops.cleanup_run.run_as IS 'the role that deleted';
COMMENT ON COLUMN ops.cleanup_run.started_by IS 'the role that called';
COMMENT ON COLUMN ops.cleanup_run.pid IS 'of the server process';
COMMENT ON COLUMN ops.cleanup_run.started_at IS 'when it began';
COMMENT ON COLUMN ops.cleanup_run.cutoff IS 'rows from before it were old';
COMMENT ON COLUMN ops.cleanup_run.predicate IS 'the rows that were to go, as SQL';
COMMENT ON COLUMN ops.cleanup_run.method IS 'how they were found, or what became of the partition';
COMMENT ON COLUMN ops.cleanup_run.plan IS 'what was expected';
COMMENT ON COLUMN ops.cleanup_run.ended_at IS 'when it ended; null if it runs, or was cut off';
COMMENT ON COLUMN ops.cleanup_run.status IS
'running, done, stopped, failed, cancelled; interrupted: the server or the session ended first, as the next run found';
COMMENT ON COLUMN ops.cleanup_run.stopped IS 'why it ended before all was gone';
COMMENT ON COLUMN ops.cleanup_run.deleted IS 'rows; of a run that has not ended, see ops.cleanup_progress';
COMMENT ON COLUMN ops.cleanup_run.batches IS 'transactions';
COMMENT ON COLUMN ops.cleanup_run.pages IS 'pages of the table visited';
COMMENT ON COLUMN ops.cleanup_run.wal_bytes IS 'write-ahead log written';
COMMENT ON COLUMN ops.cleanup_run.longest_ms IS 'milliseconds of the longest transaction';
COMMENT ON COLUMN ops.cleanup_run.skipped IS 'rows that were old and stayed, since others had them locked or a constraint kept them';
COMMENT ON COLUMN ops.cleanup_run.error IS 'the message that ended it, or the first that kept a row';
COMMENT ON COLUMN ops.cleanup_run.cancel_requested IS 'set by ops.cancel_cleanup()';
COMMENT ON COLUMN ops.cleanup_run.detaching IS
'the run began to detach the partition concurrently; if it did not end as done, the next run of the policy finishes what is left of it';

CREATE TABLE ops.cleanup_batch (
    run_id bigint NOT NULL,
    batch_no integer NOT NULL,
    first_block bigint NOT NULL,
    last_block bigint NOT NULL,
    pages integer NOT NULL,
    deleted integer NOT NULL,
    ms real NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT cleanup_batch_pkey PRIMARY KEY (run_id, batch_no)
);
CREATE INDEX cleanup_batch_ended_at ON ops.cleanup_batch USING brin (ended_at);
COMMENT ON TABLE ops.cleanup_batch IS
'the transactions of each run, each written in the transaction itself: after a crash it says what is gone';
COMMENT ON COLUMN ops.cleanup_batch.run_id IS 'of ops.cleanup_run';
COMMENT ON COLUMN ops.cleanup_batch.batch_no IS 'counted from 1';
COMMENT ON COLUMN ops.cleanup_batch.first_block IS 'first page that was visited';
COMMENT ON COLUMN ops.cleanup_batch.last_block IS 'last page that was visited';
COMMENT ON COLUMN ops.cleanup_batch.pages IS 'how many were';
COMMENT ON COLUMN ops.cleanup_batch.deleted IS 'rows that went';
COMMENT ON COLUMN ops.cleanup_batch.ms IS 'milliseconds, up to the commit';
COMMENT ON COLUMN ops.cleanup_batch.ended_at IS 'when that was';

-- A run holds an advisory lock of its own kind on its table: that is how one
-- that was cut off is told from one that runs.
CREATE VIEW ops.cleanup_progress AS
SELECT r.run_id, r.job_id, r.policy_name, r.relation, r.pid, r.started_at,
       EXISTS (SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype = 'advisory' AND l.classid = r.relid AND l.objid = 1869640562::oid
                 AND l.objsubid = 3 AND l.pid = r.pid AND l.granted
                 AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                   WHERE d.datname = pg_catalog.current_database())) AS active,
       b.deleted, b.batches, b.pages, b.last_batch_at,
       (r.plan ->> 'rows')::bigint AS expected_rows,
       CASE WHEN (r.plan ->> 'rows')::bigint > 0
            THEN pg_catalog.round(100.0 * b.deleted / (r.plan ->> 'rows')::bigint, 1) END AS percent,
       r.cancel_requested
FROM ops.cleanup_run r
CROSS JOIN LATERAL (
    SELECT coalesce(pg_catalog.sum(c.deleted), 0)::bigint AS deleted, pg_catalog.count(*) AS batches,
           coalesce(pg_catalog.sum(c.pages), 0)::bigint AS pages, pg_catalog.max(c.ended_at) AS last_batch_at
    FROM ops.cleanup_batch c
    WHERE c.run_id = r.run_id) b
WHERE r.status = 'running';
COMMENT ON VIEW ops.cleanup_progress IS
'runs that have not ended: how far they are; active is false where the session or the server ended first';
COMMENT ON COLUMN ops.cleanup_progress.run_id IS 'of ops.cleanup_run';
COMMENT ON COLUMN ops.cleanup_progress.job_id IS 'the first run of the same call';
COMMENT ON COLUMN ops.cleanup_progress.policy_name IS 'of ops.retention_policy';
COMMENT ON COLUMN ops.cleanup_progress.relation IS 'the table';
COMMENT ON COLUMN ops.cleanup_progress.pid IS 'of the server process';
COMMENT ON COLUMN ops.cleanup_progress.started_at IS 'when it began';
COMMENT ON COLUMN ops.cleanup_progress.active IS 'whether it still runs';
COMMENT ON COLUMN ops.cleanup_progress.deleted IS 'rows gone so far';
COMMENT ON COLUMN ops.cleanup_progress.batches IS 'transactions so far';
COMMENT ON COLUMN ops.cleanup_progress.pages IS 'pages visited so far';
COMMENT ON COLUMN ops.cleanup_progress.last_batch_at IS 'when the last of them ended';
COMMENT ON COLUMN ops.cleanup_progress.expected_rows IS 'rows that were expected to go';
COMMENT ON COLUMN ops.cleanup_progress.percent IS 'share of them that is gone';
COMMENT ON COLUMN ops.cleanup_progress.cancel_requested IS 'set by ops.cancel_cleanup()';

REVOKE ALL ON TABLE ops.cleanup_run FROM PUBLIC;
REVOKE ALL ON TABLE ops.cleanup_batch FROM PUBLIC;
REVOKE ALL ON TABLE ops.cleanup_progress FROM PUBLIC;
GRANT SELECT ON TABLE ops.cleanup_run TO pg_monitor;
GRANT SELECT ON TABLE ops.cleanup_batch TO pg_monitor;
GRANT SELECT ON TABLE ops.cleanup_progress TO pg_monitor;

CREATE FUNCTION ops.cleanup_old_rows(
    target regclass DEFAULT NULL,
    time_column text DEFAULT NULL,
    keep interval DEFAULT NULL,
    policy_name text DEFAULT NULL,
    condition text DEFAULT NULL,
    hold text DEFAULT NULL,
    time_format text DEFAULT NULL,
    archive regclass DEFAULT NULL,
    overrides text[] DEFAULT '{}',
    max_rows bigint DEFAULT 100000,
    max_duration interval DEFAULT NULL,
    OUT policy_name text,
    OUT relation regclass,
    OUT cutoff timestamptz,
    OUT deleted bigint,
    OUT batches bigint,
    OUT pages bigint,
    OUT wal_bytes bigint,
    OUT longest_ms double precision,
    OUT skipped bigint,
    OUT finished boolean,
    OUT stopped text,
    OUT run_id bigint,
    OUT note text
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10
AS 'MODULE_PATHNAME', 'ops_cleanup_old_rows';
REVOKE ALL ON FUNCTION ops.cleanup_old_rows(regclass, text, interval, text, text, text, text, regclass,
    text[], bigint, interval) FROM PUBLIC;
COMMENT ON FUNCTION ops.cleanup_old_rows(regclass, text, interval, text, text, text, text, regclass,
    text[], bigint, interval) IS
'deletes rows that are older than keep from one table, or by one policy or all, in the caller''s transaction and not more than max_rows; waits for no lock';

CREATE PROCEDURE ops.run_cleanup(
    policy_name text DEFAULT NULL,
    max_rows bigint DEFAULT NULL,
    max_duration interval DEFAULT NULL,
    stop_at timestamptz DEFAULT NULL,
    maintenance_window text DEFAULT NULL,
    duty double precision DEFAULT NULL,
    batch_target interval DEFAULT NULL,
    max_lag_bytes bigint DEFAULT NULL,
    max_lag interval DEFAULT NULL,
    standbys text[] DEFAULT NULL,
    max_wal_rate bigint DEFAULT NULL,
    max_sessions integer DEFAULT NULL,
    max_waiters integer DEFAULT NULL,
    yield_to_checkpoints boolean DEFAULT false,
    on_pressure text DEFAULT 'wait',
    progress interval DEFAULT '5 s',
    compress_wal boolean DEFAULT false,
    INOUT deleted bigint DEFAULT NULL,
    INOUT batches bigint DEFAULT NULL,
    INOUT pages bigint DEFAULT NULL,
    INOUT wal_bytes bigint DEFAULT NULL,
    INOUT longest_ms double precision DEFAULT NULL,
    INOUT skipped bigint DEFAULT NULL,
    INOUT finished boolean DEFAULT NULL,
    INOUT stopped text DEFAULT NULL
)
LANGUAGE c
AS 'MODULE_PATHNAME', 'ops_run_cleanup';
REVOKE ALL ON PROCEDURE ops.run_cleanup(text, bigint, interval, timestamptz, text, double precision, interval, bigint,
    interval, text[], bigint, integer, integer, boolean, text, interval, boolean, bigint, bigint, bigint, bigint,
    double precision, bigint, boolean, text) FROM PUBLIC;
COMMENT ON PROCEDURE ops.run_cleanup(text, bigint, interval, timestamptz, text, double precision, interval, bigint,
    interval, text[], bigint, integer, integer, boolean, text, interval, boolean, bigint, bigint, bigint, bigint,
    double precision, bigint, boolean, text) IS
'deletes what the policies call old, all of it, in transactions of milliseconds; for pg_cron and psql';

CREATE FUNCTION ops.cancel_cleanup(run_id bigint)
RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_cancel_cleanup';
REVOKE ALL ON FUNCTION ops.cancel_cleanup(bigint) FROM PUBLIC;
COMMENT ON FUNCTION ops.cancel_cleanup(bigint) IS
'asks a run to stop after its present batch; false if there is no such run, or it has ended';
