-- clean
-- proved: orders
-- The gateway has no rights of its own and becomes the one role that has.
CREATE ROLE tenant_user NOLOGIN;
CREATE ROLE gateway LOGIN NOINHERIT IN ROLE tenant_user;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO tenant_user USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT, INSERT ON orders TO tenant_user;
-- prove:
SELECT proof.login('gateway', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1', 'SET LOCAL ROLE tenant_user');
SELECT proof.sees('SELECT tenant_id FROM orders', 'ERROR 42501');
