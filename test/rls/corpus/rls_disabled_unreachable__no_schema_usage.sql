-- expect: rls_disabled_unreachable on etl.raw_orders
-- Granted, in a schema nobody may use.
CREATE ROLE app LOGIN;
CREATE SCHEMA etl;
CREATE TABLE etl.raw_orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO etl.raw_orders VALUES (1, 1), (2, 2);
GRANT SELECT ON etl.raw_orders TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM etl.raw_orders', 'ERROR 42501');
