-- clean
-- proved: invoices
-- The row has a column user_metadata; who sees the row does not depend on it.
CREATE ROLE authenticated LOGIN;
CREATE TABLE invoices (
    id bigint PRIMARY KEY,
    org_id integer NOT NULL,
    user_metadata jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ON invoices (org_id);
INSERT INTO invoices VALUES (1, 1, '{}'), (2, 2, '{"hidden": "yes"}'), (3, 1, '{"hidden": "yes"}');
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON invoices FOR SELECT TO authenticated
    USING (org_id = (SELECT (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'org_id')::integer)
           AND coalesce(user_metadata ->> 'hidden', 'no') = 'no');
GRANT SELECT ON invoices TO authenticated;
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"org_id":1}', 'SELECT org_id FROM invoices');
