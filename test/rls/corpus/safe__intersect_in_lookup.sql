-- clean
-- proved: parcels
CREATE ROLE hub LOGIN;
CREATE TABLE carriers (carrier integer PRIMARY KEY);
INSERT INTO carriers VALUES (1), (2), (3);
GRANT SELECT ON carriers TO hub;
CREATE TABLE parcels (id bigint PRIMARY KEY, carrier integer NOT NULL);
CREATE INDEX ON parcels (carrier);
INSERT INTO parcels VALUES (1, 1), (2, 2);
ALTER TABLE parcels ENABLE ROW LEVEL SECURITY;
CREATE POLICY carrier ON parcels FOR SELECT TO hub
    USING (carrier IN (SELECT c.carrier FROM carriers c INTERSECT SELECT nullif(current_setting('hub.carrier', true), '')::integer));
GRANT SELECT ON parcels TO hub;
-- prove:
SELECT proof.isolated('hub', '1', 'hub.carrier=1', 'SELECT carrier FROM parcels');
