-- clean
-- proved: notes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, region text NOT NULL, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING ((region, tenant_id) = (current_setting('app.region', true), nullif(current_setting('app.tenant', true), '')::int));
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
INSERT INTO notes VALUES (1, 'eu', 1), (2, 'eu', 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1', 'app.region=eu');
SELECT proof.sees('select tenant_id from notes', '1');
