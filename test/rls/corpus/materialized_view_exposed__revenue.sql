-- expect: materialized_view_exposed on umsatz_je_kunde
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE umsatz (id int PRIMARY KEY, mandant_id int NOT NULL, betrag int);
INSERT INTO umsatz VALUES (1, 1, 5), (2, 2, 6);
CREATE MATERIALIZED VIEW umsatz_je_kunde AS SELECT mandant_id, sum(betrag) AS summe FROM umsatz GROUP BY mandant_id;
ALTER TABLE umsatz ENABLE ROW LEVEL SECURITY;
CREATE POLICY m ON umsatz TO app USING (mandant_id = nullif(current_setting('app.mandant', true), '')::int);
GRANT SELECT ON umsatz, umsatz_je_kunde TO app;
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.mandant=1');
SELECT proof.sees('select mandant_id from umsatz_je_kunde', '1,2');
