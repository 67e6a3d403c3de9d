-- clean
-- perf_clean
-- proved: invoices
-- NULLIF turns the empty setting into NULL, which equals nothing.
CREATE ROLE app LOGIN;
CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, total numeric);
CREATE INDEX ON invoices (tenant_id);
INSERT INTO invoices VALUES (1, 'a0000000-0000-0000-0000-000000000001', 1),
                            (2, 'b0000000-0000-0000-0000-000000000002', 2);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invoices FOR ALL TO app
    USING ((SELECT nullif(current_setting('app.tenant', true), '')) IS NOT NULL
           AND tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO app;
-- prove:
SELECT proof.isolated('app', 'a', 'app.tenant=a0000000-0000-0000-0000-000000000001', 'SELECT left(tenant_id::text, 1) FROM invoices');
SELECT proof.harms($$INSERT INTO invoices VALUES (3, 'b0000000-0000-0000-0000-000000000002', 1)$$, 'ERROR 42501');
