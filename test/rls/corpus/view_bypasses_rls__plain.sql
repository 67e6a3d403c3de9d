-- expect: view_bypasses_rls on open_orders
-- A view runs as its owner, here a superuser.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, state text NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 'open'), (2, 2, 'open');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE VIEW open_orders AS SELECT id, tenant_id FROM orders WHERE state = 'open';
GRANT SELECT ON orders, open_orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM open_orders', '1,2');
