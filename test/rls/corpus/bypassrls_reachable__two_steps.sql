-- expect: bypassrls_reachable on app|superadmin|orders
-- app is in ops, ops is in superadmin, which is a superuser.
CREATE ROLE superadmin NOLOGIN SUPERUSER;
CREATE ROLE ops NOLOGIN IN ROLE superadmin;
CREATE ROLE app LOGIN IN ROLE ops;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2', 'SET LOCAL ROLE superadmin');
