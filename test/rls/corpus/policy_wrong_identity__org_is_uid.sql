-- expect: policy_wrong_identity on invoices
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
CREATE TABLE customers (id int PRIMARY KEY, org_id uuid NOT NULL, name text);
CREATE INDEX ON customers (org_id);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON customers FOR SELECT TO authenticated USING (org_id = ((select auth.jwt()) ->> 'org_id')::uuid);
CREATE TABLE invoices (id int PRIMARY KEY, org_id uuid NOT NULL, total int);
CREATE INDEX ON invoices (org_id);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON invoices FOR SELECT TO authenticated USING (org_id = (select auth.uid()));
GRANT SELECT ON customers, invoices TO authenticated;
INSERT INTO customers VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
INSERT INTO invoices VALUES (1, '00000000-0000-0000-0000-000000000001', 1), (2, '00000000-0000-0000-0000-000000000002', 2);
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000002","org_id":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select right(org_id::text, 1) from customers', '1');
SELECT proof.sees('select right(org_id::text, 1) from invoices', '2');
