-- clean
-- proved: orders
-- The old table keeps its policy and has lost its grants.
CREATE ROLE app LOGIN;
CREATE TABLE orders_2019 (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO orders_2019 VALUES (1, 1), (2, 2);
CREATE POLICY tenant ON orders_2019 TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM orders_2019', 'ERROR 42501');
