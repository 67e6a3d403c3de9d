-- clean
-- proved: cases@web
-- tenancy: app_roles * web
CREATE ROLE web LOGIN; CREATE ROLE backoffice LOGIN;
CREATE TABLE cases (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON cases (tenant_id);
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON cases TO web USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE POLICY staff_all ON cases FOR SELECT TO backoffice USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON cases TO web;
GRANT SELECT ON cases TO backoffice;
INSERT INTO cases VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('web', '1', 'app.tenant=1', 'select tenant_id from cases');
