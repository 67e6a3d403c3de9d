-- expect: policy_recursion on documents|document_shares
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
CREATE TABLE documents (id int PRIMARY KEY, owner_id uuid NOT NULL);
CREATE TABLE document_shares (document_id int NOT NULL REFERENCES documents, user_id uuid NOT NULL, PRIMARY KEY (user_id, document_id));
CREATE INDEX ON documents (owner_id); CREATE INDEX ON document_shares (document_id);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY; ALTER TABLE document_shares ENABLE ROW LEVEL SECURITY;
CREATE POLICY d ON documents FOR SELECT TO authenticated USING (owner_id = (select auth.uid()) OR id IN (SELECT document_id FROM document_shares WHERE user_id = (select auth.uid())));
CREATE POLICY s ON document_shares FOR SELECT TO authenticated USING (document_id IN (SELECT id FROM documents WHERE owner_id = (select auth.uid())));
GRANT SELECT ON documents, document_shares TO authenticated;
-- prove:
SELECT proof.login('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}');
SELECT proof.sees('select id from documents', 'ERROR 42P17');
