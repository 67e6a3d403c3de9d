-- expect: policy_not_tenant_bound on pages
-- may: policy_default_open on pages
-- The row's own number is put into the list it is searched in.
CREATE ROLE wiki LOGIN;
CREATE TABLE pages (id bigint PRIMARY KEY, space integer NOT NULL, parent_space integer NOT NULL);
CREATE INDEX ON pages (space);
INSERT INTO pages VALUES (1, 1, 1), (2, 2, 2);
ALTER TABLE pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY space ON pages FOR SELECT TO wiki
    USING (space = ANY (ARRAY[(SELECT nullif(current_setting('wiki.space', true), '')::integer), parent_space]));
GRANT SELECT ON pages TO wiki;
-- prove:
SELECT proof.login('wiki', '1', 'wiki.space=1');
SELECT proof.sees('SELECT space FROM pages', '1,2');
