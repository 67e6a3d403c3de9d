-- What went wrong along the way and was left as it was.

-- A migration added a rule for new rows only; old ones still break it.
ALTER TABLE public.invoices ADD CONSTRAINT invoices_status_known
    CHECK (status IN ('open', 'paid', 'void')) NOT VALID;

-- A trigger was disabled for an import.
ALTER TABLE public.tasks DISABLE TRIGGER tasks_touch;

-- Somebody tried to make addresses unique.  There are duplicates, so this
-- fails, as it did then, and leaves an invalid index: each write pays for it,
-- no query can use it.
\unset ON_ERROR_STOP
\echo 'the next error is on purpose:'
CREATE UNIQUE INDEX CONCURRENTLY profiles_email_unique ON public.profiles (lower(email));
\set ON_ERROR_STOP 1

-- An extension that was never updated after the server was.
CREATE EXTENSION pg_stat_statements VERSION '1.9';

-- A setting that waits for a restart.
ALTER SYSTEM SET max_locks_per_transaction = 128;

-- The first half of a payment that nobody ever finished.
SELECT current_setting('max_prepared_transactions')::int > 0 AS has_prepared \gset
\if :has_prepared
BEGIN;
UPDATE public.company_limits SET monthly_budget_eur = 60
 WHERE tenant_id = md5('tenant 1')::uuid;
PREPARE TRANSACTION 'payment-4711';
\endif

-- Jobs: one that is fine, one that fails, and no end to their history.
SELECT count(*) > 0 AS has_cron
  FROM pg_available_extensions WHERE name = 'pg_cron' \gset
\if :has_cron
CREATE EXTENSION pg_cron;
SELECT cron.schedule('monitoring-cleanup', '30 3 * * 0',
                     'SELECT app.cleanup_monitoring_data()') AS fine,
       cron.schedule('usage-rollup', '10 * * * *',
                     'SELECT app.roll_up_usage()') AS broken \gset

-- The history such jobs leave: 30 days of success, then failures since a
-- migration dropped the function.
INSERT INTO cron.job_run_details (jobid, job_pid, database, username, command,
                                  status, return_message, start_time, end_time)
SELECT :broken, 1000 + h, current_database(), 'postgres',
       'SELECT app.roll_up_usage()',
       CASE WHEN h < 6 THEN 'failed' ELSE 'succeeded' END,
       CASE WHEN h < 6 THEN 'ERROR:  function app.roll_up_usage() does not exist'
            ELSE '1 row' END,
       date_trunc('hour', now()) - h * interval '1 hour' + interval '10 minutes'
           - interval '1 hour',
       date_trunc('hour', now()) - h * interval '1 hour' + interval '10 minutes 2 seconds'
           - interval '1 hour'
  FROM generate_series(720, 0, -1) AS h;
INSERT INTO cron.job_run_details (jobid, job_pid, database, username, command,
                                  status, return_message, start_time, end_time)
SELECT :fine, 2000, current_database(), 'postgres',
       'SELECT app.cleanup_monitoring_data()', 'succeeded', '1 row',
       sunday, sunday + interval '4 seconds'
  FROM (SELECT date_trunc('week', now() + interval '20 hours 30 minutes')
               - interval '20 hours 30 minutes' AS sunday) AS last;
\endif
