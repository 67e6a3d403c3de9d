-- expect: rls_enabled_no_policy on audit_log
-- Row security switched on, the policy forgotten: the application reads nothing.
CREATE ROLE app LOGIN;
CREATE TABLE audit_log (id bigint PRIMARY KEY, tenant_id integer NOT NULL, what text);
INSERT INTO audit_log VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON audit_log TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM audit_log', '');
SELECT proof.holds('INSERT INTO audit_log VALUES (3, 1)', 'ERROR 42501');
