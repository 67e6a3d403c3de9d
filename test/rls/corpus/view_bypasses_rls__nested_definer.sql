-- expect: view_bypasses_rls on order_totals
-- Only the outer view is granted; both run as their owner.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, total numeric);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 5), (2, 2, 6);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE VIEW all_orders AS SELECT * FROM orders;
CREATE VIEW order_totals WITH (security_barrier) AS SELECT tenant_id, sum(total) FROM all_orders GROUP BY 1;
GRANT SELECT ON orders, order_totals TO app;
-- prove:
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM order_totals', '1,2');
