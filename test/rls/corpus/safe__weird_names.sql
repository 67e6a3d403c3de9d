-- clean
-- proved: Kunden_&_Co.Rechnungen
-- Names that need quotes everywhere.
CREATE ROLE "Web App" LOGIN;
CREATE SCHEMA "Kunden & Co";
GRANT USAGE ON SCHEMA "Kunden & Co" TO "Web App";
CREATE TABLE "Kunden & Co"."Rechnungen" ("Nr." bigint PRIMARY KEY, "Mandant-ID" text NOT NULL);
CREATE INDEX ON "Kunden & Co"."Rechnungen" ("Mandant-ID");
INSERT INTO "Kunden & Co"."Rechnungen" VALUES (1, 'a'), (2, 'b');
ALTER TABLE "Kunden & Co"."Rechnungen" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "nur eigene ""Rechnungen""" ON "Kunden & Co"."Rechnungen" TO "Web App"
    USING ("Mandant-ID" = (SELECT current_setting('sitzung.mandant', true)));
GRANT SELECT, INSERT ON "Kunden & Co"."Rechnungen" TO "Web App";
-- prove:
SELECT proof.isolated('Web App', 'a', 'sitzung.mandant=a', 'SELECT "Mandant-ID" FROM "Kunden & Co"."Rechnungen"');
