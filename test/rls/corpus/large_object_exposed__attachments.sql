-- expect: large_object_exposed on *
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE attachments (id int PRIMARY KEY, tenant_id int NOT NULL, content oid NOT NULL);
CREATE INDEX ON attachments (tenant_id);
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON attachments TO app USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::int);
GRANT SELECT ON attachments TO app;
RESET ROLE;
SELECT lo_from_bytea(424242, 'secret of two'), lo_from_bytea(424241, 'secret of one');
GRANT SELECT ON LARGE OBJECT 424241, 424242 TO app;
INSERT INTO attachments VALUES (1, 1, 424241), (2, 2, 424242);
-- prove:
SELECT proof.login('app', '1', 'app.tenant_id=1');
SELECT proof.sees('select tenant_id from attachments', '1');
SELECT proof.holds('select convert_from(lo_get(424242), ''utf8'')', 'secret of two');
