-- rls_schema.sql: :tables tables under row security with three policies each,
-- for three application roles.  Of every 100 tables
--     40 go by a setting: one policy for reading, one for new rows, one for changes
--     20 belong to a user within a tenant, below a restrictive floor
--     20 ask a membership table
--     16 have two permissive policies that say the same, and a floor
--      4 leak: open without a tenant, writable for others, a literal, a floor of true
SELECT 'CREATE ROLE ' || name || ' LOGIN'
  FROM unnest('{bench_app,bench_reader,bench_editor}'::text[]) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

CREATE SCHEMA auth;
CREATE SCHEMA app;
CREATE SCHEMA data;
GRANT USAGE ON SCHEMA auth, app, data TO bench_app, bench_reader, bench_editor;

CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
RETURN (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;
CREATE FUNCTION app.tenant() RETURNS uuid LANGUAGE sql STABLE
AS $$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$;

CREATE TABLE app.members (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (user_id, tenant_id)
);
ALTER TABLE app.members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.members FOR SELECT TO bench_app, bench_reader, bench_editor
    USING (user_id = (SELECT auth.uid()));
GRANT SELECT ON app.members TO bench_app, bench_reader, bench_editor;

CREATE PROCEDURE app.make_tables(first int, last int) LANGUAGE plpgsql AS $make$
DECLARE
    setting CONSTANT text := '(tenant_id = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::uuid))';
    helper CONSTANT text := '(tenant_id = (SELECT app.tenant()))';
    own CONSTANT text := '(user_id = (SELECT auth.uid()))';
    member CONSTANT text := '(tenant_id IN (SELECT m.tenant_id FROM app.members m WHERE m.user_id = (SELECT auth.uid())))';
    t text;
    kind int;
BEGIN
    FOR i IN first .. last LOOP
        t := format('data.t%s', i);
        kind := i % 100;
        EXECUTE format('CREATE TABLE %s (id bigint PRIMARY KEY, tenant_id uuid NOT NULL,
            user_id uuid NOT NULL, title text, body text, created_at timestamptz)', t);
        EXECUTE format('CREATE INDEX ON %s (tenant_id)', t);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO bench_app, bench_editor', t);
        EXECUTE format('GRANT SELECT ON %s TO bench_reader', t);
        IF kind < 40 THEN
            EXECUTE format('CREATE POLICY reading ON %s FOR SELECT TO bench_app, bench_reader, bench_editor USING %s', t,
                CASE WHEN kind % 4 = 0 THEN helper ELSE setting END);
            EXECUTE format('CREATE POLICY adding ON %s FOR INSERT TO bench_app, bench_editor WITH CHECK %s', t, setting);
            EXECUTE format('CREATE POLICY changing ON %s FOR UPDATE TO bench_app, bench_editor USING %s WITH CHECK %s', t, setting, setting);
        ELSIF kind < 60 THEN
            EXECUTE format('CREATE POLICY floor ON %s AS RESTRICTIVE USING %s', t,
                CASE WHEN kind % 4 = 0 THEN '(tenant_id = app.tenant())' ELSE helper END);
            EXECUTE format('CREATE POLICY own ON %s TO bench_app, bench_editor USING %s', t,
                CASE WHEN kind % 5 = 0 THEN '(user_id = auth.uid())' ELSE own END);
            EXECUTE format('CREATE POLICY reading ON %s FOR SELECT TO bench_reader USING %s', t, helper);
        ELSIF kind < 80 THEN
            EXECUTE format('CREATE POLICY reading ON %s FOR SELECT TO bench_app, bench_reader, bench_editor USING %s', t, member);
            EXECUTE format('CREATE POLICY adding ON %s FOR INSERT TO bench_app WITH CHECK (%s AND %s)', t, member, own);
            EXECUTE format('CREATE POLICY removing ON %s FOR DELETE TO bench_editor
                USING (EXISTS (SELECT 1 FROM app.members m WHERE m.tenant_id = %s.tenant_id AND m.user_id = (SELECT auth.uid())))', t, t);
        ELSIF kind < 96 THEN
            EXECUTE format('CREATE POLICY floor ON %s AS RESTRICTIVE USING %s', t, helper);
            EXECUTE format('CREATE POLICY everything ON %s TO bench_app, bench_editor USING (%s)', t, setting);
            EXECUTE format('CREATE POLICY reading ON %s FOR SELECT TO bench_app, bench_reader USING (%s OR %s)', t, helper, own);
        ELSE
            EXECUTE format('CREATE POLICY reading ON %s FOR SELECT TO bench_app, bench_reader, bench_editor USING %s', t,
                CASE kind WHEN 96 THEN '(tenant_id = coalesce(app.tenant(), tenant_id))' ELSE helper END);
            EXECUTE format('CREATE POLICY adding ON %s FOR INSERT TO bench_app WITH CHECK %s', t,
                CASE kind WHEN 97 THEN '(true)' ELSE helper END);
            EXECUTE format('CREATE POLICY changing ON %s FOR UPDATE TO bench_editor USING %s', t,
                CASE kind WHEN 98 THEN '(created_at < now())' WHEN 99 THEN '(tenant_id = app.tenant() OR title = ''shared'')' ELSE helper END);
        END IF;
        IF i % 250 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END
$make$;
CALL app.make_tables(1, :tables);
