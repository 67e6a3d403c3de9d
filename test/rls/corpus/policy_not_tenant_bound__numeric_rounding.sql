-- expect: policy_not_tenant_bound on readings
-- The cast to integer rounds: 1.4 is 1.
CREATE ROLE app LOGIN;
CREATE TABLE readings (id bigint PRIMARY KEY, tenant_no numeric NOT NULL);
CREATE INDEX ON readings (tenant_no);
INSERT INTO readings VALUES (1, 1), (2, 1.4);
ALTER TABLE readings ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON readings FOR SELECT TO app USING (tenant_no::integer = (SELECT current_setting('app.tenant_no', true)::integer));
GRANT SELECT ON readings TO app;
CREATE TABLE meters (id bigint PRIMARY KEY, tenant_no numeric NOT NULL);
CREATE INDEX ON meters (tenant_no);
ALTER TABLE meters ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON meters FOR SELECT TO app USING (tenant_no = (SELECT current_setting('app.tenant_no', true)::integer));
GRANT SELECT ON meters TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_no=1');
SELECT proof.sees('SELECT tenant_no FROM readings', '1,1.4');
