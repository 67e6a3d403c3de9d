-- fast.sql: what the fast tier tells, as the best single statement we can
-- write.  The same facts, each source read once, no row returned but one.
WITH activity AS MATERIALIZED (
    SELECT * FROM pg_stat_get_activity(NULL)
), sessions AS (
    SELECT count(*) FILTER (WHERE backend_type = 'client backend') AS connections,
           max(now() - state_change) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_tx,
           max(now() - xact_start) FILTER (WHERE backend_type = 'client backend') AS long_tx,
           max(now() - query_start) FILTER (WHERE state = 'active' AND backend_type = 'client backend') AS long_query,
           count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
           count(*) FILTER (WHERE backend_type = 'autovacuum worker') AS workers,
           max(age(backend_xmin)) AS xmin_age,
           max(age(backend_xid)) AS xid_age
      FROM activity
), databases AS (
    SELECT max(age(datfrozenxid)) AS xid_used, max(mxid_age(datminmxid)) AS mxid_used
      FROM pg_database
), slots AS (
    SELECT count(*) FILTER (WHERE wal_status IN ('lost', 'unreserved')) AS lost,
           count(*) FILTER (WHERE NOT active) AS inactive,
           max(restart_lsn::text) AS oldest, max(age(xmin)) AS xmin_age
      FROM pg_get_replication_slots()
), senders AS (
    SELECT count(*) AS standbys, max(replay_lag) AS delay, min(replay_lsn::text) AS behind
      FROM pg_stat_get_wal_senders()
), settings AS (
    SELECT count(*) FILTER (WHERE pending_restart) AS pending,
           count(*) FILTER (WHERE name IN ('fsync', 'full_page_writes', 'track_counts') AND setting = 'off') AS dangerous
      FROM pg_show_all_settings()
), wal AS (
    SELECT count(*) AS segments FROM pg_ls_waldir()
)
SELECT s.*, d.*, slots.*, senders.*, settings.*, wal.*,
       (SELECT max(now() - prepared) FROM pg_prepared_xact()) AS prepared,
       pg_stat_get_db_deadlocks(o.oid), pg_stat_get_db_xact_commit(o.oid), pg_stat_get_db_xact_rollback(o.oid),
       pg_stat_get_db_temp_bytes(o.oid), pg_stat_get_db_blocks_fetched(o.oid), pg_stat_get_db_blocks_hit(o.oid),
       pg_stat_get_db_conflict_all(o.oid), pg_stat_get_db_checksum_failures(o.oid),
       a.last_archived_time, a.last_failed_time, c.checkpoint_time, c.redo_lsn,
       pg_notification_queue_usage(), pg_postmaster_start_time(), pg_is_in_recovery()
  FROM sessions s, databases d, slots, senders, settings, wal,
       pg_stat_get_archiver() a, pg_control_checkpoint() c,
       (SELECT oid FROM pg_database WHERE datname = current_database()) o
