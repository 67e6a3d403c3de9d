-- tiny.sql: 5,000 tables of a few rows each, with an index and TOAST.
DO $$ BEGIN
	FOR i IN 1 .. 5000 LOOP
		EXECUTE format('CREATE TABLE tiny_%s (id int PRIMARY KEY, b text)', i);
		EXECUTE format('INSERT INTO tiny_%s SELECT j, md5(j::text) FROM generate_series(1, 20) AS j', i);
		IF i % 100 = 0 THEN COMMIT; END IF;
	END LOOP;
END $$;
VACUUM ANALYZE pg_class, pg_attribute, pg_index, pg_depend, pg_type, pg_constraint;
