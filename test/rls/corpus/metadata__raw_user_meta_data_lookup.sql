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
CREATE TABLE auth.users (id uuid PRIMARY KEY, raw_user_meta_data jsonb, raw_app_meta_data jsonb);
CREATE FUNCTION tenant_of_user() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ select (u.raw_user_meta_data ->> 'tenant_id')::int from auth.users u where u.id = auth.uid() $$;
CREATE TABLE reports (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON reports (tenant_id);
ALTER TABLE reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON reports TO authenticated USING (tenant_id = (select tenant_of_user()));
GRANT SELECT ON reports TO authenticated;
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000001', '{"tenant_id": 2}', '{"tenant_id": 1}');
INSERT INTO reports VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select tenant_id from reports', '2');
