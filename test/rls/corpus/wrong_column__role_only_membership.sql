-- expect: policy_uncorrelated_subquery|policy_not_tenant_bound on contracts
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
CREATE TABLE members (org_id int NOT NULL, user_id uuid NOT NULL, role text NOT NULL, PRIMARY KEY (user_id, org_id));
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY m ON members FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE TABLE contracts (id int PRIMARY KEY, org_id int NOT NULL, min_role text NOT NULL);
CREATE INDEX ON contracts (org_id);
ALTER TABLE contracts ENABLE ROW LEVEL SECURITY;
CREATE POLICY c ON contracts FOR SELECT TO authenticated USING (EXISTS (SELECT 1 FROM members m WHERE m.user_id = (select auth.uid()) AND m.role = contracts.min_role));
GRANT SELECT ON members, contracts TO authenticated;
INSERT INTO members VALUES (1, '00000000-0000-0000-0000-000000000001', 'admin'); INSERT INTO contracts VALUES (1, 1, 'admin'), (2, 2, 'admin');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select org_id from contracts', '1,2');
