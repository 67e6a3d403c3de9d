-- expect: policy_not_tenant_bound on threads
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
CREATE TABLE threads (id int PRIMARY KEY, org_id int NOT NULL, title text);
CREATE INDEX ON threads (org_id);
ALTER TABLE threads ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_blocked ON threads FOR SELECT TO authenticated USING (org_id <> ALL (SELECT ((auth.jwt() -> 'app_metadata') ->> 'blocked_org')::int));
CREATE POLICY ins ON threads FOR INSERT TO authenticated WITH CHECK (org_id = (((select auth.jwt()) -> 'app_metadata') ->> 'org_id')::int);
GRANT SELECT, INSERT ON threads TO authenticated;
INSERT INTO threads VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001","app_metadata":{"org_id":1,"blocked_org":7}}');
SELECT proof.sees('select org_id from threads', '1,2');
