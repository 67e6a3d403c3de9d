-- clean
-- proved: orders
-- An invoker view with a filter of its own: the policy holds whatever is pushed down.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE VIEW my_orders WITH (security_invoker) AS SELECT * FROM orders WHERE tenant_id = (SELECT current_setting('app.tenant_id', true)::integer);
GRANT SELECT ON orders, my_orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM my_orders');
SELECT proof.sees('SELECT * FROM pg_temp.loot', '1', $$
    CREATE TEMP TABLE loot (tenant integer);
    CREATE FUNCTION pg_temp.spy(integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        'BEGIN INSERT INTO loot VALUES ($1); RETURN true; END';
    SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off;
    SELECT count(*) FROM my_orders WHERE pg_temp.spy(tenant_id) $$);
