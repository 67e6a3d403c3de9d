-- expect: policy_not_tenant_bound on documents
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
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS $$ select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''), (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'))::text $$;
CREATE TABLE documents (id int PRIMARY KEY, user_id uuid NOT NULL);
CREATE TABLE profiles (id uuid PRIMARY KEY, user_id uuid NOT NULL);
CREATE INDEX ON documents (user_id); CREATE INDEX ON profiles (user_id);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY; ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY "authenticated only" ON documents FOR SELECT USING (auth.role() = 'authenticated');
CREATE POLICY own ON profiles TO authenticated USING (user_id = (select auth.uid()));
GRANT SELECT ON documents, profiles TO anon, authenticated;
INSERT INTO documents VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001","role":"authenticated"}');
SELECT proof.sees('select right(user_id::text, 1) from documents', '1,2');
