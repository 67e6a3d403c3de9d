-- clean
-- proved: templates
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE templates (id int PRIMARY KEY, tenant_id int, body text);
CREATE INDEX ON templates (tenant_id);
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON templates TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO app;
INSERT INTO templates VALUES (1, 1), (2, 2), (3, NULL);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from templates');
