-- clean
-- tenancy: public public.categories
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
CREATE SCHEMA private; GRANT USAGE ON SCHEMA private TO authenticated;
CREATE TABLE categories (id int PRIMARY KEY, name text);
GRANT SELECT ON categories TO anon, authenticated;
CREATE TABLE docs (id int PRIMARY KEY, owner_id uuid NOT NULL, category_id int REFERENCES categories, body text);
CREATE TABLE doc_shares (doc_id int NOT NULL REFERENCES docs, user_id uuid NOT NULL, PRIMARY KEY (user_id, doc_id));
CREATE INDEX ON docs (owner_id); CREATE INDEX ON doc_shares (doc_id);
CREATE FUNCTION private.owns(d int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ select exists (select 1 from public.docs x where x.id = d and x.owner_id = auth.uid()) $$;
ALTER TABLE docs ENABLE ROW LEVEL SECURITY; ALTER TABLE doc_shares ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON docs TO authenticated USING (owner_id = (select auth.uid()));
CREATE POLICY shared ON docs FOR SELECT TO authenticated USING (id IN (SELECT s.doc_id FROM doc_shares s WHERE s.user_id = (select auth.uid())));
CREATE POLICY seen ON doc_shares FOR SELECT TO authenticated USING (user_id = (select auth.uid()));
CREATE POLICY give ON doc_shares FOR INSERT TO authenticated WITH CHECK (private.owns(doc_id));
CREATE POLICY take ON doc_shares FOR DELETE TO authenticated USING (private.owns(doc_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON docs TO authenticated; GRANT SELECT, INSERT, DELETE ON doc_shares TO authenticated;
INSERT INTO docs VALUES (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select id from docs');
SELECT proof.harms('insert into doc_shares values (2, ''00000000-0000-0000-0000-000000000001'')', 'ERROR 42501');
