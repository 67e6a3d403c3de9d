-- clean
-- perf_clean
-- proved: invoices
-- app_metadata is written by the service alone.
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
    USING (org_id = (SELECT auth.jwt() -> 'app_metadata' ->> 'org_id'));
GRANT SELECT, UPDATE ON invoices TO authenticated;
-- prove:
SELECT proof.isolated('authenticated', 'acme', 'request.jwt.claims={"app_metadata":{"org_id":"acme"},"user_metadata":{"org_id":"zeta"}}', 'SELECT org_id FROM invoices');
