-- expect: policy_always_true on orders
-- may: write_check_not_tenant_bound on orders
-- The floor is for another role than the one that is let in.
CREATE ROLE app LOGIN;
CREATE ROLE partner LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON orders FOR SELECT TO app, partner USING (true);
CREATE POLICY floor ON orders AS RESTRICTIVE TO partner USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT ON orders TO app, partner;
-- prove:
SELECT proof.login('partner', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1');
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
