-- Is it healthy?
-- ops.health() is one call and one document: what a health endpoint returns.
-- Here its head, and under it the checks in it that are not ok.
SELECT ops.health() AS document \gset

\pset format unaligned
\pset tuples_only on
SELECT jsonb_pretty(:'document'::jsonb - 'checks');

\pset tuples_only off
\pset format wrapped
SELECT value ->> 'status' AS status, value ->> 'severity' AS severity,
       key AS check_name, value ->> 'message' AS message
  FROM jsonb_each(:'document'::jsonb -> 'checks')
 WHERE value ->> 'status' <> 'ok'
 ORDER BY array_position(ARRAY['fail', 'warn', 'unknown'], value ->> 'status'),
          value ->> 'severity', key COLLATE "C";
