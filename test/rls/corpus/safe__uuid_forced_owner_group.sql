-- clean
-- perf_clean
-- proved: invoices
-- Login role in a group that holds grants and policies; owner without login, FORCE.
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_users NOLOGIN;
CREATE ROLE api LOGIN IN ROLE app_users;
CREATE TABLE invoices (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id uuid NOT NULL, total numeric);
CREATE INDEX ON invoices (tenant_id);
INSERT INTO invoices (tenant_id) VALUES ('a0000000-0000-0000-0000-000000000001'), ('b0000000-0000-0000-0000-000000000002');
ALTER TABLE invoices OWNER TO app_owner;
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invoices TO app_users USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO app_users;
-- prove:
SELECT proof.isolated('api', 'a', 'app.tenant_id=a0000000-0000-0000-0000-000000000001', 'SELECT left(tenant_id::text, 1) FROM invoices');
SELECT proof.harms('INSERT INTO invoices (tenant_id) VALUES (''b0000000-0000-0000-0000-000000000002'')', 'ERROR 42501');
