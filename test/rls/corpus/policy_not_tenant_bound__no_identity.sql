-- expect: policy_not_tenant_bound on listings
-- A state, no tenant: drafts are hidden, the rest is everybody's.
CREATE ROLE portal LOGIN;
CREATE TABLE listings (
    id bigint PRIMARY KEY,
    agency_id integer NOT NULL,
    status text NOT NULL
);
CREATE INDEX ON listings (agency_id);
INSERT INTO listings VALUES (1, 1, 'active'), (2, 2, 'active'), (3, 2, 'draft');
ALTER TABLE listings ENABLE ROW LEVEL SECURITY;
CREATE POLICY active_only ON listings FOR SELECT TO portal USING (status = 'active');
GRANT SELECT ON listings TO portal;
CREATE TABLE commissions (id bigint PRIMARY KEY, agency_id integer NOT NULL, amount numeric);
CREATE INDEX ON commissions (agency_id);
ALTER TABLE commissions ENABLE ROW LEVEL SECURITY;
CREATE POLICY agency ON commissions FOR SELECT TO portal
    USING (agency_id = (SELECT current_setting('portal.agency')::integer));
GRANT SELECT ON commissions TO portal;
-- prove:
SELECT proof.login('portal', '1', 'portal.agency=1');
SELECT proof.sees('SELECT agency_id FROM listings', '1,2');
