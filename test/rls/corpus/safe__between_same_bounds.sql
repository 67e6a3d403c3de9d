-- clean
-- proved: orders
-- A generator of SQL wrote equality as a range.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app
    USING (tenant_id BETWEEN (SELECT current_setting('app.t', true)::integer) AND (SELECT current_setting('app.t', true)::integer));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
SELECT proof.harms('INSERT INTO orders VALUES (3, 2)', 'ERROR 42501');
