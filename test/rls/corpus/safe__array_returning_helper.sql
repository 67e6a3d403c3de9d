-- clean
-- proved: orders
-- = ANY (function returning an array).
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 10), (2, 20), (3, 10);
CREATE FUNCTION my_tenants() RETURNS integer[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT array_agg(m.tenant_id) FROM members m WHERE m.user_id = nullif(current_setting('app.user', true), '')::integer $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2), (3, 3);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON orders FOR SELECT TO app USING (tenant_id = ANY ((SELECT my_tenants())::integer[]));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1,3', 'app.user=10', 'SELECT tenant_id FROM orders');
