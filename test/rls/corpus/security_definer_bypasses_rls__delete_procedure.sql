-- expect: security_definer_bypasses_rls on purge_notes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL, body text, deleted_at timestamptz);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
CREATE PROCEDURE purge_notes() LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM public.notes WHERE deleted_at IS NOT NULL;
END $$;
INSERT INTO notes VALUES (1, 1, 'a', NULL), (2, 2, 'b', now());
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from notes', '1');
SELECT set_config('app.tenant', '1', false);
SET SESSION AUTHORIZATION app;
CALL purge_notes();
RESET SESSION AUTHORIZATION;
DO $$ BEGIN IF EXISTS (SELECT FROM notes WHERE tenant_id = 2) THEN RAISE 'not purged'; END IF; END $$;
INSERT INTO proof.seen VALUES ('call purge_notes', true, false);
