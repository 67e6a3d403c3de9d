-- clean
-- perf_clean
-- proved: shipments
-- The permissive policy says who may at all, the floor says which rows.
CREATE ROLE logistics LOGIN;
CREATE TABLE shipments (
    id bigint PRIMARY KEY,
    mandant text NOT NULL,
    state text NOT NULL DEFAULT 'new'
);
CREATE INDEX ON shipments (mandant);
INSERT INTO shipments VALUES (1, 'acme'), (2, 'zeta');
ALTER TABLE shipments ENABLE ROW LEVEL SECURITY;
ALTER TABLE shipments FORCE ROW LEVEL SECURITY;
CREATE POLICY allowed ON shipments FOR ALL TO logistics USING (true) WITH CHECK (true);
CREATE POLICY floor ON shipments AS RESTRICTIVE FOR ALL TO logistics
    USING (mandant = (SELECT current_setting('sitzung.mandant', true)))
    WITH CHECK (mandant = (SELECT current_setting('sitzung.mandant', true)));
GRANT SELECT, INSERT, UPDATE, DELETE ON shipments TO logistics;
-- prove:
SELECT proof.isolated('logistics', 'acme', 'sitzung.mandant=acme', 'SELECT mandant FROM shipments');
SELECT proof.harms('DELETE FROM shipments WHERE mandant = ''zeta''', '0');
SELECT proof.harms('INSERT INTO shipments VALUES (3, ''zeta'')', 'ERROR 42501');
