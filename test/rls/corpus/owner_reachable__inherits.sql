-- expect: owner_reachable on orders|app|owner
-- may: rls_not_forced on orders
-- The app is a member of the owner and so exempt without a word.
CREATE ROLE owner NOLOGIN;
CREATE ROLE app LOGIN IN ROLE owner;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders OWNER TO owner;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
