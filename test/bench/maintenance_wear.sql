-- bench/maintenance_wear.sql: what there is to do, done to a fresh copy, for
-- the counters of a database are not copied with it.

-- Dead rows.
DELETE FROM notes WHERE id % 10 < 2;

-- An empty tail: nothing but the oldest sixth of the queue is left.
DELETE FROM queue WHERE id > (SELECT max(id) / 6 FROM queue);

-- Statistics that know nothing of what came since.
INSERT INTO visits SELECT i + (SELECT max(id) FROM visits), 'new page ' || i % 7, '2026-06-01'
  FROM generate_series(1, (SELECT count(*) FROM visits)) AS i;

SELECT pg_stat_force_next_flush();
CHECKPOINT;
