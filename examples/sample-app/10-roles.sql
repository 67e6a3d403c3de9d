-- Roles as PostgREST and Supabase use them, then those that should not exist.

-- One login for the whole application; it becomes the others by SET ROLE.
CREATE ROLE authenticator LOGIN NOINHERIT CONNECTION LIMIT 45;
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
GRANT anon, authenticated, service_role TO authenticator;

-- Background jobs of the application.
CREATE ROLE service_worker LOGIN NOINHERIT;
GRANT service_role TO service_worker;

-- Owns the tables and logs in nowhere.
CREATE ROLE app_owner NOLOGIN;

-- What an HTTP health endpoint connects as: it may call ops.health(), no more.
CREATE ROLE health_endpoint LOGIN;

-- A proper monitoring role.
CREATE ROLE monitoring LOGIN;
GRANT pg_monitor TO monitoring;

-- BAD: a contractor's superuser that outlived the contract.
CREATE ROLE contractor_admin LOGIN SUPERUSER;

-- BAD: logs in and sees every tenant; its password is stored as md5.
SET password_encryption = 'md5';
CREATE ROLE legacy_etl LOGIN BYPASSRLS PASSWORD 'only-in-a-demo';
RESET password_encryption;

-- BAD: its password expires within the week, and with it the reports.
CREATE ROLE report_reader LOGIN PASSWORD 'only-in-a-demo';
SELECT format('ALTER ROLE report_reader VALID UNTIL %L', now() + interval '5 days') \gexec
