-- clean
-- proved: projects memberships
-- As the name-capture case, with the outer column qualified.
CREATE ROLE app LOGIN;
CREATE TABLE memberships (
    user_id integer NOT NULL,
    tenant_id integer NOT NULL,
    PRIMARY KEY (user_id, tenant_id)
);
INSERT INTO memberships VALUES (10, 1), (20, 2);
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON memberships FOR SELECT TO app
    USING (user_id = (SELECT current_setting('app.user_id')::integer));
GRANT SELECT ON memberships TO app;
CREATE TABLE projects (
    id bigint PRIMARY KEY,
    tenant_id integer NOT NULL,
    title text
);
CREATE INDEX ON projects (tenant_id);
INSERT INTO projects VALUES (1, 1, 'a'), (2, 2, 'b');
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON projects FOR SELECT TO app
    USING (EXISTS (SELECT FROM memberships m
                   WHERE m.user_id = (SELECT current_setting('app.user_id')::integer)
                   AND m.tenant_id = projects.tenant_id));
GRANT SELECT ON projects TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.user_id=10', 'SELECT tenant_id FROM projects');
