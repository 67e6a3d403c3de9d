-- expect: policy_not_tenant_bound on events
-- The forgotten ELSE: rows of another kind are everybody's.
CREATE ROLE app LOGIN;
CREATE TABLE events (
    id bigint PRIMARY KEY,
    org_id bigint NOT NULL,
    kind text NOT NULL
);
CREATE INDEX ON events (org_id);
INSERT INTO events VALUES (1, 1, 'private'), (2, 2, 'system');
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON events FOR SELECT TO app
    USING (CASE WHEN kind = 'private'
                THEN org_id = (SELECT current_setting('app.org', true)::bigint)
                ELSE true END);
GRANT SELECT ON events TO app;
-- prove:
SELECT proof.login('app', '1', 'app.org=1');
SELECT proof.sees('SELECT org_id FROM events', '1,2');
