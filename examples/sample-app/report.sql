-- pgbench script: the dashboard query everybody waits for.
BEGIN;
SET LOCAL ROLE service_role;
SELECT kind, count(*), avg((payload ->> 'ms')::numeric) FROM public.events WHERE payload::text LIKE '%/app/42%' GROUP BY kind ORDER BY kind;
COMMIT;
