-- expect: policy_trusts_user_metadata on tickets
-- Taken from the claims as text, in two steps.
CREATE ROLE authenticated LOGIN;
CREATE TABLE tickets (id bigint PRIMARY KEY, company_id integer NOT NULL);
CREATE INDEX ON tickets (company_id);
INSERT INTO tickets VALUES (1, 1), (2, 2);
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY company ON tickets FOR SELECT TO authenticated
    USING (company_id = (SELECT ((current_setting('request.jwt.claims', true)::json -> 'user_metadata') ->> 'company')::integer));
GRANT SELECT ON tickets TO authenticated;
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"app_metadata":{"company":1},"user_metadata":{"company":2}}');
SELECT proof.sees('SELECT company_id FROM tickets', '2');
