-- expect: policy_not_tenant_bound|policy_uncorrelated_subquery on orders
-- may: policy_lookup_writable, policy_not_tenant_bound, policy_uncorrelated_subquery on orders
-- The lookup is filtered by the user, or by being a guest entry; a definer helper does it.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, kind text NOT NULL DEFAULT 'full', PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 10, 'full'), (2, 20, 'guest');
CREATE FUNCTION my_tenants() RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT m.tenant_id FROM members m WHERE m.user_id = nullif(current_setting('app.user', true), '')::integer OR m.kind = 'guest' $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON orders FOR SELECT TO app USING (tenant_id IN (SELECT my_tenants()));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user=10');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
