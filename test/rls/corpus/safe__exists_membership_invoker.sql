-- clean
-- proved: mitglied projekt
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
CREATE TABLE mitglied (organisation int NOT NULL, benutzer uuid NOT NULL, PRIMARY KEY (benutzer, organisation));
ALTER TABLE mitglied ENABLE ROW LEVEL SECURITY;
CREATE POLICY selbst ON mitglied FOR SELECT TO authenticated USING (benutzer = (select auth.uid()));
CREATE TABLE projekt (id int PRIMARY KEY, organisation int NOT NULL, titel text);
CREATE INDEX ON projekt (organisation);
ALTER TABLE projekt ENABLE ROW LEVEL SECURITY;
CREATE POLICY m ON projekt TO authenticated USING (EXISTS (SELECT 1 FROM mitglied m WHERE m.organisation = projekt.organisation AND m.benutzer = auth.uid()));
GRANT SELECT ON mitglied TO authenticated; GRANT SELECT, INSERT, UPDATE, DELETE ON projekt TO authenticated;
INSERT INTO mitglied VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
INSERT INTO projekt VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select organisation from projekt');
