-- expect_perf: perf_policy_volatile_function on orders
-- Nobody said STABLE, so it is VOLATILE.
-- may: perf_policy_initplan on orders
-- may: policy_opaque_function on orders|current_tenant
CREATE ROLE app LOGIN;
CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE plpgsql AS
    $$ BEGIN RETURN nullif(current_setting('app.tenant_id', true), '')::integer; END $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = current_tenant());
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.plan('SELECT * FROM orders', 'Index Cond', false);
