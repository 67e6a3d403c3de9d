-- ops.bloat_learn(): how full a build left the pages of an index.
SET client_min_messages = warning;
CREATE SCHEMA learn;
CREATE TABLE learn.points (id int, place point, span int4range, words text[]) WITH (autovacuum_enabled = false);
INSERT INTO learn.points
SELECT i, point(i % 317, i % 523), int4range(i * 7919 % 100003, i * 7919 % 100003 + i % 50), ARRAY['word ' || i % 97, 'word ' || i % 89] FROM generate_series(1, 40000) AS i;
CREATE INDEX points_gist ON learn.points USING gist (place);
CREATE INDEX points_range ON learn.points USING gist (span);
CREATE INDEX points_quad ON learn.points USING spgist (place);
CREATE INDEX points_words ON learn.points USING gin (words);
CREATE INDEX points_id ON learn.points (id);

-- These kinds but the last one, and each build once.
SELECT ops.bloat_learn() AS learned;
SELECT ops.bloat_learn() AS learned;
SELECT indexrelid::regclass, filenode = pg_relation_filenode(indexrelid) AS of_this_file,
       density > 0 AS dense, pages = pg_relation_size(indexrelid) / 8192 AS pages, entries > 0 AS entries
  FROM ops.index_density
 WHERE indexrelid::regclass::text LIKE 'learn.%'
 ORDER BY indexrelid::regclass::text COLLATE "C";

-- What was learned says how much is left once rows have gone.  Builds of
-- ranges differ by some points themselves.
DELETE FROM learn.points WHERE id % 2 = 0;
VACUUM learn.points;
CREATE TABLE learn.said AS
SELECT relation, kind, size_after_bytes, size_bytes FROM ops.bloat_report('learn.points', exact => true)
 WHERE relation::text LIKE 'learn.points\_%';
REINDEX TABLE learn.points;
SELECT relation, kind, abs(size_after_bytes - pg_relation_size(relation)) * 100 <=
       CASE WHEN relation = 'learn.points_range'::regclass THEN 12 ELSE 6 END * size_bytes AS right
  FROM learn.said
 ORDER BY relation::text COLLATE "C";

-- A new file is learned anew; what is gone is forgotten.
DROP INDEX learn.points_words;
SELECT ops.bloat_learn() AS learned;
SELECT indexrelid::regclass, filenode = pg_relation_filenode(indexrelid) AS of_this_file
  FROM ops.index_density
 WHERE indexrelid::regclass::text LIKE 'learn.%'
 ORDER BY indexrelid::regclass::text COLLATE "C";
SELECT count(*) FROM ops.index_density AS d WHERE NOT EXISTS (SELECT 1 FROM pg_class AS c WHERE c.oid = d.indexrelid);

-- It writes, so not everybody may, and not everywhere.
CREATE ROLE regress_learner;
GRANT USAGE ON SCHEMA ops TO regress_learner;
SET ROLE regress_learner;
SELECT ops.bloat_learn();
RESET ROLE;
BEGIN READ ONLY;
SELECT ops.bloat_learn();
ROLLBACK;
REVOKE USAGE ON SCHEMA ops FROM regress_learner;
DROP ROLE regress_learner;
DROP SCHEMA learn CASCADE;
SELECT ops.bloat_learn() AS learned;
