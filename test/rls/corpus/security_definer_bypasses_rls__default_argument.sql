-- expect: security_definer_bypasses_rls on orders_of
-- The argument defaults to the session's tenant; the caller may say another.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT ON orders TO app;
CREATE FUNCTION orders_of(which integer DEFAULT current_setting('app.t', true)::integer) RETURNS SETOF orders
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT * FROM orders WHERE tenant_id = which $$;
-- prove:
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM orders_of()', '1');
SELECT proof.sees('SELECT tenant_id FROM orders_of(2)', '2');
