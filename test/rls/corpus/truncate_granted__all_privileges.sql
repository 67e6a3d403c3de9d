-- expect: truncate_granted on orders
-- GRANT ALL contains TRUNCATE, which asks no policy.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT ALL ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.holds('SELECT count(*) FROM orders', '0', 'TRUNCATE orders');
