-- clean
-- proved: posts
-- The session carries a list of communities.
CREATE ROLE forum LOGIN;
CREATE TABLE posts (id bigint PRIMARY KEY, community_id integer NOT NULL, body text);
CREATE INDEX ON posts (community_id);
INSERT INTO posts VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z');
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON posts TO forum
    USING (community_id = ANY (string_to_array(current_setting('forum.communities', true), ',')::integer[]));
GRANT SELECT, INSERT ON posts TO forum;
-- prove:
SELECT proof.isolated('forum', '1,3', 'forum.communities=1,3', 'SELECT community_id FROM posts');
SELECT proof.harms('INSERT INTO posts VALUES (4, 2, ''q'')', 'ERROR 42501');
