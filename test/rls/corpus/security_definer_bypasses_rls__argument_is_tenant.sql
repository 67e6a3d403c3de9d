-- expect: security_definer_bypasses_rls on api.order_total
-- The caller says which tenant it is.
CREATE ROLE app LOGIN;
CREATE SCHEMA api;
GRANT USAGE ON SCHEMA api TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, firma text NOT NULL, total numeric);
CREATE INDEX ON orders (firma);
INSERT INTO orders VALUES (1, 'a', 10), (2, 'b', 20);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON orders TO app USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON orders TO app;
CREATE FUNCTION api.order_total(which text) RETURNS numeric
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT sum(o.total) FROM public.orders o WHERE o.firma = which;
END;
-- prove:
SELECT proof.login('app', '10', 'app.firma=a');
SELECT proof.sees('SELECT api.order_total(''b'')', '20');
