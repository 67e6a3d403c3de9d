-- clean
-- perf_clean
-- proved: templates
-- A nullable column under plain equality: orphans are nobody's.
CREATE ROLE app LOGIN;
CREATE TABLE templates (id bigint PRIMARY KEY, tenant_id bigint, body text);
CREATE INDEX ON templates (tenant_id);
INSERT INTO templates VALUES (1, 1, 'x'), (2, 2, 'y'), (3, NULL, 'z');
ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON templates FOR ALL TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT coalesce(tenant_id, 0) FROM templates');
SELECT proof.harms('INSERT INTO templates VALUES (4, NULL)', 'ERROR 42501');
