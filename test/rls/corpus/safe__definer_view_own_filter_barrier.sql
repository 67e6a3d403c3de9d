-- clean
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE ledger (id int PRIMARY KEY, tenant_id int NOT NULL, amount int);
CREATE INDEX ON ledger (tenant_id);
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON ledger TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE VIEW my_ledger WITH (security_barrier = true) AS SELECT id, tenant_id, amount FROM ledger WHERE tenant_id = nullif(current_setting('app.tenant', true), '')::int;
GRANT SELECT ON my_ledger TO app;
INSERT INTO ledger VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from my_ledger');
