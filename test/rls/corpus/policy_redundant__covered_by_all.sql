-- expect: policy_redundant on orders
-- FOR ALL says what the SELECT policy says again.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON orders (firma);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON orders FOR ALL TO app USING (firma = (SELECT current_setting('app.firma', true)));
CREATE POLICY lesen ON orders FOR SELECT TO app USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.firma=a', 'SELECT firma FROM orders');
