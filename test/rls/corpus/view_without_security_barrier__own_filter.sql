-- expect: view_without_security_barrier on my_orders
-- The view asks for the tenant; a cheap function of the caller is asked first.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, secret text);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE VIEW my_orders AS SELECT * FROM orders WHERE tenant_id = (SELECT current_setting('app.tenant_id', true)::integer);
GRANT SELECT ON orders, my_orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM my_orders');
SELECT proof.sees('SELECT * FROM pg_temp.loot', '1,2', $$
    CREATE TEMP TABLE loot (tenant integer);
    CREATE FUNCTION pg_temp.spy(integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        'BEGIN INSERT INTO loot VALUES ($1); RETURN true; END';
    SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off;
    SELECT count(*) FROM my_orders WHERE pg_temp.spy(tenant_id) $$);
