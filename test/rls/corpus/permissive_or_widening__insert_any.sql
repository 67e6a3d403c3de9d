-- expect: permissive_or_widening|write_check_not_tenant_bound on comments
-- may: permissive_or_widening, write_check_not_tenant_bound on comments
-- A permissive INSERT policy beside the closed one.
CREATE ROLE web LOGIN;
CREATE TABLE comments (id bigint PRIMARY KEY, site_id uuid NOT NULL, body text);
CREATE INDEX ON comments (site_id);
ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY site ON comments FOR ALL TO web
    USING (site_id = (SELECT current_setting('web.site', true)::uuid));
CREATE POLICY post ON comments FOR INSERT TO web WITH CHECK (body <> '');
GRANT SELECT, INSERT ON comments TO web;
-- prove:
SELECT proof.login('web', 'a', 'web.site=a0000000-0000-0000-0000-000000000001');
SELECT proof.harms($$INSERT INTO comments VALUES (1, 'b0000000-0000-0000-0000-000000000002', 'x')$$, '1');
