-- clean
-- proved: orders
-- tenancy: app_roles * app
-- The back office reads everything through a role of its own, which is no tenant's.
CREATE ROLE app LOGIN;
CREATE ROLE backoffice LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
CREATE POLICY support ON orders FOR SELECT TO backoffice USING (true);
GRANT SELECT, INSERT ON orders TO app;
GRANT SELECT ON orders TO backoffice;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('SELECT 1', 'ERROR 42501', 'SET LOCAL ROLE backoffice');
