-- clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, region text NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 'eu'), (2, 2, 'eu'), (3, 1, 'us');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON orders TO app USING (true);
CREATE POLICY tenant ON orders AS RESTRICTIVE TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE POLICY region ON orders AS RESTRICTIVE TO app USING (region = (SELECT current_setting('app.region', true)));
GRANT SELECT, INSERT, UPDATE ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.t=1', 'app.region=eu');
SELECT proof.sees('SELECT tenant_id FROM orders', '1');
SELECT proof.harms('INSERT INTO orders VALUES (4, 2, ''eu'')', 'ERROR 42501');
