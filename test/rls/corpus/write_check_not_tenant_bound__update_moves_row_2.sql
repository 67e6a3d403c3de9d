-- expect: write_check_not_tenant_bound on deals
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
CREATE TABLE deals (id int PRIMARY KEY, team_id int NOT NULL, title text);
CREATE INDEX ON deals (team_id);
ALTER TABLE deals ENABLE ROW LEVEL SECURITY;
CREATE POLICY "read" ON deals FOR SELECT TO authenticated USING (team_id = ((select auth.jwt()) -> 'app_metadata' ->> 'team_id')::int);
CREATE POLICY "update" ON deals FOR UPDATE TO authenticated USING (team_id = ((select auth.jwt()) -> 'app_metadata' ->> 'team_id')::int)
  WITH CHECK ((select auth.uid()) IS NOT NULL);
GRANT SELECT, UPDATE ON deals TO authenticated;
INSERT INTO deals VALUES (1, 1, 'x'), (2, 2, 'y');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001","app_metadata":{"team_id":1}}');
SELECT proof.sees('select team_id from deals', '1');
SELECT proof.harms('update deals set team_id = 2', '1');
