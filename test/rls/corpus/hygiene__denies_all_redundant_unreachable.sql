-- expect: policy_denies_all on a_geschlossen
-- expect: policy_redundant on b_doppelt
-- expect: rls_disabled_unreachable on c_intern
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE a_geschlossen (id int PRIMARY KEY, mandant_id int NOT NULL);
ALTER TABLE a_geschlossen ENABLE ROW LEVEL SECURITY;
CREATE POLICY zu ON a_geschlossen TO app USING (false);
CREATE TABLE b_doppelt (id int PRIMARY KEY, mandant_id int NOT NULL);
CREATE INDEX ON b_doppelt (mandant_id);
ALTER TABLE b_doppelt ENABLE ROW LEVEL SECURITY;
CREATE POLICY eins ON b_doppelt TO app USING (mandant_id = nullif(current_setting('app.mandant', true), '')::int);
CREATE POLICY zwei ON b_doppelt FOR SELECT TO app USING (mandant_id = nullif(current_setting('app.mandant', true), '')::int AND id > 0);
CREATE TABLE c_intern (id int PRIMARY KEY, mandant_id int NOT NULL);
GRANT SELECT ON a_geschlossen, b_doppelt TO app;
INSERT INTO a_geschlossen VALUES (1, 1); INSERT INTO b_doppelt VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.mandant=1');
SELECT proof.sees('select mandant_id from a_geschlossen', '');
SELECT proof.sees('select mandant_id from b_doppelt', '1');
SELECT proof.sees('select mandant_id from c_intern', 'ERROR 42501');
