-- expect: policy_default_open on orders
-- The helper answers true when there is no tenant.
CREATE ROLE app LOGIN;
CREATE FUNCTION tenant_matches(tenant integer) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN nullif(current_setting('app.tenant_id', true), '') IS NULL THEN true
                ELSE tenant = current_setting('app.tenant_id', true)::integer END
$$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app USING (tenant_matches(tenant_id));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', NULL);
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1');
