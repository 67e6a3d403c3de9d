-- expect: owner_reachable on ledger|app|acc_owner
-- FORCE binds the owner only until it switches row security off.
CREATE ROLE acc_owner NOLOGIN;
CREATE ROLE app LOGIN IN ROLE acc_owner;
CREATE TABLE ledger (id bigint PRIMARY KEY, tenant_id uuid NOT NULL);
CREATE INDEX ON ledger (tenant_id);
INSERT INTO ledger VALUES (1, 'a0000000-0000-0000-0000-000000000001'), (2, 'b0000000-0000-0000-0000-000000000002');
ALTER TABLE ledger OWNER TO acc_owner;
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ledger TO acc_owner USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid));
-- prove:
SELECT proof.login('app', 'a', 'app.tenant=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT left(tenant_id::text, 1) FROM ledger', 'a');
SELECT proof.sees('SELECT left(tenant_id::text, 1) FROM ledger', 'a,b', 'ALTER TABLE ledger DISABLE ROW LEVEL SECURITY');
