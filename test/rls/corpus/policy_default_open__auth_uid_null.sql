-- expect: policy_default_open on photos
-- may: write_check_not_tenant_bound on photos
-- Anonymous requests have no uid.
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated TO authenticator;
GRANT USAGE ON SCHEMA auth TO anon, authenticated;
CREATE TABLE photos (id bigint PRIMARY KEY, user_id uuid NOT NULL, path text);
CREATE INDEX ON photos (user_id);
INSERT INTO photos VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'),
                          (2, 'b0000000-0000-0000-0000-000000000002', 'y');
ALTER TABLE photos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON photos FOR SELECT TO anon, authenticated
    USING (NOT ((SELECT auth.uid()) IS NOT NULL AND (SELECT auth.uid()) <> user_id));
GRANT SELECT ON photos TO anon, authenticated;
-- prove:
SELECT proof.login('authenticator', NULL);
SELECT proof.sees('SELECT left(user_id::text, 1) FROM photos', 'a,b', 'SET LOCAL ROLE anon');
SELECT proof.login('authenticator', 'a', 'request.jwt.claims={"sub":"a0000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('SELECT left(user_id::text, 1) FROM photos', 'a', 'SET LOCAL ROLE authenticated');
