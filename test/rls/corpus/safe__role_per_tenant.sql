-- clean
-- proved: orders
-- One login role for each tenant, named in the row.
CREATE ROLE tenants NOLOGIN;
CREATE ROLE acme LOGIN IN ROLE tenants;
CREATE ROLE zeta LOGIN IN ROLE tenants;
CREATE ROLE omega LOGIN IN ROLE tenants;
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    tenant name NOT NULL DEFAULT current_user,
    total numeric
);
CREATE INDEX ON orders (tenant);
INSERT INTO orders VALUES (1, 'acme', 5), (2, 'zeta', 6), (3, 'omega', 7);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON orders FOR ALL TO tenants USING (tenant = current_user);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO tenants;
-- prove:
SELECT proof.login('acme', 'acme');
SELECT proof.sees('SELECT tenant FROM orders', 'acme');
SELECT proof.harms('UPDATE orders SET tenant = ''zeta''', 'ERROR 42501');
SELECT proof.login('zeta', 'zeta');
SELECT proof.sees('SELECT tenant FROM orders', 'zeta');
