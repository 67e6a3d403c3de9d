-- expect_perf: perf_policy_initplan on vertraege
-- A helper nobody's list of names knows, which looks up a table.
CREATE ROLE app LOGIN;
CREATE TABLE benutzer (id integer PRIMARY KEY, mandant integer NOT NULL);
INSERT INTO benutzer VALUES (10, 1), (20, 2);
CREATE FUNCTION mein_mandant() RETURNS integer LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT mandant FROM benutzer WHERE id = nullif(current_setting('app.benutzer', true), '')::integer);
END $$;
CREATE TABLE vertraege (id bigint PRIMARY KEY, mandant integer NOT NULL);
CREATE INDEX ON vertraege (mandant);
INSERT INTO vertraege VALUES (1, 1), (2, 2);
ALTER TABLE vertraege ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON vertraege FOR SELECT TO app USING (mandant = mein_mandant());
GRANT SELECT ON vertraege TO app;
-- may: policy_opaque_function on vertraege|mein_mandant
-- prove:
SELECT proof.isolated('app', '1', 'app.benutzer=10', 'SELECT mandant FROM vertraege');
SELECT proof.plan('SELECT * FROM vertraege', 'InitPlan', false);
