-- clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, total numeric);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 5), (2, 2, 6);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
CREATE FUNCTION my_orders() RETURNS SETOF orders
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM orders WHERE tenant_id = (SELECT current_setting('app.tenant_id', true)::integer)
$$;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM my_orders()');
