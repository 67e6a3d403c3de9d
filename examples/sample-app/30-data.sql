-- Rows.  Every choice is a hash of the row's number, so each load is alike;
-- only times count back from now.  Indexes come after the rows.

-- Choose one of n, by row number and a salt for each purpose.
CREATE FUNCTION pg_temp.pick(i bigint, salt int, n int) RETURNS int
LANGUAGE sql IMMUTABLE
AS $$
    SELECT ((hashint8extended(i, salt) & 2147483647) % n)::int
$$;

INSERT INTO public.tenants
SELECT md5('tenant ' || t)::uuid, 'tenant-' || t, 'Tenant ' || t,
       (ARRAY['free', 'pro', 'enterprise'])[1 + pg_temp.pick(t, 1, 3)],
       now() - t * interval '11 days'
  FROM generate_series(1, :tenants) AS t;

-- A few tenants have most of the people, as everywhere.
CREATE TEMPORARY TABLE people AS
SELECT p, md5('user ' || p)::uuid AS user_id,
       md5('tenant ' || 1 + floor(:tenants
                                  * power(pg_temp.pick(p, 2, 1000) / 1000.0, 2)))::uuid
           AS tenant_id
  FROM generate_series(1, :people) AS p;
ANALYZE people;

INSERT INTO auth.users (id, email, raw_app_meta_data, raw_user_meta_data,
                        created_at, last_sign_in_at)
SELECT user_id, format('user%s@example.com', p),
       jsonb_build_object('tenant_id', tenant_id),
       jsonb_build_object('theme', 'dark'),
       now() - interval '1 year', now() - pg_temp.pick(p, 3, 60) * interval '1 day'
  FROM people;

-- Now and then two profiles share an address that differs only in case.
INSERT INTO public.profiles
SELECT user_id, tenant_id,
       CASE p % 200 WHEN 0 THEN format('User%s@example.com', p - 1)
                    ELSE format('user%s@example.com', p) END,
       'Person ' || p, now() - pg_temp.pick(p, 3, 60) * interval '1 day'
  FROM people;

INSERT INTO public.memberships
SELECT tenant_id, user_id, CASE p % 20 WHEN 0 THEN 'admin' ELSE 'member' END
  FROM people;

INSERT INTO public.projects (tenant_id, name, created_at)
SELECT t.id, 'Project ' || n, now() - n * interval '20 days'
  FROM public.tenants AS t, generate_series(1, 10) AS n
 ORDER BY t.slug, n;

INSERT INTO public.tasks (tenant_id, project_id, assignee_id, title, priority,
                          done, created_at)
SELECT j.tenant_id, j.id, NULL, 'Task ' || i, pg_temp.pick(i, 5, 8),
       pg_temp.pick(i, 6, 3) > 0,
       now() - (:tasks - i) * interval '300 days' / :tasks
  FROM generate_series(1, :tasks) AS i
  JOIN public.projects AS j ON j.id = 1 + pg_temp.pick(i, 4, :tenants * 10);

INSERT INTO public.comments (tenant_id, task_id, body, created_at)
SELECT tenant_id, id, 'Comment on ' || title, created_at
  FROM public.tasks
 WHERE id % 2 = 0;

INSERT INTO public.documents (tenant_id, title, body)
SELECT p.tenant_id, 'Document ' || i, repeat(md5(i::text), 160)
  FROM generate_series(1, :documents) AS i
  JOIN people AS p ON p.p = 1 + pg_temp.pick(i, 7, :people);

INSERT INTO public.attachments (tenant_id, document_id, path)
SELECT tenant_id, id, format('documents/%s.pdf', id)
  FROM public.documents
 WHERE id % 4 = 0;

-- Half a year of what people did.
INSERT INTO public.events (tenant_id, user_id, kind, payload, created_at)
SELECT p.tenant_id, p.user_id,
       (ARRAY['page_view', 'login', 'task_done', 'document_saved', 'export'])
           [1 + pg_temp.pick(i, 9, 5)],
       jsonb_build_object('path', '/app/' || pg_temp.pick(i, 10, 500),
                          'ms', pg_temp.pick(i, 11, 900),
                          'agent', 'Mozilla/5.0 (sample)',
                          'trace', md5(i::text)),
       now() - (:events - i) * interval '180 days' / :events
  FROM generate_series(1, :events) AS i
  JOIN people AS p ON p.p = 1 + pg_temp.pick(i, 8, :people);

-- Over a year of notifications, never cleaned up: three quarters of them
-- older than 90 days, most of those read.
INSERT INTO public.notifications (tenant_id, user_id, body, read, created_at)
SELECT p.tenant_id, p.user_id, 'Something happened in project ' || pg_temp.pick(i, 13, 400),
       pg_temp.pick(i, 14, 100) < CASE WHEN i < :notifications * 0.75 THEN 85 ELSE 40 END,
       now() - (:notifications - i) * interval '360 days' / :notifications
  FROM generate_series(1, :notifications) AS i
  JOIN people AS p ON p.p = 1 + pg_temp.pick(i, 12, :people);

-- Ten months of audit log, kept for 90 days on paper.
INSERT INTO public.audit_log (tenant_id, actor_id, action, detail, created_at)
SELECT p.tenant_id, p.user_id,
       (ARRAY['login', 'update', 'delete', 'export'])[1 + pg_temp.pick(i, 16, 4)],
       jsonb_build_object('object', 'task', 'id', pg_temp.pick(i, 17, :tasks)),
       now() - (:audit_rows - i) * interval '300 days' / :audit_rows
  FROM generate_series(1, :audit_rows) AS i
  JOIN people AS p ON p.p = 1 + pg_temp.pick(i, 15, :people);

-- Four months of monitoring data.
INSERT INTO app.api_metrics (endpoint, status, duration_ms, created_at)
SELECT (ARRAY['/api/tasks', '/api/documents', '/api/events', '/api/search'])
           [1 + pg_temp.pick(i, 18, 4)],
       CASE WHEN pg_temp.pick(i, 19, 200) = 0 THEN 500 ELSE 200 END,
       5 + pg_temp.pick(i, 20, 4000) / 10.0,
       now() - (:api_calls - i) * interval '120 days' / :api_calls
  FROM generate_series(1, :api_calls) AS i;

INSERT INTO public.activity (tenant_id, user_id, verb, created_at)
SELECT p.tenant_id, p.user_id, 'opened',
       greatest(now() - (:activity_rows - i) * interval '150 days' / :activity_rows,
                date_trunc('month', now()) - interval '5 months')
  FROM generate_series(1, :activity_rows) AS i
  JOIN people AS p ON p.p = 1 + pg_temp.pick(i, 21, :people);

INSERT INTO public.sync_queue (tenant_id, payload, enqueued_at)
SELECT md5('tenant ' || 1 + i % :tenants)::uuid, repeat(md5(i::text), 8),
       now() - (:queue_rows - i) * interval '10 days' / :queue_rows
  FROM generate_series(1, :queue_rows) AS i;

INSERT INTO public.usage_metrics
SELECT t.id, current_date - d, m, pg_temp.pick(d, 22, 10000)
  FROM public.tenants AS t, generate_series(0, 120) AS d,
       unnest(ARRAY['requests', 'storage_mb', 'ai_requests']) AS m;

-- '9' is more than '8000' to whoever compares these as text.
INSERT INTO public.company_limits
SELECT id, jsonb_build_object('users', pg_temp.pick(n, 23, 80),
                              'ai_requests', (pg_temp.pick(n, 24, 12000))::text,
                              'storage_mb', pg_temp.pick(n, 25, 5000)),
       50
  FROM (SELECT id, row_number() OVER (ORDER BY slug) AS n FROM public.tenants) AS t;

INSERT INTO public.feature_flags VALUES
    ('ai_assistant', true, 'answers in the task list'),
    ('new_billing', false, 'invoices from the new provider'),
    ('pilot_data', true, 'seed rows of the pilot: never in production');

INSERT INTO public.invoices (tenant_id, number, amount_cents, status, issued_at)
SELECT t.id, format('%s-%s', t.slug, n), 4900 + 100 * n,
       CASE n WHEN 12 THEN 'imported' ELSE 'paid' END,
       now() - n * interval '30 days'
  FROM public.tenants AS t, generate_series(1, 12) AS n
 ORDER BY t.slug, n;

INSERT INTO public.api_keys (tenant_id, label, key_hash)
SELECT id, 'default', md5(slug || ' key') FROM public.tenants ORDER BY slug;

INSERT INTO public.webhooks (tenant_id, url, secret)
SELECT id, 'https://example.com/hook/' || slug, md5(slug || ' secret')
  FROM public.tenants ORDER BY slug;

INSERT INTO public.notes (tenant_id, body)
SELECT id, 'Only for ' || name FROM public.tenants ORDER BY slug;

INSERT INTO public.templates (tenant_id, name)
SELECT NULL, 'Welcome'
UNION ALL
(SELECT id, 'Letter of ' || name FROM public.tenants ORDER BY slug);

INSERT INTO public.support_actions_log (tenant_id, agent, action, created_at)
SELECT md5('tenant ' || 1 + i % :tenants)::uuid, 'agent-' || i % 3, 'impersonate',
       now() - i * interval '3 hours'
  FROM generate_series(1, 200) AS i;

-- One user is being guessed at right now.
INSERT INTO auth.failed_logins (user_id, ip, created_at)
SELECT md5('user ' || 1 + pg_temp.pick(i, 26, :people))::uuid, inet '192.0.2.1',
       now() - i * interval '2 hours'
  FROM generate_series(1, 300) AS i
UNION ALL
SELECT md5('user 7')::uuid, inet '198.51.100.7', now() - i * interval '2 minutes'
  FROM generate_series(1, 25) AS i;

INSERT INTO public.import_staging
SELECT md5('tenant ' || 1 + i % :tenants)::uuid, 'line ' || i, now()
  FROM generate_series(1, 2000) AS i;

-- 97.8 % of what the column can hold.
INSERT INTO public.page_views (id, tenant_id, path)
SELECT 2100000000 + i, md5('tenant ' || 1 + i % :tenants)::uuid, '/'
  FROM generate_series(1, 1000) AS i;
SELECT setval('public.page_views_id_seq', 2100001000) \g /dev/null

INSERT INTO public.rate_limits
SELECT id, 100 FROM public.tenants;

INSERT INTO storage.buckets (id, name, public) VALUES
    ('documents', 'documents', false),
    ('avatars', 'avatars', true);
INSERT INTO storage.objects (id, bucket_id, name)
SELECT md5('object ' || id)::uuid, 'documents', path FROM public.attachments;

-- Nobody remembers 009.
INSERT INTO supabase_migrations.schema_migrations (version, name) VALUES
    ('001', 'create_user_profiles'),
    ('002', 'create_projects'),
    ('003', 'create_tasks'),
    ('004', 'create_documents'),
    ('005', 'create_background_events'),
    ('006', 'add_indexes'),
    ('007', 'add_constraints'),
    ('008', 'add_premium_features'),
    ('010', 'create_customizations'),
    ('011', 'enhance_template_system'),
    ('012', 'add_rls_core_tables'),
    ('013', 'add_billing_and_orgs');

SET ROLE app_owner;
CREATE INDEX events_tenant_created_idx ON public.events (tenant_id, created_at);
CREATE INDEX notifications_user_idx ON public.notifications (tenant_id, user_id) WHERE NOT read;
CREATE INDEX notifications_created_idx ON public.notifications (created_at);
CREATE INDEX audit_log_tenant_created_idx ON public.audit_log (tenant_id, created_at);
RESET ROLE;
