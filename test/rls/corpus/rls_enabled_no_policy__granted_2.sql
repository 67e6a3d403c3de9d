-- expect: rls_enabled_no_policy on audit_trail
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE audit_trail (id int PRIMARY KEY, tenant_id int NOT NULL, what text);
ALTER TABLE audit_trail ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON audit_trail TO app;
INSERT INTO audit_trail VALUES (1, 1), (2, 2);
CREATE TABLE docs (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON docs (tenant_id);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON docs TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT ON docs TO app;
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from audit_trail', '');
SELECT proof.holds('insert into audit_trail values (9, 1)', 'ERROR 42501');
