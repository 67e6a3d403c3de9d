-- expect: policy_exists_rls_disabled on todos
-- may: rls_disabled on todos
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
CREATE TABLE public.todos (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id uuid NOT NULL DEFAULT auth.uid(), task text);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.todos TO authenticated;
CREATE POLICY "Individuals can view their own todos." ON todos FOR SELECT TO authenticated USING ((select auth.uid()) = user_id);
CREATE POLICY "Individuals can create todos." ON todos FOR INSERT TO authenticated WITH CHECK ((select auth.uid()) = user_id);
INSERT INTO todos (user_id, task) VALUES ('00000000-0000-0000-0000-000000000001', 'a'), ('00000000-0000-0000-0000-000000000002', 'b');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select right(user_id::text, 1) from todos', '1,2');
