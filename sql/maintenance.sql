-- maintenance: what there is to do, and the doing
SET client_min_messages = warning;
SELECT ops.maintenance_tasks();
SELECT ops.demand_tasks(NULL) AS usual, ops.demand_tasks('{report,vacuum}') AS in_order;
SELECT ops.demand_tasks('{vacuum,dust}');

-- rules: the closest one that says something counts, exclusions add up
CREATE SCHEMA upkeep;
INSERT INTO ops.maintenance_rule (schema_name, relation_name, dead_rows, dead_share, changed_rows, exclude, comment) VALUES
    (NULL, NULL, 1000000000, NULL, 1000000000, '{}', 'all'),
    ('upkeep', NULL, 200, 0.5, NULL, '{learn}', 'a schema'),
    ('upkeep', 't', 100, 0.1, 50, '{}', 'a table'),
    ('upkeep', 't_i', NULL, NULL, NULL, '{reindex}', 'an index');
SELECT * FROM ops.maintenance_limits('public', 't');
SELECT * FROM ops.maintenance_limits('upkeep', 'u');
SELECT * FROM ops.maintenance_limits('upkeep', 't');
SELECT * FROM ops.maintenance_limits('upkeep', 't_i', 't');
SELECT * FROM ops.maintenance_limits('upkeep', 't_j', 't');
INSERT INTO ops.maintenance_rule (schema_name, relation_name) VALUES ('upkeep', NULL);
INSERT INTO ops.maintenance_rule (relation_name) VALUES ('t');
INSERT INTO ops.maintenance_rule (schema_name, exclude) VALUES ('x', '{dust}');
INSERT INTO ops.maintenance_rule (schema_name, dead_share) VALUES ('x', -1);
INSERT INTO ops.maintenance_rule (schema_name, freeze_share) VALUES ('x', 'NaN');

-- a plan, and what was done of it
CREATE TABLE upkeep.t (id int, filler text) WITH (autovacuum_enabled = off);
CREATE INDEX t_i ON upkeep.t (id);
INSERT INTO upkeep.t SELECT i, 'x' FROM generate_series(1, 1000) AS i;
DELETE FROM upkeep.t WHERE id <= 300;
CREATE TABLE upkeep.u (id int) WITH (autovacuum_enabled = off);
INSERT INTO upkeep.u SELECT generate_series(1, 1000);
DELETE FROM upkeep.u WHERE id <= 300;
CREATE INDEX "t_i_ccnew" ON upkeep.t (filler);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'upkeep.t_i_ccnew'::regclass;
CREATE TABLE upkeep."we""ird; DROP" (id int) WITH (autovacuum_enabled = off);
INSERT INTO ops.maintenance_rule (schema_name, relation_name, dead_rows, exclude) VALUES ('upkeep', 'we"ird; DROP', 0, '{analyze}');
INSERT INTO upkeep."we""ird; DROP" SELECT generate_series(1, 1000);
DELETE FROM upkeep."we""ird; DROP";

SELECT pg_stat_force_next_flush();
SELECT step, task, object, action, fits, reason, command, note
  FROM ops.maintenance_plan(tasks => '{analyze,vacuum,leftovers}');
CALL ops.run_maintenance(tasks => '{analyze,vacuum,leftovers}') \gset
SELECT :done AS done, :skipped AS skipped, :failed AS failed;
SELECT step_no, task, object, status, error, bytes_before > 0 AS had_bytes, ended_at >= started_at AS ended
  FROM ops.maintenance_step WHERE run_id = :run_id ORDER BY step_no;
SELECT started_by = current_user AS by_me, status, stopped, error, ended_at >= started_at AS ended
  FROM ops.maintenance_run WHERE run_id = :run_id;
CALL ops.run_maintenance(tasks => '{analyze,vacuum,leftovers}') \gset again_
SELECT :again_done AS done, :again_skipped AS skipped, :again_failed AS failed;
SELECT pg_stat_get_dead_tuples('upkeep.t'::regclass) AS dead, to_regclass('upkeep.t_i_ccnew') AS left_over;

-- whose it is
CREATE ROLE regress_ops_keeper;
SELECT ops.may_maintain('regress_ops_keeper'::regrole, 'upkeep.t'::regclass);
ALTER TABLE upkeep.t OWNER TO regress_ops_keeper;
SELECT ops.may_maintain('regress_ops_keeper'::regrole, 'upkeep.t'::regclass),
       ops.may_maintain('regress_ops_keeper'::regrole, 0), ops.may_maintain(0, 'upkeep.t'::regclass);
GRANT USAGE ON SCHEMA ops TO regress_ops_keeper;
SET ROLE regress_ops_keeper;
CALL ops.run_maintenance();
SELECT ops.cancel_maintenance();
SELECT count(*) FROM ops.maintenance_plan();
SELECT count(*) FROM ops.maintenance_run;
RESET ROLE;
GRANT pg_monitor TO regress_ops_keeper;
SET ROLE regress_ops_keeper;
SELECT count(*) FROM ops.maintenance_plan(tasks => '{vacuum}');
SELECT count(*) > 0 AS runs FROM ops.maintenance_run;
RESET ROLE;

-- where it does not run
BEGIN;
CALL ops.run_maintenance();
ROLLBACK;
SET default_transaction_read_only = on;
CALL ops.run_maintenance();
RESET default_transaction_read_only;
CALL ops.run_maintenance('no such window');
CALL ops.run_maintenance(max_duration => '0');
CALL ops.run_maintenance(lock_timeout => '2 hours');
CALL ops.run_maintenance(vacuum_cost_delay => -1);
CALL ops.run_maintenance(on_pressure => 'cry');
SELECT ops.relation_bytes('upkeep.t'::regclass) > 0 AS has_bytes, ops.relation_bytes(0) AS none,
       ops.family_bytes('upkeep.t'::regclass) > ops.relation_bytes('upkeep.t'::regclass) AS with_indexes;

DELETE FROM ops.maintenance_rule;
DELETE FROM ops.maintenance_step;
DELETE FROM ops.maintenance_run;
DROP SCHEMA upkeep CASCADE;
REVOKE USAGE ON SCHEMA ops FROM regress_ops_keeper;
DROP ROLE regress_ops_keeper;
