-- clean
-- proved: leads profiles
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
CREATE TABLE profiles (id uuid PRIMARY KEY, tenant_id int NOT NULL, nickname text);
ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY "own profile" ON profiles FOR SELECT TO authenticated USING (id = (select auth.uid()));
CREATE POLICY "edit profile" ON profiles FOR UPDATE TO authenticated USING (id = (select auth.uid()));
CREATE FUNCTION get_my_tenant() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ select p.tenant_id from public.profiles p where p.id = auth.uid() $$;
CREATE TABLE leads (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON leads (tenant_id);
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON leads TO authenticated USING (tenant_id = (select get_my_tenant()));
GRANT SELECT, UPDATE (nickname) ON profiles TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON leads TO authenticated;
INSERT INTO profiles VALUES ('00000000-0000-0000-0000-000000000001', 1), ('00000000-0000-0000-0000-000000000002', 2);
INSERT INTO leads VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select tenant_id from leads');
SELECT proof.harms('update profiles set tenant_id = 2', 'ERROR 42501');
SELECT proof.harms('insert into leads values (9, 2)', 'ERROR 42501');
