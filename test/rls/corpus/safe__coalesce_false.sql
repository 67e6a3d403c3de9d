-- clean
-- proved: tickets
-- Unknown becomes no.
CREATE ROLE app LOGIN;
CREATE TABLE tickets (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, subject text);
CREATE INDEX ON tickets (tenant_id);
INSERT INTO tickets VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tickets FOR SELECT TO app
    USING (coalesce(tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint), false));
CREATE POLICY tenant_writes ON tickets FOR INSERT TO app
    WITH CHECK ((tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)) IS TRUE);
GRANT SELECT, INSERT ON tickets TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM tickets');
SELECT proof.harms('INSERT INTO tickets VALUES (3, 2)', 'ERROR 42501');
