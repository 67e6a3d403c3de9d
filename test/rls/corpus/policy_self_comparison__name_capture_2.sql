-- expect: policy_self_comparison on projects
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
CREATE TABLE org_members (org_id int NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (user_id, org_id));
ALTER TABLE org_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON org_members FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE TABLE projects (id int PRIMARY KEY, org_id int NOT NULL);
CREATE INDEX ON projects (org_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY "members can read" ON projects FOR SELECT TO authenticated
  USING (EXISTS (SELECT 1 FROM org_members m WHERE m.user_id = auth.uid() AND m.org_id = org_id));
GRANT SELECT ON projects, org_members TO authenticated;
INSERT INTO org_members VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
INSERT INTO projects VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select org_id from projects', '1,2');
