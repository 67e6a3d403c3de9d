-- clean
-- proved: events
-- Every branch binds; the missing ELSE is NULL, which is no.
CREATE ROLE app LOGIN;
CREATE TABLE events (
    id bigint PRIMARY KEY,
    org_id bigint NOT NULL,
    kind text NOT NULL
);
CREATE INDEX ON events (org_id);
INSERT INTO events VALUES (1, 1, 'private'), (2, 2, 'system'), (3, 2, 'private');
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON events FOR SELECT TO app
    USING (CASE kind WHEN 'private' THEN org_id = (SELECT current_setting('app.org', true)::bigint)
                     WHEN 'system' THEN org_id = (SELECT current_setting('app.org', true)::bigint) AND id > 0 END);
GRANT SELECT ON events TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.org=1', 'SELECT org_id FROM events');
