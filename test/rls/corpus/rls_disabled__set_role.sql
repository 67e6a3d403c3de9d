-- expect: rls_disabled on salaries
-- The app does not inherit the right; SET ROLE gives it.
CREATE ROLE reporting NOLOGIN;
CREATE ROLE app LOGIN NOINHERIT IN ROLE reporting;
CREATE TABLE salaries (id bigint PRIMARY KEY, company_id integer NOT NULL, amount numeric);
CREATE INDEX ON salaries (company_id);
INSERT INTO salaries VALUES (1, 1, 1000), (2, 2, 2000);
GRANT SELECT ON salaries TO reporting;
CREATE TABLE shifts (id bigint PRIMARY KEY, company_id integer NOT NULL);
CREATE INDEX ON shifts (company_id);
ALTER TABLE shifts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shifts TO app USING (company_id = (SELECT current_setting('app.company', true)::integer));
GRANT SELECT ON shifts TO app;
-- prove:
SELECT proof.login('app', '1', 'app.company=1');
SELECT proof.sees('SELECT company_id FROM salaries', 'ERROR 42501');
SELECT proof.sees('SELECT company_id FROM salaries', '1,2', 'SET LOCAL ROLE reporting');
