-- How much of this is air?
-- ops.bloat_report() reads a few hundred pages, packs them as a rewrite would, and says
-- what would come back, how sure that is, and which command to run.  It writes nothing.
\pset format wrapped
SELECT relation, kind, pg_size_pretty(size_bytes) AS size,
       round(reclaimable_pct::numeric) AS "percent",
       pg_size_pretty(reclaimable_low) || ' - ' || pg_size_pretty(reclaimable_high) AS reclaimable,
       sampled_blocks || ' of ' || total_blocks AS pages_read, method, action, command
  FROM ops.bloat_report()
 LIMIT 10;

\echo 'Why, in words:'
SELECT relation, action, reason
  FROM ops.bloat_report()
 WHERE action <> 'none'
 ORDER BY reclaimable_low DESC, relation::text COLLATE "C"
 LIMIT 4;

\echo 'What the sample said, and what reading every page says:'
SELECT s.relation, s.kind, s.sampled_blocks || ' of ' || s.total_blocks AS pages_read,
       round(s.reclaimable_pct::numeric, 1) AS sampled, round(e.reclaimable_pct::numeric, 1) AS exact
  FROM ops.bloat_report('public.documents') AS s
  JOIN ops.bloat_report('public.documents', exact => true) AS e USING (relation)
 WHERE s.size_bytes > 8192
 ORDER BY s.size_bytes DESC;
