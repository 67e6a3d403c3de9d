-- clean
-- proved: orders lines payments
-- The same setting: by helper, wrapped, unwrapped, with and without missing_ok.
CREATE ROLE app LOGIN;
CREATE FUNCTION tenant() RETURNS integer LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('app.tenant_id', true), '')::integer $$;
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE lines (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE payments (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON orders (tenant_id);
CREATE INDEX ON lines (tenant_id);
CREATE INDEX ON payments (tenant_id);
INSERT INTO orders VALUES (1, 1), (2, 2);
INSERT INTO lines VALUES (1, 1), (2, 2);
INSERT INTO payments VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app USING (tenant_id = (SELECT tenant()));
CREATE POLICY tenant ON lines TO app USING (tenant_id = current_setting('app.tenant_id')::integer);
CREATE POLICY tenant ON payments TO app USING (tenant_id::text = current_setting('app.tenant_id', true));
GRANT SELECT, INSERT, UPDATE ON orders, lines, payments TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders', 'SELECT tenant_id FROM lines', 'SELECT tenant_id FROM payments');
