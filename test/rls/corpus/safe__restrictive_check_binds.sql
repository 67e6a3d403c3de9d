-- clean
-- proved: entries
CREATE ROLE till LOGIN;
CREATE TABLE entries (id bigint PRIMARY KEY, filiale text NOT NULL);
CREATE INDEX ON entries (filiale);
INSERT INTO entries VALUES (1, 'nord'), (2, 'sued');
ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON entries FOR SELECT TO till USING (filiale = (SELECT current_setting('till.filiale', true)));
CREATE POLICY write ON entries FOR INSERT TO till WITH CHECK (true);
CREATE POLICY floor ON entries AS RESTRICTIVE FOR INSERT TO till WITH CHECK (filiale = (SELECT current_setting('till.filiale', true)));
GRANT SELECT, INSERT ON entries TO till;
-- prove:
SELECT proof.isolated('till', 'nord', 'till.filiale=nord', 'SELECT filiale FROM entries');
SELECT proof.harms('INSERT INTO entries VALUES (3, ''sued'')', 'ERROR 42501');
