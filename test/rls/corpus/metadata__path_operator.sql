-- expect: policy_trusts_user_metadata on reports
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
CREATE TABLE reports (id int PRIMARY KEY, tenant_id text NOT NULL);
CREATE INDEX ON reports (tenant_id);
ALTER TABLE reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON reports TO authenticated USING (tenant_id = (select auth.jwt() #>> '{user_metadata,tenant_id}'));
GRANT SELECT ON reports TO authenticated;
INSERT INTO reports VALUES (1, '1'), (2, '2');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"user_metadata":{"tenant_id":"2"}}');
SELECT proof.sees('select tenant_id from reports', '2');
