-- expect: view_bypasses_rls on base
-- may: view_bypasses_rls on dashboard
-- The outer view is security_invoker, but the inner one it reads, not; the app may read both.
CREATE ROLE app LOGIN;
CREATE TABLE deals (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, value numeric);
CREATE INDEX ON deals (tenant_id);
INSERT INTO deals VALUES (1, 'a0000000-0000-0000-0000-000000000001', 1), (2, 'b0000000-0000-0000-0000-000000000002', 2);
ALTER TABLE deals ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON deals TO app USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid));
CREATE VIEW base AS SELECT * FROM deals;
CREATE VIEW dashboard WITH (security_invoker) AS SELECT left(tenant_id::text, 1) AS tenant, sum(value) FROM base GROUP BY 1;
GRANT SELECT ON deals, base, dashboard TO app;
-- prove:
SELECT proof.login('app', 'a', 'app.tenant=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT tenant FROM dashboard', 'a,b');
