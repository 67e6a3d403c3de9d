-- deep.sql: the dearest facts of the deep tier, as plain SQL.
WITH tables AS (
    SELECT max(n_dead_tup / (50 + 0.2 * n_live_tup)) AS lag,
           count(*) FILTER (WHERE last_analyze IS NULL AND last_autoanalyze IS NULL) AS never_analysed
      FROM pg_stat_user_tables
), sequences AS (
    SELECT max(100.0 * last_value / max_value) AS used FROM pg_sequences
), indexes AS (
    SELECT count(*) FILTER (WHERE idx_scan = 0) AS unused, sum(pg_relation_size(indexrelid)) AS bytes
      FROM pg_stat_user_indexes
), invalid AS (
    SELECT count(*) FROM pg_index WHERE NOT indisvalid
), duplicate AS (
    SELECT count(*) FROM (SELECT 1 FROM pg_index GROUP BY indrelid, indkey, indclass, indcollation, indoption,
                                 pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid) HAVING count(*) > 1) d
), keyless AS (
    SELECT count(*) FROM pg_class c WHERE relkind = 'r'
       AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND indisprimary)
), unindexed AS (
    SELECT count(*) FROM pg_constraint c WHERE contype = 'f'
       AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid
                          AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
), frozen AS (
    SELECT max(age(relfrozenxid)) FROM pg_class WHERE relkind IN ('r', 't', 'm')
)
SELECT tables.*, sequences.*, indexes.*, invalid.*, duplicate.*, keyless.*, unindexed.*, frozen.*,
       pg_database_size(current_database())
  FROM tables, sequences, indexes, invalid, duplicate, keyless, unindexed, frozen
