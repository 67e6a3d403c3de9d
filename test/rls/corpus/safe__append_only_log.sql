-- clean
-- proved: audit_log
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE audit_log (id int, tenant_id int NOT NULL, what text);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY ins ON audit_log FOR INSERT TO app WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT INSERT ON audit_log TO app;
INSERT INTO audit_log VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.harms('insert into audit_log values (3, 2)', 'ERROR 42501');
SELECT proof.holds('insert into audit_log values (3, 1)', '1');
