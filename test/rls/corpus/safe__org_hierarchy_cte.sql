-- clean
-- may: policy_opaque_function on notes
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE orgs (id int PRIMARY KEY, parent_id int REFERENCES orgs);
CREATE FUNCTION my_orgs() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH RECURSIVE t AS (SELECT id FROM public.orgs WHERE id = nullif(current_setting('app.org', true), '')::int
    UNION SELECT o.id FROM public.orgs o JOIN t ON o.parent_id = t.id) SELECT id FROM t $$;
CREATE TABLE notes (id int PRIMARY KEY, org_id int NOT NULL);
CREATE INDEX ON notes (org_id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY o ON notes TO app USING (org_id IN (SELECT my_orgs()));
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
INSERT INTO orgs VALUES (1, NULL), (2, NULL), (11, 1); INSERT INTO notes VALUES (1, 1), (2, 2), (3, 11);
RESET ROLE;
-- prove:
SELECT proof.isolated('app', '1,11', 'app.org=1', 'select org_id from notes');
