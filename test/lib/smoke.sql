-- Calls everything once or twice; for the slow tools.
CREATE EXTENSION operations_runbook;
CREATE TABLE a (i int PRIMARY KEY, j int REFERENCES a);
CREATE TABLE b (i bigserial, j int4 DEFAULT nextval('b_i_seq'));
INSERT INTO a SELECT i, i FROM generate_series(1, 100) i;
SELECT ops.health() ? 'status';
SELECT ops.health('default', 'deep') ? 'status';
SELECT count(*) > 0 FROM ops.checks('deep');
SELECT count(*) > 0 FROM ops.checks('deep', NULL, '1 microsecond');
SELECT count(*) > 0 FROM ops.check_list(), ops.runbook(check_name);
INSERT INTO ops.threshold (check_name, warning, severity) VALUES ('connections', 1, 'P3');
SELECT ops.health("only" => '{connections,sequences,fk_no_index}') ? 'status';
DO $$BEGIN PERFORM ops.health("only" => '{nonesuch}'); EXCEPTION WHEN OTHERS THEN END$$;
BEGIN READ ONLY;
SELECT ops.health() ? 'status';
COMMIT;
