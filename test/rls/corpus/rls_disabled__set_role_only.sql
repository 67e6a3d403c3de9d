-- expect: rls_disabled on salaries
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE salaries (id int PRIMARY KEY, tenant_id int NOT NULL);
INSERT INTO salaries VALUES (1, 1), (2, 2);
RESET ROLE;
CREATE ROLE etl NOLOGIN; CREATE ROLE jobs NOLOGIN;
ALTER ROLE app NOINHERIT; ALTER ROLE jobs NOINHERIT;
GRANT etl TO jobs; GRANT jobs TO app;
GRANT SELECT ON salaries TO etl;
-- prove:
SELECT proof.login('app', '1');
SELECT proof.sees('select tenant_id from salaries', 'ERROR 42501');
SELECT proof.sees('select tenant_id from salaries', '1,2', 'set local role etl');
