-- clean
-- proved: orders
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON orders (firma);
INSERT INTO orders VALUES (1, 'a'), (2, 'b');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON orders FOR SELECT TO app USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON orders TO app;
CREATE FUNCTION latest() RETURNS SETOF orders LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM orders o WHERE o.firma = current_setting('app.firma', true) ORDER BY o.id DESC LIMIT 10;
END $$;
-- prove:
SELECT proof.isolated('app', 'a', 'app.firma=a', 'SELECT firma FROM latest()');
