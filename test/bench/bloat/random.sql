-- random.sql: a zoo nobody planned, schema zoo; another seed, another zoo.
--     psql -v seed=1 -v tables=60 -v scale=1 -f random.sql
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET synchronous_commit = off;
CREATE SCHEMA zoo;
SET search_path = zoo, public;

CREATE FUNCTION zoo.noise(i bigint, width int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT left(string_agg(md5(i::text || '.' || j), ''), width) FROM generate_series(0, width / 32) AS j $$;
CREATE FUNCTION zoo.dull(i bigint, width int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT left(i::text || repeat('the same old words ', 1 + width / 19), width) $$;

CREATE FUNCTION zoo.between(low float8, high float8) RETURNS int LANGUAGE sql VOLATILE AS
$$ SELECT floor(low + random() * (high - low + 1))::int $$;
CREATE FUNCTION zoo.one_of(choices text[]) RETURNS text LANGUAGE sql VOLATILE AS
$$ SELECT choices[zoo.between(1, cardinality(choices))] $$;

-- Columns to choose from: name, type, a value that depends on i and random(),
-- its width, and index definitions that fit, of column c.
CREATE TABLE zoo.stock (type text, value text, width int, indexes text[]);
INSERT INTO zoo.stock VALUES
	('int', 'i', 4, '{"(c)","(c DESC)","USING hash (c)","USING brin (c)","USING gist (c)"}'),
	('int', '(random() * 1e9)::int', 4, '{"(c)","(c)","USING hash (c)","(c) WHERE c % 3 = 0","USING gist (c)"}'),
	('int', '(random() * W)::int', 4, '{"(c)","(c, id)","(c) WITH (deduplicate_items = off)","USING hash (c)","((c % 50))"}'),
	('int', '(random() ^ 6 * 5000)::int', 4, '{"(c)","(c) INCLUDE (id)"}'),
	('bigint', '(i::bigint << 32) + (random() * 1000)::int', 8, '{"(c)","USING hash (c)"}'),
	('smallint', '(random() * 100)::int', 2, '{"(c)","(c, id DESC)"}'),
	('boolean', 'random() < 0.2', 1, '{"(c)","(id) WHERE c"}'),
	('float8', 'random()', 8, '{"(c)","USING gist (c)"}'),
	('numeric', '(random() * 10 ^ (i % 9))::numeric(20, 4)', 8, '{"(c)","USING hash (c)"}'),
	('timestamptz', 'timestamptz ''2026-01-01'' + i * interval ''3 s''', 8, '{"(c)","(c, id)","USING brin (c)"}'),
	('uuid', 'md5(random()::text)::uuid', 16, '{"(c)","USING hash (c)"}'),
	('text', 'left(md5(random()::text), 3 + (random() * 25)::int)', 16, '{"(c)","USING hash (c)","USING spgist (c)","(upper(c))","USING gin (c gin_trgm_ops)","USING gist (c gist_trgm_ops)"}'),
	('text', '''status '' || (random() ^ 3 * 6)::int', 9, '{"(c)","(c, id)","USING hash (c)"}'),
	('text', 'zoo.noise(i, W)', 120, '{"(left(c, 10))"}'),
	('text', 'zoo.noise(i, (random() * W * 4)::int)', 240, '{"(md5(c))"}'),
	('text', 'zoo.noise(i, 200 + (-ln(1 - random()) * 40 * W)::int % 7000)', 3000, '{}'),
	('text', 'zoo.noise(i, 2000 + W * 60)', 6000, '{}'),
	('text', 'CASE WHEN random() < 0.5 THEN zoo.dull(i, W * 400) ELSE zoo.noise(i, W * 20) END', 2000, '{}'),
	('text', 'CASE WHEN random() < 0.9 THEN NULL ELSE zoo.noise(i, 30) END', 4, '{"(c)","(c) WHERE c IS NOT NULL"}'),
	('jsonb', 'jsonb_build_object(''n'', i % 50, ''id'', i, ''t'', left(md5(random()::text), 6))', 50, '{"USING gin (c)","USING gin (c jsonb_path_ops)","((c ->> ''t''))"}'),
	('int[]', 'ARRAY[(random() * 30)::int, (random() * 900)::int, i]', 40, '{"USING gin (c)","USING gin (c) WITH (fastupdate = off)"}'),
	('tsvector', 'array_to_tsvector(ARRAY[left(md5((random() ^ 3 * 900)::int::text), 5), ''k'' || i % 40])', 40, '{"USING gin (c)","USING gist (c)"}'),
	('point', 'point(random() * 100, random() ^ 2 * 100)', 16, '{"USING gist (c)","USING spgist (c)","USING spgist (c kd_point_ops)"}'),
	('box', 'box(point(i % 1000, random() * 10), point(i % 1000 + random(), 10))', 32, '{"USING gist (c)","USING spgist (c)"}'),
	('int4range', 'int4range((random() * 1e5)::int, 100000 + (random() * 100)::int)', 17, '{"USING gist (c)","USING spgist (c)","(c)"}'),
	('inet', '(''10.'' || i % 9 || ''.'' || (random() * 255)::int || ''.'' || i % 256)::inet', 10, '{"(c)","USING spgist (c)","USING gist (c inet_ops)"}');

-- The statements of one table.
CREATE FUNCTION zoo.life(t text, scale float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	column_count int := zoo.between(0, 6);
	width_wanted int := (array[5, 10, 30, 80, 150])[zoo.between(1, 5)];
	columns text := 'id int';
	list text := 'id';
	row_value text := 'i';
	indexes text[] := '{}';
	texts text[] := '{}';
	bytes float8 := 40;
	n int;
	s zoo.stock;
	top int;					-- the highest id so far: they stay unique
	changed text;
	from_id int;
	condition text;
	loaded_first boolean := random() < 0.5;
BEGIN
	IF random() < 0.6 THEN indexes := indexes || format('CREATE UNIQUE INDEX %s_id ON %s (id)', t, t); END IF;
	FOR j IN 1 .. column_count LOOP
		SELECT * INTO s FROM zoo.stock ORDER BY random() LIMIT 1;
		columns := columns || format(', c%s %s', j, s.type);
		list := list || ', c' || j;
		row_value := row_value || ', ' || CASE WHEN random() < 0.15 THEN format('CASE WHEN random() < 0.4 THEN %s END', s.value) ELSE s.value END;
		bytes := bytes + s.width * CASE WHEN s.value ~ '\mW\M' THEN width_wanted / 60.0 ELSE 1 END;
		IF s.type = 'text' THEN texts := texts || ('c' || j); END IF;
		IF cardinality(s.indexes) > 0 AND random() < 0.7 THEN
			indexes := indexes || format('CREATE INDEX %s_c%s ON %s %s', t, j, t,
				regexp_replace(zoo.one_of(s.indexes), '\mc\M', 'c' || j, 'g'));
		END IF;
	END LOOP;
	row_value := regexp_replace(row_value, '\mW\M', width_wanted::text, 'g');
	-- 0.5 to 30 MB, more often small.
	n := least(400000, scale * exp(zoo.between(1310, 1720) / 100.0) / bytes)::int;
	top := n;
	RETURN NEXT format('CREATE %s TABLE %s (%s) %s', CASE WHEN random() < 0.05 THEN 'UNLOGGED' ELSE '' END, t, columns,
		CASE WHEN random() < 0.4 THEN format('WITH (fillfactor = %s)', zoo.between(30, 99)) ELSE '' END);
	FOR j IN 1 .. cardinality(texts) LOOP
		IF random() < 0.3 THEN RETURN NEXT format('ALTER TABLE %s ALTER %s SET STORAGE %s', t, texts[j], zoo.one_of('{EXTERNAL,EXTENDED,MAIN}')); END IF;
	END LOOP;
	FOR j IN 1 .. cardinality(indexes) LOOP
		IF indexes[j] ~ '\) *$' AND indexes[j] !~ 'USING|WITH|WHERE' AND random() < 0.25 THEN
			indexes[j] := indexes[j] || format(' WITH (fillfactor = %s)', zoo.between(50, 100));
		END IF;
	END LOOP;
	IF NOT loaded_first THEN RETURN QUERY SELECT unnest(indexes); END IF;
	RETURN NEXT format('INSERT INTO %s SELECT %s FROM generate_series(1, %s) AS i', t, row_value, n);
	IF loaded_first THEN RETURN QUERY SELECT unnest(indexes); END IF;
	IF random() < 0.6 THEN RETURN NEXT format('VACUUM %s %s', zoo.one_of('{"","(ANALYZE)","(FREEZE)"}'), t); END IF;

	FOR step IN 1 .. zoo.between(0, 6) LOOP
		from_id := zoo.between(0, n);
		condition := zoo.one_of(ARRAY[
			format('random() < %s', round(random()::numeric, 2)),
			format('id %% %s < %s', zoo.between(2, 9), zoo.between(1, 4)),
			format('(id / %s) %% %s = 0', zoo.between(20, 3000), zoo.between(2, 5)),
			format('id < %s', from_id), format('id > %s', from_id),
			format('id BETWEEN %s AND %s', from_id, from_id + n / 4),
			format('hashint4(id / %s) > %s', zoo.between(10, 2000), zoo.between(-2e9, 2e9))]);
		CASE zoo.between(1, 14)
			WHEN 1, 2, 3 THEN RETURN NEXT format('DELETE FROM %s WHERE %s', t, condition);
			WHEN 4 THEN RETURN NEXT format('UPDATE %s SET id = id WHERE %s', t, condition);
			WHEN 5 THEN RETURN NEXT format('UPDATE %s SET id = -id WHERE %s', t, condition);
			WHEN 6 THEN
				IF cardinality(texts) > 0 THEN
					changed := zoo.one_of(texts);
					RETURN NEXT format('UPDATE %1$s SET %2$s = %3$s WHERE %4$s', t, changed,
						zoo.one_of(ARRAY['NULL', 'zoo.noise(id, 40)', format('zoo.noise(id, %s)', 10 * width_wanted), format('left(%s, 5)', changed)]), condition);
				END IF;
			WHEN 7, 8, 9 THEN RETURN NEXT format('VACUUM (TRUNCATE %s) %s', zoo.one_of('{on,off}'), t);
			WHEN 10 THEN
				RETURN NEXT format('INSERT INTO %s (%s) SELECT %s FROM generate_series(%s, %s) AS i', t, list, row_value, top + 1, top + n / 4);
				top := top + n / 4;
			WHEN 11 THEN
				RETURN NEXT 'BEGIN';
				RETURN NEXT zoo.one_of(ARRAY[format('INSERT INTO %s (%s) SELECT %s FROM generate_series(%s, %s) AS i', t, list, row_value, top + 1, top + n / 3),
					format('UPDATE %s SET id = id WHERE %s', t, condition), format('DELETE FROM %s WHERE %s', t, condition)]);
				RETURN NEXT 'ROLLBACK';
			WHEN 12 THEN RETURN NEXT format('ALTER TABLE %s ADD COLUMN d%s %s', t, step, zoo.one_of('{"int DEFAULT 1","text DEFAULT ''ten letters''","bigint"}'));
			WHEN 13 THEN
				IF column_count > 1 AND random() < 0.5 THEN
					RETURN NEXT format('ALTER TABLE %s DROP COLUMN c%s', t, column_count);
					EXIT;
				END IF;
			ELSE RETURN NEXT format('ANALYZE %s', t);
		END CASE;
	END LOOP;
	IF random() < 0.7 THEN RETURN NEXT format('ANALYZE %s', t); END IF;
END $$;

SELECT setseed(((:seed * 7919) % 10007) / 10007.0) \g /dev/null
SELECT statement FROM generate_series(1, :tables) AS i, zoo.life(format('r%s_%s', :seed, i), :scale) AS statement \gexec
