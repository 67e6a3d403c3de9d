-- clean
-- proved: orders
-- The foreign table is the import job's, which copies it into the protected table.
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE ROLE app LOGIN;
CREATE FOREIGN TABLE imported_orders (id bigint, tenant_id integer NOT NULL)
    SERVER files OPTIONS (program $$printf '1,1\n2,2\n'$$, format 'csv');
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders SELECT * FROM imported_orders;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM imported_orders', 'ERROR 42501');
