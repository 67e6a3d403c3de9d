-- expect: policy_pattern_match_identity|policy_not_tenant_bound on notes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (position(tenant_id::text in current_setting('app.tenants', true)) > 0);
GRANT SELECT ON notes TO app;
INSERT INTO notes VALUES (1, 12), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '12', 'app.tenants=12');
SELECT proof.sees('select tenant_id from notes', '12,2');
