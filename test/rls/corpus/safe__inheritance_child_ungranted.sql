-- clean
-- proved: audit
CREATE ROLE viewer LOGIN;
CREATE TABLE audit (id bigint, mandant text NOT NULL, what text);
CREATE TABLE audit_2024 (CHECK (id < 1000)) INHERITS (audit);
CREATE INDEX ON audit (mandant);
CREATE INDEX ON audit_2024 (mandant);
INSERT INTO audit_2024 VALUES (1, 'a', 'x'), (2, 'b', 'y');
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY mandant ON audit FOR SELECT TO viewer USING (mandant = (SELECT current_setting('v.mandant', true)));
GRANT SELECT ON audit TO viewer;
-- prove:
SELECT proof.isolated('viewer', 'a', 'v.mandant=a', 'SELECT mandant FROM audit');
SELECT proof.sees('SELECT mandant FROM audit_2024', 'ERROR 42501');
