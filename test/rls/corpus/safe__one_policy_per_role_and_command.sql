-- clean
-- perf_clean
-- proved: posts
-- Four commands, two roles, never two policies for the same statement; the floor is restrictive.
CREATE ROLE reader LOGIN;
CREATE ROLE editor LOGIN;
CREATE TABLE posts (id bigint PRIMARY KEY, tenant_id integer NOT NULL, draft boolean NOT NULL DEFAULT false);
CREATE INDEX ON posts (tenant_id);
INSERT INTO posts VALUES (1, 1), (2, 2);
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON posts FOR SELECT TO reader USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer) AND NOT draft);
CREATE POLICY read_all ON posts FOR SELECT TO editor USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
CREATE POLICY add ON posts FOR INSERT TO editor WITH CHECK (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
CREATE POLICY edit ON posts FOR UPDATE TO editor USING (tenant_id = (SELECT current_setting('app.tenant', true)::integer));
CREATE POLICY keep ON posts AS RESTRICTIVE FOR UPDATE TO editor USING (draft);
GRANT SELECT ON posts TO reader;
GRANT SELECT, INSERT, UPDATE ON posts TO editor;
-- prove:
SELECT proof.isolated('reader', '1', 'app.tenant=1', 'SELECT tenant_id FROM posts');
SELECT proof.isolated('editor', '1', 'app.tenant=1', 'SELECT tenant_id FROM posts');
