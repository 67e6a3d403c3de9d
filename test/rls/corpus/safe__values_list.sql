-- clean
-- proved: pages
CREATE ROLE wiki LOGIN;
CREATE TABLE pages (id bigint PRIMARY KEY, space integer NOT NULL);
CREATE INDEX ON pages (space);
INSERT INTO pages VALUES (1, 1), (2, 2);
ALTER TABLE pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY space ON pages TO wiki
    USING (space IN (nullif(current_setting('wiki.space', true), '')::integer, nullif(current_setting('wiki.guest', true), '')::integer));
GRANT SELECT, INSERT ON pages TO wiki;
-- prove:
SELECT proof.isolated('wiki', '1', 'wiki.space=1', 'SELECT space FROM pages');
SELECT proof.harms('INSERT INTO pages VALUES (3, 2)', 'ERROR 42501');
