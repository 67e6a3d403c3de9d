-- clean
-- proved: orders
-- The floor is for everybody, whoever gets a permissive policy later.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL, state text NOT NULL DEFAULT 'open');
CREATE INDEX ON orders (firma);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY floor ON orders AS RESTRICTIVE USING (firma = (SELECT current_setting('app.firma', true)));
CREATE POLICY open ON orders FOR SELECT TO app USING (state = 'open');
CREATE POLICY enter ON orders FOR INSERT TO app WITH CHECK (state = 'open');
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.firma=a', 'SELECT firma FROM orders');
SELECT proof.harms('INSERT INTO orders VALUES (3, ''b'')', 'ERROR 42501');
