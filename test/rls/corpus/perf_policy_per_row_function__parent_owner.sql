-- expect_perf: perf_policy_per_row_function on lines
-- The line asks a function for the tenant of its order, line by line.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
CREATE FUNCTION firma_of(which bigint) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT o.firma FROM orders o WHERE o.id = which AND o.firma = current_setting('app.firma', true) $$;
CREATE TABLE lines (order_id bigint REFERENCES orders, n integer, firma text NOT NULL, PRIMARY KEY (order_id, n));
CREATE INDEX ON lines (firma);
INSERT INTO lines VALUES (1, 1, 'a'), (2, 1, 'b');
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON lines FOR SELECT TO app USING (firma = firma_of(order_id) AND firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON lines TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.firma=a', 'SELECT firma FROM lines');
