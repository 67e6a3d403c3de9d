-- expect: security_definer_bypasses_rls|policy_lookup_writable on join_team|members|boards
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
CREATE TABLE members (team_id int NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (user_id, team_id));
CREATE TABLE boards (id int PRIMARY KEY, team_id int NOT NULL);
CREATE INDEX ON boards (team_id);
ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE boards ENABLE ROW LEVEL SECURITY;
CREATE POLICY m ON members FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE POLICY b ON boards FOR SELECT TO authenticated USING (team_id IN (SELECT team_id FROM members WHERE user_id = (select auth.uid())));
GRANT SELECT ON members, boards TO authenticated;
CREATE FUNCTION join_team(t int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN INSERT INTO public.members (team_id, user_id) VALUES (t, auth.uid()); END $$;
INSERT INTO members VALUES (1, '00000000-0000-0000-0000-000000000001'); INSERT INTO boards VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select team_id from boards', '1');
SELECT proof.sees('select team_id from boards', '1,2', 'select join_team(2)');
