-- clean
-- perf_clean
-- Wrapped in a sub-select even a volatile helper runs once and drives the index.
CREATE ROLE app LOGIN;
CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE sql AS
    $$ SELECT nullif(current_setting('app.tenant_id', true), '')::integer $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT ON orders TO app;
-- may: policy_opaque_function on orders|current_tenant
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.plan('SELECT * FROM orders', 'Index Cond', true);
