-- expect: rls_disabled_unreachable on staging_orders
-- Nobody has any right on the import table.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
CREATE TABLE staging_orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO staging_orders VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM staging_orders', 'ERROR 42501');
