-- clean
-- proved: orders
-- A definer function over data that belongs to nobody.
CREATE ROLE app LOGIN;
CREATE TABLE holidays (day date PRIMARY KEY, name text NOT NULL);
INSERT INTO holidays VALUES ('2024-05-01', 'May Day');
CREATE FUNCTION is_holiday(which date) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM holidays WHERE day = which) $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('SELECT is_holiday(''2024-05-01'')', 'true');
