-- expect: policy_not_tenant_bound on orders
-- varchar(4) cuts both names to the same four letters.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant text NOT NULL);
CREATE INDEX ON orders (tenant);
INSERT INTO orders VALUES (1, 'acme'), (2, 'acme-holding');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app USING (tenant::varchar(4) = (SELECT current_setting('app.tenant', true)::varchar(4)));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', 'acme', 'app.tenant=acme');
SELECT proof.sees('SELECT tenant FROM orders', 'acme,acme-holding');
