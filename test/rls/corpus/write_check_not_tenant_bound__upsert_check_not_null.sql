-- expect: write_check_not_tenant_bound on settings
-- may: permissive_or_widening on settings
-- The check asks only that there is a tenant.
CREATE ROLE app LOGIN;
CREATE TABLE settings (tenant_id integer, key text, value text, PRIMARY KEY (tenant_id, key));
INSERT INTO settings VALUES (1, 'colour', 'red'), (2, 'colour', 'blue');
ALTER TABLE settings ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON settings TO app
    USING (tenant_id = (SELECT current_setting('app.t', true)::integer))
    WITH CHECK (tenant_id IS NOT NULL AND key IN ('colour', 'logo'));
GRANT SELECT, INSERT ON settings TO app;
-- prove:
SELECT proof.login('app', '1', 'app.t=1');
SELECT proof.harms('INSERT INTO settings VALUES (2, ''logo'', ''defaced'')', '1');
