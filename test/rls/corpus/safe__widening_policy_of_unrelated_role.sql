-- clean
-- proved: bookings@app
-- Without inheritance the support policy does not reach the app (and nobody can become support).
CREATE ROLE support NOLOGIN;
CREATE ROLE app LOGIN;
GRANT app TO support;
CREATE TABLE bookings (id bigint PRIMARY KEY, hotel_id integer NOT NULL, guest text);
CREATE INDEX ON bookings (hotel_id);
INSERT INTO bookings VALUES (1, 1, 'x'), (2, 2, 'y');
ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY hotel ON bookings FOR ALL TO app
    USING (hotel_id = (SELECT current_setting('app.hotel', true)::integer));
CREATE POLICY support_reads ON bookings FOR SELECT TO support USING (true);
GRANT SELECT, INSERT, UPDATE ON bookings TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.hotel=1', 'SELECT hotel_id FROM bookings');
