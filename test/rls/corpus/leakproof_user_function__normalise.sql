-- expect: leakproof_user_function on normalised
-- LEAKPROOF for the sake of an index; it speaks of what it sees.
CREATE ROLE app LOGIN;
CREATE TABLE contacts (id bigint PRIMARY KEY, tenant_id integer NOT NULL, email text NOT NULL);
CREATE INDEX ON contacts (tenant_id);
INSERT INTO contacts VALUES (1, 1, 'A@x'), (2, 2, 'B@y');
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contacts TO app USING (tenant_id = current_setting('app.tenant_id', true)::integer);
GRANT SELECT ON contacts TO app;
CREATE FUNCTION normalised(email text) RETURNS text LANGUAGE plpgsql LEAKPROOF COST 0.1 AS $$
BEGIN
    PERFORM set_config('seen.emails', coalesce(current_setting('seen.emails', true), '') || email || ' ', true);
    RETURN lower(email);
END $$;
-- prove:
SELECT proof.login('app', 'A@x', 'app.tenant_id=1');
SELECT proof.sees('SELECT email FROM contacts', 'A@x');
SELECT proof.sees($$SELECT regexp_split_to_table(trim(current_setting('seen.emails')), ' ')$$, 'A@x,B@y',
    'SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; SELECT FROM contacts WHERE normalised(email) = ''q''');
