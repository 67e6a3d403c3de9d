-- expect: policy_null_tenant_visible on templates
-- may: write_check_not_tenant_bound on templates
-- Rows without a tenant are meant as "global", and anybody can write them.
CREATE ROLE app LOGIN;
CREATE TABLE templates (id bigint PRIMARY KEY, tenant_id bigint, body text);
CREATE INDEX ON templates (tenant_id);
INSERT INTO templates VALUES (1, 1, 'x'), (2, 2, 'y'), (3, NULL, 'z');
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON templates FOR ALL TO app
    USING (tenant_id IS NULL OR tenant_id = (SELECT current_setting('app.tenant_id', true)::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT coalesce(tenant_id, 0) FROM templates', '0,1');
SELECT proof.harms('UPDATE templates SET body = ''defaced'' WHERE tenant_id IS NULL', '1');
