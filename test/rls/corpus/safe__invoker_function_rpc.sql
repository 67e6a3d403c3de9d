-- clean
-- proved: documents
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
CREATE TABLE documents (id int PRIMARY KEY, owner_id uuid NOT NULL, title text);
CREATE INDEX ON documents (owner_id);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON documents TO authenticated USING (owner_id = (select auth.uid()));
GRANT SELECT ON documents TO authenticated;
CREATE FUNCTION search_documents(q text) RETURNS SETOF documents LANGUAGE sql STABLE AS $$ select * from documents d where d.title ilike '%' || q || '%' $$;
CREATE FUNCTION delete_everything() RETURNS void LANGUAGE sql AS $$ delete from documents $$;
INSERT INTO documents VALUES (1, '00000000-0000-0000-0000-000000000001', 'plan'), (2, '00000000-0000-0000-0000-000000000002', 'plan b');
-- prove:
SELECT proof.isolated('authenticated', '1', 'request.jwt.claims={"sub":"00000000-0000-0000-0000-000000000001"}', 'select right(owner_id::text, 1) from search_documents(''plan'')');
