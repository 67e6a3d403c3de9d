-- clean
-- proved: documents members
-- Members may leave (DELETE), not join.
CREATE ROLE app LOGIN;
CREATE TABLE members (group_id integer, user_id integer, PRIMARY KEY (user_id, group_id));
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON members FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user_id', true)::integer));
CREATE POLICY leave ON members FOR DELETE TO app USING (user_id = (SELECT current_setting('app.user_id', true)::integer));
GRANT SELECT, DELETE ON members TO app;
CREATE TABLE documents (id bigint PRIMARY KEY, group_id integer NOT NULL, body text);
CREATE INDEX ON documents (group_id);
INSERT INTO documents VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON documents FOR ALL TO app
    USING (group_id IN (SELECT group_id FROM members
                        WHERE user_id = (SELECT current_setting('app.user_id', true)::integer)));
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user_id=10', 'SELECT group_id FROM documents');
SELECT proof.holds('INSERT INTO members VALUES (2, 10)', 'ERROR 42501');
SELECT proof.harms('UPDATE documents SET group_id = 2', 'ERROR 42501');
