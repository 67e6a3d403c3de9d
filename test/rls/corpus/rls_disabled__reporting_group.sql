-- expect: rls_disabled on bestellungen
CREATE ROLE firma_owner NOLOGIN;
CREATE ROLE berichte NOLOGIN;
CREATE ROLE metabase LOGIN;
GRANT berichte TO metabase;
GRANT pg_read_all_data TO berichte;
CREATE TABLE bestellungen (id bigserial PRIMARY KEY, mandant_id int NOT NULL, betrag numeric);
ALTER TABLE bestellungen OWNER TO firma_owner;
INSERT INTO bestellungen (mandant_id, betrag) VALUES (1, 10), (2, 20);
CREATE TABLE rechnungen (id bigserial PRIMARY KEY, mandant_id int NOT NULL, betrag numeric);
ALTER TABLE rechnungen OWNER TO firma_owner;
ALTER TABLE rechnungen ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON rechnungen USING (mandant_id = nullif(current_setting('app.mandant', true), '')::int);
CREATE INDEX ON rechnungen (mandant_id);
INSERT INTO rechnungen (mandant_id, betrag) VALUES (1, 10), (2, 20);
-- prove:
SELECT proof.login('metabase', '1', 'app.mandant=1');
SELECT proof.sees('select mandant_id from rechnungen', '1');
SELECT proof.sees('select mandant_id from bestellungen', '1,2');
