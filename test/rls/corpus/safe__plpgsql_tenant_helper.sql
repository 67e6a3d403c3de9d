-- clean
-- proved: factures
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE FUNCTION societe_courante() RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN nullif(current_setting('app.societe', true), '')::int;
END $$;
CREATE TABLE factures (id int PRIMARY KEY, societe_id int NOT NULL);
CREATE INDEX ON factures (societe_id);
ALTER TABLE factures ENABLE ROW LEVEL SECURITY;
CREATE POLICY s ON factures TO app USING (societe_id = (SELECT societe_courante())) WITH CHECK (societe_id = (SELECT societe_courante()));
GRANT SELECT, INSERT, UPDATE, DELETE ON factures TO app;
INSERT INTO factures VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.societe=1', 'select societe_id from factures');
