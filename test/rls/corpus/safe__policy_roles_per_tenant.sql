-- clean
-- proved: orders
-- A policy for each tenant's role, with the tenant written out.
CREATE ROLE acme LOGIN;
CREATE ROLE zeta LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant name NOT NULL);
CREATE INDEX ON orders (tenant);
INSERT INTO orders VALUES (1, 'acme'), (2, 'zeta');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY acme ON orders TO acme USING (tenant = current_user AND tenant = 'acme');
CREATE POLICY zeta ON orders TO zeta USING (tenant = current_user AND tenant = 'zeta');
GRANT SELECT, INSERT ON orders TO acme, zeta;
-- prove:
SELECT proof.login('acme', 'acme');
SELECT proof.sees('SELECT tenant FROM orders', 'acme');
SELECT proof.harms('INSERT INTO orders VALUES (3, ''zeta'')', 'ERROR 42501');
