-- expect: insert_returning_denied on feedback
-- INSERT passes, INSERT ... RETURNING fails for want of a SELECT policy.
CREATE ROLE web LOGIN;
CREATE TABLE feedback (id bigint PRIMARY KEY, tenant_id integer NOT NULL, words text);
CREATE INDEX ON feedback (tenant_id);
INSERT INTO feedback VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE feedback ENABLE ROW LEVEL SECURITY;
CREATE POLICY give ON feedback FOR INSERT TO web WITH CHECK (tenant_id = (SELECT current_setting('web.tenant', true)::integer));
GRANT SELECT, INSERT ON feedback TO web;
-- prove:
SELECT proof.login('web', '1', 'web.tenant=1');
SELECT proof.holds('INSERT INTO feedback VALUES (3, 1)', '1');
SELECT proof.holds('INSERT INTO feedback VALUES (3, 1) RETURNING id', 'ERROR 42501');
