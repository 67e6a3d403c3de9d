-- expect: permissive_or_widening|policy_not_tenant_bound on docs
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
CREATE TABLE docs (id int PRIMARY KEY, owner_id uuid NOT NULL, share_token uuid);
CREATE INDEX ON docs (owner_id);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON docs TO authenticated USING (owner_id = (select auth.uid()));
CREATE POLICY "shared by link" ON docs FOR SELECT TO anon, authenticated USING (share_token IS NOT NULL);
GRANT SELECT ON docs TO anon; GRANT SELECT, INSERT, UPDATE, DELETE ON docs TO authenticated;
INSERT INTO docs VALUES (1, '00000000-0000-0000-0000-000000000001', NULL), (2, '00000000-0000-0000-0000-000000000002', gen_random_uuid());
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select right(owner_id::text, 1) from docs', '1,2');
