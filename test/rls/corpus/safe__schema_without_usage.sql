-- clean
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
RESET ROLE;
CREATE SCHEMA intern AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TABLE intern.alles (id int PRIMARY KEY, tenant_id int NOT NULL);
GRANT SELECT ON intern.alles TO PUBLIC;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
INSERT INTO notes VALUES (1, 1), (2, 2); INSERT INTO intern.alles VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from notes');
SELECT proof.sees('select tenant_id from intern.alles', 'ERROR 42501');
