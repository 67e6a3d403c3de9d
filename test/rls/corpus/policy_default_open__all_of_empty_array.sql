-- expect: policy_default_open|policy_not_tenant_bound on notes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id text NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (tenant_id = ALL (string_to_array(current_setting('app.tenants', true), ',')));
GRANT SELECT ON notes TO app;
INSERT INTO notes VALUES (1, '1'), (2, '2');
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenants=1');
SELECT proof.sees('select tenant_id from notes', '1');
SELECT proof.login('app', NULL, 'app.tenants=');
SELECT proof.sees('select tenant_id from notes', '1,2');
