-- expect: leakproof_user_function on mask_matches
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
RESET ROLE;
CREATE TABLE patients (id int PRIMARY KEY, clinic_id int NOT NULL, ssn int);
CREATE INDEX ON patients (clinic_id);
ALTER TABLE patients ENABLE ROW LEVEL SECURITY;
CREATE POLICY c ON patients TO app USING (clinic_id = nullif(current_setting('app.clinic', true), '')::int);
GRANT SELECT ON patients TO app;
CREATE FUNCTION mask_matches(v int, m int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE LEAKPROOF COST 0.000001 AS $$ BEGIN RETURN 10 / (v - m) > 0; END $$;
INSERT INTO patients VALUES (1, 1, 5), (2, 2, 777);
-- prove:
SELECT proof.login('app', '1', 'app.clinic=1');
SELECT proof.sees('select clinic_id from patients', '1');
SELECT proof.holds('select id from patients where mask_matches(ssn, 777)', 'ERROR 22012', 'set local enable_indexscan = off; set local enable_bitmapscan = off');
