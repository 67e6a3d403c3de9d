-- clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, state text NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 'open'), (2, 2, 'open');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE VIEW open_orders WITH (security_invoker = true) AS SELECT id, tenant_id FROM orders WHERE state = 'open';
CREATE VIEW open_order_count WITH (security_invoker = on) AS SELECT tenant_id, count(*) FROM open_orders GROUP BY tenant_id;
GRANT SELECT ON orders, open_orders, open_order_count TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM open_orders', 'SELECT tenant_id FROM open_order_count');
