-- expect: permissive_or_widening on bookings
-- may: policy_always_true on bookings
-- The support role's policy reaches the app through inheritance.
CREATE ROLE support NOLOGIN;
CREATE ROLE app LOGIN IN ROLE support;
CREATE TABLE bookings (id bigint PRIMARY KEY, hotel_id integer NOT NULL, guest text);
CREATE INDEX ON bookings (hotel_id);
INSERT INTO bookings VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY hotel ON bookings FOR ALL TO app
    USING (hotel_id = (SELECT current_setting('app.hotel')::integer));
CREATE POLICY support_reads ON bookings FOR SELECT TO support USING (id IS NOT NULL);
GRANT SELECT, INSERT, UPDATE ON bookings TO app;
-- prove:
SELECT proof.login('app', '1', 'app.hotel=1');
SELECT proof.sees('SELECT hotel_id FROM bookings', '1,2');
