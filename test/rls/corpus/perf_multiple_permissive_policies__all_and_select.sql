-- expect_perf: perf_multiple_permissive_policies on posts
CREATE ROLE app LOGIN;
CREATE TABLE posts (id bigint PRIMARY KEY, tenant_id integer NOT NULL, hidden boolean NOT NULL DEFAULT false, pinned boolean NOT NULL DEFAULT false);
CREATE INDEX ON posts (tenant_id);
INSERT INTO posts VALUES (1, 1), (2, 2);
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON posts FOR ALL TO app USING (NOT hidden AND tenant_id = (SELECT current_setting('app.tenant', true)::integer));
CREATE POLICY pinned ON posts FOR SELECT TO app USING (pinned AND tenant_id = (SELECT current_setting('app.tenant', true)::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON posts TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant=1', 'SELECT tenant_id FROM posts');
SELECT proof.plan('SELECT * FROM posts', ' OR ', true, NULL);
