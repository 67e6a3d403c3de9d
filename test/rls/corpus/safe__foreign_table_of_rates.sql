-- clean
-- proved: orders
-- Exchange rates from a file: nobody's in particular.
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE ROLE app LOGIN;
CREATE FOREIGN TABLE exchange_rates (currency text, rate numeric)
    SERVER files OPTIONS (program $$printf 'USD,1.1\nJPY,160\n'$$, format 'csv');
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders, exchange_rates TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('SELECT currency FROM exchange_rates', 'JPY,USD');
