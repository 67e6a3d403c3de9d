-- expect: policy_null_tenant_visible on price_lists
-- COALESCE(tenant, mine) gives the orphans to everybody.
CREATE ROLE shop LOGIN;
CREATE TABLE price_lists (id bigint PRIMARY KEY, locataire text, price numeric);
CREATE INDEX ON price_lists (locataire);
INSERT INTO price_lists VALUES (1, 'a', 1), (2, 'b', 2), (3, NULL, 3);
ALTER TABLE price_lists ENABLE ROW LEVEL SECURITY;
CREATE POLICY locataire ON price_lists FOR SELECT TO shop
    USING (coalesce(locataire, current_setting('session.locataire')) = current_setting('session.locataire'));
GRANT SELECT ON price_lists TO shop;
-- prove:
SELECT proof.login('shop', 'a', 'session.locataire=a');
SELECT proof.sees('SELECT coalesce(locataire, ''orphan'') FROM price_lists', 'a,orphan');
