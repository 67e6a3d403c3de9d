-- pgbench script: somebody alters a table by hand and goes to lunch.
BEGIN;
LOCK TABLE public.invoices IN ACCESS EXCLUSIVE MODE;
\sleep 600 s
ROLLBACK;
