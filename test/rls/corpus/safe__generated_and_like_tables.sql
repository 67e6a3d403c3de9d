-- clean
-- proved: notes notes_archive
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL, body text, words int GENERATED ALWAYS AS (length(body)) STORED);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE TABLE notes_archive (LIKE notes INCLUDING ALL);
ALTER TABLE notes_archive ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes_archive FOR SELECT TO app USING (tenant_id = (SELECT nullif(current_setting('app.tenant', true), '')::int) AND id IS NOT NULL);
CREATE INDEX ON notes (tenant_id); CREATE INDEX ON notes_archive (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app; GRANT SELECT ON notes_archive TO app;
INSERT INTO notes VALUES (1, 1), (2, 2); INSERT INTO notes_archive VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from notes', 'select tenant_id from notes_archive');
