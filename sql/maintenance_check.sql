-- the check maintenance: a window that closed two hours ago, every day
SET timezone = 'UTC';
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
SELECT 'daily', 'daily', (now() AT TIME ZONE 'UTC' - interval '3 hours')::time, '1 hour', 'UTC';
CREATE VIEW past AS
SELECT row_number() OVER (ORDER BY starts DESC) AS ago, starts, ends
  FROM ops.next_window('daily', now() - interval '10 days', 12) WHERE ends <= now();
CREATE FUNCTION happened(ago int, status text, error text DEFAULT NULL, tasks text[] DEFAULT '{vacuum}') RETURNS void
BEGIN ATOMIC
    INSERT INTO ops.maintenance_run (window_name, occurrence, tasks, started_by, pid, started_at, stop_at, ended_at, status, error)
    SELECT 'daily', p.starts, happened.tasks, current_user, 1, p.starts, p.ends,
           CASE WHEN happened.status <> 'running' THEN p.ends END, happened.status, happened.error
      FROM past p WHERE p.ago = happened.ago;
END;
CREATE VIEW said AS
SELECT k.status, k.value, k.message, k.details ->> 'reason' AS reason, c ->> 'name' AS name, c ->> 'note' AS note
  FROM ops.checks("only" => '{maintenance}') AS k LEFT JOIN jsonb_array_elements(k.details -> 'culprits') AS c ON true;

-- no run ever
SELECT * FROM said;

-- changes of the rule are noted, others are not
SELECT changed_at AS made_at FROM ops.maintenance_window \gset
UPDATE ops.maintenance_window SET comment = 'for the test', notice = '1 hour';
SELECT changed_at = :'made_at' AS same FROM ops.maintenance_window;
UPDATE ops.maintenance_window SET starts_at = starts_at;
SELECT changed_at > :'made_at' AS later FROM ops.maintenance_window;
CREATE TABLE other (LIKE ops.maintenance_window);
CREATE TRIGGER t BEFORE UPDATE ON other FOR EACH ROW EXECUTE FUNCTION ops.window_changed();
INSERT INTO other SELECT * FROM ops.maintenance_window;
UPDATE other SET enabled = false;
DROP TABLE other;

-- what was before the change was not missed
SELECT happened(3, 'done');
SELECT * FROM said;

-- the same with a rule that is old
UPDATE ops.maintenance_window SET changed_at = now() - interval '30 days';
SELECT * FROM said;
SELECT happened(2, 'done');
SELECT * FROM said;
SELECT happened(1, 'done');
SELECT * FROM said;

-- runs that did not finish
TRUNCATE ops.maintenance_run;
SELECT happened(1, 'failed', 'no workers');
SELECT * FROM said;
SELECT happened(2, 'interrupted');
SELECT * FROM said;
SELECT happened(3, 'failed', 'older');
SELECT value, note FROM said;

-- tried again in the same occurrence, and then it did
SELECT happened(1, 'done');
SELECT * FROM said;

-- but not if it was for other tasks
SELECT happened(1, 'failed', 'no workers', '{reindex}');
SELECT * FROM said;

-- unfinished and then missed
TRUNCATE ops.maintenance_run;
SELECT happened(3, 'done'), happened(2, 'stopped');
SELECT * FROM said;

-- a run that says it runs and is not there; one that somebody cancelled
TRUNCATE ops.maintenance_run;
SELECT happened(1, 'running');
SELECT * FROM said;
TRUNCATE ops.maintenance_run;
SELECT happened(2, 'failed', 'older'), happened(1, 'cancelled');
SELECT * FROM said;

-- two windows: the worst counts, both are named
TRUNCATE ops.maintenance_run;
SELECT happened(1, 'failed', 'no workers');
INSERT INTO ops.maintenance_window SELECT 'another', frequency, weekday, nth, starts_at, duration, time_zone, notice, enabled, comment, changed_at
  FROM ops.maintenance_window;
INSERT INTO ops.maintenance_run (window_name, occurrence, tasks, started_by, pid, started_at, stop_at, ended_at, status)
SELECT 'another', p.starts, '{vacuum}', current_user, 1, p.starts, p.ends, p.ends, 'done' FROM past p WHERE p.ago = 4;
SELECT * FROM said ORDER BY name COLLATE "C";

-- one that is open just now has not been missed
DELETE FROM ops.maintenance_window WHERE window_name = 'another';
UPDATE ops.maintenance_window SET duration = '4 hours';
UPDATE ops.maintenance_window SET changed_at = now() - interval '30 days';
TRUNCATE ops.maintenance_run;
SELECT happened(1, 'done');
SELECT window_name FROM ops.window_occurrence();
SELECT * FROM said;

-- a real run in it mends what was before
TRUNCATE ops.maintenance_run;
SELECT happened(1, 'failed', 'no workers');
SELECT status, value FROM said;
CALL ops.run_maintenance('daily', tasks => '{report}') \g /dev/null
SELECT status, value, message FROM ops.checks("only" => '{maintenance}');

-- switched off
UPDATE ops.maintenance_window SET enabled = false;
SELECT * FROM said;

DROP VIEW said;
DROP FUNCTION happened(int, text, text, text[]);
DROP VIEW past;
DELETE FROM ops.maintenance_window;
TRUNCATE ops.maintenance_run, ops.maintenance_step;
