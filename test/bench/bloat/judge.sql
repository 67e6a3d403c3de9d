-- judge.sql: what is judged and where it is written down, schema judge.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET check_function_bodies = off;
CREATE SCHEMA judge;

-- The relations of the zoo, TOAST tables and their indexes included.
CREATE VIEW judge.relation AS
SELECT c.oid AS relation,
	CASE c.relkind WHEN 't' THEN 'toast' WHEN 'i' THEN am.amname ELSE 'heap' END AS kind,
	coalesce(i.indrelid, c.oid) AS of_table,
	CASE WHEN c.relkind = 't' THEN owner.relname || ' (toast)'
		WHEN c.relkind = 'i' AND owner.oid IS NOT NULL THEN owner.relname || ' (toast index)' ELSE c.relname END AS name,
	pg_relation_size(c.oid) AS size
  FROM pg_class AS c
  JOIN pg_am AS am ON am.oid = c.relam
  LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
  LEFT JOIN pg_class AS owner ON owner.reltoastrelid = coalesce(i.indrelid, c.oid)
 WHERE c.relkind IN ('r', 'm', 'i', 't') AND coalesce(owner.relnamespace, c.relnamespace) = 'zoo'::regnamespace;

CREATE FUNCTION judge.aligned(width float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT ceil(width / 8) * 8 $$;
CREATE FUNCTION judge.fillfactor(relation oid, usual int) RETURNS int LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT substring(o FROM '\d+')::int FROM pg_class, unnest(reloptions) AS o
	WHERE oid = relation AND o LIKE 'fillfactor=%'), usual) $$;

CREATE FUNCTION judge.written_by(statement text, OUT wal_bytes bigint, OUT dirty_pages bigint) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, WAL, BUFFERS, FORMAT json) ' || statement INTO plan;
	wal_bytes := coalesce((plan -> 0 -> 'Plan' ->> 'WAL Bytes')::bigint, 0);
	dirty_pages := coalesce((plan -> 0 -> 'Plan' ->> 'Shared Dirtied Blocks')::bigint, 0);
END $$;

-- Sizes before and after; filled from the copy in which it was done.  What
-- would grow gives nothing back.
CREATE TABLE judge.truth (relation oid PRIMARY KEY, name text, kind text, before bigint, after bigint,
	gain bigint GENERATED ALWAYS AS (greatest(before - after, 0)) STORED);
CREATE TABLE judge.estimate (relation oid, method text, reclaimable float8, low float8, high float8, after float8, note text);
CREATE TABLE judge.timing (relation oid, method text, ms float8, cache text);

\ir rivals.sql

-- Which exact reader can look at a kind of relation.
CREATE TABLE judge.reader (kind text, method text, call text, is_exact boolean);
INSERT INTO judge.reader VALUES
	('heap', 'pgstattuple', 'judge.pgstattuple', true), ('toast', 'pgstattuple', 'judge.pgstattuple', true),
	('heap', 'pgstattuple_approx', 'judge.pgstattuple_approx', false), ('toast', 'pgstattuple_approx', 'judge.pgstattuple_approx', false),
	('btree', 'pgstatindex', 'judge.pgstatindex', true), ('hash', 'pgstathashindex', 'judge.pgstathashindex', true),
	('gist', 'pgstattuple', 'judge.pgstattuple_gist', true);

CREATE PROCEDURE judge.ask_rivals() LANGUAGE plpgsql AS $$
DECLARE
	r record;
	share float8;
	started timestamptz;
BEGIN
	FOR r IN SELECT relation, size, method, call FROM judge.relation JOIN judge.reader USING (kind) WHERE size > 0 ORDER BY 1, 3 LOOP
		started := clock_timestamp();
		EXECUTE format('SELECT %s(%s)', r.call, r.relation) INTO share;
		INSERT INTO judge.timing VALUES (r.relation, r.method || ' first', extract(epoch FROM clock_timestamp() - started) * 1000);
		INSERT INTO judge.estimate VALUES (r.relation, r.method, share * r.size);
	END LOOP;
	INSERT INTO judge.estimate
	SELECT relation, 'widths', greatest(w.share, 0) * size FROM judge.relation JOIN (TABLE judge.width_estimate_table UNION ALL TABLE judge.width_estimate_btree) AS w USING (relation)
	 WHERE w.share IS NOT NULL;
END $$;

-- Everything that can be asked, once.
CREATE VIEW judge.runner AS
SELECT relation, of_table, size, method, format('SELECT %s(%s)', call, relation) AS call FROM judge.relation JOIN judge.reader USING (kind)
UNION ALL
SELECT relation, of_table, size, 'ours', format('SELECT count(*) FROM ops.bloat_report(%s::regclass, min_size => 0)', relation) FROM judge.relation;

-- In turn, so that whatever else the machine does hits all alike.  Either
-- each relation and its table are read into shared buffers before ('shared'),
-- or they are where the first round left them ('system': the cache of the
-- operating system, since all readers go through a small ring).
CREATE PROCEDURE judge.race(cache text, smallest bigint, rounds int) LANGUAGE plpgsql AS $$
DECLARE
	r record;
	runner record;
	started timestamptz;
BEGIN
	FOR r IN SELECT * FROM judge.relation WHERE size >= smallest ORDER BY relation LOOP
		IF cache = 'shared' THEN
			PERFORM pg_prewarm(r.of_table), pg_prewarm(relation) FROM judge.relation WHERE of_table IN (r.relation, r.of_table);
		END IF;
		FOR i IN 0 .. rounds LOOP
			FOR runner IN SELECT * FROM judge.runner WHERE relation = r.relation ORDER BY method LOOP
				started := clock_timestamp();
				EXECUTE runner.call;
				IF i > 0 THEN
					INSERT INTO judge.timing VALUES (r.relation, runner.method, extract(epoch FROM clock_timestamp() - started) * 1000, cache);
				END IF;
			END LOOP;
		END LOOP;
		COMMIT;
	END LOOP;
END $$;

-- The whole database, relations of so many bytes and more: one report, and
-- each exact reader of each of them.  Whatever is in cache is.
CREATE TABLE judge.whole (smallest bigint, readers float8, ours float8);

CREATE PROCEDURE judge.race_whole(smallest bigint, rounds int) LANGUAGE plpgsql AS $$
DECLARE
	call text;
	started timestamptz;
	read timestamptz;
BEGIN
	FOR i IN 1 .. rounds LOOP
		started := clock_timestamp();
		FOR call IN SELECT runner.call FROM judge.runner JOIN judge.reader USING (method) JOIN judge.relation USING (relation, kind)
			WHERE is_exact AND runner.size >= smallest LOOP
			EXECUTE call;
		END LOOP;
		read := clock_timestamp();
		PERFORM count(*) FROM ops.bloat_report(min_size => smallest);
		INSERT INTO judge.whole VALUES (smallest, extract(epoch FROM read - started) * 1000, extract(epoch FROM clock_timestamp() - read) * 1000);
	END LOOP;
END $$;

CREATE FUNCTION judge.ask_us(method text, exact boolean) RETURNS void LANGUAGE sql AS $$
	INSERT INTO judge.estimate
	SELECT o.relation, ask_us.method, o.reclaimable_bytes, o.reclaimable_low, o.reclaimable_high, o.size_after_bytes, o.note
	  FROM ops.bloat_report(min_size => 0, exact => ask_us.exact) AS o
	  JOIN judge.relation AS r ON r.relation = o.relation;
$$;

-- The exact reader of a table against our report of it, which answers for its
-- indexes and its TOAST table as well: of the relation alone, and of all those.
CREATE VIEW judge.raced AS
WITH one AS (
	SELECT cache, relation, method, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM judge.timing WHERE cache IS NOT NULL GROUP BY 1, 2, 3
), reader AS (
	SELECT cache, relation, ms FROM one JOIN judge.reader USING (method) JOIN judge.relation USING (relation, kind) WHERE is_exact
)
SELECT us.cache, r.relation, r.name, r.kind, r.size, us.ms AS ours, them.ms AS theirs, same.ms AS same
  FROM judge.relation AS r
  JOIN one AS us ON us.relation = r.relation AND us.method = 'ours'
  JOIN reader AS them ON (them.relation, them.cache) = (r.relation, us.cache)
  JOIN LATERAL (SELECT sum(reader.ms) AS ms FROM reader JOIN judge.relation AS part USING (relation)
	LEFT JOIN pg_class AS heap ON heap.oid = r.relation
	WHERE reader.cache = us.cache AND (part.relation = r.relation OR part.of_table IN (r.relation, heap.reltoastrelid))) AS same ON true;
