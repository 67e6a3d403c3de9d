-- clean
-- proved: facturas
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE FUNCTION empresa_actual() RETURNS uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
  v text := current_setting('app.empresa', true);
BEGIN
  IF v IS NULL OR v = '' THEN
    RETURN NULL;
  END IF;
  RETURN v::uuid;
EXCEPTION WHEN invalid_text_representation THEN
  RETURN NULL;
END $$;
CREATE TABLE facturas (id int PRIMARY KEY, empresa_id uuid NOT NULL);
CREATE INDEX ON facturas (empresa_id);
ALTER TABLE facturas ENABLE ROW LEVEL SECURITY;
CREATE POLICY s ON facturas TO app USING (empresa_id = (SELECT empresa_actual()));
GRANT SELECT, INSERT, UPDATE, DELETE ON facturas TO app;
INSERT INTO facturas VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.empresa=00000000-0000-0000-0000-000000000001', 'select right(empresa_id::text,1) from facturas');
