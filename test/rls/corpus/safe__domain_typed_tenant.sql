-- clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE DOMAIN tenant_key AS integer CHECK (VALUE > 0);
CREATE TABLE orders (id bigint PRIMARY KEY, tenant tenant_key NOT NULL);
CREATE INDEX ON orders (tenant);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant = (SELECT nullif(current_setting('app.tenant', true), '')::tenant_key));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'SELECT tenant FROM orders');
SELECT proof.harms('UPDATE orders SET tenant = 2', 'ERROR 42501');
