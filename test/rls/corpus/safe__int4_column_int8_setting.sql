-- clean
-- perf_clean
-- proved: orders
-- The setting is a bigint, the column an integer.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, company_id integer NOT NULL);
CREATE INDEX ON orders (company_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY company ON orders TO app USING (company_id = (SELECT current_setting('app.company', true)::bigint));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.company=1', 'SELECT company_id FROM orders');
SELECT proof.harms('UPDATE orders SET company_id = 2', 'ERROR 42501');
