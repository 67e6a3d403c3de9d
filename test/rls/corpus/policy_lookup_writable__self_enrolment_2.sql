-- expect: policy_lookup_writable on team_members|boards
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
CREATE TABLE team_members (team_id int NOT NULL, user_id uuid NOT NULL, role text NOT NULL DEFAULT 'member', PRIMARY KEY (user_id, team_id));
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY "see own" ON team_members FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE POLICY "join" ON team_members FOR INSERT TO authenticated WITH CHECK (user_id = (select auth.uid()));
CREATE TABLE boards (id int PRIMARY KEY, team_id int NOT NULL);
CREATE INDEX ON boards (team_id);
ALTER TABLE boards ENABLE ROW LEVEL SECURITY;
CREATE POLICY "team boards" ON boards FOR SELECT TO authenticated
  USING (team_id IN (SELECT team_id FROM team_members WHERE user_id = (select auth.uid())));
GRANT SELECT ON boards TO authenticated;
GRANT SELECT, INSERT ON team_members TO authenticated;
INSERT INTO team_members VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
INSERT INTO boards VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select team_id from boards', '1');
SELECT proof.sees('select team_id from boards', '1,2', 'insert into team_members values (2, auth.uid())');
