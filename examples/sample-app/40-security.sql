-- Grants and row security: first as it should be, then as it is found.  What
-- is wrong on purpose says BAD and, in brackets, the name of the fault.

GRANT USAGE ON SCHEMA public, auth, app, storage TO anon, authenticated, service_role;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA auth, app TO anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO authenticated;
GRANT ALL ON ALL TABLES IN SCHEMA public, auth, app, storage TO service_role;
GRANT SELECT ON public.feature_flags, public.templates TO anon;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO authenticated, service_role;

-- Internal tables are not for tenants; what health checks ask about is for
-- monitoring.
REVOKE ALL ON public.rate_limits, public.import_staging, public.sync_queue,
    public.page_views FROM authenticated;
GRANT SELECT ON public.company_limits, public.support_actions_log TO monitoring;

SET ROLE app_owner;

-- GOOD: the tenant of the token, wrapped so that it is computed once for each
-- statement, for reading and for writing, to the role that needs it.

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.tenants FOR SELECT TO authenticated
    USING (id = (SELECT app.current_tenant()));

ALTER TABLE public.projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.projects TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()))
    WITH CHECK (tenant_id = (SELECT app.current_tenant()));

-- Without WITH CHECK the USING expression holds for new rows as well.
ALTER TABLE public.notifications ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON public.notifications TO authenticated
    USING (tenant_id = (SELECT app.current_tenant())
           AND user_id = (SELECT auth.uid()));

ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_own_tenant ON public.audit_log FOR SELECT TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()));
CREATE POLICY append_own_tenant ON public.audit_log FOR INSERT TO authenticated
    WITH CHECK (tenant_id = (SELECT app.current_tenant()));

ALTER TABLE public.feature_flags ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone_reads ON public.feature_flags FOR SELECT TO anon, authenticated
    USING (true);
REVOKE INSERT, UPDATE, DELETE ON public.feature_flags FROM authenticated;

ALTER TABLE public.company_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.company_limits FORCE ROW LEVEL SECURITY;
CREATE POLICY read_own_tenant ON public.company_limits FOR SELECT TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()));

-- SLOW (perf_policy_initplan): right, but asks for the token row by row.
ALTER TABLE public.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.events TO authenticated
    USING (tenant_id = app.current_tenant());

-- BAD (rls_disabled): granted to tenants, row security never enabled.
-- That is public.notes: there is nothing to write down, which is the fault.

-- BAD (policy_exists_rls_disabled): the policy sleeps.
CREATE POLICY own_tenant ON public.webhooks TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()));

-- BAD (policy_always_true): "authenticated" is every tenant's user.
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY logged_in ON public.invoices TO authenticated
    USING (true);

-- BAD (write_check_not_tenant_bound): reads its own, writes anybody's.
ALTER TABLE public.tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.tasks TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()))
    WITH CHECK (true);

-- BAD (permissive_or_widening): policies are joined by OR, so the second
-- opens for everybody what the first one closes.
ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.documents TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()));
CREATE POLICY templates ON public.documents TO authenticated
    USING (is_template OR version > 0);

-- BAD (policy_self_comparison): inside the sub-select tenant_id is m's own.
ALTER TABLE public.attachments ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON public.attachments TO authenticated
    USING (EXISTS (SELECT 1 FROM public.memberships AS m
                   WHERE m.tenant_id = tenant_id
                     AND m.user_id = (SELECT auth.uid())));

-- BAD (policy_lookup_writable): what comments go by says who belongs where,
-- but whoever may enrol himself is a member of whatever tenant he likes.
ALTER TABLE public.comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON public.comments TO authenticated
    USING (tenant_id IN (SELECT m.tenant_id FROM public.memberships AS m
                         WHERE m.user_id = (SELECT auth.uid())));

ALTER TABLE public.memberships ENABLE ROW LEVEL SECURITY;
CREATE POLICY see_own ON public.memberships FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));
CREATE POLICY enrol_self ON public.memberships FOR INSERT TO authenticated
    WITH CHECK (user_id = (SELECT auth.uid()));

-- BAD (write_check_not_tenant_bound): a user moves himself to another tenant
-- by updating his profile.
ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY see_colleagues ON public.profiles FOR SELECT TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()));
CREATE POLICY edit_self ON public.profiles FOR UPDATE TO authenticated
    USING (id = (SELECT auth.uid()));

-- BAD (policy_default_open): without a token the setting is NULL and every
-- row passes.
ALTER TABLE public.usage_metrics ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.usage_metrics TO authenticated
    USING (tenant_id = coalesce(app.current_tenant(), tenant_id));

-- BAD (policy_trusts_user_metadata): users edit user_metadata themselves.
ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.api_keys TO authenticated
    USING (tenant_id = ((SELECT auth.jwt()) -> 'user_metadata' ->> 'tenant_id')::uuid);

-- BAD (policy_null_tenant_visible): meant so for reading, but as it covers all
-- commands a tenant can also write rows that all tenants see.
ALTER TABLE public.templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_or_shared ON public.templates TO authenticated
    USING (tenant_id IS NULL OR tenant_id = (SELECT app.current_tenant()));

-- BAD (restrictive_only): a floor without a house denies everything.
ALTER TABLE public.support_actions_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY floor ON public.support_actions_log AS RESTRICTIVE TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()));

-- BAD (rls_enabled_no_policy): granted, but nobody sees a row.
ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON storage.objects TO authenticated;

-- BAD (partition_child_unprotected): the parent is protected, its partitions
-- are tables of their own and granted like all others.
ALTER TABLE public.activity ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.activity TO authenticated
    USING (tenant_id = (SELECT app.current_tenant()));

-- BAD (view_bypasses_rls): a view reads as its owner, whom policies exempt.
CREATE VIEW public.member_directory AS
    SELECT tenant_id, email, full_name FROM public.profiles;
GRANT SELECT ON public.member_directory TO authenticated;

-- GOOD: the same, reading as whoever asks.
CREATE VIEW public.colleagues WITH (security_invoker = true) AS
    SELECT email, full_name FROM public.profiles;
GRANT SELECT ON public.colleagues TO authenticated;

-- BAD (materialized_view_exposed): has no row security to enable.
CREATE MATERIALIZED VIEW public.tenant_usage AS
    SELECT tenant_id, metric, sum(value) AS total
      FROM public.usage_metrics GROUP BY 1, 2;
GRANT SELECT ON public.tenant_usage TO authenticated;

-- BAD (security_definer_bypasses_rls, function_search_path_mutable): runs as
-- its owner, filters by what the caller claims, and finds names through the
-- caller's search_path.
CREATE FUNCTION public.search_documents(tenant uuid, word text)
RETURNS TABLE (id bigint, title text)
LANGUAGE sql STABLE SECURITY DEFINER
AS $$
    SELECT id, title FROM documents
     WHERE tenant_id = tenant AND title ILIKE '%' || word || '%'
$$;

-- GOOD: definer rights, own search_path, not for everybody.
CREATE FUNCTION app.cleanup_monitoring_data() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deleted bigint;
BEGIN
    DELETE FROM app.api_metrics WHERE created_at < now() - interval '90 days';
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;
REVOKE ALL ON FUNCTION app.cleanup_monitoring_data() FROM PUBLIC;

-- What the API does with a token, for the load: person n signs in.
CREATE FUNCTION app.sign_in(person int) RETURNS void
LANGUAGE sql SECURITY DEFINER
AS $$
    SELECT pg_catalog.set_config('request.jwt.claims',
               pg_catalog.jsonb_build_object(
                   'sub', id, 'role', 'authenticated',
                   'app_metadata', raw_app_meta_data,
                   'user_metadata', raw_user_meta_data)::text, true)
      FROM auth.users
     WHERE id = pg_catalog.md5('user ' || person)::uuid
$$;
REVOKE ALL ON FUNCTION app.sign_in(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.sign_in(int) TO authenticator;
GRANT USAGE ON SCHEMA app TO authenticator;

-- BAD (truncate_granted): TRUNCATE asks no policy.
GRANT TRUNCATE ON public.comments TO authenticated;

-- BAD (default_privileges_exposed): the next table is open before anybody
-- thinks of row security.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO authenticated;

RESET ROLE;

-- Keeps updated_at; 60-trouble.sql disables it.
CREATE FUNCTION app.touch() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER tasks_touch BEFORE UPDATE ON public.tasks
    FOR EACH ROW EXECUTE FUNCTION app.touch();
