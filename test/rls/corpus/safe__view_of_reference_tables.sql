-- clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE TABLE products (sku text PRIMARY KEY, name text NOT NULL, active boolean NOT NULL DEFAULT true);
INSERT INTO products VALUES ('a', 'A'), ('b', 'B');
CREATE VIEW active_products AS SELECT sku, name FROM products WHERE active;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, sku text REFERENCES products);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 'a'), (2, 2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders, active_products TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('SELECT sku FROM active_products', 'a,b');
