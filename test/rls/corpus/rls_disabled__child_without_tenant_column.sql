-- expect: rls_disabled on line_items
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE invoices (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE line_items (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices, amount int);
CREATE INDEX ON invoices (tenant_id);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON invoices TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices, line_items TO app;
INSERT INTO invoices VALUES (1, 1), (2, 2); INSERT INTO line_items VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select invoice_id from line_items', '1,2');
