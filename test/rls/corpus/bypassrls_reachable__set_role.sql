-- expect: bypassrls_reachable on web|service|documents
-- The gateway may become the service role, which is exempt.
CREATE ROLE service NOLOGIN BYPASSRLS;
CREATE ROLE tenant_role NOLOGIN;
CREATE ROLE web LOGIN NOINHERIT;
GRANT tenant_role, service TO web;
CREATE TABLE documents (id bigint PRIMARY KEY, org text NOT NULL);
CREATE INDEX ON documents (org);
INSERT INTO documents VALUES (1, 'a'), (2, 'b');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY org ON documents TO tenant_role USING (org = (SELECT current_setting('web.org', true)));
GRANT SELECT ON documents TO tenant_role, service;
-- prove:
SELECT proof.login('web', 'a', 'web.org=a');
SELECT proof.sees('SELECT org FROM documents', 'a', 'SET LOCAL ROLE tenant_role');
SELECT proof.sees('SELECT org FROM documents', 'a,b', 'SET LOCAL ROLE service');
