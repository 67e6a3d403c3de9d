-- clean
-- proved: mandantendaten
CREATE ROLE kunde_mueller LOGIN; CREATE ROLE kunde_schmidt LOGIN; CREATE ROLE kunden NOLOGIN;
GRANT kunden TO kunde_mueller, kunde_schmidt;
CREATE TABLE mandantendaten (id int PRIMARY KEY, kunde name NOT NULL DEFAULT current_user, inhalt text);
CREATE INDEX ON mandantendaten (kunde);
ALTER TABLE mandantendaten ENABLE ROW LEVEL SECURITY;
CREATE POLICY je_kunde ON mandantendaten TO kunden USING (kunde = current_user) WITH CHECK (kunde = current_user);
GRANT SELECT, INSERT, UPDATE, DELETE ON mandantendaten TO kunden;
INSERT INTO mandantendaten VALUES (1, 'kunde_mueller', 'a'), (2, 'kunde_schmidt', 'b');
-- prove:
SELECT proof.login('kunde_mueller', 'kunde_mueller');
SELECT proof.sees('select kunde from mandantendaten', 'kunde_mueller');
SELECT proof.login('kunde_schmidt', 'kunde_schmidt');
SELECT proof.sees('select kunde from mandantendaten', 'kunde_schmidt');
SELECT proof.harms('update mandantendaten set kunde = ''kunde_mueller''', 'ERROR 42501');
