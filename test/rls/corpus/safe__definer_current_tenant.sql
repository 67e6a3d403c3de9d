-- clean
-- proved: orders
-- A definer helper looks up the tenant of the session's user in a table the app cannot see.
CREATE ROLE app LOGIN;
CREATE TABLE users (id integer PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO users VALUES (10, 1), (20, 2);
CREATE FUNCTION current_tenant() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT tenant_id FROM users WHERE id = (SELECT nullif(current_setting('app.user_id', true), '')::integer) $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user_id=10', 'SELECT tenant_id FROM orders');
SELECT proof.harms('INSERT INTO orders VALUES (3, 2)', 'ERROR 42501');
