-- expect: write_check_not_tenant_bound|policy_null_tenant_visible on templates
-- may: write_check_not_tenant_bound, policy_null_tenant_visible on templates
-- Reads include the shared rows; so do writes, though nobody should.
CREATE ROLE app LOGIN;
CREATE TABLE templates (id bigint PRIMARY KEY, tenant_id integer, body text);
CREATE INDEX ON templates (tenant_id);
INSERT INTO templates VALUES (1, 1), (2, 2), (3, NULL);
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON templates FOR SELECT TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE POLICY write ON templates FOR INSERT TO app
    WITH CHECK (tenant_id IS NULL OR tenant_id = (SELECT current_setting('app.t', true)::integer) OR body = 'copy');
GRANT SELECT, INSERT ON templates TO app;
-- prove:
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.harms('INSERT INTO templates VALUES (4, 2, ''copy'')', '1');
