-- expect: policy_lookup_writable on profiles|orders
-- may: write_check_not_tenant_bound on profiles
-- Users edit their own profile, and with it the tenant it names.
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
CREATE ROLE authenticated LOGIN;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE profiles (id uuid PRIMARY KEY, tenant_id integer NOT NULL, display_name text);
INSERT INTO profiles VALUES ('a0000000-0000-0000-0000-000000000001', 1, 'A'),
                            ('b0000000-0000-0000-0000-000000000002', 2, 'B');
ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON profiles FOR ALL TO authenticated USING (id = (SELECT auth.uid()));
GRANT SELECT, UPDATE ON profiles TO authenticated;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO authenticated
    USING (tenant_id = (SELECT p.tenant_id FROM profiles p WHERE p.id = (SELECT auth.uid())));
GRANT SELECT ON orders TO authenticated;
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"a0000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('SELECT tenant_id FROM orders', '1');
SELECT proof.sees('SELECT tenant_id FROM orders', '2', 'UPDATE profiles SET tenant_id = 2');
