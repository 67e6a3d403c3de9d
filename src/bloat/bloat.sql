/* src/bloat/bloat.sql: space that a rewrite would give back */

CREATE FUNCTION ops.bloat_report(
    relation regclass DEFAULT NULL,
    min_size bigint DEFAULT 1048576,
    target_pp double precision DEFAULT 1.5,
    exact boolean DEFAULT false,
    OUT relation regclass,
    OUT parent regclass,
    OUT kind text,
    OUT size_bytes bigint,
    OUT reclaimable_bytes bigint,
    OUT reclaimable_low bigint,
    OUT reclaimable_high bigint,
    OUT reclaimable_pct double precision,
    OUT dead_bytes bigint,
    OUT held_back_bytes bigint,
    OUT reusable_bytes bigint,
    OUT truncatable_bytes bigint,
    OUT size_after_bytes bigint,
    OUT disk_needed_bytes bigint,
    OUT live_rows bigint,
    OUT sampled_blocks bigint,
    OUT total_blocks bigint,
    OUT method text,
    OUT action text,
    OUT command text,
    OUT reason text,
    OUT note text,
    OUT details jsonb
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 100 COST 10000
AS 'MODULE_PATHNAME', 'ops_bloat_report';
REVOKE ALL ON FUNCTION ops.bloat_report(regclass, bigint, double precision, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.bloat_report(regclass, bigint, double precision, boolean) TO pg_monitor;
COMMENT ON FUNCTION ops.bloat_report(regclass, bigint, double precision, boolean) IS
'what VACUUM FULL or REINDEX would give back, from a sample of pages, with a 95 % interval, and what to do; waits for no lock, writes nothing';
