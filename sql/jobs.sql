-- what works without pg_cron: refusals, and a dry run that shows the jobs
CREATE ROLE regress_ops_nobody;

-- arguments
SELECT * FROM ops.schedule_maintenance('{lunch}', dry_run => true);
SELECT * FROM ops.schedule_maintenance(dry_run => true, time_zone => 'UTC+2');
SELECT * FROM ops.schedule_maintenance(dry_run => true, weekly_window => 'mondays');
SET timezone = '<+03>-03';
SELECT * FROM ops.schedule_maintenance('{maintenance}', dry_run => true);
SET timezone = 'Europe/Prague';

-- nothing at all can be asked for
SELECT count(*) FROM ops.schedule_maintenance('{}', dry_run => true);
SELECT count(*) FROM ops.schedule_maintenance('{retention, maintenance, audit}', NULL, NULL, NULL, NULL, true);

-- the jobs, in the session's zone; times are in GMT
SELECT replace(job_name, current_database(), 'DB') AS job_name, action, schedule, database = current_database() AS here, window_name
  FROM ops.schedule_maintenance(dry_run => true);
SELECT window_name, note FROM ops.schedule_maintenance('{retention, maintenance, audit}', dry_run => true);
SELECT command FROM ops.schedule_maintenance(dry_run => true);
SELECT count(*) FROM ops.maintenance_window;

-- windows of all kinds: only hours and weekdays are used, an hour spared on both sides
INSERT INTO ops.maintenance_window (window_name, frequency, weekday, nth, starts_at, duration, time_zone, enabled) VALUES
    ('Weekend''s "end" \', 'weekly', 'sunday', NULL, '22:30', '3 hours', 'America/Sao_Paulo', true),
    ('half hours', 'weekly', 'monday', NULL, '00:15', '30 min', 'Australia/Lord_Howe', true),
    ('last friday', 'quarterly', 'friday', -1, '12:00', '1 hour', 'UTC', true),
    ('off', 'monthly', 'tuesday', 2, '12:00', '1 hour', 'UTC', false),
    ('always', 'daily', NULL, NULL, '12:00', '24 hours', 'UTC', true),
    ('a week', 'weekly', 'sunday', NULL, '12:00', '7 days', 'UTC', true),
    ('two minutes', 'daily', NULL, NULL, '23:59', '2 min', 'Asia/Kathmandu', true);
SELECT w.window_name, s.schedule, s.note
  FROM ops.maintenance_window w, ops.schedule_maintenance('{maintenance}', dry_run => true, weekly_window => w.window_name) s
 ORDER BY w.window_name COLLATE "C";
SELECT command FROM ops.schedule_maintenance('{maintenance}', dry_run => true, weekly_window => 'Weekend''s "end" \');
DELETE FROM ops.maintenance_window;

-- to do it takes pg_cron, and a role that may log in
GRANT USAGE ON SCHEMA ops TO regress_ops_nobody;
SET ROLE regress_ops_nobody;
SELECT * FROM ops.schedule_maintenance();
SELECT * FROM ops.unschedule_maintenance();
SELECT * FROM ops.jobs();
RESET ROLE;
GRANT EXECUTE ON FUNCTION ops.schedule_maintenance(text[], text, text, text, text, boolean) TO regress_ops_nobody;
SET ROLE regress_ops_nobody;
SELECT * FROM ops.schedule_maintenance();
SELECT job_name = 'ops_health@' || current_database() AS named, note FROM ops.schedule_maintenance('{health}', dry_run => true);
RESET ROLE;
BEGIN READ ONLY;
SELECT * FROM ops.schedule_maintenance();
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM ops.unschedule_maintenance();
ROLLBACK;

REVOKE ALL ON FUNCTION ops.schedule_maintenance(text[], text, text, text, text, boolean) FROM regress_ops_nobody;
REVOKE USAGE ON SCHEMA ops FROM regress_ops_nobody;
DROP ROLE regress_ops_nobody;
RESET timezone;
