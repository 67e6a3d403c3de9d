-- expect: sequence_exposed on rechnungsnummer
CREATE ROLE buchhaltung LOGIN;
CREATE SEQUENCE rechnungsnummer;
CREATE TABLE rechnungen (id bigint PRIMARY KEY DEFAULT nextval('rechnungsnummer'), mandant text NOT NULL);
CREATE INDEX ON rechnungen (mandant);
INSERT INTO rechnungen (mandant) VALUES ('a'), ('b');
ALTER TABLE rechnungen ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON rechnungen TO buchhaltung USING (mandant = (SELECT current_setting('bh.mandant', true)));
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO buchhaltung;
GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO buchhaltung;
-- prove:
SELECT proof.isolated('buchhaltung', 'a', 'bh.mandant=a', 'SELECT mandant FROM rechnungen');
SELECT proof.holds('SELECT last_value FROM rechnungsnummer', '2');
