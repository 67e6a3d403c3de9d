-- expect: policy_always_true on documents
-- Reads are closed, deletes are not: a DELETE without WHERE needs no SELECT policy.
CREATE ROLE docs_api LOGIN;
CREATE TABLE documents (
    id bigint PRIMARY KEY,
    org_id uuid NOT NULL,
    body text
);
CREATE INDEX ON documents (org_id);
INSERT INTO documents VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'),
                             (2, 'b0000000-0000-0000-0000-000000000002', 'y');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_own ON documents FOR SELECT TO docs_api
    USING (org_id = (SELECT current_setting('app.org_id', true)::uuid));
CREATE POLICY delete_any ON documents FOR DELETE TO docs_api USING (1 = 1);
GRANT SELECT, DELETE ON documents TO docs_api;
-- prove:
SELECT proof.login('docs_api', 'a0000000-0000-0000-0000-000000000001', 'app.org_id=a0000000-0000-0000-0000-000000000001');
SELECT proof.sees('SELECT org_id FROM documents', 'a0000000-0000-0000-0000-000000000001');
SELECT proof.harms('DELETE FROM documents', '2');
