-- expect: restrictive_policy_noop on orders
-- The floor says true.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY floor ON orders AS RESTRICTIVE TO app USING (true);
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM orders', '1', NULL);
