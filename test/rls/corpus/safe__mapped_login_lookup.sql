-- clean
-- proved: konten
CREATE ROLE kd_a LOGIN; CREATE ROLE kd_b LOGIN; CREATE ROLE kd NOLOGIN; GRANT kd TO kd_a, kd_b;
CREATE SCHEMA intern;
CREATE TABLE intern.zuordnung (login name PRIMARY KEY, mandant_id int NOT NULL);
CREATE FUNCTION mein_mandant() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT mandant_id FROM intern.zuordnung WHERE login = session_user $$;
CREATE TABLE konten (id int PRIMARY KEY, mandant_id int NOT NULL);
CREATE INDEX ON konten (mandant_id);
ALTER TABLE konten ENABLE ROW LEVEL SECURITY;
CREATE POLICY m ON konten TO kd USING (mandant_id = (SELECT mein_mandant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON konten TO kd;
INSERT INTO intern.zuordnung VALUES ('kd_a', 1), ('kd_b', 2); INSERT INTO konten VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('kd_a', '1');
SELECT proof.sees('select mandant_id from konten', '1');
SELECT proof.login('kd_b', '2');
SELECT proof.sees('select mandant_id from konten', '2');
SELECT proof.harms('insert into konten values (9, 1)', 'ERROR 42501');
