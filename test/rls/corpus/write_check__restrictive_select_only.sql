-- expect: write_check_not_tenant_bound on notes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON notes FOR SELECT TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE POLICY i ON notes FOR INSERT TO app WITH CHECK (tenant_id > 0);
GRANT SELECT, INSERT ON notes TO app;
INSERT INTO notes VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.harms('insert into notes values (9, 2)', '1');
