-- expect: policy_uncorrelated_subquery on orders
-- may: policy_not_tenant_bound, policy_self_comparison on orders
-- The user is looked for among all members, the tenant among nobody's.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT ON members TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON orders FOR SELECT TO app
    USING ((SELECT current_setting('app.user', true)::integer) = ANY (ARRAY(SELECT m.user_id FROM members m)));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user=10');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
