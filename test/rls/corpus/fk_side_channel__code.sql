-- expect: fk_side_channel on bookings
CREATE ROLE travel LOGIN;
CREATE TABLE trips (code text PRIMARY KEY, agency uuid NOT NULL);
CREATE TABLE bookings (id bigint PRIMARY KEY, agency uuid NOT NULL, trip text NOT NULL REFERENCES trips);
CREATE INDEX ON trips (agency);
CREATE INDEX ON bookings (agency);
INSERT INTO trips VALUES ('X', 'a0000000-0000-0000-0000-000000000001'), ('Y', 'b0000000-0000-0000-0000-000000000002');
ALTER TABLE trips ENABLE ROW LEVEL SECURITY;
ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY agency ON trips FOR SELECT TO travel USING (agency = (SELECT nullif(current_setting('t.agency', true), '')::uuid));
CREATE POLICY agency ON bookings TO travel USING (agency = (SELECT nullif(current_setting('t.agency', true), '')::uuid));
GRANT SELECT ON trips TO travel;
GRANT SELECT, INSERT ON bookings TO travel;
-- prove:
SELECT proof.isolated('travel', 'a', 't.agency=a0000000-0000-0000-0000-000000000001', 'SELECT left(agency::text, 1) FROM trips');
SELECT proof.holds('INSERT INTO bookings VALUES (1, ''a0000000-0000-0000-0000-000000000001'', ''Y'')', '1');
