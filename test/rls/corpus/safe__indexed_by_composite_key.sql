-- clean
-- perf_clean
-- proved: orders events
-- A primary key that leads with the tenant, and a hash index.
CREATE ROLE app LOGIN;
CREATE TABLE orders (tenant_id integer, id bigint, PRIMARY KEY (tenant_id, id));
CREATE TABLE events (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON events USING hash (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
INSERT INTO events VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY tenant ON events TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT ON orders, events TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders', 'SELECT tenant_id FROM events');
SELECT proof.plan('SELECT * FROM orders', 'Index Cond', true);
SELECT proof.plan('SELECT * FROM events', 'Index Cond', true);
