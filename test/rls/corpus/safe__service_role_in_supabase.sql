-- clean
-- may: bypassrls_reachable on *
-- proved: notes@authenticated
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated TO authenticator;
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
  select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$
  select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
GRANT USAGE ON SCHEMA auth, public TO anon, authenticated;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
GRANT service_role TO authenticator;
CREATE TABLE notes (id int PRIMARY KEY, user_id uuid NOT NULL);
CREATE INDEX ON notes (user_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes TO authenticated USING (user_id = (select auth.uid()));
CREATE POLICY svc ON notes TO service_role USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO authenticated, service_role;
INSERT INTO notes VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select right(user_id::text, 1) from notes');
