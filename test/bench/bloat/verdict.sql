-- verdict.sql: errors in points of a relation's size (pp), against the truth.

-- Relations of at least the report's own default size.
CREATE TEMP VIEW error AS
SELECT e.method, t.relation, t.kind, t.name, t.before, t.after,
	100.0 * t.gain / t.before AS truth,
	100.0 * e.reclaimable / t.before AS said, 100.0 * e.low / t.before AS low, 100.0 * e.high / t.before AS high,
	abs(e.reclaimable - t.gain) * 100.0 / t.before AS pp,
	t.gain BETWEEN e.low AND e.high AS inside, e.note
  FROM judge.truth AS t JOIN judge.estimate AS e USING (relation) WHERE t.before >= 1024 * 1024;

\pset footer off
\pset null ''
\echo 'Error against the truth, in points of relation size; relations of 1 MB and more'
SELECT kind, method, count(*) AS n, round(max(pp)::numeric, 2) AS "max pp", round(avg(pp)::numeric, 2) AS "mean pp",
	count(*) FILTER (WHERE pp > 5) AS "> 5 pp", round(avg(high - low)::numeric / 2, 2) AS "half width",
	round(100.0 * count(*) FILTER (WHERE inside) / nullif(count(inside), 0), 1) AS "% inside"
  FROM error GROUP BY kind, method ORDER BY array_position(ARRAY['heap', 'toast', 'btree', 'hash', 'gin', 'gist', 'spgist', 'brin'], kind), method NOT LIKE 'ours%', method;

SELECT count(*) AS unanswered FROM judge.truth AS t
 WHERE before >= 1024 * 1024 AND NOT EXISTS (SELECT FROM judge.estimate AS e WHERE e.relation = t.relation AND method = 'ours') \gset
\echo relations of 1 MB and more with no answer of ours: :unanswered

\echo 'Worst of each method'
SELECT method, kind, name, pg_size_pretty(before) AS size, round(truth::numeric, 2) AS truth, round(said::numeric, 2) AS said,
	round(low::numeric, 2) AS low, round(high::numeric, 2) AS high, round(pp::numeric, 2) AS pp, inside
  FROM (SELECT *, row_number() OVER (PARTITION BY method, method LIKE 'ours%' AND kind IN ('gin', 'gist', 'spgist') ORDER BY pp DESC) AS rank FROM error) AS ranked
 WHERE rank <= CASE WHEN method LIKE 'ours%' THEN 12 ELSE 6 END ORDER BY method NOT LIKE 'ours%', method, pp DESC;

SELECT count(*) AS missed FROM error WHERE method = 'ours' AND NOT inside \gset
\echo Ours with the truth outside the interval: :missed
SELECT kind, name, pg_size_pretty(before) AS size, round(truth::numeric, 2) AS truth, round(said::numeric, 2) AS said,
	round(low::numeric, 2) AS low, round(high::numeric, 2) AS high, round(pp::numeric, 2) AS pp
  FROM error WHERE method = 'ours' AND NOT inside ORDER BY pp DESC LIMIT 20;

\echo 'Size afterwards, of what would grow; in points of the size before'
SELECT t.kind, t.name, pg_size_pretty(t.before) AS size, round(100.0 * (t.after - t.before) / t.before, 2) AS "grows by",
	round((100 * (e.after - t.before) / t.before)::numeric, 2) AS said
  FROM judge.truth AS t JOIN judge.estimate AS e USING (relation)
 WHERE e.method = 'ours' AND t.before >= 1024 * 1024 AND t.after > t.before ORDER BY abs(e.after - t.after) / t.before DESC LIMIT 10;

\echo 'Smaller relations, in pages'
SELECT kind, method, count(*) AS n, round(max(abs(gain - reclaimable) / 8192)::numeric, 1) AS "max pages",
	round(100.0 * count(*) FILTER (WHERE gain BETWEEN low AND high) / count(*), 1) AS "% inside"
  FROM judge.truth AS t JOIN judge.estimate AS e USING (relation) WHERE before < 1024 * 1024 AND method LIKE 'ours%' GROUP BY kind, method ORDER BY 1, 2;

\echo 'Milliseconds of relations over 30 MB, in the cache of the operating system and in shared buffers'
SELECT kind, name, pg_size_pretty(size) AS size, round(system.ours::numeric, 2) AS ours, round(system.theirs::numeric, 1) AS "exact reader",
	round((system.theirs / system.ours)::numeric, 1) AS times, round((system.same / system.ours)::numeric, 1) AS "times, same rows",
	round(shared.ours::numeric, 2) AS "ours, shared", round(shared.theirs::numeric, 1) AS "exact, shared", round((shared.same / shared.ours)::numeric, 1) AS "times, shared"
  FROM judge.raced AS system JOIN judge.raced AS shared USING (relation, name, kind, size)
 WHERE size >= 30 * 1024 * 1024 AND system.cache = 'system' AND shared.cache = 'shared' ORDER BY system.theirs / system.ours;

\echo 'Milliseconds of the whole database'
SELECT pg_size_pretty(smallest) AS "relations from", round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ours)::numeric, 1) AS ours,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY readers)::numeric, 1) AS "exact readers" FROM judge.whole GROUP BY smallest ORDER BY smallest;
