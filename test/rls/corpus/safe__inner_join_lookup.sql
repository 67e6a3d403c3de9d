-- clean
-- proved: sites
-- As the right join, joined inside.
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
    USING (site_no IN (SELECT c.site_no FROM grants_of g JOIN catalogue c USING (site_no)));
GRANT SELECT ON sites TO portal;
-- prove:
SELECT proof.isolated('portal', '1', 'portal.person=10', 'SELECT site_no FROM sites');
