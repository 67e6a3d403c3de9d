-- expect: policy_null_tenant_visible on templates
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE templates (id int PRIMARY KEY, tenant_id int, body text);
CREATE INDEX ON templates (tenant_id);
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON templates FOR SELECT TO app USING (tenant_id IS NULL OR tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT ON templates TO app;
INSERT INTO templates VALUES (1, 1, 'a'), (2, 2, 'b'), (3, NULL, 'shared');
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.holds('select coalesce(tenant_id, 0) from templates', '0,1');
