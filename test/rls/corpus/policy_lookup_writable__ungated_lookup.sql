-- expect: policy_lookup_writable|rls_disabled on members|orders
-- may: policy_lookup_writable, rls_disabled, policy_not_tenant_bound on members|orders
-- The members table has no row security at all and takes inserts.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 10), (2, 20);
GRANT SELECT, INSERT ON members TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON orders FOR SELECT TO app
    USING (tenant_id IN (SELECT m.tenant_id FROM members m WHERE m.user_id = (SELECT current_setting('app.user', true)::integer)));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user=10');
SELECT proof.sees('SELECT tenant_id FROM orders', '1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2', 'INSERT INTO members VALUES (2, 10)');
