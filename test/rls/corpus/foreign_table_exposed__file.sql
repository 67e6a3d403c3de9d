-- expect: foreign_table_exposed on imported_orders
-- may: rls_disabled on imported_orders
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE ROLE app LOGIN;
CREATE FOREIGN TABLE imported_orders (id bigint, tenant_id integer NOT NULL)
    SERVER files OPTIONS (program $$printf '1,1\n2,2\n'$$, format 'csv');
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders, imported_orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM imported_orders', '1,2');
