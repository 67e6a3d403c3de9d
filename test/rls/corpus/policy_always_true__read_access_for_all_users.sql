-- expect: policy_always_true on messages
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
CREATE TABLE messages (id int PRIMARY KEY, user_id uuid NOT NULL, body text);
CREATE INDEX ON messages (user_id);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Enable read access for all users" ON messages FOR SELECT USING (true);
CREATE POLICY "Enable insert for own" ON messages FOR INSERT TO authenticated WITH CHECK ((select auth.uid()) = user_id);
GRANT SELECT, INSERT ON messages TO anon, authenticated;
INSERT INTO messages VALUES (1, '00000000-0000-0000-0000-000000000001', 'a'), (2, '00000000-0000-0000-0000-000000000002', 'b');
-- prove:
SELECT proof.login('anon', NULL);
SELECT proof.sees('select right(user_id::text, 1) from messages', '1,2');
