-- clean
-- proved: orders
-- tenancy: public public.catalogue
-- Every publisher's catalogue is public on purpose, and said to be.
CREATE ROLE web LOGIN;
CREATE TABLE catalogue (id bigint PRIMARY KEY, firma text NOT NULL, title text);
CREATE INDEX ON catalogue (firma);
INSERT INTO catalogue VALUES (1, 'a', 'x'), (2, 'b', 'y');
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON orders (firma);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON orders TO web USING (firma = (SELECT current_setting('web.firma', true)));
GRANT SELECT, INSERT ON orders TO web;
GRANT SELECT ON catalogue TO web;
-- prove:
SELECT proof.isolated('web', 'a', 'web.firma=a', 'SELECT firma FROM orders');
SELECT proof.holds('SELECT firma FROM catalogue', 'a,b');
