-- expect: policy_default_open on batches
-- Without a list the row's own number is the list.
CREATE ROLE lab LOGIN;
CREATE TABLE batches (id bigint PRIMARY KEY, lab_no integer NOT NULL);
CREATE INDEX ON batches (lab_no);
INSERT INTO batches VALUES (1, 1), (2, 2);
ALTER TABLE batches ENABLE ROW LEVEL SECURITY;
CREATE POLICY labs ON batches FOR SELECT TO lab
    USING (lab_no = ANY (coalesce(string_to_array(nullif(current_setting('lab.labs', true), ''), ',')::integer[], ARRAY[lab_no])));
GRANT SELECT ON batches TO lab;
-- prove:
SELECT proof.login('lab', NULL);
SELECT proof.sees('SELECT lab_no FROM batches', '1,2');
SELECT proof.login('lab', '1', 'lab.labs=1');
SELECT proof.sees('SELECT lab_no FROM batches', '1');
