-- clean
-- proved: orders
-- The application reads the totals through a view that asks for the tenant.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, total numeric);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE MATERIALIZED VIEW revenue_all AS SELECT tenant_id, sum(total) AS total FROM orders GROUP BY tenant_id;
CREATE VIEW revenue WITH (security_barrier) AS
    SELECT * FROM revenue_all WHERE tenant_id = (SELECT current_setting('app.tenant_id', true)::integer);
GRANT SELECT ON orders, revenue TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders', 'SELECT tenant_id FROM revenue');
SELECT proof.sees('SELECT tenant_id FROM revenue_all', 'ERROR 42501');
