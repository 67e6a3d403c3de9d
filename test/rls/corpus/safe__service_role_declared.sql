-- clean
-- proved: orders
-- tenancy: app_roles * web
-- The nightly job's role is exempt and logs in; the tenants' role cannot become it.
CREATE ROLE web LOGIN;
CREATE ROLE nightly LOGIN BYPASSRLS;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON orders (firma);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON orders TO web USING (firma = (SELECT current_setting('web.firma', true)));
GRANT SELECT, INSERT ON orders TO web, nightly;
-- prove:
SELECT proof.isolated('web', 'a', 'web.firma=a', 'SELECT firma FROM orders');
SELECT proof.holds('SELECT 1', 'ERROR 42501', 'SET LOCAL ROLE nightly');
