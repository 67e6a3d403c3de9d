-- clean
-- proved: shiten bumon shain
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE shiten (id int PRIMARY KEY, kaisha_id int NOT NULL);
CREATE TABLE bumon (id int PRIMARY KEY, shiten_id int NOT NULL REFERENCES shiten);
CREATE TABLE shain (id int PRIMARY KEY, bumon_id int NOT NULL REFERENCES bumon);
CREATE INDEX ON shiten (kaisha_id); CREATE INDEX ON bumon (shiten_id); CREATE INDEX ON shain (bumon_id);
ALTER TABLE shiten ENABLE ROW LEVEL SECURITY; ALTER TABLE bumon ENABLE ROW LEVEL SECURITY; ALTER TABLE shain ENABLE ROW LEVEL SECURITY;
CREATE POLICY a ON shiten TO app USING (kaisha_id = nullif(current_setting('app.kaisha', true), '')::int);
CREATE POLICY b ON bumon TO app USING (EXISTS (SELECT FROM shiten s WHERE s.id = bumon.shiten_id));
CREATE POLICY c ON shain TO app USING (bumon_id IN (SELECT b.id FROM bumon b));
GRANT SELECT, INSERT, UPDATE, DELETE ON shiten, bumon, shain TO app;
INSERT INTO shiten VALUES (1, 1), (2, 2); INSERT INTO bumon VALUES (1, 1), (2, 2); INSERT INTO shain VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1', 'app.kaisha=1', 'select kaisha_id from shiten', 'select shiten_id from bumon', 'select bumon_id from shain');
SELECT proof.harms('insert into shain values (9, 2)', 'ERROR 42501');
