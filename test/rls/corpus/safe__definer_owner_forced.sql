-- clean
-- proved: orders
-- The definer owns the table, which is under FORCE with a policy that binds the owner too.
CREATE ROLE app LOGIN;
CREATE ROLE app_owner NOLOGIN;
GRANT CREATE, USAGE ON SCHEMA public TO app_owner;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders OWNER TO app_owner;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
CREATE FUNCTION all_orders() RETURNS SETOF orders
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT * FROM orders $$;
ALTER FUNCTION all_orders() OWNER TO app_owner;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM all_orders()');
