-- expect: function_search_path_mutable on is_member
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
CREATE TABLE memberships (org_id int NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (user_id, org_id));
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON memberships FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
GRANT SELECT ON memberships TO authenticated;
CREATE FUNCTION is_member(o int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS $$
  select exists (select 1 from memberships m where m.org_id = o and m.user_id = auth.uid()) $$;
CREATE TABLE projects (id int PRIMARY KEY, org_id int NOT NULL, name text);
CREATE INDEX ON projects (org_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON projects FOR SELECT TO authenticated USING (is_member(org_id));
GRANT SELECT ON projects TO authenticated;
INSERT INTO memberships VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
INSERT INTO projects VALUES (1, 1, 'a'), (2, 2, 'b');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select org_id from projects', '1');
SELECT proof.sees('select org_id from projects', '1,2', 'create temp table memberships as select o as org_id, auth.uid() as user_id from generate_series(1, 2) o');
