-- expect: policy_always_true on invoices
-- may: write_check_not_tenant_bound on invoices
-- Row security was switched on to quiet a linter.
CREATE ROLE app LOGIN;
CREATE TABLE invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id integer NOT NULL,
    total numeric(12,2) NOT NULL
);
CREATE INDEX ON invoices (tenant_id);
INSERT INTO invoices (tenant_id, total) VALUES (1, 10), (2, 20);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_access ON invoices FOR ALL TO app USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO app;
CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id integer NOT NULL,
    amount numeric(12,2) NOT NULL
);
CREATE INDEX ON payments (tenant_id);
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON payments TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id')::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON payments TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM invoices', '1,2');
SELECT proof.harms('DELETE FROM invoices WHERE tenant_id = 2', '1');
