-- What ops.bloat_report() says to do.  Sizes are left out of the reasons, since
-- they differ a little between servers.
SET client_min_messages = warning;
CREATE SCHEMA verdict;
SET search_path = verdict;

-- Rates are known when statistics are a day old; here they are not.
SELECT pg_stat_reset();

CREATE FUNCTION verdicts(relation regclass, like_name text DEFAULT '%')
RETURNS TABLE (name text, action text, command text, reason text)
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	SELECT r.relation::text, r.action, r.command,
	       replace(regexp_replace(r.reason, '[0-9]+(\.[0-9]+)?( [kMG]B)?', '#', 'g'), '; ', E';\n')
	FROM ops.bloat_report(verdicts.relation) AS r
	WHERE r.relation::text LIKE '%' || like_name || '%'
	  AND r.relation::text NOT LIKE 'pg_toast%'
	ORDER BY r.relation::text COLLATE "C"
$$;

-- A page for each row, and so many of them.
CREATE FUNCTION fill(relation regclass, pages int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', relation);
	EXECUTE format('ALTER TABLE %s ALTER wide SET STORAGE PLAIN', relation);
	EXECUTE format('INSERT INTO %s SELECT i, repeat(''x'', 7900) FROM generate_series(1, %s) AS i',
				   relation, pages);
END
$$;

-- Nothing: a new table, an empty one, one that is too small for the trouble.
CREATE TABLE fresh (id int PRIMARY KEY, wide text);
SELECT fill('fresh', 300);
SELECT * FROM verdicts('verdict.fresh', 'fresh');
DELETE FROM fresh WHERE id % 3 > 0;
VACUUM fresh;
SELECT * FROM verdicts('verdict.fresh', 'fresh');
TRUNCATE fresh;
SELECT * FROM verdicts('verdict.fresh', 'fresh');

-- VACUUM: rows that nobody can see, and entries that lead to them.
CREATE TABLE "Dead ""rows""" (id int PRIMARY KEY, wide text);
SELECT fill('"Dead ""rows"""', 100);
INSERT INTO "Dead ""rows""" (id) SELECT i FROM generate_series(1001, 31000) AS i;
DELETE FROM "Dead ""rows""" WHERE id % 2 = 0;
\x on
SELECT * FROM verdicts('verdict."Dead ""rows"""');

-- TRUNCATE: an empty tail.
CREATE TABLE tail (id int, wide text);
SELECT fill('tail', 1500);
DELETE FROM tail WHERE id > 300;
VACUUM (TRUNCATE false) tail;
SELECT * FROM verdicts('verdict.tail');

-- DETACH: a partition of which little is left, unless it is the default one.
CREATE TABLE parted (id int, wide text) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (1) TO (2001);
SELECT fill('part1', 1200);
DELETE FROM parted WHERE id % 100 > 0;
VACUUM part1;
SELECT * FROM verdicts('verdict.part1');
SELECT * FROM verdicts('verdict.parted') WHERE name = 'verdict.parted';
ALTER TABLE parted DETACH PARTITION part1;
ALTER TABLE parted ATTACH PARTITION part1 DEFAULT;
SELECT * FROM verdicts('verdict.part1');

-- REWRITE and REINDEX: large enough to be worth it, and not logged.
CREATE UNLOGGED TABLE large (id int, wide text);
SELECT fill('large', 16000);
DELETE FROM large WHERE id % 20 > 0;
VACUUM large;
SELECT * FROM verdicts('verdict.large');

-- The health check names it first.
SELECT status, unit, remedy, jsonb_path_query_first(details, '$.culprits[0]') - 'value' AS first
FROM ops.checks('deep', '{bloat}');

CREATE UNLOGGED TABLE keyed (id int, key text) WITH (autovacuum_enabled = off);
ALTER TABLE keyed ALTER key SET STORAGE PLAIN;
CREATE INDEX keyed_key ON keyed (key);
INSERT INTO keyed
SELECT i, to_char(i, '000000000') || repeat('x', 1600) FROM generate_series(1, 28000) AS i;
SELECT * FROM verdicts('verdict.keyed_key');
DELETE FROM keyed WHERE id % 4 > 0;
VACUUM keyed;
SELECT * FROM verdicts('verdict.keyed_key');

-- A dropped column, which no VACUUM frees.
CREATE UNLOGGED TABLE dropped (id int, wide text);
SELECT fill('dropped', 2000);
ALTER TABLE dropped DROP COLUMN wide;
SELECT * FROM verdicts('verdict.dropped');
\x off

DROP SCHEMA verdict CASCADE;
