-- expect: large_object_exposed on *
-- The policy hides the pointer; the object itself is readable for PUBLIC.
CREATE ROLE app LOGIN;
CREATE TABLE attachments (id bigint PRIMARY KEY, tenant_id integer NOT NULL, content oid NOT NULL);
CREATE INDEX ON attachments (tenant_id);
SELECT lo_from_bytea(70001, 'one'), lo_from_bytea(70002, 'two');
INSERT INTO attachments VALUES (1, 1, 70001), (2, 2, 70002);
GRANT SELECT ON LARGE OBJECT 70001, 70002 TO PUBLIC;
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON attachments FOR SELECT TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT ON attachments TO app;
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM attachments', '1');
SELECT proof.holds('SELECT convert_from(lo_get(70002), ''UTF8'')', 'two');
