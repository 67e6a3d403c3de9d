-- clean
-- perf_clean
-- proved: orders
-- Currencies belong to nobody; the orders table is closed.
CREATE ROLE app LOGIN;
CREATE TABLE currencies (code text PRIMARY KEY, name text NOT NULL, minor_units integer NOT NULL);
INSERT INTO currencies VALUES ('EUR', 'Euro', 2), ('JPY', 'Yen', 0);
ALTER TABLE currencies ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON currencies FOR SELECT TO app USING (true);
GRANT SELECT ON currencies TO app;
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id integer NOT NULL,
    currency text NOT NULL REFERENCES currencies
);
CREATE INDEX ON orders (tenant_id);
INSERT INTO orders (tenant_id, currency) VALUES (1, 'EUR'), (2, 'JPY');
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM orders');
SELECT proof.holds('SELECT code FROM currencies', 'EUR,JPY');
