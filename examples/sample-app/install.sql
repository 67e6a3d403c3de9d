-- The sample application: a multi-tenant SaaS on PostgreSQL, laid out as
-- Supabase lays one out, with the faults such applications have.
--
--   psql -X -v ON_ERROR_STOP=1 -v scale=1.0 -f examples/sample-app/install.sql
--
-- Only for a throwaway cluster: it creates roles with everyday names, and one
-- of its faults is a superuser nobody asked for.  scale=1.0 makes about 350 MB,
-- scale=0.1 a tenth.  Same scale, same rows: nothing is random.

\if :{?scale}
\else
\set scale 1.0
\endif

SET client_min_messages = warning;
SET timezone = 'UTC';
SET synchronous_commit = off;

-- How many of each.  Tenants stay the same: a small one is still several.
SELECT 40 AS tenants,
       greatest(400, 2000 * :scale)::int AS people,
       (400000 * :scale)::int AS events,
       (200000 * :scale)::int AS notifications,
       (150000 * :scale)::int AS audit_rows,
       (200000 * :scale)::int AS api_calls,
       (40000 * :scale)::int AS tasks,
       (5000 * :scale)::int AS documents,
       (80000 * :scale)::int AS queue_rows,
       (60000 * :scale)::int AS activity_rows \gset

\ir 10-roles.sql
\ir 20-schema.sql
\ir 30-data.sql
\ir 40-security.sql
\ir 50-wear.sql
\ir 60-trouble.sql
