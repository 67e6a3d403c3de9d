-- refused by constraints
INSERT INTO ops.threshold (check_name) VALUES ('nonesuch');
INSERT INTO ops.threshold (check_name, warning, critical) VALUES ('connections', 90, 80);
INSERT INTO ops.threshold (check_name, critical) VALUES ('connections', 10);
INSERT INTO ops.threshold (check_name, warning) VALUES ('connections', 'NaN');
INSERT INTO ops.threshold (check_name, severity) VALUES ('connections', 'P9');
INSERT INTO ops.threshold (check_name, enabled) VALUES ('connections', NULL);
INSERT INTO ops.threshold (check_name, warning, critical) VALUES ('restarts', 10, 20);

-- limits
SELECT status, warning, critical, severity, gates FROM ops.checks("only" => '{connections}');
INSERT INTO ops.threshold (check_name, warning, critical) VALUES ('connections', 0.0001, 100);
SELECT status, warning, critical, severity, gates FROM ops.checks("only" => '{connections}');
UPDATE ops.threshold SET critical = 0.0001 WHERE check_name = 'connections';
SELECT status FROM ops.checks("only" => '{connections}');

-- severity, and what makes the whole document fail
SELECT ops.health("only" => '{connections}') ->> 'status' AS document;
UPDATE ops.threshold SET gates = true, severity = 'P3' WHERE check_name = 'connections';
SELECT severity, gates FROM ops.checks("only" => '{connections}');
SELECT ops.health("only" => '{connections}') ->> 'status' AS document;
UPDATE ops.threshold SET warning = 'Infinity', critical = 'Infinity' WHERE check_name = 'connections';
SELECT status FROM ops.checks("only" => '{connections}');

-- off: not in the answer, unless asked for by name
UPDATE ops.threshold SET enabled = false WHERE check_name = 'connections';
SELECT count(*) FROM ops.checks() WHERE check_name = 'connections';
SELECT status, message, details FROM ops.checks("only" => '{connections}');

-- only what is committed, or one's own
BEGIN;
DELETE FROM ops.threshold;
SELECT status FROM ops.checks("only" => '{connections}');
ROLLBACK;
SELECT details ->> 'reason' AS reason FROM ops.checks("only" => '{connections}');

DELETE FROM ops.threshold;
SELECT status FROM ops.checks("only" => '{connections}');
