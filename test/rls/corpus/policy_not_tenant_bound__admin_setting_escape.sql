-- expect: policy_not_tenant_bound|policy_default_open on pagos
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE pagos (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON pagos (tenant_id);
ALTER TABLE pagos ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON pagos TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int OR coalesce(current_setting('app.is_tenant_scoped', true), '') <> 'on');
GRANT SELECT ON pagos TO app;
INSERT INTO pagos VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from pagos', '1,2');
