-- clean
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
CREATE FUNCTION all_notes() RETURNS SETOF notes LANGUAGE sql SECURITY DEFINER AS $$ SELECT * FROM notes $$;
REVOKE EXECUTE ON FUNCTION all_notes() FROM PUBLIC;
CREATE MATERIALIZED VIEW note_stats AS SELECT tenant_id, count(*) FROM notes GROUP BY 1;
CREATE VIEW admin_notes AS SELECT * FROM notes;
INSERT INTO notes VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'select tenant_id from notes');
SELECT proof.sees('select tenant_id from all_notes()', 'ERROR 42501');
SELECT proof.sees('select tenant_id from note_stats', 'ERROR 42501');
