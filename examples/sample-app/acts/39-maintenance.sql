-- Sunday night, and nobody is up
-- The paper runbook says: VACUUM ANALYZE, then REINDEX, of everything.  Most of that
-- everything is in order.  ops.maintenance_plan() says what is not, and what it costs:
\pset format wrapped
SELECT step, task, object, action, round(extract(epoch FROM expected), 2) AS seconds, reason
  FROM ops.maintenance_plan();

\echo 'Step by step, each a statement of its own that waits for no lock for long:'
CALL ops.run_maintenance(max_duration => '1 min');

\echo 'All of it is on record:'
SELECT s.task, s.status, count(*) AS steps, round(sum(extract(epoch FROM s.ended_at - s.started_at)), 2) AS seconds,
       string_agg(s.object, ', ' ORDER BY s.step_no) AS objects
  FROM ops.maintenance_step AS s
 WHERE s.run_id = (SELECT max(run_id) FROM ops.maintenance_run)
 GROUP BY s.task, s.status
 ORDER BY min(s.step_no);

\echo 'What there is to do now.  What is reported is for people to decide:'
SELECT task, object, action, command
  FROM ops.maintenance_plan();

\echo 'Somebody forgot a transaction, which keeps dead rows from VACUUM in all of this database.'
\echo 'In another one nobody did, and an import that was taken back is there to be cleared up:'
CREATE DATABASE archive;
\connect archive
SET client_min_messages = notice;
CREATE EXTENSION operations_runbook;
CREATE TABLE import (id bigint, tenant int, body text) WITH (autovacuum_enabled = off);
INSERT INTO import SELECT i, i % 100, repeat(md5(i::text), 6) FROM generate_series(1, 200000) AS i;
CREATE INDEX import_body ON import (tenant, body);
CREATE TABLE staging (id int, body text) WITH (autovacuum_enabled = off);
INSERT INTO staging SELECT i, repeat('y', 400) FROM generate_series(1, 50000) AS i;
ANALYZE import, staging;
DELETE FROM import WHERE id % 5 <> 0;
DELETE FROM staging WHERE id > 1000;
SELECT pg_stat_force_next_flush() \gset
CALL ops.run_maintenance();

SELECT step_no, task, object, status, pg_size_pretty(bytes_before) AS before, pg_size_pretty(bytes_after) AS after,
       round(extract(epoch FROM ended_at - started_at), 2) AS seconds
  FROM ops.maintenance_step
 WHERE status <> 'reported'
 ORDER BY step_no;

\echo 'A second run finds nothing to do, although somebody forgot a transaction in another database:'
CALL ops.run_maintenance();
