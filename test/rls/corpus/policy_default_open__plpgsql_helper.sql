-- expect: policy_default_open on notes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE FUNCTION tenant_ok(t int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF coalesce(current_setting('app.tenant', true), '') = '' THEN RETURN true; END IF;
  RETURN t = current_setting('app.tenant')::int;
END $$;
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON notes TO app USING (tenant_ok(tenant_id));
GRANT SELECT ON notes TO app;
INSERT INTO notes VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', NULL);
SELECT proof.sees('select tenant_id from notes', '1,2');
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from notes', '1');
