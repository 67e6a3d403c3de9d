-- expect: foreign_table_exposed on legacy_invoices
CREATE EXTENSION IF NOT EXISTS file_fdw;
CREATE ROLE web LOGIN;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE legacy_invoices (tenant_id int, amount int) SERVER files OPTIONS (program 'printf "1,10\n2,20\n"', format 'csv');
GRANT SELECT ON legacy_invoices TO web;
CREATE TABLE invoices (tenant_id int NOT NULL, amount int);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON invoices TO web USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
GRANT SELECT ON invoices TO web;
-- prove:
SELECT proof.login('web', '1', 'app.tenant_id=1');
SELECT proof.sees('select tenant_id from legacy_invoices', '1,2');
