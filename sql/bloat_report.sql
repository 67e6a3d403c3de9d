-- ops.bloat_report(): what a rewrite gives back, held against rewriting.
-- Sizes are compared, not shown; statistics and autovacuum are kept out of it.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET operations_runbook.bloat_seed = 4711;
CREATE SCHEMA bloat;

-- Three rows in four are gone, and nobody has vacuumed.
CREATE TABLE bloat.quarter (id int PRIMARY KEY, tenant text, filler text)
    WITH (autovacuum_enabled = false);
INSERT INTO bloat.quarter
SELECT i, 'tenant ' || i % 100, repeat('x', 50 + i % 150) FROM generate_series(1, 40000) AS i;
CREATE INDEX quarter_tenant ON bloat.quarter (tenant);
DELETE FROM bloat.quarter WHERE id % 4 <> 0;

-- Packed as tight as it gets.
CREATE TABLE bloat.packed (id int PRIMARY KEY, filler text)
    WITH (autovacuum_enabled = false);
INSERT INTO bloat.packed SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS i;

-- Room left on purpose is no bloat.
CREATE TABLE bloat.roomy (id int, filler text)
    WITH (autovacuum_enabled = false, fillfactor = 50);
INSERT INTO bloat.roomy SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS i;

-- A dropped column stays in every row until it is rewritten.
CREATE TABLE bloat.lighter (id int, burden text, kept text)
    WITH (autovacuum_enabled = false);
INSERT INTO bloat.lighter SELECT i, repeat('x', 300), 'kept' FROM generate_series(1, 10000) AS i;
ALTER TABLE bloat.lighter DROP COLUMN burden;

-- Values out of line.
CREATE TABLE bloat.documents (id int, body text)
    WITH (autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE bloat.documents ALTER COLUMN body SET STORAGE EXTERNAL;
INSERT INTO bloat.documents SELECT i, repeat('d', 3000 + i % 4000) FROM generate_series(1, 1500) AS i;
DELETE FROM bloat.documents WHERE id % 3 = 0;

CREATE MATERIALIZED VIEW bloat.summary AS SELECT tenant, count(*) FROM bloat.quarter GROUP BY tenant;
CREATE TABLE bloat.empty (id int);

-- Every page, and then the rewrite itself.
CREATE TABLE bloat.report AS
SELECT relation, parent, kind, size_bytes, reclaimable_bytes, reclaimable_low, reclaimable_high,
       sampled_blocks, total_blocks, method, action, note, dead_bytes, live_rows, true AS exact
  FROM ops.bloat_report(min_size => 0, exact => true)
 WHERE relation::text LIKE 'bloat.%' OR parent::text LIKE 'bloat.%'
    OR parent IN (SELECT reltoastrelid FROM pg_class WHERE oid = 'bloat.documents'::regclass);
INSERT INTO bloat.report
SELECT relation, parent, kind, size_bytes, reclaimable_bytes, reclaimable_low, reclaimable_high,
       sampled_blocks, total_blocks, method, action, note, dead_bytes, live_rows, false
  FROM ops.bloat_report(min_size => 0)
 WHERE relation::text LIKE 'bloat.%' OR parent::text LIKE 'bloat.%'
    OR parent IN (SELECT reltoastrelid FROM pg_class WHERE oid = 'bloat.documents'::regclass);
CREATE TABLE bloat.before AS
SELECT DISTINCT relation, pg_relation_size(relation) AS size FROM bloat.report
 WHERE relation <> 'bloat.report'::regclass;
VACUUM FULL bloat.quarter;
VACUUM FULL bloat.packed;
VACUUM FULL bloat.roomy;
VACUUM FULL bloat.lighter;
VACUUM FULL bloat.documents;
VACUUM FULL bloat.summary;

SELECT (CASE WHEN r.kind = 'toast' THEN 'TOAST of ' || r.parent::text
             WHEN r.parent::text LIKE 'pg_toast%' THEN 'index of TOAST'
             ELSE r.relation::text END) COLLATE "C" AS name,
       r.kind, r.exact, split_part(r.method, '+', 1) AS method, r.note,
       abs(r.reclaimable_bytes - (b.size - pg_relation_size(r.relation))) * 100
           <= greatest(b.size, 8192 * 34) * CASE WHEN r.kind IN ('heap', 'matview') AND r.exact THEN 0.1 ELSE 3 END AS right,
       b.size - pg_relation_size(r.relation) BETWEEN r.reclaimable_low - 8192 AND r.reclaimable_high + 8192 AS in_interval
  FROM bloat.report AS r JOIN bloat.before AS b USING (relation)
 ORDER BY name, r.exact DESC;

-- What was there to be had, in points of the size.
SELECT relation, round(100.0 * reclaimable_bytes / nullif(size_bytes, 0), -1) AS about_pct, live_rows
  FROM bloat.report
 WHERE exact AND kind = 'heap' AND relation <> 'bloat.report'::regclass
 ORDER BY relation::text COLLATE "C";

-- After the rewrite nothing is left to be gained.
SELECT CASE WHEN relation::text LIKE 'pg_toast%' THEN 'TOAST' ELSE relation::text END AS relation, kind,
       reclaimable_bytes < greatest(size_bytes / 50, 16384) AS nothing_left, action
  FROM ops.bloat_report('bloat.quarter')
 ORDER BY relation::text COLLATE "C";

-- A sample, twice with the same seed and once with another one.
CREATE TABLE bloat.sampled (id int, filler text) WITH (autovacuum_enabled = false);
INSERT INTO bloat.sampled SELECT i, repeat('x', 20 + i % 400) FROM generate_series(1, 60000) AS i;
DELETE FROM bloat.sampled WHERE id % 7 < 3;
CREATE FUNCTION bloat.figures(seed int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    PERFORM set_config('operations_runbook.bloat_seed', seed::text, true);
    SELECT r::text INTO found FROM ops.bloat_report('bloat.sampled') AS r WHERE kind = 'heap';
    RETURN found;
END $$;
SELECT bloat.figures(1) = bloat.figures(1) AS same_seed, bloat.figures(1) = bloat.figures(2) AS other_seed;
SELECT split_part(method, '+', 1) AS method, sampled_blocks < total_blocks AS sampled,
       reclaimable_low <= reclaimable_bytes AND reclaimable_bytes <= reclaimable_high AS ordered,
       reclaimable_high - reclaimable_low <= 0.05 * size_bytes AS narrow
  FROM ops.bloat_report('bloat.sampled') WHERE kind = 'heap';

-- Pages that are all alike need few of them to be read.
CREATE TABLE bloat.stretch (id int, filler text) WITH (autovacuum_enabled = false);
INSERT INTO bloat.stretch SELECT i, repeat('x', 90) FROM generate_series(1, 200000) AS i;
CREATE INDEX stretch_id ON bloat.stretch (id);
SELECT kind, sampled_blocks < 300 AS few, total_blocks > 500 AS many, reclaimable_pct < 1 AS none,
       reclaimable_high - reclaimable_low <= 0.03 * size_bytes AS narrow
  FROM ops.bloat_report('bloat.stretch') WHERE kind IN ('heap', 'btree') AND total_blocks > 100 ORDER BY kind;

-- Dead rows in one stretch: most samples of entries meet few of them or none.
DELETE FROM bloat.stretch WHERE id BETWEEN 80000 AND 109999;
CREATE FUNCTION bloat.seeded(relation regclass, seed int, OUT said bigint, OUT low bigint, OUT high bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('operations_runbook.bloat_seed', seed::text, true);
    SELECT r.reclaimable_bytes, r.reclaimable_low, r.reclaimable_high INTO said, low, high
      FROM ops.bloat_report(seeded.relation) AS r WHERE r.relation = seeded.relation;
END $$;
SELECT count(*) AS seeds, bool_and(abs(said - reclaimable_bytes) < 0.03 * size_bytes) AS close,
       count(*) FILTER (WHERE reclaimable_bytes BETWEEN low AND high) >= 19 AS inside
  FROM ops.bloat_report('bloat.stretch_id', exact => true), generate_series(1, 20) AS seed,
       bloat.seeded('bloat.stretch_id', seed);

-- Two versions of a row share their key, one of them being dead.
CREATE TABLE bloat.versions (id int, n int, name text, filler text) WITH (autovacuum_enabled = false);
CREATE INDEX versions_name ON bloat.versions (name);
INSERT INTO bloat.versions SELECT i, 0, md5(i::text), repeat('x', 60) FROM generate_series(1, 60000) AS i;
UPDATE bloat.versions SET n = 1 WHERE hashint4(id) % 5 < 2;
SELECT count(*) AS seeds, bool_and(abs(said - reclaimable_bytes) < 0.03 * size_bytes) AS close,
       count(*) FILTER (WHERE reclaimable_bytes BETWEEN low AND high) >= 19 AS inside
  FROM ops.bloat_report('bloat.versions_name', exact => true), generate_series(1, 20) AS seed,
       bloat.seeded('bloat.versions_name', seed);

-- Estimates of some seeds, held against what a rebuild makes of the index.
CREATE FUNCTION bloat.rebuilt(index regclass, seeds int, points float8, OUT close boolean, OUT inside boolean) LANGUAGE plpgsql AS $$
DECLARE
    size bigint := pg_relation_size(index);
    said bigint[];
    low bigint[];
    high bigint[];
    gain bigint;
BEGIN
    SELECT array_agg(s.said), array_agg(s.low), array_agg(s.high) INTO said, low, high
      FROM generate_series(1, seeds) AS seed, bloat.seeded(index, seed) AS s;
    EXECUTE format('REINDEX INDEX %s', index);
    gain := size - pg_relation_size(index);
    SELECT max(abs(s.said - gain)) < points * size, count(*) FILTER (WHERE gain BETWEEN s.low AND s.high) >= 0.95 * seeds
      INTO close, inside FROM unnest(said, low, high) AS s (said, low, high);
END $$;

-- What an update that was rolled back left in the pending list is dead, what
-- it was to replace is not.
CREATE TABLE bloat.undone (id int, n int, keys int[], filler text) WITH (autovacuum_enabled = false);
INSERT INTO bloat.undone SELECT i, 0, ARRAY[i % 20, 1000 + i % 500, 100000 + i], repeat('x', 500)
  FROM generate_series(1, 30000) AS i;
CREATE INDEX undone_n ON bloat.undone (n);
CREATE INDEX undone_keys ON bloat.undone USING gin (keys) WITH (gin_pending_list_limit = 65536);
DELETE FROM bloat.undone WHERE hashint4(id) % 5 < 2;
BEGIN;
UPDATE bloat.undone SET n = 1;
ROLLBACK;
SELECT * FROM bloat.rebuilt('bloat.undone_keys', 20, 0.04);

-- A hash index of few values: on no page of a chain are many rows left.
CREATE TABLE bloat.chains (id int, few int) WITH (autovacuum_enabled = false);
INSERT INTO bloat.chains SELECT i, i % 8 FROM generate_series(1, 28000) AS i;
CREATE INDEX chains_few ON bloat.chains USING hash (few);
DELETE FROM bloat.chains WHERE hashint4(id) % 5 < 2;
ANALYZE bloat.chains;
SELECT * FROM bloat.rebuilt('bloat.chains_few', 20, 0.03);

-- What the first vacuum tidies up in a new SP-GiST index changes nothing.
CREATE TABLE bloat.places (at point) WITH (autovacuum_enabled = false);
INSERT INTO bloat.places SELECT point(hashint4(i), hashint4(-i)) FROM generate_series(1, 40000) AS i;
CREATE INDEX places_at ON bloat.places USING spgist (at);
VACUUM bloat.places;
SELECT kind, total_blocks > 100 AS large, reclaimable_bytes, details ->> 'untouched_pct' AS untouched_pct,
       reclaimable_high < 0.08 * size_bytes AS narrow
  FROM ops.bloat_report('bloat.places_at');

-- Builds of k-d trees differ by chance; this one is played as it would be.
CREATE INDEX places_kd ON bloat.places USING spgist (at kd_point_ops);
DELETE FROM bloat.places WHERE at[0] > 0;
VACUUM bloat.places;
INSERT INTO bloat.places SELECT point(hashint4(i), hashint4(-i)) FROM generate_series(40001, 60000) AS i;
SELECT * FROM bloat.rebuilt('bloat.places_kd', 5, 0.01);

-- Rows of some networks were deleted, half of those of others.
CREATE TABLE bloat.hosts (id int, address inet, filler text) WITH (autovacuum_enabled = false);
INSERT INTO bloat.hosts SELECT i, '10.0.0.0'::inet + ((i % 9) << 16) + ((hashint4(i) & 255) << 8) + i % 256, repeat('x', 100)
  FROM generate_series(1, 150000) AS i;
CREATE INDEX hosts_address ON bloat.hosts USING spgist (address);
DELETE FROM bloat.hosts WHERE id % 6 < 2;
SELECT * FROM bloat.rebuilt('bloat.hosts_address', 20, 0.09);

-- Rows of a GiST index that are all played, in their order.
CREATE TABLE bloat.tiles (id int, area box) WITH (autovacuum_enabled = false);
INSERT INTO bloat.tiles SELECT i, box(point(i % 997, hashint4(i) % 1009), point(i % 997 + 1, hashint4(i) % 1009 + 2)) FROM generate_series(1, 90000) AS i;
CREATE INDEX tiles_area ON bloat.tiles USING gist (area);
DELETE FROM bloat.tiles WHERE id / 500 % 3 = 0 OR hashint4(-id) % 4 = 0;
SELECT * FROM bloat.rebuilt('bloat.tiles_area', 5, 0.02);

-- Full pages and empty ones in turn, and few at the edges: the map tells.
CREATE TABLE bloat.bands (id int, filler text) WITH (autovacuum_enabled = false);
INSERT INTO bloat.bands SELECT i, repeat('x', 60) FROM generate_series(1, 80000) AS i;
DELETE FROM bloat.bands WHERE id / 1000 % 2 = 0;
VACUUM (TRUNCATE off) bloat.bands;
SELECT count(*) AS seeds, bool_and(abs(said - reclaimable_bytes) < 0.02 * size_bytes) AS close,
       count(*) FILTER (WHERE reclaimable_bytes BETWEEN low AND high) >= 95 AS inside
  FROM ops.bloat_report('bloat.bands', exact => true), generate_series(1, 100) AS seed,
       bloat.seeded('bloat.bands', seed)
 WHERE kind = 'heap' AND relation = 'bloat.bands'::regclass;

-- A page of the map that is like none of the others, among pages that are
-- nearly alike.
CREATE TABLE bloat.alike (id int, filler text) WITH (autovacuum_enabled = false, fillfactor = 60);
INSERT INTO bloat.alike SELECT i, 'live' FROM generate_series(1, 100000) AS i;
INSERT INTO bloat.alike SELECT i, repeat('x', 24) FROM generate_series(1, 30000) AS i;
DELETE FROM bloat.alike WHERE ctid >= '(100,0)' AND ctid < '(101,0)';
VACUUM bloat.alike;
DELETE FROM bloat.alike WHERE filler <> 'live' OR ctid = ANY (SELECT format('(%s,1)', i)::tid FROM generate_series(0, 1500) AS i);
SELECT count(*) AS seeds, bool_and(abs(said - reclaimable_bytes) < 0.02 * size_bytes) AS close,
       count(*) FILTER (WHERE reclaimable_bytes BETWEEN low AND high) >= 95 AS inside
  FROM ops.bloat_report('bloat.alike', exact => true), generate_series(1, 100) AS seed,
       bloat.seeded('bloat.alike', seed)
 WHERE relation = 'bloat.alike'::regclass;

-- Partitions add up.
CREATE TABLE bloat.events (at int, filler text) PARTITION BY RANGE (at);
CREATE TABLE bloat.events_1 PARTITION OF bloat.events FOR VALUES FROM (0) TO (1000) WITH (autovacuum_enabled = false);
CREATE TABLE bloat.events_2 PARTITION OF bloat.events FOR VALUES FROM (1000) TO (2000) WITH (autovacuum_enabled = false);
CREATE INDEX events_at ON bloat.events (at);
INSERT INTO bloat.events SELECT i % 2000, repeat('x', 200) FROM generate_series(1, 20000) AS i;
DELETE FROM bloat.events WHERE at < 900;
SELECT relation, parent, kind, action <> 'none' AS advice, note FROM ops.bloat_report('bloat.events')
 WHERE relation::text NOT LIKE 'pg_toast%'
 ORDER BY relation::text COLLATE "C";
SELECT sum(size_bytes) FILTER (WHERE kind = 'heap') = sum(size_bytes) FILTER (WHERE relation = 'bloat.events'::regclass) AS sizes,
       sum(reclaimable_bytes) FILTER (WHERE kind = 'heap') - sum(reclaimable_bytes) FILTER (WHERE relation = 'bloat.events'::regclass) BETWEEN -8192 AND 8192 AS space
  FROM ops.bloat_report('bloat.events');
SELECT relation, kind FROM ops.bloat_report('bloat.events_at') ORDER BY relation::text COLLATE "C";

-- One index, one TOAST table, strange names.
CREATE TABLE bloat."we""ird.Table" ("select" int PRIMARY KEY);
INSERT INTO bloat."we""ird.Table" SELECT generate_series(1, 100);
SELECT relation, parent, kind, action, command FROM ops.bloat_report('bloat."we""ird.Table"') ORDER BY relation::text COLLATE "C";
SELECT relation, parent, kind FROM ops.bloat_report('bloat.quarter_tenant');
SELECT kind, parent::text LIKE 'pg_toast%' AS of_toast FROM ops.bloat_report((SELECT reltoastrelid FROM pg_class WHERE oid = 'bloat.documents'::regclass)) ORDER BY kind COLLATE "C" DESC;

-- A TOAST table by itself: a rewrite leaves out the values of a column that
-- was dropped, which only its table's rows know.
CREATE TABLE bloat.dropped (id int, one text, other text) WITH (autovacuum_enabled = false);
ALTER TABLE bloat.dropped ALTER one SET STORAGE EXTERNAL, ALTER other SET STORAGE EXTERNAL;
INSERT INTO bloat.dropped SELECT i, repeat('x', 4000), repeat('y', 4000) FROM generate_series(1, 400) AS i;
ALTER TABLE bloat.dropped DROP other;
SELECT alone.kind, alone.parent, alone.reclaimable_bytes = family.reclaimable_bytes AS same, round(alone.reclaimable_pct) BETWEEN 45 AND 55 AS half
  FROM ops.bloat_report((SELECT reltoastrelid FROM pg_class WHERE oid = 'bloat.dropped'::regclass), exact => true) AS alone
  JOIN ops.bloat_report('bloat.dropped', exact => true) AS family USING (relation)
 WHERE alone.kind = 'toast';

-- What cannot be measured says so.
CREATE VIEW bloat.window AS SELECT 1;
CREATE SEQUENCE bloat.counter;
SELECT * FROM ops.bloat_report('bloat.window');
SELECT * FROM ops.bloat_report('bloat.counter');
SELECT * FROM ops.bloat_report(0);
SELECT * FROM ops.bloat_report(min_size => -1);
SELECT * FROM ops.bloat_report(target_pp => 0);
SELECT * FROM ops.bloat_report(target_pp => 'NaN');
SELECT count(*) > 0 AS rows FROM ops.bloat_report(NULL, NULL, NULL, NULL);

-- Another access method, an index that was never finished, BRIN.
CREATE ACCESS METHOD regress_bloat_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE bloat.elsewhere (id int) USING regress_bloat_heap;
INSERT INTO bloat.elsewhere SELECT 1 FROM generate_series(1, 10);
CREATE UNIQUE INDEX CONCURRENTLY elsewhere_id ON bloat.elsewhere (id);
CREATE INDEX elsewhere_brin ON bloat.elsewhere USING brin (id);
SELECT relation, kind, size_bytes > 0 AS sized, action, note FROM ops.bloat_report('bloat.elsewhere') ORDER BY relation::text COLLATE "C";

-- Who may.
CREATE ROLE regress_bloat_reader;
SET ROLE regress_bloat_reader;
SELECT count(*) FROM ops.bloat_report();
RESET ROLE;
GRANT EXECUTE ON FUNCTION ops.bloat_report TO regress_bloat_reader;
GRANT USAGE ON SCHEMA ops, bloat TO regress_bloat_reader;
GRANT SELECT ON bloat.packed TO regress_bloat_reader;
SET ROLE regress_bloat_reader;
SELECT relation, kind, reclaimable_bytes IS NOT NULL AS measured, note
  FROM ops.bloat_report('bloat.packed') WHERE relation::text NOT LIKE 'pg_toast%' ORDER BY relation::text COLLATE "C";
SELECT relation, kind, reclaimable_bytes IS NOT NULL AS measured, note
  FROM ops.bloat_report('bloat.roomy') WHERE relation::text NOT LIKE 'pg_toast%' ORDER BY relation::text COLLATE "C";
RESET ROLE;
GRANT pg_stat_scan_tables TO regress_bloat_reader;
SET ROLE regress_bloat_reader;
SELECT relation, kind, reclaimable_bytes IS NOT NULL AS measured, note
  FROM ops.bloat_report('bloat.roomy') WHERE relation::text NOT LIKE 'pg_toast%' ORDER BY relation::text COLLATE "C";
RESET ROLE;

-- In a read-only transaction.
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT kind, held_back_bytes FROM ops.bloat_report('bloat.packed') WHERE kind = 'heap';
COMMIT;

DROP SCHEMA bloat CASCADE;
DROP ACCESS METHOD regress_bloat_heap;
REVOKE EXECUTE ON FUNCTION ops.bloat_report FROM regress_bloat_reader;
REVOKE USAGE ON SCHEMA ops FROM regress_bloat_reader;
DROP ROLE regress_bloat_reader;
