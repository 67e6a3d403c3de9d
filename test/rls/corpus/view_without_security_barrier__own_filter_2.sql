-- expect: view_without_security_barrier on my_salaries
CREATE ROLE hr_app LOGIN;
CREATE TABLE salaries (id int PRIMARY KEY, company_id int NOT NULL, amount int);
ALTER TABLE salaries ENABLE ROW LEVEL SECURITY;
CREATE VIEW my_salaries AS SELECT * FROM salaries WHERE company_id = nullif(current_setting('app.company_id', true), '')::int;
GRANT SELECT ON my_salaries TO hr_app;
INSERT INTO salaries VALUES (1, 1, 1000), (2, 2, 7777);
-- prove:
SELECT proof.login('hr_app', '1', 'app.company_id=1');
SELECT proof.sees('select company_id from my_salaries', '1');
SELECT proof.holds('select id from my_salaries where pg_temp.leak(amount)', 'ERROR 22012',
 'create function pg_temp.leak(a int) returns boolean language plpgsql cost 0.0000001 as ''begin return 1/(a - 7777) < 9; end''');
