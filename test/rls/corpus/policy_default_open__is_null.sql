-- expect: policy_default_open on invoices
-- may: write_check_not_tenant_bound on invoices
-- "No tenant set means the batch job" opens everything to whoever forgets to set it.
CREATE ROLE app LOGIN;
CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, total numeric);
CREATE INDEX ON invoices (tenant_id);
INSERT INTO invoices VALUES (1, 'a0000000-0000-0000-0000-000000000001', 1),
                            (2, 'b0000000-0000-0000-0000-000000000002', 2);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invoices FOR ALL TO app
    USING ((SELECT current_setting('app.tenant', true)) IS NULL
           OR tenant_id = (SELECT current_setting('app.tenant', true)::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO app;
-- prove:
SELECT proof.login('app', NULL);
SELECT proof.sees('SELECT left(tenant_id::text, 1) FROM invoices', 'a,b');
SELECT proof.login('app', 'a', 'app.tenant=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT left(tenant_id::text, 1) FROM invoices', 'a');
