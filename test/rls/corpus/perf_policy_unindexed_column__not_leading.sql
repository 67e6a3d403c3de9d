-- expect_perf: perf_policy_unindexed_column on events
-- The tenant is only the second column of the key.
CREATE ROLE app LOGIN;
CREATE TABLE events (at timestamptz, tenant_id uuid, what text, PRIMARY KEY (at, tenant_id));
INSERT INTO events VALUES ('2024-01-01', 'a0000000-0000-0000-0000-000000000001'), ('2024-01-02', 'b0000000-0000-0000-0000-000000000002');
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events FOR SELECT TO app USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid));
GRANT SELECT ON events TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.tenant=a0000000-0000-0000-0000-000000000001', 'SELECT left(tenant_id::text, 1) FROM events');
