-- truth.sql: do it, in a copy of the database that is thrown away.  First each
-- index by itself, hash indexes before all others since their size depends on
-- the row estimate that any REINDEX refreshes; then the tables, whose TOAST
-- tables may go with their last column that needs one.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET max_parallel_maintenance_workers = 0;
SET synchronous_commit = off;
SELECT format('REINDEX INDEX %s', relation::regclass)
  FROM judge.relation WHERE kind NOT IN ('heap', 'toast') ORDER BY kind <> 'hash', relation \gexec
CREATE TEMP TABLE after_reindex AS SELECT relation, pg_relation_size(relation) AS size FROM judge.relation WHERE kind NOT IN ('heap', 'toast');
SELECT format('VACUUM (FULL) %s', relation::regclass) FROM judge.relation WHERE kind = 'heap' ORDER BY relation \gexec
UPDATE judge.truth SET after = coalesce((SELECT size FROM after_reindex AS a WHERE a.relation = truth.relation), pg_relation_size(relation), 0);
