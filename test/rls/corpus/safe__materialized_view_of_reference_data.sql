-- clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE TABLE cities (code text PRIMARY KEY, country text NOT NULL);
INSERT INTO cities VALUES ('BER', 'DE'), ('PAR', 'FR');
CREATE MATERIALIZED VIEW cities_by_country AS SELECT country, count(*) AS cities FROM cities GROUP BY country;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON cities, cities_by_country, orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('SELECT country FROM cities_by_country', 'DE,FR');
