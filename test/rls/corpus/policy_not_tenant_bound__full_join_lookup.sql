-- expect: policy_not_tenant_bound|policy_uncorrelated_subquery on sites
-- may: policy_not_tenant_bound, policy_uncorrelated_subquery on sites
-- A right join brings back what the membership had left out.
CREATE ROLE portal LOGIN;
CREATE TABLE grants_of (site_no integer, person integer, PRIMARY KEY (person, site_no));
CREATE TABLE catalogue (site_no integer PRIMARY KEY);
INSERT INTO grants_of VALUES (1, 10), (2, 20);
INSERT INTO catalogue VALUES (1), (2);
ALTER TABLE grants_of ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON grants_of FOR SELECT TO portal USING (person = (SELECT current_setting('portal.person', true)::integer));
GRANT SELECT ON grants_of, catalogue TO portal;
CREATE TABLE sites (id bigint PRIMARY KEY, site_no integer NOT NULL);
CREATE INDEX ON sites (site_no);
INSERT INTO sites VALUES (1, 1), (2, 2);
ALTER TABLE sites ENABLE ROW LEVEL SECURITY;
CREATE POLICY granted ON sites FOR SELECT TO portal
    USING (site_no IN (SELECT c.site_no FROM grants_of g RIGHT JOIN catalogue c USING (site_no)));
GRANT SELECT ON sites TO portal;
-- prove:
SELECT proof.login('portal', '1', 'portal.person=10');
SELECT proof.sees('SELECT site_no FROM sites', '1,2');
