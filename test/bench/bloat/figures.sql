-- figures.sql: what run.sh pools over databases, a line each: a name, numbers.
-- error/KIND: largest, sum, number, truth inside the interval.
SELECT CASE e.method WHEN 'ours' THEN 'error/' ELSE 'exact/' END || t.kind AS name, round(max(pp)::numeric, 4), round(sum(pp)::numeric, 4), count(*), count(*) FILTER (WHERE inside)
  FROM judge.truth AS t
  JOIN judge.estimate AS e USING (relation),
	LATERAL (SELECT abs(e.reclaimable - t.gain) * 100.0 / t.before AS pp, t.gain BETWEEN e.low AND e.high AS inside) AS p
 WHERE e.method LIKE 'ours%' AND t.before >= 1024 * 1024 GROUP BY 1;

-- ratio/CACHE: of a relation over 30 MB, against the exact readers of all rows
-- that its report answers with, and its class.
SELECT 'ratio/' || cache, round((same / ours)::numeric, 2),
	CASE WHEN kind IN ('heap', 'toast') THEN 'tables' ELSE 'indexes' END || CASE WHEN size < 100 * 1024 * 1024 THEN '<100MB' ELSE '>=100MB' END
  FROM judge.raced WHERE size >= 30 * 1024 * 1024;
-- database: smallest relation, number, average size in MB; one report, as many
-- times as fast as the exact readers of everything.
SELECT 'database', current_database(), smallest >> 20, n, round(average / 1048576, 1), round((readers / ours)::numeric, 2)
  FROM (SELECT smallest, percentile_cont(0.5) WITHIN GROUP (ORDER BY readers) AS readers, percentile_cont(0.5) WITHIN GROUP (ORDER BY ours) AS ours
	FROM judge.whole GROUP BY smallest) AS raced,
	LATERAL (SELECT count(*) AS n, avg(size) AS average FROM judge.relation WHERE size >= smallest) AS relations
 ORDER BY smallest;
