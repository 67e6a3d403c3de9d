-- pgbench script: a request that needs that table.
BEGIN;
SET LOCAL ROLE service_role;
SELECT count(*) FROM public.invoices;
COMMIT;
