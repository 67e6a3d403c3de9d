-- clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE SCHEMA warehouse;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
CREATE MATERIALIZED VIEW warehouse.totals AS SELECT tenant_id, count(*) FROM orders GROUP BY 1;
GRANT SELECT ON warehouse.totals TO app;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM warehouse.totals', 'ERROR 42501');
