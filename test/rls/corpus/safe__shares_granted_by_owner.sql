-- clean
-- Rows are seen by their owner and by those the owner's server shared them with.
CREATE ROLE app LOGIN;
CREATE TABLE shares (doc_id bigint, user_id integer, PRIMARY KEY (user_id, doc_id));
CREATE TABLE docs (id bigint PRIMARY KEY, owner_id integer NOT NULL);
CREATE INDEX ON docs (owner_id);
INSERT INTO docs VALUES (1, 10), (2, 20), (3, 20);
INSERT INTO shares VALUES (3, 10);
ALTER TABLE shares ENABLE ROW LEVEL SECURITY;
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shares FOR SELECT TO app USING (user_id = (SELECT current_setting('app.user', true)::integer));
CREATE POLICY seen ON docs FOR SELECT TO app
    USING (owner_id = (SELECT current_setting('app.user', true)::integer)
           OR id IN (SELECT s.doc_id FROM shares s WHERE s.user_id = (SELECT current_setting('app.user', true)::integer)));
GRANT SELECT ON shares, docs TO app;
-- prove:
SELECT proof.isolated('app', '1,3', 'app.user=10', 'SELECT id FROM docs');
