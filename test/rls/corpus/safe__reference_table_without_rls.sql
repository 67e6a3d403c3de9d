-- clean
-- proved: orders
-- Countries and tax rates are the same for all; they need no row security.
CREATE ROLE app LOGIN;
CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE tax_rates (country text REFERENCES countries, rate numeric NOT NULL, valid_from date, PRIMARY KEY (country, valid_from));
INSERT INTO countries VALUES ('DE', 'Germany'), ('FR', 'France');
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, country text REFERENCES countries);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 'DE'), (2, 2, 'FR');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
GRANT SELECT ON countries, tax_rates TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('SELECT code FROM countries', 'DE,FR');
