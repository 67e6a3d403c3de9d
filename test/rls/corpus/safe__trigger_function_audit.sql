-- clean
-- proved: orders
-- A definer trigger writes the audit row of the row at hand, for a table nobody may read.
CREATE ROLE app LOGIN;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE audit (at timestamptz NOT NULL DEFAULT now(), tenant_id integer NOT NULL, what text);
CREATE INDEX ON orders (tenant_id);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT, UPDATE ON orders TO app;
CREATE FUNCTION note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit (tenant_id, what) VALUES (NEW.tenant_id, TG_OP);
    RETURN NEW;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO orders VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('INSERT INTO orders VALUES (3, 1)', '1');
SELECT proof.harms('INSERT INTO orders VALUES (3, 2)', 'ERROR 42501');
