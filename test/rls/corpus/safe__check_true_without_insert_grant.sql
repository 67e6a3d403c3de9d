-- clean
-- CHECK (true), but the role may only change the text of rows it already owns.
CREATE ROLE notes_app LOGIN;
CREATE TABLE notes (
    id bigint PRIMARY KEY,
    user_id uuid NOT NULL,
    body text
);
CREATE INDEX ON notes (user_id);
INSERT INTO notes VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'),
                         (2, 'b0000000-0000-0000-0000-000000000002', 'y');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes FOR ALL TO notes_app
    USING (user_id = (SELECT nullif(current_setting('app.user', true), '')::uuid))
    WITH CHECK (true);
GRANT SELECT, UPDATE (body) ON notes TO notes_app;
-- prove:
SELECT proof.isolated('notes_app', 'a0000000-0000-0000-0000-000000000001', 'app.user=a0000000-0000-0000-0000-000000000001', 'SELECT user_id FROM notes');
SELECT proof.harms('UPDATE notes SET user_id = ''b0000000-0000-0000-0000-000000000002''', 'ERROR 42501');
SELECT proof.holds('UPDATE notes SET body = ''z''', '1');
