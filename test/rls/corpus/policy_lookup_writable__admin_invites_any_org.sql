-- expect: policy_lookup_writable on memberships|projects
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated TO authenticator;
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$
  select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
GRANT USAGE ON SCHEMA auth, public TO anon, authenticated;
CREATE TABLE memberships (org_id int NOT NULL, user_id uuid NOT NULL, role text NOT NULL, PRIMARY KEY (user_id, org_id));
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION is_any_admin() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ select exists (select 1 from public.memberships m where m.user_id = auth.uid() and m.role = 'admin') $$;
CREATE POLICY sel ON memberships FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE POLICY ins ON memberships FOR INSERT TO authenticated WITH CHECK ((select is_any_admin()));
CREATE TABLE projects (id int PRIMARY KEY, org_id int NOT NULL);
CREATE INDEX ON projects (org_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON projects FOR SELECT TO authenticated USING (org_id IN (SELECT m.org_id FROM memberships m WHERE m.user_id = (select auth.uid())));
GRANT SELECT, INSERT ON memberships TO authenticated; GRANT SELECT ON projects TO authenticated;
INSERT INTO memberships VALUES (1, '00000000-0000-0000-0000-000000000001', 'admin');
INSERT INTO projects VALUES (1, 1), (2, 2);
-- may: write_check_not_tenant_bound,policy_uncorrelated_subquery on memberships
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select org_id from projects', '1');
SELECT proof.sees('select org_id from projects', '1,2', 'insert into memberships values (2, ''00000000-0000-0000-0000-000000000001'', ''member'')');
