-- expect: policy_denies_all on archive
-- "= NULL" is never true.
CREATE ROLE app LOGIN;
CREATE TABLE archive (id bigint PRIMARY KEY, tenant_id integer NOT NULL, deleted_at timestamptz);
CREATE INDEX ON archive (tenant_id);
INSERT INTO archive VALUES (1, 1), (2, 2);
ALTER TABLE archive ENABLE ROW LEVEL SECURITY;
CREATE POLICY alive ON archive FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer) AND deleted_at = NULL);
GRANT SELECT ON archive TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('SELECT tenant_id FROM archive', '');
