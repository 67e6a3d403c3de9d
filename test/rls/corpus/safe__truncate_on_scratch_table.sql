-- clean
-- proved: orders
-- TRUNCATE is granted on a table of numbers without tenants.
CREATE ROLE app LOGIN;
CREATE TABLE scratch (n integer PRIMARY KEY, squared bigint);
GRANT ALL ON scratch TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.harms('TRUNCATE orders', 'ERROR 42501');
