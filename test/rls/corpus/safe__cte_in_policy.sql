-- clean
-- proved: shards
CREATE ROLE svc LOGIN;
CREATE TABLE shards (id bigint PRIMARY KEY, owner_no integer NOT NULL);
CREATE INDEX ON shards (owner_no);
INSERT INTO shards VALUES (1, 1), (2, 17);
ALTER TABLE shards ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shards TO svc
    USING (owner_no = (WITH me AS (SELECT nullif(current_setting('svc.owner', true), '')::integer AS n) SELECT n FROM me));
GRANT SELECT, INSERT ON shards TO svc;
-- prove:
SELECT proof.isolated('svc', '1', 'svc.owner=1', 'SELECT owner_no FROM shards');
SELECT proof.harms('INSERT INTO shards VALUES (3, 17)', 'ERROR 42501');
