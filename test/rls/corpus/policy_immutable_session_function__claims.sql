-- expect: policy_immutable_session_function on jwt_firm|ledger
-- may: policy_opaque_function on ledger|jwt_firm
-- A SQL helper that is not inlined because of SET.
CREATE ROLE app LOGIN;
CREATE FUNCTION jwt_firm() RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS
    $$ SELECT current_setting('request.jwt.claims', true)::jsonb ->> 'firm' $$;
CREATE TABLE ledger (id bigint PRIMARY KEY, firm text NOT NULL);
CREATE INDEX ON ledger (firm);
INSERT INTO ledger VALUES (1, 'acme'), (2, 'zeta');
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY firm ON ledger FOR SELECT TO app USING (firm = (SELECT jwt_firm()));
GRANT SELECT ON ledger TO app;
-- prove:
SELECT proof.login('app', 'zeta');
SELECT proof.sees('SELECT * FROM pg_temp.cached()', 'acme', $$
    CREATE FUNCTION pg_temp.cached() RETURNS SETOF text LANGUAGE plpgsql AS
        'BEGIN RETURN QUERY SELECT firm::text FROM ledger; END';
    SET LOCAL plan_cache_mode = force_generic_plan;
    SET LOCAL request.jwt.claims = '{"firm":"acme"}';
    SELECT FROM pg_temp.cached();
    SET LOCAL request.jwt.claims = '{"firm":"zeta"}' $$);
