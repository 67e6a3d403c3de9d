-- expect: rls_disabled on bookings_copy
-- LIKE copies the columns, not the policies.
CREATE ROLE desk LOGIN;
CREATE TABLE bookings (id bigint PRIMARY KEY, hotel text NOT NULL);
CREATE INDEX ON bookings (hotel);
INSERT INTO bookings VALUES (1, 'a'), (2, 'b');
ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY hotel ON bookings TO desk USING (hotel = (SELECT current_setting('desk.hotel', true)));
CREATE TABLE bookings_copy (LIKE bookings INCLUDING ALL);
INSERT INTO bookings_copy SELECT * FROM bookings;
GRANT SELECT ON bookings, bookings_copy TO desk;
-- prove:
SELECT proof.login('desk', 'a', 'desk.hotel=a');
SELECT proof.sees('SELECT hotel FROM bookings_copy', 'a,b');
