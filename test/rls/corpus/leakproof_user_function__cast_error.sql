-- expect: leakproof_user_function on as_number
-- The value stands in the text of the error.
CREATE ROLE app LOGIN;
CREATE TABLE vault (id bigint PRIMARY KEY, mandant text NOT NULL, code text NOT NULL);
CREATE INDEX ON vault (mandant);
INSERT INTO vault VALUES (1, 'a', '1'), (2, 'b', 'geheim');
ALTER TABLE vault ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON vault FOR SELECT TO app USING (mandant = current_setting('app.mandant', true));
GRANT SELECT ON vault TO app;
CREATE FUNCTION as_number(code text) RETURNS integer LANGUAGE plpgsql IMMUTABLE LEAKPROOF COST 0.1 AS $$ BEGIN RETURN code::integer; END $$;
-- prove:
SELECT proof.login('app', '1', 'app.mandant=a');
SELECT proof.sees('SELECT code FROM vault', '1');
SELECT proof.holds('SELECT code FROM vault WHERE as_number(code) = 1', 'ERROR 22P02', 'SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off');
