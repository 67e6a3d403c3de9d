-- expect: security_definer_bypasses_rls on get_factures
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE factures (id int PRIMARY KEY, entreprise_id int NOT NULL, montant int);
CREATE INDEX ON factures (entreprise_id);
ALTER TABLE factures ENABLE ROW LEVEL SECURITY;
CREATE POLICY par_entreprise ON factures TO app USING (entreprise_id = nullif(current_setting('app.entreprise', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON factures TO app;
CREATE FUNCTION get_factures(p_entreprise int) RETURNS TABLE (e int, m int) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT f.entreprise_id, f.montant FROM public.factures f WHERE f.entreprise_id = p_entreprise;
END $$;
INSERT INTO factures VALUES (1, 1, 5), (2, 2, 6);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.entreprise=1');
SELECT proof.sees('select e from get_factures(2)', '2');
