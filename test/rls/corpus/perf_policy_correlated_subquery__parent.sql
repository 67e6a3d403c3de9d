-- expect_perf: perf_policy_correlated_subquery on lines
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON orders (firma);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON orders TO app USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON orders TO app;
CREATE TABLE lines (order_id bigint NOT NULL REFERENCES orders, n integer, PRIMARY KEY (order_id, n));
INSERT INTO lines VALUES (1, 1), (2, 1);
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON lines FOR SELECT TO app
    USING (EXISTS (SELECT 1 FROM orders o WHERE o.id = lines.order_id AND o.firma = (SELECT current_setting('app.firma', true))));
GRANT SELECT ON lines TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.firma=a', 'SELECT order_id FROM lines');
