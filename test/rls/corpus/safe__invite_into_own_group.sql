-- clean
-- proved: documents members
-- A session of a group enrols others into that group, by the group in its session.
CREATE ROLE app LOGIN;
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (tenant_id, user_id));
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON members FOR ALL TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer))
    WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT, DELETE ON members TO app;
CREATE TABLE documents (id bigint PRIMARY KEY, tenant_id integer NOT NULL, body text);
CREATE INDEX ON documents (tenant_id);
INSERT INTO documents VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON documents FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON documents TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM documents', 'SELECT tenant_id FROM members');
SELECT proof.harms('INSERT INTO members VALUES (2, 10)', 'ERROR 42501');
