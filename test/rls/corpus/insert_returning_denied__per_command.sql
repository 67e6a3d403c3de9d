-- expect: insert_returning_denied on events
CREATE ROLE tracker LOGIN;
CREATE TABLE events (id bigint PRIMARY KEY, site text NOT NULL, what text);
CREATE INDEX ON events (site);
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY track ON events FOR INSERT TO tracker WITH CHECK (site = (SELECT current_setting('t.site', true)));
CREATE POLICY fix ON events FOR UPDATE TO tracker USING (site = (SELECT current_setting('t.site', true)));
GRANT SELECT, INSERT, UPDATE ON events TO tracker;
-- prove:
SELECT proof.login('tracker', 'a', 't.site=a');
SELECT proof.holds('INSERT INTO events VALUES (3, ''a'')', '1');
SELECT proof.holds('INSERT INTO events VALUES (3, ''a'') RETURNING id', 'ERROR 42501');
