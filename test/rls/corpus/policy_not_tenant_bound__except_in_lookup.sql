-- expect: policy_not_tenant_bound|policy_uncorrelated_subquery on parcels
-- may: policy_not_tenant_bound, policy_uncorrelated_subquery on parcels
-- Everything except one's own.
CREATE ROLE hub LOGIN;
CREATE TABLE carriers (carrier integer PRIMARY KEY);
INSERT INTO carriers VALUES (1), (2), (3);
GRANT SELECT ON carriers TO hub;
CREATE TABLE parcels (id bigint PRIMARY KEY, carrier integer NOT NULL);
CREATE INDEX ON parcels (carrier);
INSERT INTO parcels VALUES (1, 1), (2, 2);
ALTER TABLE parcels ENABLE ROW LEVEL SECURITY;
CREATE POLICY carrier ON parcels FOR SELECT TO hub
    USING (carrier IN (SELECT c.carrier FROM carriers c EXCEPT SELECT nullif(current_setting('hub.carrier', true), '')::integer));
GRANT SELECT ON parcels TO hub;
CREATE TABLE routes (id bigint PRIMARY KEY, carrier integer NOT NULL);
CREATE INDEX ON routes (carrier);
ALTER TABLE routes ENABLE ROW LEVEL SECURITY;
CREATE POLICY carrier ON routes FOR SELECT TO hub USING (carrier = (SELECT nullif(current_setting('hub.carrier', true), '')::integer));
GRANT SELECT ON routes TO hub;
-- prove:
SELECT proof.login('hub', '1', 'hub.carrier=1');
SELECT proof.sees('SELECT carrier FROM parcels', '2');
