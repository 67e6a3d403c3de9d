-- clean
-- proved: accounts premium_accounts
CREATE ROLE app LOGIN;
CREATE TABLE accounts (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE premium_accounts (discount numeric) INHERITS (accounts);
CREATE INDEX ON accounts (tenant_id);
CREATE INDEX ON premium_accounts (tenant_id);
INSERT INTO premium_accounts VALUES (1, 1, 0.1), (2, 2, 0.2);
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE premium_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY tenant ON premium_accounts TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON accounts, premium_accounts TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM accounts', 'SELECT tenant_id FROM premium_accounts');
