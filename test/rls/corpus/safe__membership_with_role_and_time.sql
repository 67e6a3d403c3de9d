-- clean
-- proved: documents
-- Only editors write, and only while the membership lasts.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, role text NOT NULL, until date, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 10, 'editor', '2999-01-01'), (2, 20, 'editor', NULL), (2, 10, 'editor', '2001-01-01');
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
GRANT SELECT ON members TO app;
CREATE TABLE documents (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON documents (tenant_id);
INSERT INTO documents VALUES (1, 1), (2, 2);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY editors ON documents TO app
    USING (EXISTS (SELECT FROM members m
                   WHERE m.tenant_id = documents.tenant_id
                   AND m.user_id = (SELECT current_setting('app.user', true)::integer)
                   AND m.role IN ('editor', 'owner') AND (m.until IS NULL OR m.until > current_date)));
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user=10', 'SELECT tenant_id FROM documents');
SELECT proof.harms('INSERT INTO documents VALUES (3, 2)', 'ERROR 42501');
