-- clean
-- proved: vault
-- The same function without LEAKPROOF stays above the policy.
CREATE ROLE app LOGIN;
CREATE TABLE vault (id bigint PRIMARY KEY, mandant text NOT NULL, code text NOT NULL);
CREATE INDEX ON vault (mandant);
INSERT INTO vault VALUES (1, 'a', '1'), (2, 'b', 'geheim');
ALTER TABLE vault ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON vault FOR SELECT TO app USING (mandant = current_setting('app.mandant', true));
GRANT SELECT ON vault TO app;
CREATE FUNCTION as_number(code text) RETURNS integer LANGUAGE plpgsql IMMUTABLE COST 0.1 AS $$ BEGIN RETURN code::integer; END $$;
-- prove:
SELECT proof.isolated('app', 'a', 'app.mandant=a', 'SELECT mandant FROM vault');
SELECT proof.holds('SELECT code FROM vault WHERE as_number(code) = 1', '1', 'SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off');
