-- expect: policy_not_tenant_bound on posts
-- Names who may not, instead of who may.
CREATE ROLE forum LOGIN;
CREATE TABLE posts (id bigint PRIMARY KEY, community_id integer NOT NULL, body text);
CREATE INDEX ON posts (community_id);
INSERT INTO posts VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z');
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_blocked ON posts FOR SELECT TO forum
    USING (community_id <> ALL (string_to_array(current_setting('forum.blocked', true), ',')::integer[]));
CREATE POLICY write_own ON posts FOR INSERT TO forum
    WITH CHECK (community_id = (SELECT current_setting('forum.community')::integer));
GRANT SELECT, INSERT ON posts TO forum;
-- prove:
SELECT proof.login('forum', '1', 'forum.community=1', 'forum.blocked=3');
SELECT proof.sees('SELECT community_id FROM posts', '1,2');
