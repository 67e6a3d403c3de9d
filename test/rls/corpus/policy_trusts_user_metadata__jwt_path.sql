-- expect: policy_trusts_user_metadata on invoices
-- may: write_check_not_tenant_bound on invoices
-- user_metadata is what the user edits in the profile dialogue.
CREATE SCHEMA auth;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
CREATE ROLE authenticated LOGIN;
GRANT USAGE ON SCHEMA auth TO authenticated;
CREATE TABLE invoices (id bigint PRIMARY KEY, org_id text NOT NULL, total numeric);
CREATE INDEX ON invoices (org_id);
INSERT INTO invoices VALUES (1, 'acme', 1), (2, 'zeta', 2);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON invoices FOR ALL TO authenticated
    USING (org_id = (SELECT auth.jwt() -> 'user_metadata' ->> 'org_id'));
GRANT SELECT, UPDATE ON invoices TO authenticated;
-- prove:
SELECT proof.login('authenticated', 'acme', 'request.jwt.claims={"app_metadata":{"org_id":"acme"},"user_metadata":{"org_id":"zeta"}}');
SELECT proof.sees('SELECT org_id FROM invoices', 'zeta');
