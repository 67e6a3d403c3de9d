-- The whole document
-- SELECT jsonb_pretty(ops.health());
\pset format unaligned
\pset tuples_only on
SELECT jsonb_pretty(ops.health());
