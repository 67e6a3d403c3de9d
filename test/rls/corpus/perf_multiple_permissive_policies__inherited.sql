-- expect_perf: perf_multiple_permissive_policies on posts
-- One policy for the group, one for its member: both apply to the member.
CREATE ROLE staff NOLOGIN;
CREATE ROLE editor LOGIN IN ROLE staff;
CREATE TABLE posts (id bigint PRIMARY KEY, site text NOT NULL, draft boolean NOT NULL DEFAULT false, mine boolean NOT NULL DEFAULT false);
CREATE INDEX ON posts (site);
INSERT INTO posts VALUES (1, 'a'), (2, 'b');
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON posts FOR SELECT TO staff USING (NOT draft AND site = (SELECT current_setting('cms.site', true)));
CREATE POLICY editor ON posts FOR SELECT TO editor USING (mine AND site = (SELECT current_setting('cms.site', true)));
GRANT SELECT ON posts TO staff;
-- prove:
SELECT proof.isolated('editor', 'a', 'cms.site=a', 'SELECT site FROM posts');
SELECT proof.plan('SELECT * FROM posts', ' OR ', true, NULL);
