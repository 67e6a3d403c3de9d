-- clean
-- proved: orders
-- The identity comes from a plpgsql helper that refuses to answer without one.
CREATE ROLE app LOGIN;
CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF coalesce(current_setting('app.tenant_id', true), '') = '' THEN
        RAISE EXCEPTION 'no tenant' USING ERRCODE = '42501';
    END IF;
    RETURN current_setting('app.tenant_id')::integer;
END $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.harms('UPDATE orders SET tenant_id = 2', 'ERROR 42501');
