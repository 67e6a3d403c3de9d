-- expect: permissive_or_widening on posts
-- may: policy_not_tenant_bound on posts
-- "Not deleted" was meant as a further condition and is permissive.
CREATE ROLE app LOGIN;
CREATE TABLE posts (id bigint PRIMARY KEY, site text NOT NULL, deleted boolean NOT NULL DEFAULT false);
CREATE INDEX ON posts (site);
INSERT INTO posts VALUES (1, 'a'), (2, 'b');
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY site ON posts FOR SELECT TO app USING (site = (SELECT current_setting('cms.site', true)));
CREATE POLICY not_deleted ON posts FOR SELECT TO app USING (deleted IS FALSE);
GRANT SELECT ON posts TO app;
-- prove:
SELECT proof.login('app', 'a', 'cms.site=a');
SELECT proof.sees('SELECT site FROM posts', 'a,b');
