-- expect: policy_not_tenant_bound on deals
-- AND binds tighter than OR: shared deals of all tenants come along.
CREATE ROLE crm LOGIN;
CREATE TABLE deals (
    id bigint PRIMARY KEY,
    tenant_id uuid NOT NULL,
    stage text NOT NULL,
    shared boolean NOT NULL DEFAULT false
);
CREATE INDEX ON deals (tenant_id);
INSERT INTO deals VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'open', false),
                         (2, 'b0000000-0000-0000-0000-000000000002', 'open', true);
ALTER TABLE deals ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON deals FOR SELECT TO crm
    USING (tenant_id = (SELECT current_setting('crm.tenant', true)::uuid)
           AND stage = 'open' OR shared);
GRANT SELECT ON deals TO crm;
-- prove:
SELECT proof.login('crm', 'a', 'crm.tenant=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT left(tenant_id::text, 1) FROM deals', 'a,b');
