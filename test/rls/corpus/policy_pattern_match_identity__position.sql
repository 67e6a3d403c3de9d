-- expect: policy_pattern_match_identity|policy_not_tenant_bound on orders
-- may: policy_pattern_match_identity, policy_not_tenant_bound on orders
-- The tenant is searched for in a comma list: 1 is found in 12.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 12);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON orders FOR SELECT TO app
    USING (position(tenant_id::text in (SELECT current_setting('app.tenants', true))) > 0);
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '12', 'app.tenants=12');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,12');
