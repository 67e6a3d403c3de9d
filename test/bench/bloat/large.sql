-- large.sql: relations large enough to time, 70 to 480 MB, schema zoo, after
-- zoo.sql.
--     psql -v scale=1 -f large.sql
\set ON_ERROR_STOP on
SELECT greatest(1, round(1000 * :scale))::int AS k \gset
SET search_path = zoo, public;
SET synchronous_commit = off;
SELECT setseed(0.43);

\echo large
-- 480 MB.
CREATE TABLE l_heap (id int, random int, b text);
INSERT INTO l_heap SELECT i, (random() * 1e9)::int, md5(i::text) || md5((i + 1)::text) FROM generate_series(1, 4700 * :k) AS i;
DELETE FROM l_heap WHERE random() < 0.12 OR id BETWEEN 1000 * :k AND 1500 * :k;
ALTER TABLE l_heap ADD CONSTRAINT l_heap_id PRIMARY KEY (id);
CREATE INDEX l_heap_random ON l_heap (random);
ANALYZE l_heap;
DELETE FROM l_heap WHERE id BETWEEN 3000 * :k AND 3100 * :k;

CREATE TABLE l_vacuumed (id bigint, at timestamptz, b text);
INSERT INTO l_vacuumed SELECT i, now(), md5(i::text) FROM generate_series(1, 3000 * :k) AS i;
DELETE FROM l_vacuumed WHERE random() < 0.35;
VACUUM (ANALYZE, TRUNCATE off) l_vacuumed;
CREATE TABLE l_updated (id int, a int, b text) WITH (fillfactor = 80);
INSERT INTO l_updated SELECT i, 0, md5(i::text) FROM generate_series(1, 2100 * :k) AS i;
UPDATE l_updated SET a = a + 1 WHERE id % 5 < 2;
ANALYZE l_updated;
CREATE TABLE l_rows AS SELECT i AS id, i % 1000 AS a, noise(i, 200 + i % 400) AS b FROM generate_series(1, 390 * :k) AS i;
DELETE FROM l_rows WHERE id % 3 = 1;
VACUUM (ANALYZE, TRUNCATE off) l_rows;
CREATE TABLE l_sparse AS SELECT i AS id, md5(i::text) AS b FROM generate_series(1, 2100 * :k) AS i;
DELETE FROM l_sparse WHERE id % 50 > 0;
ANALYZE l_sparse;

-- Row by row in random order, then used.
CREATE TABLE l_keys (id int, random int, key uuid, few int, name text);
CREATE INDEX l_keys_random ON l_keys (random);
CREATE INDEX l_keys_key ON l_keys (key);
CREATE INDEX l_keys_name ON l_keys (name);
CREATE INDEX l_keys_pair ON l_keys (few, random);
CREATE INDEX l_keys_hash ON l_keys USING hash (key);
INSERT INTO l_keys SELECT i, (random() * 1e9)::int, md5(random()::text)::uuid, i % 500, md5(i::text)
	FROM generate_series(1, 3000 * :k) AS i;
DELETE FROM l_keys WHERE random() < 0.3;
VACUUM ANALYZE l_keys;

CREATE TABLE l_toast (id int, b text);
ALTER TABLE l_toast ALTER b SET STORAGE EXTERNAL;
INSERT INTO l_toast SELECT i, noise(i, 3000 + i % 9000) FROM generate_series(1, 24 * :k) AS i;
DELETE FROM l_toast WHERE random() < 0.4;
VACUUM (ANALYZE, TRUNCATE off) l_toast;
