-- expect: permissive_or_widening on articles
-- may: policy_not_tenant_bound on articles
-- A policy without TO applies to the tenant role too.
CREATE ROLE editor LOGIN;
CREATE ROLE reader LOGIN;
CREATE TABLE articles (
    id bigint PRIMARY KEY,
    publisher_id bigint NOT NULL,
    published boolean NOT NULL DEFAULT false
);
CREATE INDEX ON articles (publisher_id);
INSERT INTO articles VALUES (1, 1, false), (2, 2, false);
ALTER TABLE articles ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON articles FOR ALL TO editor
    USING (publisher_id = (SELECT current_setting('press.publisher', true)::bigint));
CREATE POLICY drafts ON articles FOR UPDATE USING (NOT published) WITH CHECK (publisher_id = (SELECT current_setting('press.publisher', true)::bigint));
GRANT SELECT, UPDATE ON articles TO editor;
-- prove:
SELECT proof.login('editor', '1', 'press.publisher=1');
SELECT proof.sees('SELECT publisher_id FROM articles', '1');
SELECT proof.harms('UPDATE articles SET publisher_id = 1', '2');
