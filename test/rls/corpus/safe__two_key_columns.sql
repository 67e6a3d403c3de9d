-- clean
-- proved: orders
-- tenancy: tenant_columns public.orders country tenant_no
-- Tenant numbers are given out by country: both columns name the tenant.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, country text NOT NULL, tenant_no integer NOT NULL);
CREATE INDEX ON orders (country, tenant_no);
INSERT INTO orders VALUES (1, 'de', 1), (2, 'fr', 1), (3, 'de', 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app
    USING (country = (SELECT current_setting('app.country', true)) AND tenant_no = (SELECT current_setting('app.no', true)::integer));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.login('app', 'de1', 'app.country=de', 'app.no=1');
SELECT proof.sees('SELECT country || tenant_no FROM orders', 'de1');
SELECT proof.harms('INSERT INTO orders VALUES (4, ''fr'', 1)', 'ERROR 42501');
