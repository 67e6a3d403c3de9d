-- expect: default_privileges_exposed on *
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app;
CREATE TABLE kaiin (id int PRIMARY KEY, kaisha_id int NOT NULL);
CREATE INDEX ON kaiin (kaisha_id);
ALTER TABLE kaiin ENABLE ROW LEVEL SECURITY;
CREATE POLICY kaisha ON kaiin TO app USING (kaisha_id = nullif(current_setting('app.kaisha', true), '')::int);
INSERT INTO kaiin VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SET ROLE app_owner;
CREATE TABLE shiharai (id int, kaisha_id int);
INSERT INTO shiharai VALUES (1, 1), (2, 2);
RESET ROLE;
SELECT proof.login('app', '1', 'app.kaisha=1');
SELECT proof.sees('select kaisha_id from kaiin', '1');
SELECT proof.sees('select kaisha_id from shiharai', '1,2');
