-- expect: view_bypasses_rls on inner_v|outer_v
-- may: view_bypasses_rls on inner_v
-- may: view_bypasses_rls on outer_v
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE ledger (id int PRIMARY KEY, tenant_id int NOT NULL, amount int);
CREATE INDEX ON ledger (tenant_id);
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON ledger TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE VIEW inner_v AS SELECT * FROM ledger;
CREATE VIEW outer_v WITH (security_invoker = true) AS SELECT * FROM inner_v;
GRANT SELECT ON ledger, inner_v, outer_v TO app;
INSERT INTO ledger VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from ledger', '1');
SELECT proof.sees('select tenant_id from outer_v', '1,2');
