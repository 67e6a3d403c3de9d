-- expect: rls_disabled on invitations
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
CREATE TABLE organizations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
CREATE TABLE members (organization_id uuid NOT NULL REFERENCES organizations, user_id uuid NOT NULL, role text NOT NULL, PRIMARY KEY (user_id, organization_id));
CREATE TABLE invitations (id int PRIMARY KEY, organization_id uuid NOT NULL REFERENCES organizations, email text, token text);
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY; ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON organizations FOR SELECT TO authenticated USING (id IN (SELECT organization_id FROM members WHERE user_id = (select auth.uid())));
CREATE POLICY m ON members FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
GRANT SELECT ON organizations, members TO authenticated;
GRANT SELECT ON invitations TO anon;
INSERT INTO organizations VALUES ('00000000-0000-0000-0000-000000000001'), ('00000000-0000-0000-0000-000000000002');
INSERT INTO invitations VALUES (1, '00000000-0000-0000-0000-000000000001', 'a', 't'), (2, '00000000-0000-0000-0000-000000000002', 'b', 'u');
-- prove:
SELECT proof.login('anon', NULL);
SELECT proof.sees('select right(organization_id::text, 1) from invitations', '1,2');
