-- expect: policy_opaque_function on records
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE FUNCTION can_see(t text, i int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE ok boolean;
BEGIN
  EXECUTE format('select %L::int = nullif(current_setting(%L, true), %L)::int', i, t, '') INTO ok;
  RETURN coalesce(ok, false);
END $$;
CREATE TABLE records (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON records (tenant_id);
ALTER TABLE records ENABLE ROW LEVEL SECURITY;
CREATE POLICY r ON records TO app USING (can_see('app.tenant', tenant_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON records TO app;
INSERT INTO records VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.sees('select tenant_id from records', '1');
