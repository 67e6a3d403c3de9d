-- clean
-- proved: drafts
CREATE ROLE cms LOGIN;
CREATE TABLE drafts (id bigint PRIMARY KEY, site_id uuid NOT NULL, body text);
CREATE INDEX ON drafts (site_id);
INSERT INTO drafts VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'),
                          (2, 'b0000000-0000-0000-0000-000000000002', 'y');
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY site ON drafts FOR ALL TO cms
    USING (site_id IS NOT DISTINCT FROM (SELECT nullif(current_setting('cms.site', true), '')::uuid));
GRANT SELECT, INSERT ON drafts TO cms;
-- prove:
SELECT proof.isolated('cms', 'a', 'cms.site=a0000000-0000-0000-0000-000000000001', 'SELECT left(site_id::text, 1) FROM drafts');
