-- clean
-- proved: orders
-- The archive is readable for a role without login and without members.
CREATE ROLE app LOGIN;
CREATE ROLE auditors NOLOGIN;
CREATE TABLE archive (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO archive VALUES (1, 1), (2, 2);
GRANT SELECT ON archive TO auditors;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM archive', 'ERROR 42501', NULL);
SELECT proof.holds('SELECT 1', 'ERROR 42501', 'SET LOCAL ROLE auditors');
