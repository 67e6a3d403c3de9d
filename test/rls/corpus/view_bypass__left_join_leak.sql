-- expect: view_bypasses_rls on project_list
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
CREATE TABLE members (org_id int NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (user_id, org_id));
CREATE TABLE projects (id int PRIMARY KEY, org_id int NOT NULL, title text);
CREATE INDEX ON projects (org_id);
ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON projects FOR SELECT TO authenticated USING (org_id IN (SELECT org_id FROM members WHERE user_id = (select auth.uid())));
CREATE POLICY m ON members FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
GRANT SELECT ON members, projects TO authenticated;
CREATE VIEW project_list WITH (security_barrier) AS
  SELECT p.id, p.org_id, m.user_id FROM projects p LEFT JOIN members m ON m.org_id = p.org_id AND m.user_id = auth.uid();
GRANT SELECT ON project_list TO authenticated;
INSERT INTO members VALUES (1, '00000000-0000-0000-0000-000000000001'); INSERT INTO projects VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select org_id from projects', '1');
SELECT proof.sees('select org_id from project_list', '1,2');
