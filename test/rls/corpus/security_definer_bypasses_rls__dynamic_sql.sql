-- expect: security_definer_bypasses_rls on run_report
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL, body text);
CREATE INDEX ON notes (tenant_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT ON notes TO app;
CREATE FUNCTION run_report(col text) RETURNS SETOF text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN QUERY EXECUTE format('SELECT %I::text FROM public.notes', col); END $$;
INSERT INTO notes VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select run_report(''tenant_id'')', '1,2');
