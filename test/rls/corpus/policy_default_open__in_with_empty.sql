-- expect: policy_default_open on orders
-- The empty string stands in a list with the tenant.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON orders (firma);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON orders FOR SELECT TO app USING ((SELECT current_setting('app.firma', true)) IN ('', firma));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.login('app', NULL, 'app.firma=');
SELECT proof.sees('SELECT firma FROM orders', 'a,b');
SELECT proof.login('app', 'a', 'app.firma=a');
SELECT proof.sees('SELECT firma FROM orders', 'a');
