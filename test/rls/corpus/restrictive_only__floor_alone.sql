-- expect: restrictive_only on stock
-- A floor without anything above it: nobody sees anything.
CREATE ROLE shop LOGIN;
CREATE TABLE stock (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON stock (tenant_id);
INSERT INTO stock VALUES (1, 1), (2, 2);
ALTER TABLE stock ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON stock AS RESTRICTIVE FOR ALL TO shop
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT ON stock TO shop;
-- prove:
SELECT proof.login('shop', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM stock', '');
SELECT proof.holds('INSERT INTO stock VALUES (3, 1)', 'ERROR 42501');
