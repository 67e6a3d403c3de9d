-- rivals.sql: what others would say, schema judge.  Each says what share of a
-- relation a rewrite gives back; NULL where it has nothing to say.

-- Estimates from pg_stats, by the published idea: widths times rows.  Both
-- take the server's own figures of page and tuple headers.
CREATE VIEW judge.widths AS
SELECT s.starelid AS relation, s.staattnum AS attnum, s.stanullfrac AS nulls, (1 - s.stanullfrac) * s.stawidth AS width
  FROM pg_statistic AS s WHERE NOT s.stainherit;

CREATE VIEW judge.width_estimate_table AS
SELECT c.oid AS relation,
	1 - ceil(c.reltuples * (4 + judge.aligned(23 + CASE WHEN w.nulls > 0 THEN w.columns / 8 + 1 ELSE 0 END) + judge.aligned(w.width))
		/ ((8192 - 24) * judge.fillfactor(c.oid, 100) / 100.0)) / nullif(c.relpages, 0) AS share
  FROM pg_class AS c
  JOIN LATERAL (SELECT max(nulls) AS nulls, sum(width) AS width, count(*) AS columns
	FROM judge.widths WHERE relation = c.oid) AS w ON true
 WHERE c.relkind IN ('r', 'm') AND c.reltuples >= 0 AND w.columns > 0
UNION ALL
SELECT oid, 1 - ceil(reltuples / 4) / nullif(relpages, 0) FROM pg_class WHERE relkind = 't' AND reltuples >= 0;

CREATE VIEW judge.width_estimate_btree AS
SELECT c.oid AS relation,
	1 - (1 + ceil(c.reltuples * (4 + 8 + CASE WHEN w.nulls > 0 THEN 8 ELSE 0 END + judge.aligned(w.width))
		/ ((8192 - 24 - 16) * judge.fillfactor(c.oid, 90) / 100.0))) / nullif(c.relpages, 0) AS share
  FROM pg_class AS c
  JOIN pg_am AS am ON am.oid = c.relam AND am.amname = 'btree'
  JOIN pg_index AS i ON i.indexrelid = c.oid
  JOIN LATERAL (SELECT max(w.nulls) AS nulls, sum(w.width) AS width, count(w.width) AS known
	FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
	LEFT JOIN judge.widths AS w ON (w.relation, w.attnum) = (i.indrelid, k.attnum) OR k.attnum = 0 AND (w.relation, w.attnum) = (c.oid, k.position)) AS w
	ON w.known = i.indnatts
 WHERE c.reltuples >= 0;

-- Exact readers, with what their users make of them.  Fillfactor is taken off
-- the way that is kindest to them: live space over what may be filled.
CREATE FUNCTION judge.pgstattuple(relation oid) RETURNS float8 LANGUAGE sql AS
$$ SELECT greatest(0, 1 - (100 - free_percent - dead_tuple_percent) / judge.fillfactor(relation, 100)) FROM pgstattuple(relation) $$;
CREATE FUNCTION judge.pgstattuple_approx(relation oid) RETURNS float8 LANGUAGE sql AS
$$ SELECT greatest(0, 1 - (100 - approx_free_percent - dead_tuple_percent) / judge.fillfactor(relation, 100)) FROM pgstattuple_approx(relation) $$;
CREATE FUNCTION judge.pgstatindex(relation oid) RETURNS float8 LANGUAGE sql AS
$$ SELECT greatest(0, ((empty_pages + deleted_pages) + leaf_pages * (1 - coalesce(nullif(avg_leaf_density, 'NaN'), 0) / judge.fillfactor(relation, 90)))
	* 8192 / nullif(index_size, 0)) FROM pgstatindex(relation) $$;
CREATE FUNCTION judge.pgstathashindex(relation oid) RETURNS float8 LANGUAGE sql AS
$$ SELECT greatest(0, free_percent / 100 - (1 - judge.fillfactor(relation, 75) / 100.0)) FROM pgstathashindex(relation) $$;
CREATE FUNCTION judge.pgstattuple_gist(relation oid) RETURNS float8 LANGUAGE sql AS
$$ SELECT greatest(0, 1 - (100 - free_percent - dead_tuple_percent) / 90) FROM pgstattuple(relation) $$;
