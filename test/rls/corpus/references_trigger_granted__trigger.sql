-- expect: references_trigger_granted on orders
-- With TRIGGER and CREATE the app plants code that others run.
CREATE ROLE app LOGIN;
CREATE SCHEMA playground;
GRANT USAGE, CREATE ON SCHEMA playground TO app;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT, TRIGGER ON orders TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.holds('CREATE TRIGGER spy BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION playground.spy()', '0',
    'CREATE FUNCTION playground.spy() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END''');
