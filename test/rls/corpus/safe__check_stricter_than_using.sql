-- clean
-- proved: invitations
-- WITH CHECK asks for the tenant and the author.
CREATE ROLE app LOGIN;
CREATE TABLE invitations (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, invited_by bigint NOT NULL);
CREATE INDEX ON invitations (tenant_id);
INSERT INTO invitations VALUES (1, 1, 10), (2, 2, 20);
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invitations FOR ALL TO app
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::bigint))
    WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::bigint)
                AND invited_by = (SELECT current_setting('app.user_id', true)::bigint));
GRANT SELECT, INSERT, UPDATE ON invitations TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM invitations');
SELECT proof.login('app', '1', 'app.tenant_id=1', 'app.user_id=10');
SELECT proof.harms('INSERT INTO invitations VALUES (3, 2, 10)', 'ERROR 42501');
