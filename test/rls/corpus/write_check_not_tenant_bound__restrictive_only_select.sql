-- expect: write_check_not_tenant_bound|policy_always_true on leads
-- may: write_check_not_tenant_bound, policy_always_true, permissive_or_widening, policy_not_tenant_bound on leads
-- The floor covers SELECT only; the permissive policy opens the rest.
CREATE ROLE crm LOGIN;
CREATE TABLE leads (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text);
CREATE INDEX ON leads (tenant_id);
INSERT INTO leads VALUES (1, 'acme', 'x'), (2, 'zeta', 'y');
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
CREATE POLICY allowed ON leads FOR ALL TO crm USING (true);
CREATE POLICY floor ON leads AS RESTRICTIVE FOR SELECT TO crm
    USING (tenant_id = (SELECT current_setting('crm.tenant', true)));
GRANT SELECT, INSERT, DELETE ON leads TO crm;
-- prove:
SELECT proof.login('crm', 'acme', 'crm.tenant=acme');
SELECT proof.sees('SELECT tenant_id FROM leads', 'acme');
SELECT proof.harms('INSERT INTO leads VALUES (3, ''zeta'', ''z'')', '1');
SELECT proof.harms('DELETE FROM leads', '2');
