-- clean
-- proved: projects
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
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY m ON members FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE TABLE projects (id int PRIMARY KEY, org_id int NOT NULL);
CREATE INDEX ON projects (org_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON projects TO authenticated USING ((select auth.uid()) IN (SELECT m.user_id FROM members m WHERE m.org_id = projects.org_id));
GRANT SELECT ON members TO authenticated; GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO authenticated;
INSERT INTO members VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002'); INSERT INTO projects VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select org_id from projects');
