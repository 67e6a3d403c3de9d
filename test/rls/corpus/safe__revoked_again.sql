-- clean
-- proved: orders
-- Granted in one migration, revoked in the next.
CREATE ROLE app LOGIN;
CREATE TABLE orders_old (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO orders_old VALUES (1, 1), (2, 2);
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
REVOKE ALL ON orders_old FROM app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM orders_old', 'ERROR 42501');
