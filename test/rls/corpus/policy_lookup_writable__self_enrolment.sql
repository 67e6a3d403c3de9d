-- expect: policy_lookup_writable on members|documents
-- may: write_check_not_tenant_bound on members
-- Anybody may insert a membership of their own, of any group.
CREATE ROLE app LOGIN;
CREATE TABLE members (group_id integer, user_id integer, PRIMARY KEY (user_id, group_id));
INSERT INTO members VALUES (1, 10), (2, 20);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON members FOR ALL TO app
    USING (user_id = (SELECT current_setting('app.user_id', true)::integer))
    WITH CHECK (user_id = (SELECT current_setting('app.user_id', true)::integer));
GRANT SELECT, INSERT, DELETE ON members TO app;
CREATE TABLE documents (id bigint PRIMARY KEY, group_id integer NOT NULL, body text);
CREATE INDEX ON documents (group_id);
INSERT INTO documents VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON documents FOR SELECT TO app
    USING (group_id IN (SELECT group_id FROM members
                        WHERE user_id = (SELECT current_setting('app.user_id', true)::integer)));
GRANT SELECT ON documents TO app;
-- prove:
SELECT proof.login('app', '1', 'app.user_id=10');
SELECT proof.sees('SELECT group_id FROM documents', '1');
SELECT proof.sees('SELECT group_id FROM documents', '1,2', 'INSERT INTO members VALUES (2, 10)');
