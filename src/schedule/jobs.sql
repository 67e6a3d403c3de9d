/* src/schedule/jobs.sql: jobs of pg_cron, ours and others' */

CREATE FUNCTION ops.schedule_maintenance(
    jobs text[] DEFAULT NULL,
    time_zone text DEFAULT NULL,
    nightly_window text DEFAULT 'nightly',
    weekly_window text DEFAULT 'sunday',
    monthly_window text DEFAULT 'first_sunday',
    dry_run boolean DEFAULT false,
    OUT job_name text,
    OUT action text,
    OUT schedule text,
    OUT command text,
    OUT database text,
    OUT window_name text,
    OUT next_run timestamptz,
    OUT note text
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE
ROWS 6
AS 'MODULE_PATHNAME', 'ops_schedule_maintenance';
REVOKE ALL ON FUNCTION ops.schedule_maintenance(text[], text, text, text, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION ops.schedule_maintenance(text[], text, text, text, text, boolean) IS
'gives our jobs to pg_cron as the caller''s, and makes the windows that they keep to where those are missing; safe to repeat; in another database it is done at once and ROLLBACK does not undo it';

CREATE FUNCTION ops.unschedule_maintenance(
    jobs text[] DEFAULT NULL,
    OUT job_name text,
    OUT action text
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE
ROWS 6
AS 'MODULE_PATHNAME', 'ops_unschedule_maintenance';
REVOKE ALL ON FUNCTION ops.unschedule_maintenance(text[]) FROM PUBLIC;
COMMENT ON FUNCTION ops.unschedule_maintenance(text[]) IS
'takes our jobs for this database back from pg_cron: the caller''s, or those of all roles if a superuser asks';

CREATE FUNCTION ops.jobs(
    everyone boolean DEFAULT false,
    OUT job_name text,
    OUT database text,
    OUT role text,
    OUT schedule text,
    OUT command text,
    OUT active boolean,
    OUT last_start timestamptz,
    OUT last_end timestamptz,
    OUT last_status text,
    OUT last_message text,
    OUT last_duration interval,
    OUT next_run timestamptz,
    OUT running integer,
    OUT failures integer,
    OUT state text,
    OUT note text
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL UNSAFE
ROWS 10
AS 'MODULE_PATHNAME', 'ops_jobs';
REVOKE ALL ON FUNCTION ops.jobs(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.jobs(boolean) TO pg_monitor;
COMMENT ON FUNCTION ops.jobs(boolean) IS
'our jobs for this database, or all of pg_cron''s that the caller may see: last and next run, and whether they do what they are there for';
