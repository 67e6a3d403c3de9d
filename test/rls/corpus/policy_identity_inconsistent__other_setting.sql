-- expect: policy_identity_inconsistent on invoices
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE projects (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE tasks (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE invoices (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON projects (tenant_id); CREATE INDEX ON tasks (tenant_id); CREATE INDEX ON invoices (tenant_id);
ALTER TABLE projects ENABLE ROW LEVEL SECURITY; ALTER TABLE tasks ENABLE ROW LEVEL SECURITY; ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON projects TO app USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::int);
CREATE POLICY t ON tasks TO app USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::int);
CREATE POLICY r ON invoices FOR SELECT TO app USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::int);
CREATE POLICY w ON invoices FOR INSERT TO app WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON projects, tasks TO app;
GRANT SELECT, INSERT ON invoices TO app;
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.current_tenant=1');
SELECT proof.holds('insert into invoices values (1, 1)', 'ERROR 42501');
