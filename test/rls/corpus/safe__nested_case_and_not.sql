-- clean
-- proved: batches
CREATE ROLE lab LOGIN;
CREATE TABLE batches (id bigint PRIMARY KEY, lab_no integer NOT NULL, sealed boolean NOT NULL);
CREATE INDEX ON batches (lab_no);
INSERT INTO batches VALUES (1, 1, false), (2, 2, true), (3, 2, false);
ALTER TABLE batches ENABLE ROW LEVEL SECURITY;
CREATE POLICY labs ON batches FOR SELECT TO lab
    USING (NOT CASE WHEN sealed THEN true ELSE coalesce(lab_no <> (SELECT nullif(current_setting('lab.no', true), '')::integer), true) END);
GRANT SELECT ON batches TO lab;
-- prove:
SELECT proof.isolated('lab', '1', 'lab.no=1', 'SELECT lab_no FROM batches');
