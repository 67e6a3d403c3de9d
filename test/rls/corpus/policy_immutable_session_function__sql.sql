-- expect: policy_immutable_session_function on current_tenant|orders
-- IMMUTABLE was put there to make the plan faster: a cached plan keeps the first tenant.
CREATE ROLE app LOGIN;
CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN RETURN current_setting('app.tenant_id', true)::integer; END $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app USING (tenant_id = current_tenant());
GRANT SELECT ON orders TO app;
-- may: policy_opaque_function on orders|current_tenant
-- prove:
SELECT proof.login('app', '2');
SELECT proof.sees('SELECT * FROM pg_temp.cached()', '1', $$
    CREATE FUNCTION pg_temp.cached() RETURNS SETOF text LANGUAGE plpgsql AS
        'BEGIN RETURN QUERY SELECT tenant_id::text FROM orders; END';
    SET LOCAL plan_cache_mode = force_generic_plan;
    SET LOCAL app.tenant_id = '1';
    SELECT FROM pg_temp.cached();
    SET LOCAL app.tenant_id = '2' $$);
