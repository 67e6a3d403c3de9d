-- clean
-- proved: acc.lines
-- The view's owner is under FORCE and a policy that covers it: the view shows what the policy lets through.
CREATE ROLE schema_owner NOLOGIN;
CREATE ROLE reporter LOGIN;
CREATE SCHEMA acc AUTHORIZATION schema_owner;
GRANT USAGE ON SCHEMA acc TO reporter;
CREATE TABLE acc.lines (id bigint PRIMARY KEY, firma text NOT NULL, amount numeric);
CREATE INDEX ON acc.lines (firma);
INSERT INTO acc.lines VALUES (1, 'a', 1), (2, 'b', 2);
ALTER TABLE acc.lines OWNER TO schema_owner;
ALTER TABLE acc.lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE acc.lines FORCE ROW LEVEL SECURITY;
CREATE POLICY firma ON acc.lines FOR SELECT TO reporter, schema_owner USING (firma = (SELECT current_setting('acc.firma', true)));
CREATE VIEW acc.report_lines AS SELECT * FROM acc.lines;
ALTER VIEW acc.report_lines OWNER TO schema_owner;
GRANT SELECT ON acc.report_lines, acc.lines TO reporter;
-- prove:
SELECT proof.isolated('reporter', 'a', 'acc.firma=a', 'SELECT firma FROM acc.lines', 'SELECT firma FROM acc.report_lines');
