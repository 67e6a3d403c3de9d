-- clean
-- perf_clean
-- proved: orders
-- The column is cast, and there is an index on just that.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE INDEX ON orders ((tenant_id::text));
INSERT INTO orders VALUES (1, 'a0000000-0000-0000-0000-000000000001'), (2, 'b0000000-0000-0000-0000-000000000002');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id::text = (SELECT current_setting('app.tenant', true)));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.tenant=a0000000-0000-0000-0000-000000000001', 'SELECT left(tenant_id::text, 1) FROM orders');
SELECT proof.plan('SELECT * FROM orders', 'Index Cond', true);
