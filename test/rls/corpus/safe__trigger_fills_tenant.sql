-- clean
-- proved: orders
-- A definer trigger puts the session's tenant into the new row.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
CREATE FUNCTION fill_tenant() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.tenant_id := current_setting('app.t')::integer;
    RETURN NEW;
END $$;
CREATE TRIGGER fill BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION fill_tenant();
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.t', true)::integer));
GRANT SELECT, INSERT ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.t=1', 'SELECT tenant_id FROM orders');
SELECT proof.sees('SELECT tenant_id FROM orders', '1', 'INSERT INTO orders VALUES (3, 2)');
