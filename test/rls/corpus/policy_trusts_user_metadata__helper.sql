-- expect: policy_trusts_user_metadata on projects
-- may: write_check_not_tenant_bound on projects
-- The same, behind a helper with an innocent name.
CREATE FUNCTION current_org() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (current_setting('request.jwt.claims', true)::jsonb #>> '{user_metadata,org}')::uuid
$$;
CREATE ROLE app LOGIN;
CREATE TABLE projects (id bigint PRIMARY KEY, org uuid NOT NULL, title text);
CREATE INDEX ON projects (org);
INSERT INTO projects VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'),
                            (2, 'b0000000-0000-0000-0000-000000000002', 'y');
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON projects FOR SELECT TO app USING (org = (SELECT current_org()));
GRANT SELECT ON projects TO app;
-- prove:
SELECT proof.login('app', 'a', 'request.jwt.claims={"user_metadata":{"org":"b0000000-0000-0000-0000-000000000002"}}');
SELECT proof.sees('SELECT left(org::text, 1) FROM projects', 'b');
