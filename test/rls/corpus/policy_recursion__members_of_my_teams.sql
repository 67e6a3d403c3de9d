-- expect: policy_recursion on team_members
-- may: policy_recursion on *
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
CREATE TABLE team_members (team_id int NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (user_id, team_id));
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY "team mates" ON team_members FOR SELECT TO authenticated
  USING (team_id IN (SELECT tm.team_id FROM team_members tm WHERE tm.user_id = (select auth.uid())));
GRANT SELECT ON team_members TO authenticated;
INSERT INTO team_members VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select team_id from team_members', 'ERROR 42P17');
