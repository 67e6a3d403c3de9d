-- what health says, written down
SELECT ops.record_health() IN ('ok', 'unknown', 'warn', 'fail') AS status;
SELECT ops.record_health('deep') IN ('ok', 'unknown', 'warn', 'fail') AS status;
SELECT ops.record_health(NULL) IN ('ok', 'unknown', 'warn', 'fail') AS status;
SELECT document ->> 'depth' AS depth, status = document ->> 'status' AS same_status,
       latency_ms = (document ->> 'latency_ms')::float8 AS same_latency,
       recorded_at - (document ->> 'timestamp')::timestamptz BETWEEN '0' AND '1 minute' AS then,
       (SELECT count(*) FROM jsonb_object_keys(document -> 'checks')) =
       (SELECT count(*) FROM ops.check_list() l WHERE l.depth = 'fast' OR document ->> 'depth' = 'deep') AS skips_nothing
  FROM ops.health_history ORDER BY recorded_at;
SELECT ops.record_health('shallow');
SELECT count(*) FROM ops.health_history;

-- a document that fails is recorded like another
INSERT INTO ops.threshold (check_name, warning, critical, gates) VALUES ('restarts', 1000000000, 1000000000, true);
SELECT ops.record_health();
SELECT status, document #>> '{checks,restarts,status}' AS restarts
  FROM ops.health_history ORDER BY recorded_at DESC LIMIT 1;
DELETE FROM ops.threshold;

-- what row security says, and what changed: first nothing to compare with
CREATE ROLE regress_ops_app;
CREATE TABLE audited (tenant_id int, x int);
ALTER TABLE audited ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON audited TO regress_ops_app USING (true);
CREATE TABLE bare (tenant_id int);
CREATE VIEW audit AS
SELECT p0, p1, p2, p3, waived, appeared, gone, previous_at IS NULL AS first
  FROM ops.record_audit();
SELECT appeared, gone, first, p0 FROM audit;
SELECT p0 = (SELECT count(*) FROM ops.rls_audit() WHERE severity = 'P0') AS p0,
       p1 = (SELECT count(*) FROM ops.rls_audit() WHERE severity = 'P1') AS p1,
       p2 = (SELECT count(*) FROM ops.rls_audit() WHERE severity = 'P2') AS p2,
       p3 = (SELECT count(*) FROM ops.rls_audit() WHERE severity = 'P3') AS p3,
       jsonb_array_length(findings) = (SELECT count(*) FROM ops.rls_audit()) AS findings
  FROM ops.audit_history;

-- nothing new
SELECT appeared, gone, first FROM audit;

-- two more ways in, for one of which there was no table before
GRANT SELECT ON audited, bare TO regress_ops_app;
SELECT p0, unnest(appeared) AS appeared, gone FROM audit;

-- one is waived, one is mended: both count as gone
INSERT INTO ops.rls_waiver
SELECT finding_id, 'for the test', now() + interval '1 hour' FROM ops.rls_audit() WHERE code = 'policy_always_true';
REVOKE SELECT ON bare FROM regress_ops_app;
SELECT p0, waived, appeared, unnest(gone) AS gone FROM audit;

-- a waiver that is over brings its finding back
UPDATE ops.rls_waiver SET until = now() - interval '1 second';
SELECT p0, waived, appeared, gone FROM audit;
DELETE FROM ops.rls_waiver;

-- one more role by the same policy makes another finding of it
CREATE ROLE regress_ops_app_2 IN ROLE regress_ops_app;
SELECT unnest(appeared) AS appeared, gone FROM audit;
DROP ROLE regress_ops_app_2;
SELECT unnest(appeared) AS appeared, gone FROM audit;
SELECT count(*), count(previous_at), count(appeared), bool_and(recorded_at > previous_at) AS in_order
  FROM ops.audit_history;

-- old rows go, the last of each stays however old it is
UPDATE ops.health_history SET recorded_at = recorded_at - interval '91 days';
UPDATE ops.audit_history SET recorded_at = recorded_at - interval '89 days';
SELECT * FROM ops.prune_history();
SELECT count(*), max(status) AS status FROM ops.health_history;
SELECT * FROM ops.prune_history('1 month');
SELECT count(*), bool_and('P0 policy_always_true public.audited regress_ops_app SELECT' = ANY (appeared)) AS last
  FROM ops.audit_history;

-- the log of retention: not what runs, is half detached, or is the last of its policy
INSERT INTO ops.cleanup_run (policy_name, relation, relid, started_by, pid, started_at, ended_at, status, detaching)
SELECT v.policy_name, 't', 1, 'regress', 1, now() - v.age, CASE WHEN v.status <> 'running' THEN now() - v.age END, v.status, v.detaching
  FROM (VALUES (1, 'a', interval '100 days', 'done', false),
               (2, 'a', '99 days', 'failed', false),
               (3, 'a', '98 days', 'done', false),
               (4, 'a', '97 days', 'interrupted', true),
               (5, 'a', '96 days', 'running', false),
               (6, 'a', '95 days', 'stopped', false),
               (7, 'b', '100 days', 'done', true),
               (8, 'b', '1 day', 'done', false),
               (9, NULL, '100 days', 'done', false),
               (10, NULL, '1 day', 'done', false)) AS v (n, policy_name, age, status, detaching)
 ORDER BY v.n;
INSERT INTO ops.cleanup_batch (run_id, batch_no, first_block, last_block, pages, deleted, ms, ended_at)
SELECT r.run_id, 1, 0, 0, 1, 1, 1, r.started_at FROM ops.cleanup_run r;
SELECT * FROM ops.prune_history() WHERE relation LIKE '%cleanup%';
SELECT policy_name, status, round(extract(epoch FROM now() - started_at) / 86400) AS days, detaching,
       EXISTS (SELECT FROM ops.cleanup_batch b WHERE b.run_id = r.run_id) AS batches
  FROM ops.cleanup_run r ORDER BY run_id;
SELECT count(*) FROM ops.cleanup_batch;

-- the log of maintenance: not what runs, or is the last of its window
INSERT INTO ops.maintenance_run (window_name, occurrence, tasks, started_by, pid, started_at, stop_at, ended_at, status)
SELECT v.window_name, now() - v.age, '{vacuum}', 'regress', 1, now() - v.age, now(), CASE WHEN v.status <> 'running' THEN now() - v.age END, v.status
  FROM (VALUES (1, 'a', interval '120 days', 'done'),
               (2, 'a', '110 days', 'done'),
               (3, 'a', '100 days', 'failed'),
               (4, 'a', '99 days', 'running'),
               (5, 'a', '98 days', 'stopped'),
               (6, NULL, '100 days', 'done'),
               (7, NULL, '1 day', 'done')) AS v (n, window_name, age, status)
 ORDER BY v.n;
INSERT INTO ops.maintenance_step (run_id, step_no, task, command, reason)
SELECT r.run_id, n, 'vacuum', 'VACUUM t;', 'for the test' FROM ops.maintenance_run r, generate_series(1, 2) AS n;
SELECT * FROM ops.prune_history() WHERE relation LIKE '%maintenance%';
SELECT window_name, status, round(extract(epoch FROM now() - started_at) / 86400) AS days,
       (SELECT count(*) FROM ops.maintenance_step s WHERE s.run_id = r.run_id) AS steps
  FROM ops.maintenance_run r ORDER BY run_id;
SELECT count(*) FROM ops.maintenance_step;
TRUNCATE ops.maintenance_run, ops.maintenance_step;

-- a policy of the user's decides instead
SELECT policy_name, made FROM ops.add_runbook_retention() WHERE policy_name LIKE '%ops.cleanup%' ORDER BY 1;
SELECT * FROM ops.prune_history('1 hour') WHERE relation LIKE '%cleanup%';
SELECT ops.drop_retention(policy_name) FROM ops.retention_policy ORDER BY policy_name COLLATE "C";
SELECT * FROM ops.prune_history('1 hour') WHERE relation LIKE '%cleanup%';
TRUNCATE ops.cleanup_run, ops.cleanup_batch;

-- intervals that keep nothing
SELECT ops.prune_history('0');
SELECT ops.prune_history('-1 day');
SELECT ops.prune_history('1 day -24 hours');
SELECT ops.prune_history(NULL);
SELECT ops.prune_history('300000 years');

-- not in a read-only transaction
\set ON_ERROR_ROLLBACK on
BEGIN READ ONLY;
SELECT ops.record_health();
SELECT ops.record_audit();
SELECT ops.prune_history();
ROLLBACK;
\set ON_ERROR_ROLLBACK off

-- who may: nobody by himself, pg_monitor reads
CREATE ROLE regress_ops_job;
CREATE ROLE regress_ops_look IN ROLE pg_monitor;
GRANT USAGE ON SCHEMA ops TO regress_ops_job, regress_ops_look;
SET ROLE regress_ops_look;
SELECT ops.record_health();
SELECT ops.record_audit();
SELECT ops.prune_history();
SELECT count(*) FROM ops.health_history;
SELECT count(*) FROM ops.audit_history;
DELETE FROM ops.health_history;
RESET ROLE;
GRANT EXECUTE ON FUNCTION ops.record_health(text), ops.record_audit(), ops.prune_history(interval) TO regress_ops_job;
SET ROLE regress_ops_job;
SELECT ops.record_health() IN ('ok', 'unknown', 'warn', 'fail') AS status;
SELECT count(*) FROM ops.health_history;
SELECT ops.health();
SELECT ops.record_audit();
SELECT relation, note FROM ops.prune_history();
RESET ROLE;
-- and what was recorded is what that role may see
SELECT document #>> '{checks,long_tx,reason}' AS long_tx FROM ops.health_history ORDER BY recorded_at DESC LIMIT 1;
GRANT EXECUTE ON FUNCTION ops.rls_audit(regrole[], text[], text[], text[], boolean) TO regress_ops_job;
SET ROLE regress_ops_job;
SELECT count(*) FROM ops.record_audit();
RESET ROLE;

REVOKE ALL ON FUNCTION ops.record_health(text), ops.record_audit(), ops.prune_history(interval),
    ops.rls_audit(regrole[], text[], text[], text[], boolean) FROM regress_ops_job;
REVOKE USAGE ON SCHEMA ops FROM regress_ops_job, regress_ops_look;
DROP VIEW audit;
DROP TABLE audited, bare;
DROP ROLE regress_ops_app, regress_ops_job, regress_ops_look;
TRUNCATE ops.health_history, ops.audit_history;
