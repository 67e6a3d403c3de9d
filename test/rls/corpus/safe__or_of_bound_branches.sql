-- clean
-- proved: documents
-- Drafts are the author's, the rest the tenant's; both branches name the tenant.
CREATE ROLE app LOGIN;
CREATE TABLE documents (id bigint PRIMARY KEY, tenant_id integer NOT NULL, author_id integer NOT NULL, draft boolean NOT NULL);
CREATE INDEX ON documents (tenant_id);
INSERT INTO documents VALUES (1, 1, 10, true), (2, 1, 11, true), (3, 1, 11, false), (4, 2, 20, false);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON documents FOR SELECT TO app
    USING ((NOT draft AND tenant_id = (SELECT current_setting('app.tenant_id', true)::integer))
           OR (author_id = (SELECT current_setting('app.user_id', true)::integer)
               AND tenant_id = (SELECT current_setting('app.tenant_id', true)::integer)));
GRANT SELECT ON documents TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1', 'app.user_id=10');
SELECT proof.sees('SELECT tenant_id FROM documents', '1');
SELECT proof.holds('SELECT id FROM documents', '1,3');
