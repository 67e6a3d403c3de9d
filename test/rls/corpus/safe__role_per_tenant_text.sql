-- clean
-- proved: messages
-- As text, by session_user, each tenant with a login of its own.
CREATE ROLE kunde_alpha LOGIN;
CREATE ROLE kunde_beta LOGIN;
CREATE TABLE messages (
    id bigint PRIMARY KEY,
    kunde text NOT NULL DEFAULT session_user,
    body text
);
CREATE INDEX ON messages (kunde);
INSERT INTO messages VALUES (1, 'kunde_alpha', 'x'), (2, 'kunde_beta', 'y');
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY kunde ON messages FOR SELECT TO kunde_alpha, kunde_beta USING (kunde = session_user);
CREATE POLICY kunde_schreibt ON messages FOR INSERT TO kunde_alpha, kunde_beta WITH CHECK (kunde = session_user);
GRANT SELECT, INSERT ON messages TO kunde_alpha, kunde_beta;
-- prove:
SELECT proof.login('kunde_alpha', 'kunde_alpha');
SELECT proof.sees('SELECT kunde FROM messages', 'kunde_alpha');
SELECT proof.harms('INSERT INTO messages VALUES (3, ''kunde_beta'', ''z'')', 'ERROR 42501');
