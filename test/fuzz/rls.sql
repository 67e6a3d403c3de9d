/* rls.sql: schema fuzz_harness, which executes what policies let through */

CREATE SCHEMA fuzz_harness;
GRANT USAGE ON SCHEMA fuzz_harness TO PUBLIC;

/*
 * On every table: a statement that cannot see rows says by this which ones it
 * got hold of, and nothing happens to them; or the first of them becomes the
 * row in fuzz.new, so that only the check of new rows stands in its way, and
 * the next one says that it passed.
 */
CREATE FUNCTION fuzz_harness.see() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    becomes text := current_setting('fuzz.new', true);
BEGIN
    IF becomes <> '' THEN
        IF becomes = 'done' THEN
            RAISE SQLSTATE 'FUZZ2';
        END IF;
        PERFORM set_config('fuzz.new', 'done', true);
        RETURN jsonb_populate_record(NEW, becomes::jsonb);
    END IF;
    PERFORM set_config('fuzz.seen', current_setting('fuzz.seen') || ' ' || OLD.id, true);
    RETURN NULL;
END
$$;

/* One statement as the role: numbers of rows that passed.  Errors are the caller's. */
CREATE FUNCTION fuzz_harness.attempt(tab text, gate text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    passed text := '';
BEGIN
    PERFORM set_config('fuzz.seen', '', true);
    PERFORM set_config('role', 'fuzz_app', true);
    IF gate = 'SELECT' THEN
        EXECUTE format('SELECT string_agg(i::text, '' '') FROM (SELECT min(id) AS i FROM %s GROUP BY id / 100) s', tab) INTO passed;
    ELSIF gate = 'DELETE' THEN
        EXECUTE format('DELETE FROM %s', tab);
    ELSE
        EXECUTE format('UPDATE %s SET flag = NULL', tab);
    END IF;
    PERFORM set_config('role', 'none', true);
    RETURN coalesce(passed, '') || current_setting('fuzz.seen');
END
$$;

/* The same, row by row of those given, when one of them ends the statement. */
CREATE FUNCTION fuzz_harness.attempt_each(tab text, gate text, sample int[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    passed text := '';
    kept jsonb;
    r jsonb;
BEGIN
    EXECUTE format('SELECT jsonb_agg(to_jsonb(t)) FROM %s t WHERE id = ANY ($1)', tab) INTO kept USING sample;
    BEGIN
        PERFORM set_config('session_replication_role', 'replica', true);
        EXECUTE format('DELETE FROM %s', tab);
        PERFORM set_config('session_replication_role', 'origin', true);
        FOR r IN SELECT * FROM jsonb_array_elements(kept) LOOP
            BEGIN
                EXECUTE format('INSERT INTO %1$s SELECT (jsonb_populate_record(NULL::%1$s, $1)).*', tab) USING r;
                passed := passed || ' ' || fuzz_harness.attempt(tab, gate);
                RAISE SQLSTATE 'FUZZ1';
            EXCEPTION WHEN OTHERS THEN
                NULL;
            END;
        END LOOP;
        RAISE SQLSTATE 'FUZZ1';
    EXCEPTION WHEN SQLSTATE 'FUZZ1' THEN
        NULL;
    END;
    RETURN passed;
END
$$;

/* New rows, each by itself. */
CREATE FUNCTION fuzz_harness.attempt_new(tab text, gate text, sample int[]) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('fuzz.seen', '', true);
    IF gate = 'INSERT' THEN
        EXECUTE format($do$
            DO $body$
            DECLARE
                r %1$s;
                passed text := '';
            BEGIN
                FOR r IN SELECT * FROM %1$s WHERE id = ANY (%2$L) LOOP
                    BEGIN
                        PERFORM set_config('role', 'fuzz_app', true);
                        INSERT INTO %1$s VALUES (r.*);
                        passed := passed || ' ' || r.id;
                        RAISE SQLSTATE 'FUZZ1';
                    EXCEPTION WHEN OTHERS THEN
                        NULL;
                    END;
                END LOOP;
                PERFORM set_config('fuzz.seen', passed, true);
            END
            $body$
        $do$, tab, sample);
    ELSE
        EXECUTE format($do$
            DO $body$
            DECLARE
                r %1$s;
                passed text := '';
            BEGIN
                FOR r IN SELECT * FROM %1$s WHERE id = ANY (%2$L) LOOP
                    BEGIN
                        PERFORM set_config('fuzz.new', to_jsonb(r)::text, true),
                                set_config('role', 'fuzz_app', true);
                        UPDATE %1$s SET flag = NULL;
                        IF current_setting('fuzz.new') = 'done' THEN
                            passed := passed || ' ' || r.id;
                        END IF;
                        RAISE SQLSTATE 'FUZZ1';
                    EXCEPTION WHEN SQLSTATE 'FUZZ2' THEN
                        passed := passed || ' ' || r.id;
                    WHEN OTHERS THEN
                        NULL;
                    END;
                END LOOP;
                PERFORM set_config('fuzz.seen', passed, true);
            END
            $body$
        $do$, tab, sample);
    END IF;
    RETURN current_setting('fuzz.seen');
END
$$;

/*
 * Numbers of rows of a table that a gate lets through now.  Gates of new rows
 * are asked about those given only, the others too if asking about all at once
 * ends in an error.
 */
CREATE FUNCTION fuzz_harness.passing(tab text, gate text, sample int[]) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    IF gate IN ('INSERT', 'CHECK') THEN
        RETURN fuzz_harness.attempt_new(tab, gate, sample);
    END IF;
    RETURN fuzz_harness.attempt(tab, gate);
EXCEPTION WHEN OTHERS THEN
    RETURN 'error ' || fuzz_harness.attempt_each(tab, gate, sample);
END
$$;

/* And after each of the attacks, a list of statements that the role tries. */
CREATE FUNCTION fuzz_harness.passing_after(tab text, gate text, sample int[], attacks jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    passed text := '';
    attack jsonb;
    statement text;
BEGIN
    FOR attack IN SELECT * FROM jsonb_array_elements(attacks) LOOP
        BEGIN
            FOR statement IN SELECT * FROM jsonb_array_elements_text(attack) LOOP
                BEGIN
                    PERFORM set_config('role', 'fuzz_app', true);
                    EXECUTE statement;
                    PERFORM set_config('role', 'none', true);
                EXCEPTION WHEN OTHERS THEN
                    NULL;
                END;
            END LOOP;
            passed := passed || ' ' || fuzz_harness.passing(tab, gate, sample);
            RAISE SQLSTATE 'FUZZ1';
        EXCEPTION WHEN SQLSTATE 'FUZZ1' THEN
            NULL;
        END;
    END LOOP;
    RETURN passed;
END
$$;
