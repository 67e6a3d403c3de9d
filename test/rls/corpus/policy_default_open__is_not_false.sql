-- expect: policy_default_open on tickets
-- may: write_check_not_tenant_bound on tickets
-- Unknown is not false.
CREATE ROLE app LOGIN;
CREATE TABLE tickets (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, subject text);
CREATE INDEX ON tickets (tenant_id);
INSERT INTO tickets VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tickets FOR SELECT TO app
    USING ((tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)) IS NOT FALSE);
GRANT SELECT ON tickets TO app;
-- prove:
SELECT proof.login('app', NULL);
SELECT proof.sees('SELECT tenant_id FROM tickets', '1,2');
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM tickets', '1');
