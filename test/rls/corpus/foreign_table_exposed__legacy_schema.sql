-- expect: foreign_table_exposed on legacy.kunden
-- may: rls_disabled on legacy.kunden
CREATE EXTENSION file_fdw;
CREATE SERVER altsystem FOREIGN DATA WRAPPER file_fdw;
CREATE ROLE vertrieb NOLOGIN;
CREATE ROLE portal LOGIN IN ROLE vertrieb;
CREATE SCHEMA legacy;
GRANT USAGE ON SCHEMA legacy TO vertrieb;
CREATE FOREIGN TABLE legacy.kunden (nummer bigint, mandant text NOT NULL, name text)
    SERVER altsystem OPTIONS (program $$printf '1,a,Meier\n2,b,Schulz\n'$$, format 'csv');
GRANT SELECT ON ALL TABLES IN SCHEMA legacy TO vertrieb;
CREATE TABLE kunden (nummer bigint PRIMARY KEY, mandant text NOT NULL);
CREATE INDEX ON kunden (mandant);
ALTER TABLE kunden ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON kunden TO vertrieb USING (mandant = (SELECT current_setting('p.mandant', true)));
GRANT SELECT ON kunden TO vertrieb;
-- prove:
SELECT proof.login('portal', 'a', 'p.mandant=a');
SELECT proof.sees('SELECT mandant FROM legacy.kunden', 'a,b');
