-- pgbench script: a transaction left open by a worker that waits for an API.
BEGIN;
SET LOCAL ROLE service_role;
UPDATE public.projects SET name = name WHERE id = 1;
\sleep 600 s
ROLLBACK;
