-- clean
-- proved: templates
-- The column cannot be NULL, so the first branch admits nothing.
CREATE ROLE app LOGIN;
CREATE TABLE templates (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, body text);
CREATE INDEX ON templates (tenant_id);
INSERT INTO templates VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON templates FOR SELECT TO app
    USING (tenant_id IS NULL OR tenant_id = (SELECT current_setting('app.tenant_id', true)::bigint));
GRANT SELECT ON templates TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM templates');
