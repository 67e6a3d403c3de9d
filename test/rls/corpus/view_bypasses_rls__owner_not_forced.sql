-- expect: view_bypasses_rls on report_lines
-- View and table belong to a NOLOGIN owner who is exempt for want of FORCE.
CREATE ROLE schema_owner NOLOGIN;
CREATE ROLE reporter LOGIN;
CREATE SCHEMA acc AUTHORIZATION schema_owner;
GRANT USAGE ON SCHEMA acc TO reporter;
CREATE TABLE acc.lines (id bigint PRIMARY KEY, firma text NOT NULL, amount numeric);
CREATE INDEX ON acc.lines (firma);
ALTER TABLE acc.lines OWNER TO schema_owner;
INSERT INTO acc.lines VALUES (1, 'a', 1), (2, 'b', 2);
ALTER TABLE acc.lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON acc.lines FOR SELECT TO reporter USING (firma = (SELECT current_setting('acc.firma', true)));
CREATE VIEW report_lines AS SELECT * FROM acc.lines;
ALTER VIEW report_lines OWNER TO schema_owner;
GRANT SELECT ON report_lines, acc.lines TO reporter;
-- prove:
SELECT proof.login('reporter', 'a', 'acc.firma=a');
SELECT proof.sees('SELECT firma FROM acc.lines', 'a');
SELECT proof.sees('SELECT firma FROM report_lines', 'a,b');
