-- expect: view_bypasses_rls on api.contacts
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
CREATE SCHEMA api;
GRANT USAGE ON SCHEMA api TO authenticated;
CREATE TABLE public.contacts (id int PRIMARY KEY, user_id uuid NOT NULL, email text);
CREATE INDEX ON contacts (user_id);
ALTER TABLE public.contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.contacts TO authenticated USING (user_id = (select auth.uid()));
CREATE VIEW api.contacts AS SELECT id, user_id, email FROM public.contacts WHERE email IS NOT NULL;
GRANT SELECT ON api.contacts TO authenticated;
INSERT INTO contacts VALUES (1, '00000000-0000-0000-0000-000000000001', 'a@x'), (2, '00000000-0000-0000-0000-000000000002', 'b@x');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select right(user_id::text, 1) from api.contacts', '1,2');
