-- clean
-- proved: reports
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
CREATE FUNCTION current_tenant() RETURNS int LANGUAGE sql STABLE AS $$ select ((auth.jwt() -> 'app_metadata') ->> 'tenant_id')::int $$;
CREATE FUNCTION my_language() RETURNS text LANGUAGE sql STABLE AS $$ select auth.jwt() -> 'user_metadata' ->> 'lang' $$;
CREATE TABLE reports (id int PRIMARY KEY, tenant_id int NOT NULL, lang text NOT NULL DEFAULT 'en');
CREATE INDEX ON reports (tenant_id);
ALTER TABLE reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON reports TO authenticated USING (tenant_id = (select current_tenant()));
CREATE POLICY l ON reports AS RESTRICTIVE FOR SELECT TO authenticated USING (lang = coalesce((select my_language()), lang));
GRANT SELECT, INSERT, UPDATE, DELETE ON reports TO authenticated;
INSERT INTO reports VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"app_metadata":{"tenant_id":1}}', 'select tenant_id from reports');
