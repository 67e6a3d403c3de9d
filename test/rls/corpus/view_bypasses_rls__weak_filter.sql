-- expect: view_bypasses_rls on my_orders
-- The view filters by the session, or by being shared.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, shared boolean NOT NULL DEFAULT true);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE VIEW my_orders WITH (security_barrier) AS
    SELECT * FROM orders WHERE shared OR tenant_id = (SELECT current_setting('app.t', true)::integer);
GRANT SELECT ON orders, my_orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM my_orders', '1,2');
