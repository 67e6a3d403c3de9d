-- expect: policy_default_open on notes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING ((tenant_id = nullif(current_setting('app.tenant', true), '')::int) IS NOT FALSE);
GRANT SELECT ON notes TO app;
INSERT INTO notes VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', NULL, 'app.tenant=');
SELECT proof.sees('select tenant_id from notes', '1,2');
