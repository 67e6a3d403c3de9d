-- expect: policy_wrong_identity on invoices
-- may: write_check_not_tenant_bound on invoices
-- organization_id = auth.uid(): user and organization numbers overlap.
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::bigint $$;
CREATE FUNCTION auth.org() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'org_id')::bigint $$;
CREATE ROLE authenticated LOGIN;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE invoices (id bigint PRIMARY KEY, organization_id bigint NOT NULL, total numeric);
CREATE INDEX ON invoices (organization_id);
INSERT INTO invoices VALUES (1, 1, 10), (2, 2, 20);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON invoices FOR ALL TO authenticated USING (organization_id = (SELECT auth.uid()));
GRANT SELECT, UPDATE ON invoices TO authenticated;
CREATE TABLE quotes (id bigint PRIMARY KEY, organization_id bigint NOT NULL, user_id bigint NOT NULL);
CREATE INDEX ON quotes (organization_id);
ALTER TABLE quotes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON quotes FOR ALL TO authenticated USING (organization_id = (SELECT auth.org()));
GRANT SELECT, UPDATE ON quotes TO authenticated;
CREATE TABLE notes (id bigint PRIMARY KEY, user_id bigint NOT NULL, body text);
CREATE INDEX ON notes (user_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes FOR ALL TO authenticated USING (user_id = (SELECT auth.uid()));
GRANT SELECT, UPDATE ON notes TO authenticated;
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"2","app_metadata":{"org_id":1}}');
SELECT proof.sees('SELECT organization_id FROM invoices', '2');
