-- pgbench script: two of these, each starting from the other end, deadlock.
BEGIN;
SET LOCAL ROLE service_role;
UPDATE public.projects SET name = name WHERE id = :first;
\sleep 1 s
UPDATE public.projects SET name = name WHERE id = :last;
COMMIT;
