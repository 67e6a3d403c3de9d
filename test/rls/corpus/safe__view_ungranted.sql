-- clean
-- proved: orders
-- The back office's view is for its own role only, which no application becomes.
CREATE ROLE app LOGIN;
CREATE ROLE backoffice NOLOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE VIEW all_orders AS SELECT * FROM orders;
GRANT SELECT ON orders TO app;
GRANT SELECT ON all_orders TO backoffice;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM all_orders', 'ERROR 42501');
