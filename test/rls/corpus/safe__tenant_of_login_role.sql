-- clean
-- proved: orders
-- One login for each tenant; a table nobody may touch says which.
CREATE ROLE cust_a LOGIN;
CREATE ROLE cust_b LOGIN;
CREATE TABLE tenant_logins (login name PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO tenant_logins VALUES ('cust_a', 1), ('cust_b', 2);
CREATE FUNCTION login_tenant() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT l.tenant_id FROM tenant_logins l WHERE l.login = session_user $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO cust_a, cust_b USING (tenant_id = (SELECT login_tenant()));
GRANT SELECT, INSERT ON orders TO cust_a, cust_b;
-- prove:
SELECT proof.login('cust_a', '1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1');
SELECT proof.login('cust_b', '2');
SELECT proof.sees('SELECT tenant_id FROM orders', '2');
SELECT proof.harms('INSERT INTO orders VALUES (3, 1)', 'ERROR 42501');
