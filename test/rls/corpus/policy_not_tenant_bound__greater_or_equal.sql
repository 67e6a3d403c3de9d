-- expect: policy_not_tenant_bound on orders
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app USING (tenant_id >= (SELECT current_setting('app.t', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
