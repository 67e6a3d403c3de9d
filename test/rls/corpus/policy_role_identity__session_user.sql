-- expect: policy_role_identity on files
-- The tenants table says which role a tenant uses; all of them use the gateway's.
CREATE ROLE gateway LOGIN;
CREATE TABLE files (
    id bigint PRIMARY KEY,
    tenant_id uuid NOT NULL,
    db_role name NOT NULL DEFAULT session_user
);
CREATE INDEX ON files (tenant_id);
INSERT INTO files VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'gateway'),
                         (2, 'b0000000-0000-0000-0000-000000000002', 'gateway');
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_login ON files FOR SELECT TO gateway USING (db_role = session_user);
GRANT SELECT ON files TO gateway;
CREATE TABLE uploads (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE INDEX ON uploads (tenant_id);
ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON uploads FOR SELECT TO gateway
    USING (tenant_id = (SELECT current_setting('gw.tenant')::uuid));
GRANT SELECT ON uploads TO gateway;
-- prove:
SELECT proof.login('gateway', 'a', 'gw.tenant=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT left(tenant_id::text, 1) FROM files', 'a,b');
