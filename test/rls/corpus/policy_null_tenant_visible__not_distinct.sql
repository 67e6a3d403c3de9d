-- expect: policy_null_tenant_visible|policy_default_open on drafts
-- may: policy_null_tenant_visible, policy_default_open on drafts
-- IS NOT DISTINCT FROM: whoever has no identity owns all rows without owner.
CREATE ROLE cms LOGIN;
CREATE TABLE drafts (id bigint PRIMARY KEY, site_id uuid, body text);
CREATE INDEX ON drafts (site_id);
INSERT INTO drafts VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'), (2, NULL, 'y');
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY site ON drafts FOR SELECT TO cms
    USING (site_id IS NOT DISTINCT FROM (SELECT nullif(current_setting('cms.site', true), '')::uuid));
GRANT SELECT ON drafts TO cms;
-- prove:
SELECT proof.login('cms', NULL);
SELECT proof.sees('SELECT coalesce(left(site_id::text, 1), ''orphan'') FROM drafts', 'orphan');
