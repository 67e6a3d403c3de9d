-- expect: function_search_path_mutable on current_tenant
-- A temporary table of the caller takes the place of users.
CREATE ROLE app LOGIN;
CREATE TABLE users (id integer PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO users VALUES (10, 1), (20, 2);
CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER AS
    $$ SELECT tenant_id FROM users WHERE id = (SELECT nullif(current_setting('app.user_id', true), '')::integer) $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user_id=10');
SELECT proof.sees('SELECT tenant_id FROM orders', '1');
SELECT proof.sees('SELECT tenant_id FROM orders', '2', 'CREATE TEMP TABLE users AS SELECT 10 AS id, 2 AS tenant_id; GRANT ALL ON users TO PUBLIC');
