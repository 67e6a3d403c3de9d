-- expect: policy_default_open on accounts
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE accounts (id int PRIMARY KEY, tenant_id text NOT NULL);
CREATE INDEX ON accounts (tenant_id);
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON accounts TO app
  USING (current_setting('app.current_tenant', true) IS NULL OR tenant_id = current_setting('app.current_tenant', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts TO app;
INSERT INTO accounts VALUES (1, '1'), (2, '2');
RESET ROLE;
-- prove:
SELECT proof.login('app', NULL);
SELECT proof.sees('select tenant_id from accounts', '1,2');
SELECT proof.login('app', '1', 'app.current_tenant=1');
SELECT proof.sees('select tenant_id from accounts', '1');
