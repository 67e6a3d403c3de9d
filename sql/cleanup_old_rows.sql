-- ops.cleanup_old_rows() and ops.run_cleanup(): what is old goes, the rest stays.
\set VERBOSITY default
CREATE SCHEMA attic;
SET search_path = attic, public;
CREATE TABLE attic.letters (id int PRIMARY KEY, sent timestamptz, read boolean NOT NULL, body text);
INSERT INTO attic.letters
SELECT i, now() - interval '1 day' * (i % 200) - interval '1 hour', i % 3 = 0, 'Dear ' || i
FROM generate_series(1, 6000) AS i;
CREATE INDEX letters_sent ON attic.letters (sent);
ANALYZE attic.letters;

-- What does not go together.
SELECT * FROM ops.cleanup_old_rows('attic.letters');
SELECT * FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days', policy_name => 'x');
SELECT * FROM ops.cleanup_old_rows(keep => '90 days');
SELECT * FROM ops.cleanup_old_rows(policy_name => 'nowhere');
SELECT * FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days', max_rows => 0);
SELECT * FROM ops.cleanup_old_rows('attic.letters', 'nowhere', '90 days');
SELECT * FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days', overrides => '{everything}');
CALL ops.run_cleanup(duty => 0);
CALL ops.run_cleanup(on_pressure => 'panic');
CALL ops.run_cleanup(max_duration => '-1 s');
CALL ops.run_cleanup('nowhere');
CALL ops.run_cleanup(maintenance_window => 'nowhere');

-- A guard stands before too much of a good thing, and names itself.
SELECT * FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days');
SELECT count(*) FROM attic.letters;

-- Some of it, then the rest, by condition.
SELECT relation, deleted, skipped, finished, stopped
FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days', condition => 'read', max_rows => 100);
SELECT relation, deleted, skipped, finished, stopped
FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days', condition => 'read');
SELECT relation, deleted, skipped, finished, stopped
FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days', condition => 'read');
SELECT count(*), count(*) FILTER (WHERE sent < now() - interval '90 days') AS old,
       count(*) FILTER (WHERE sent < now() - interval '90 days' AND read) AS old_and_read
FROM attic.letters;

-- It is the caller's transaction.
BEGIN;
SELECT deleted FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days', overrides => '{share}');
SELECT count(*) FROM attic.letters;
ROLLBACK;
SELECT count(*) FROM attic.letters;
BEGIN;
CALL ops.run_cleanup();
ROLLBACK;
BEGIN READ ONLY;
SELECT deleted FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days');
ROLLBACK;

-- A policy: held rows stay, the others move to the archive, once.
CREATE TABLE attic.holds (letter int PRIMARY KEY);
INSERT INTO attic.holds SELECT i FROM generate_series(1, 6000, 7) AS i;
CREATE TABLE attic.kept (LIKE attic.letters, kept_at timestamptz NOT NULL DEFAULT now());
SELECT ops.add_retention('attic.letters', 'sent', '90 days', policy_name => 'letters',
                         hold => 'EXISTS (SELECT FROM attic.holds AS h WHERE h.letter = letters.id)',
                         archive => 'attic.kept', overrides => '{share}');
-- In a window that is closed nothing happens.
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
VALUES ('closed', 'daily', localtime + interval '3 hours', '1 hour', current_setting('TimeZone')),
       ('open', 'daily', localtime - interval '1 hour', '3 hours', current_setting('TimeZone'));
CALL ops.run_cleanup('letters', maintenance_window => 'closed', progress => NULL) \gset
SELECT :deleted AS deleted, :'finished' AS finished, :'stopped' AS stopped;
CALL ops.run_cleanup('letters', maintenance_window => 'open', max_rows => 1, progress => NULL) \gset
SELECT :deleted AS deleted, :'finished' AS finished, :'stopped' AS stopped;
DELETE FROM ops.maintenance_window;
DELETE FROM attic.kept;
CREATE TABLE attic.before AS SELECT * FROM attic.letters;
CALL ops.run_cleanup('letters', progress => NULL) \gset
SELECT :deleted AS deleted, :skipped AS skipped, :'finished' AS finished;
SELECT count(*) AS moved, count(DISTINCT id) AS letters FROM attic.kept;
SELECT count(*) AS wrong
FROM (SELECT * FROM attic.before
      EXCEPT ALL (SELECT * FROM attic.letters UNION ALL SELECT id, sent, read, body FROM attic.kept)) AS lost;
SELECT count(*) AS left_old, count(h.letter) AS held
FROM attic.letters AS l LEFT JOIN attic.holds AS h ON h.letter = l.id
WHERE l.sent < now() - interval '90 days';

-- What runs say of themselves.
SELECT policy_name, relation, status, stopped, deleted, batches > 0 AS in_batches,
       deleted = (SELECT sum(b.deleted) FROM ops.cleanup_batch AS b WHERE b.run_id = r.run_id) AS adds_up
FROM ops.cleanup_run AS r
ORDER BY run_id;
SELECT count(*) AS running FROM ops.cleanup_progress;
SELECT ops.cancel_cleanup(-1);

-- A row that a constraint keeps does not keep the others, nor does a trigger; other errors end the run.
CREATE TABLE attic.bills (id int PRIMARY KEY, day date);
CREATE TABLE attic.lines (id int PRIMARY KEY, bill int REFERENCES attic.bills);
CREATE INDEX ON attic.lines (bill);
INSERT INTO attic.bills SELECT i, current_date - i FROM generate_series(1, 100) AS i;
INSERT INTO attic.lines VALUES (1, 95);
SELECT ops.add_retention('attic.bills', 'day', '60 days', policy_name => 'bills');
CALL ops.run_cleanup('bills', progress => NULL) \gset
UPDATE attic.lines SET bill = 1;
CALL ops.run_cleanup('bills', progress => NULL) \gset
SELECT :deleted AS deleted;
SELECT min(day) = current_date - 60 AS to_the_day FROM attic.bills;
CREATE FUNCTION attic.never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id = 55 THEN RAISE 'not that one'; END IF; PERFORM 1 / (OLD.id - 53); RETURN OLD; END $$;
CREATE TRIGGER never BEFORE DELETE ON attic.bills FOR EACH ROW EXECUTE FUNCTION attic.never();
SELECT ops.alter_retention('bills', keep => '54 days');
CALL ops.run_cleanup('bills', progress => NULL) \gset
SELECT ops.alter_retention('bills', keep => '50 days');
CALL ops.run_cleanup('bills', progress => NULL) \gset
SELECT status, stopped, deleted, skipped, error FROM ops.cleanup_run WHERE policy_name = 'bills' ORDER BY run_id;

-- Rows that refer to others of the same table, which lie before them.
CREATE TABLE attic.tree (id int PRIMARY KEY, up int REFERENCES attic.tree, at timestamptz, filler text);
INSERT INTO attic.tree SELECT i, CASE WHEN i > 1 THEN i - 1 END, now() - interval '1 year', repeat('x', 200) FROM generate_series(1, 1000) AS i;
CREATE INDEX ON attic.tree (up);
SELECT deleted, skipped, finished, stopped, note FROM ops.cleanup_old_rows('attic.tree', 'at', '90 days', overrides => '{share}');

-- Triggers hold: one that keeps its row keeps it, deferred ones do not wait for us.
CREATE TABLE attic.pets (id int PRIMARY KEY, born timestamp, parent int REFERENCES attic.pets DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX ON attic.pets (parent);
INSERT INTO attic.pets SELECT i, now() - interval '1 year', CASE WHEN i > 1 THEN i - 1 END FROM generate_series(1, 50) AS i;
INSERT INTO attic.pets SELECT i, now() FROM generate_series(51, 200) AS i;
CREATE FUNCTION attic.stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER stay BEFORE DELETE ON attic.pets FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION attic.stay();
SELECT deleted, finished, stopped FROM ops.cleanup_old_rows('attic.pets', 'born', '90 days');
SELECT id FROM attic.pets WHERE born < now() - interval '90 days';

-- A trigger that asks for another run gets none.
CREATE FUNCTION attic.more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'stopped: %', (SELECT stopped FROM ops.cleanup_old_rows('attic.pets', 'born', '90 days'));
    RETURN NULL;
END $$;
CREATE TABLE attic.nested (id int, born date);
INSERT INTO attic.nested SELECT i, current_date - CASE WHEN i = 1 THEN 365 ELSE 1 END FROM generate_series(1, 3) AS i;
CREATE TRIGGER more AFTER DELETE ON attic.nested FOR EACH STATEMENT EXECUTE FUNCTION attic.more();
SELECT deleted, finished FROM ops.cleanup_old_rows('attic.nested', 'born', '90 days');

-- Names that need quotes, and expressions that try to be more.
CREATE TABLE attic."we""ird.Table" ("Ti me" timestamptz, "select" int);
INSERT INTO attic."we""ird.Table" SELECT now() - interval '1 day' * i, i FROM generate_series(1, 30) AS i;
SELECT relation, deleted FROM ops.cleanup_old_rows('attic."we""ird.Table"', 'Ti me', '20 days', condition => '"select" % 2 = 0');
SELECT * FROM ops.cleanup_old_rows('attic."we""ird.Table"', 'Ti me', '20 days', condition => 'true) OR (true');
SELECT * FROM ops.cleanup_old_rows('attic."we""ird.Table"', 'Ti me', '20 days', condition => 'true; DROP TABLE attic.letters');
SELECT count(*) FROM attic."we""ird.Table";

-- Nobody runs it who was not let, and nobody more than he could by himself.
CREATE ROLE regress_ops_cleaner;
GRANT USAGE ON SCHEMA ops, attic TO regress_ops_cleaner;
SET ROLE regress_ops_cleaner;
SELECT * FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days');
CALL ops.run_cleanup();
RESET ROLE;
GRANT EXECUTE ON FUNCTION ops.cleanup_old_rows TO regress_ops_cleaner;
GRANT EXECUTE ON PROCEDURE ops.run_cleanup TO regress_ops_cleaner;
GRANT EXECUTE ON FUNCTION ops.cancel_cleanup TO regress_ops_cleaner;
SET ROLE regress_ops_cleaner;
SELECT * FROM ops.cleanup_old_rows('attic.letters', 'sent', '90 days');
CALL ops.run_cleanup('letters');
CALL ops.run_cleanup(progress => NULL) \gset
SELECT :deleted AS deleted;
RESET ROLE;
REVOKE ALL ON FUNCTION ops.cleanup_old_rows, ops.cancel_cleanup FROM regress_ops_cleaner;
REVOKE ALL ON PROCEDURE ops.run_cleanup FROM regress_ops_cleaner;
REVOKE ALL ON SCHEMA ops, attic FROM regress_ops_cleaner;
DROP ROLE regress_ops_cleaner;

-- A cascade reaches a table of somebody else, whose triggers would run with our rights.
CREATE ROLE regress_ops_mallory;
GRANT CREATE, USAGE ON SCHEMA attic TO regress_ops_mallory;
CREATE TABLE attic.orders (id int PRIMARY KEY, at timestamptz);
INSERT INTO attic.orders SELECT i, now() - interval '1 day' * i FROM generate_series(1, 100) AS i;
GRANT REFERENCES ON attic.orders TO regress_ops_mallory;
SET ROLE regress_ops_mallory;
CREATE TABLE attic.mine (o int REFERENCES attic.orders ON DELETE CASCADE);
INSERT INTO attic.mine VALUES (99);
CREATE FUNCTION attic.rise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE regress_ops_mallory SUPERUSER; RETURN NULL; END $$;
CREATE TRIGGER rise AFTER DELETE ON attic.mine FOR EACH ROW EXECUTE FUNCTION attic.rise();
RESET ROLE;
SELECT * FROM ops.cleanup_old_rows('attic.orders', 'at', '90 days');
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_ops_mallory';

-- In a transaction block deferred constraints stay as the caller has them.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
SELECT deleted, stopped FROM ops.cleanup_old_rows('attic.pets', 'born', '90 days');
ROLLBACK;

SET client_min_messages = warning;
DROP OWNED BY regress_ops_mallory CASCADE;
DROP ROLE regress_ops_mallory;
DELETE FROM ops.retention_policy;
TRUNCATE ops.cleanup_run, ops.cleanup_batch;
SET client_min_messages = warning;
DROP SCHEMA attic CASCADE;
