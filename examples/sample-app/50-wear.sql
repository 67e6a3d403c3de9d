-- What years of use do: dead rows, half-empty pages, indexes nobody reads.

SET ROLE app_owner;

-- BAD: the same index twice.
CREATE INDEX events_tenant_time_idx ON public.events (tenant_id, created_at);

-- BAD: the primary key begins with tenant_id already.
CREATE INDEX memberships_tenant_idx ON public.memberships (tenant_id);

-- BAD: large, and no query uses it.
CREATE INDEX events_payload_idx ON public.events USING gin (payload jsonb_path_ops);

RESET ROLE;

-- A queue that was long once: one row in fifty is left, and no vacuum comes.
DELETE FROM public.sync_queue WHERE id % 50 <> 0;

-- Daily counters, rewritten over and over.
UPDATE public.usage_metrics SET value = value + 1;
UPDATE public.usage_metrics SET value = value + 1;
UPDATE public.usage_metrics SET value = value + 1;

-- Edited documents leave their old bodies behind.
UPDATE public.documents SET body = repeat(md5(id || ' edited'), 160), version = 2
 WHERE id % 3 = 0;

-- Scattered deletes: pages stay, half empty, in the table and its indexes.
DELETE FROM public.audit_log WHERE hashint8(id) % 3 = 0;

-- Count all of the above before VACUUM counts afresh, or rows count twice.
SELECT pg_stat_force_next_flush() \g /dev/null

-- A long-lived application has been vacuumed and analysed; the queue not.
VACUUM (ANALYZE) public.events, public.notifications, public.audit_log,
    public.tasks, public.comments, public.documents, app.api_metrics;
ANALYZE public.tenants, public.profiles, public.memberships, public.projects,
    public.usage_metrics, public.activity, auth.users;

-- Changed after that, so the statistics are off.
UPDATE public.comments SET body = body || ' (moved)' WHERE id % 3 = 0;
