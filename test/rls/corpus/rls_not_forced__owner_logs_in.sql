-- expect: rls_not_forced on orders
-- may: owner_reachable on orders|app|deploy
-- The deployment's role owns the tables and logs in.
CREATE ROLE deploy LOGIN;
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders OWNER TO deploy;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.login('deploy', NULL, 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM orders', '1,2');
