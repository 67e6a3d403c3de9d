-- clean
-- perf_clean
-- proved: vertraege
CREATE ROLE app LOGIN;
CREATE TABLE benutzer (id integer PRIMARY KEY, mandant integer NOT NULL);
INSERT INTO benutzer VALUES (10, 1), (20, 2);
CREATE FUNCTION mein_mandant() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT mandant FROM benutzer WHERE id = nullif(current_setting('app.benutzer', true), '')::integer $$;
CREATE TABLE vertraege (id bigint PRIMARY KEY, mandant integer NOT NULL);
CREATE INDEX ON vertraege (mandant);
INSERT INTO vertraege VALUES (1, 1), (2, 2);
ALTER TABLE vertraege ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON vertraege FOR SELECT TO app USING (mandant = (SELECT mein_mandant()));
GRANT SELECT ON vertraege TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.benutzer=10', 'SELECT mandant FROM vertraege');
SELECT proof.plan('SELECT * FROM vertraege', 'InitPlan', true);
