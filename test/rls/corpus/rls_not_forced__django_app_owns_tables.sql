-- expect: rls_not_forced|owner_reachable on *
CREATE ROLE django LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO django;
SET ROLE django;
CREATE TABLE crm_customer (id serial PRIMARY KEY, tenant_id int NOT NULL, name text);
CREATE INDEX ON crm_customer (tenant_id);
ALTER TABLE crm_customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON crm_customer USING (tenant_id = nullif(current_setting('app.current_tenant', true), '')::int);
INSERT INTO crm_customer (tenant_id, name) VALUES (1, 'a'), (2, 'b');
RESET ROLE;
-- prove:
SELECT proof.login('django', '1', 'app.current_tenant=1');
SELECT proof.sees('select tenant_id from crm_customer', '1,2');
