-- expect: policy_not_tenant_bound|policy_pattern_match_identity on orders
-- may: policy_not_tenant_bound, policy_pattern_match_identity on orders
-- The first eight characters of a uuid are not the uuid.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 'a0000000-0000-0000-0000-000000000001'), (2, 'a0000000-0000-0000-0000-000000000002');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app
    USING (left(tenant_id::text, 8) = left((SELECT current_setting('app.tenant', true)), 8));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT right(tenant_id::text, 1) FROM orders', '1,2');
