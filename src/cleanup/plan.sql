/* src/cleanup/plan.sql: what would go, and what stands against it */

CREATE FUNCTION ops.cleanup_plan(
    policy_name text DEFAULT NULL,
    target regclass DEFAULT NULL,
    time_column name DEFAULT NULL,
    keep interval DEFAULT NULL,
    condition text DEFAULT NULL,
    hold text DEFAULT NULL,
    time_format text DEFAULT NULL,
    archive regclass DEFAULT NULL,
    overrides text[] DEFAULT '{}',
    exact boolean DEFAULT false,
    OUT policy_name text,
    OUT relation regclass,
    OUT cutoff timestamptz,
    OUT method text,
    OUT rows bigint,
    OUT rows_low bigint,
    OUT rows_high bigint,
    OUT share_pct double precision,
    OUT bytes bigint,
    OUT batches bigint,
    OUT expected_ms double precision,
    OUT wal_bytes bigint,
    OUT cascades text[],
    OUT triggers text[],
    OUT unindexed_keys text[],
    OUT replication text[],
    OUT guards text[],
    OUT stopped_by text,
    OUT remedy text,
    OUT predicate text,
    OUT note text,
    OUT details jsonb
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 100 COST 10000
AS 'MODULE_PATHNAME', 'ops_cleanup_plan';
REVOKE ALL ON FUNCTION ops.cleanup_plan(text, regclass, name, interval, text, text, text, regclass, text[],
    boolean) FROM PUBLIC;
COMMENT ON FUNCTION ops.cleanup_plan(text, regclass, name, interval, text, text, text, regclass, text[],
    boolean) IS
'what a retention policy, all of them, or a cleanup with these arguments would delete from each table, how, what it would cost and what stands against it; deletes nothing, waits for no lock';
