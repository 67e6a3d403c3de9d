-- expect: view_bypasses_rls on my_orders
-- The condition stands in the ON of a left join, where it filters nothing.
CREATE ROLE app LOGIN;
CREATE TABLE tenants (id integer PRIMARY KEY, name text);
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO tenants VALUES (1), (2);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE VIEW my_orders WITH (security_barrier) AS
    SELECT o.*, t.name FROM orders o LEFT JOIN tenants t
    ON t.id = o.tenant_id AND o.tenant_id = (SELECT current_setting('app.t', true)::integer);
GRANT SELECT ON orders, my_orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM my_orders', '1,2');
