-- expect: write_check_not_tenant_bound on invitations
-- The check looks at the author, not at the tenant written to.
CREATE ROLE app LOGIN;
CREATE TABLE invitations (
    id bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    invited_by bigint NOT NULL,
    email text
);
CREATE INDEX ON invitations (tenant_id);
INSERT INTO invitations VALUES (1, 1, 10, 'a'), (2, 2, 20, 'b');
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON invitations FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::bigint));
CREATE POLICY invite ON invitations FOR INSERT TO app
    WITH CHECK (invited_by = (SELECT current_setting('app.user_id', true)::bigint));
GRANT SELECT, INSERT ON invitations TO app;
CREATE TABLE rooms (id bigint PRIMARY KEY, tenant_id bigint NOT NULL);
CREATE INDEX ON rooms (tenant_id);
ALTER TABLE rooms ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON rooms FOR SELECT TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::bigint));
GRANT SELECT ON rooms TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1', 'app.user_id=10');
SELECT proof.harms($$INSERT INTO invitations VALUES (3, 2, 10, 'x')$$, '1');
