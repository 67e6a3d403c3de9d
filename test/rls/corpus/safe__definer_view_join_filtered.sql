-- clean
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
CREATE VIEW my_projects WITH (security_barrier) AS
  SELECT p.id, p.org_id, p.title FROM projects p JOIN members m ON m.org_id = p.org_id WHERE m.user_id = auth.uid();
CREATE VIEW my_projects_2 WITH (security_barrier) AS
  WITH mine AS (SELECT org_id FROM members WHERE user_id = auth.uid()) SELECT p.* FROM projects p WHERE p.org_id IN (SELECT org_id FROM mine);
GRANT SELECT ON my_projects, my_projects_2 TO authenticated;
INSERT INTO members VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002'); INSERT INTO projects VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select org_id from my_projects', 'select org_id from my_projects_2');
