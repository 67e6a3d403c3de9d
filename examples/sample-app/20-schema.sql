-- Schemas and tables.  public is what the API exposes, app is ours alone,
-- auth and storage look like Supabase's.

CREATE SCHEMA app AUTHORIZATION app_owner;
CREATE SCHEMA auth AUTHORIZATION app_owner;
CREATE SCHEMA storage AUTHORIZATION app_owner;
CREATE SCHEMA supabase_migrations AUTHORIZATION app_owner;
GRANT CREATE, USAGE ON SCHEMA public TO app_owner;

SET ROLE app_owner;

-- auth: who is calling, from the claims the API puts into a setting.

CREATE TABLE auth.users (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    raw_app_meta_data jsonb NOT NULL DEFAULT '{}',
    raw_user_meta_data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_sign_in_at timestamptz
);

CREATE TABLE auth.failed_logins (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES auth.users ON DELETE CASCADE,
    ip inet,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX failed_logins_user_idx ON auth.failed_logins (user_id);

CREATE FUNCTION auth.jwt() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
    SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;

CREATE FUNCTION auth.uid() RETURNS uuid
LANGUAGE sql STABLE
AS $$
    SELECT (auth.jwt() ->> 'sub')::uuid
$$;

-- app: what policies ask, and tables no tenant ever sees.

CREATE FUNCTION app.current_tenant() RETURNS uuid
LANGUAGE sql STABLE
AS $$
    SELECT (auth.jwt() -> 'app_metadata' ->> 'tenant_id')::uuid
$$;

CREATE TABLE app.api_metrics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint text NOT NULL,
    status smallint NOT NULL,
    duration_ms real NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX api_metrics_created_idx ON app.api_metrics (created_at);

-- public: the application.

CREATE TABLE public.tenants (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    plan text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE public.profiles (
    id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    email text NOT NULL,
    full_name text NOT NULL,
    last_seen_at timestamptz
);
CREATE INDEX profiles_tenant_idx ON public.profiles (tenant_id);

CREATE TABLE public.memberships (
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
    role text NOT NULL DEFAULT 'member',
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX memberships_user_idx ON public.memberships (user_id);

CREATE TABLE public.projects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    name text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX projects_tenant_idx ON public.projects (tenant_id);

-- BAD: project_id and assignee_id refer elsewhere without an index, so to
-- delete one project reads all tasks.
CREATE TABLE public.tasks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    project_id bigint NOT NULL REFERENCES public.projects ON DELETE CASCADE,
    assignee_id uuid REFERENCES public.profiles,
    title text NOT NULL,
    priority int NOT NULL DEFAULT 3,
    done boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz
);
CREATE INDEX tasks_tenant_idx ON public.tasks (tenant_id, done);

CREATE TABLE public.comments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    task_id bigint NOT NULL REFERENCES public.tasks ON DELETE CASCADE,
    body text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX comments_tenant_idx ON public.comments (tenant_id);
CREATE INDEX comments_task_idx ON public.comments (task_id);

CREATE TABLE public.documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    title text NOT NULL,
    body text NOT NULL,
    is_template boolean NOT NULL DEFAULT false,
    version int NOT NULL DEFAULT 1
);
-- Bodies arrive compressed by the client.
ALTER TABLE public.documents ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX documents_tenant_idx ON public.documents (tenant_id);

CREATE TABLE public.attachments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    document_id bigint NOT NULL REFERENCES public.documents ON DELETE CASCADE,
    path text NOT NULL
);
CREATE INDEX attachments_tenant_idx ON public.attachments (tenant_id);
CREATE INDEX attachments_document_idx ON public.attachments (document_id);

CREATE TABLE public.events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.notifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    body text NOT NULL,
    read boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    detail jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.usage_metrics (
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    day date NOT NULL,
    metric text NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (tenant_id, day, metric)
);

CREATE TABLE public.company_limits (
    tenant_id uuid PRIMARY KEY REFERENCES public.tenants,
    current_usage jsonb NOT NULL,
    monthly_budget_eur numeric(10, 2) NOT NULL
);

CREATE TABLE public.feature_flags (
    name text PRIMARY KEY,
    enabled boolean NOT NULL,
    description text NOT NULL
);

CREATE TABLE public.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    number text NOT NULL UNIQUE,
    amount_cents bigint NOT NULL,
    status text NOT NULL,
    issued_at timestamptz NOT NULL
);
CREATE INDEX invoices_tenant_idx ON public.invoices (tenant_id);

CREATE TABLE public.api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    label text NOT NULL,
    key_hash text NOT NULL
);
CREATE INDEX api_keys_tenant_idx ON public.api_keys (tenant_id);

CREATE TABLE public.webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    url text NOT NULL,
    secret text NOT NULL
);
CREATE INDEX webhooks_tenant_idx ON public.webhooks (tenant_id);

CREATE TABLE public.notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    body text NOT NULL
);
CREATE INDEX notes_tenant_idx ON public.notes (tenant_id);

-- A row without a tenant is meant for all of them.
CREATE TABLE public.templates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid REFERENCES public.tenants,
    name text NOT NULL
);
CREATE INDEX templates_tenant_idx ON public.templates (tenant_id);

CREATE TABLE public.support_actions_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES public.tenants,
    agent text NOT NULL,
    action text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX support_actions_tenant_idx ON public.support_actions_log (tenant_id);

-- Partitioned by month, counted back from this one.
CREATE TABLE public.activity (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    verb text NOT NULL,
    created_at timestamptz NOT NULL
) PARTITION BY RANGE (created_at);
CREATE INDEX activity_tenant_idx ON public.activity (tenant_id, created_at);
SELECT format('CREATE TABLE public.activity_%s PARTITION OF public.activity'
              ' FOR VALUES FROM (%L) TO (%L)',
              CASE back WHEN 0 THEN 'current' ELSE 'minus_' || back END,
              date_trunc('month', now()) - back * interval '1 month',
              date_trunc('month', now()) - (back - 1) * interval '1 month')
  FROM generate_series(5, 0, -1) AS back \gexec

-- Work for a synchroniser.  BAD: autovacuum was switched off during a
-- migration and never on again.
CREATE TABLE public.sync_queue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    payload text NOT NULL,
    enqueued_at timestamptz NOT NULL
) WITH (autovacuum_enabled = off);

-- BAD: no primary key, so rows cannot be told apart and updates cannot be
-- replicated.
CREATE TABLE public.import_staging (
    tenant_id uuid,
    line text,
    imported_at timestamptz
);

-- BAD: the sequence counts to 2^63, the column only to 2^31.
CREATE SEQUENCE public.page_views_id_seq AS bigint;
CREATE TABLE public.page_views (
    id int PRIMARY KEY DEFAULT nextval('public.page_views_id_seq'),
    tenant_id uuid NOT NULL,
    path text NOT NULL
);
ALTER SEQUENCE public.page_views_id_seq OWNED BY public.page_views.id;

-- BAD: empty after the next crash, and on every standby.
CREATE UNLOGGED TABLE public.rate_limits (
    tenant_id uuid PRIMARY KEY,
    tokens int NOT NULL
);

-- storage and migrations, as far as health checks look at them.

CREATE TABLE storage.buckets (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    public boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE storage.objects (
    id uuid PRIMARY KEY,
    bucket_id text NOT NULL REFERENCES storage.buckets,
    name text NOT NULL,
    owner uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (bucket_id, name)
);

CREATE TABLE supabase_migrations.schema_migrations (
    version text PRIMARY KEY,
    statements text[],
    name text
);

RESET ROLE;
