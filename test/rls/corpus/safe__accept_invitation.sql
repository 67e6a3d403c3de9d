-- clean
-- proved: boards
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
CREATE TABLE invitations (token text PRIMARY KEY, team_id int NOT NULL, email text NOT NULL);
CREATE TABLE boards (id int PRIMARY KEY, team_id int NOT NULL);
CREATE INDEX ON boards (team_id);
ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE boards ENABLE ROW LEVEL SECURITY; ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY m ON members FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE POLICY b ON boards FOR SELECT TO authenticated USING (team_id IN (SELECT team_id FROM members WHERE user_id = (select auth.uid())));
GRANT SELECT ON members, boards TO authenticated;
CREATE FUNCTION accept_invitation(p_token text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  INSERT INTO public.members (team_id, user_id)
  SELECT i.team_id, auth.uid() FROM public.invitations i WHERE i.token = p_token AND i.email = auth.jwt() ->> 'email';
  DELETE FROM public.invitations i WHERE i.token = p_token AND i.email = auth.jwt() ->> 'email';
END $$;
INSERT INTO members VALUES (1, '00000000-0000-0000-0000-000000000001'); INSERT INTO boards VALUES (1, 1), (2, 2);
INSERT INTO invitations VALUES ('t2', 2, 'other@x');
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001","email":"me@x"}');
SELECT proof.sees('select team_id from boards', '1', 'select accept_invitation(''t2'')');
