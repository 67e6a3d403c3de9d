-- clean
-- perf_clean
-- proved: orders
-- varchar compared with text: a relabelling that no index minds.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, mandant varchar(40) NOT NULL);
CREATE INDEX ON orders (mandant);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON orders TO app USING (mandant = (SELECT current_setting('app.mandant', true)));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.mandant=a', 'SELECT mandant FROM orders');
SELECT proof.plan('SELECT * FROM orders', 'Index Cond', true);
