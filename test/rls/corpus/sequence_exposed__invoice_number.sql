-- expect: sequence_exposed on invoice_number_seq
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE SEQUENCE invoice_number_seq;
CREATE TABLE invoices (id int PRIMARY KEY, tenant_id int NOT NULL, number bigint NOT NULL DEFAULT nextval('invoice_number_seq'));
CREATE INDEX ON invoices (tenant_id);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON invoices TO app USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
GRANT SELECT, INSERT ON invoices TO app;
GRANT USAGE, SELECT ON SEQUENCE invoice_number_seq TO app;
INSERT INTO invoices VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.holds('select last_value from invoice_number_seq', '2');
