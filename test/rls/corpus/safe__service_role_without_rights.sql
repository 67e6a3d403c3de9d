-- clean
-- proved: orders
-- A metrics login with no rights on any table.
CREATE ROLE app LOGIN;
CREATE ROLE metrics LOGIN IN ROLE pg_read_all_stats;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
SELECT proof.login('metrics', NULL);
SELECT proof.sees('SELECT tenant_id FROM orders', 'ERROR 42501');
