-- clean
-- proved: orders
-- Partitions by tenant, each protected as the parent is.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint, tenant_id integer NOT NULL, PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
CREATE TABLE orders_2 PARTITION OF orders FOR VALUES IN (2);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders_1 ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders_2 ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE POLICY tenant ON orders_1 TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE POLICY tenant ON orders_2 TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT, INSERT ON orders, orders_1, orders_2 TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM orders_2', '');
