-- expect: policy_not_tenant_bound on orders
-- The second arm of the UNION brings every tenant that is marked public.
CREATE ROLE app LOGIN;
CREATE TABLE tenants (id integer PRIMARY KEY, open boolean NOT NULL);
INSERT INTO tenants VALUES (1, false), (2, true);
GRANT SELECT ON tenants TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app
    USING (tenant_id IN (SELECT current_setting('app.tenant_id', true)::integer UNION ALL SELECT t.id FROM tenants t WHERE t.open));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
