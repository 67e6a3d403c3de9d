-- expect: policy_not_tenant_bound on orders
-- may: policy_default_open on orders
-- A second setting switches the policy off.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app
    USING ((SELECT current_setting('app.all_tenants', true)) = 'on' OR tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1', 'app.all_tenants=on');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
