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
CREATE FUNCTION meine_orgs() RETURNS int[] LANGUAGE sql STABLE AS $$ select array(select jsonb_array_elements_text(auth.jwt() -> 'app_metadata' -> 'orgs')::int) $$;
CREATE TABLE projects (id int PRIMARY KEY, org_id int NOT NULL);
CREATE INDEX ON projects (org_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON projects TO authenticated USING (org_id = ANY ((select meine_orgs())::int[]));
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO authenticated;
INSERT INTO projects VALUES (1, 1), (2, 2), (3, 3);
-- prove:
SELECT proof.isolated('authenticated', '1,3', 'request.jwt.claims={"app_metadata":{"orgs":[1,3]}}', 'select org_id from projects');
