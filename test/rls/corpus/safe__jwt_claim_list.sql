-- clean
-- proved: documents
-- The token lists organizations; jsonb ? asks whether the row's is among them.
CREATE ROLE authenticated LOGIN;
CREATE TABLE documents (id bigint PRIMARY KEY, org_id text NOT NULL, body text);
CREATE INDEX ON documents (org_id);
INSERT INTO documents VALUES (1, 'acme', 'x'), (2, 'zeta', 'y'), (3, 'omega', 'z');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY orgs ON documents FOR SELECT TO authenticated
    USING ((nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' -> 'orgs') ? org_id);
GRANT SELECT ON documents TO authenticated;
-- prove:
SELECT proof.isolated('authenticated', 'acme,omega', 'request.jwt.claims={"app_metadata":{"orgs":["acme","omega"]}}', 'SELECT org_id FROM documents');
