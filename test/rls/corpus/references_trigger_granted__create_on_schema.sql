-- expect: references_trigger_granted on lohn
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE lohn (id int PRIMARY KEY, firma_id int NOT NULL, betrag int);
CREATE INDEX ON lohn (firma_id);
ALTER TABLE lohn ENABLE ROW LEVEL SECURITY;
CREATE POLICY f ON lohn TO app USING (firma_id = nullif(current_setting('app.firma', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE, REFERENCES, TRIGGER ON lohn TO app;
INSERT INTO lohn VALUES (1, 1, 5), (2, 2, 6);
RESET ROLE;
GRANT CREATE ON SCHEMA public TO app;
-- prove:
SELECT proof.login('app', '1', 'app.firma=1');
SELECT proof.holds('create table spy (x int references lohn)', '0');
SELECT proof.holds('insert into spy values (2)', '1', 'create table spy (x int references lohn)');
