-- clean
-- proved: cases
-- What cannot be seen through can only narrow what is bound already.
CREATE ROLE law LOGIN;
CREATE FUNCTION office_hours(opened date) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN extract(isodow FROM opened) < 8;
END $$;
CREATE TABLE cases (id bigint PRIMARY KEY, firm text NOT NULL, opened date NOT NULL);
CREATE INDEX ON cases (firm);
INSERT INTO cases VALUES (1, 'acme', '2024-05-06'), (2, 'zeta', '2024-05-06');
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY firms ON cases FOR SELECT TO law
    USING (firm = (SELECT current_setting('law.firm', true)) AND office_hours(opened));
GRANT SELECT ON cases TO law;
-- prove:
SELECT proof.isolated('law', 'acme', 'law.firm=acme', 'SELECT firm FROM cases');
