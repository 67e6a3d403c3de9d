-- How much of this is air?
-- ops.bloat_report() reads a few hundred pages, packs them as a rewrite would, and says
-- what would come back, how sure that is, and which command to run.  It writes nothing.
\pset format wrapped
BEGIN;
CREATE TABLE public.parcels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tracking uuid NOT NULL DEFAULT gen_random_uuid(),
    address text NOT NULL);
CREATE INDEX parcels_tracking ON public.parcels (tracking);
INSERT INTO public.parcels (address)
SELECT repeat('House ' || i % 1000 || ', ', 8) FROM generate_series(1, 300000) AS i;
COMMIT;

\echo 'Three of four parcels were delivered and deleted; nobody has vacuumed since:'
DELETE FROM public.parcels WHERE id % 4 <> 0;
SELECT relation, kind, pg_size_pretty(size_bytes) AS size,
       round(reclaimable_pct::numeric) AS "percent",
       pg_size_pretty(reclaimable_low) || ' - ' || pg_size_pretty(reclaimable_high) AS reclaimable,
       sampled_blocks || ' of ' || total_blocks AS pages_read, action, command
  FROM ops.bloat_report('public.parcels')
 WHERE size_bytes > 8192;

\echo 'After the VACUUM it asked for, the space is free for new rows, and the files are as large as before:'
VACUUM public.parcels;
SELECT relation, kind, round(reclaimable_pct::numeric) AS "percent",
       pg_size_pretty(reusable_bytes) AS reusable, method, action, reason
  FROM ops.bloat_report('public.parcels')
 WHERE size_bytes > 8192;

\echo 'And this is what the report foretold, against what a rewrite leaves:'
CREATE TEMPORARY TABLE foretold AS
SELECT relation, size_after_bytes FROM ops.bloat_report('public.parcels') WHERE size_bytes > 8192;
VACUUM (FULL) public.parcels;
SELECT relation, pg_size_pretty(size_after_bytes) AS foretold,
       pg_size_pretty(pg_relation_size(relation)) AS it_is
  FROM foretold
 ORDER BY relation::text COLLATE "C";
DROP TABLE public.parcels, foretold;
