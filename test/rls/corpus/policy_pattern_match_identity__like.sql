-- expect: policy_pattern_match_identity on orders
-- may: policy_not_tenant_bound, policy_default_open, write_check_not_tenant_bound on orders
-- A tenant called "%" sees all; "acme" sees acme-holding's rows too.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id text NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 'acme'), (2, 'acme-holding');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders FOR SELECT TO app
    USING (tenant_id LIKE (SELECT current_setting('app.tenant_id', true)) || '%');
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', 'acme', 'app.tenant_id=acme');
SELECT proof.sees('SELECT tenant_id FROM orders', 'acme,acme-holding');
