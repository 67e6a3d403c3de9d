-- proof.sql: executes what a case claims.  Loaded after the audit looked.
--
-- Statements run as a role, by SET SESSION AUTHORIZATION, with the settings
-- that tell who the tenant is, and are rolled back.

CREATE SCHEMA proof;

CREATE TABLE proof.session (
    who text NOT NULL,
    own text[] NOT NULL,            -- tenants whose rows it may see
    settings text[] NOT NULL        -- name=value
);
CREATE TABLE proof.seen (
    what text NOT NULL,
    foreign_rows boolean NOT NULL,
    own_rows boolean NOT NULL
);

-- From here on, statements run as this role with these settings; own is NULL
-- when every row belongs to somebody else.
CREATE FUNCTION proof.login(who text, own text, VARIADIC settings text[] DEFAULT '{}')
RETURNS void LANGUAGE sql AS $$
    TRUNCATE proof.session;
    INSERT INTO proof.session
    SELECT who, coalesce(string_to_array(own, ','), '{}'), settings;
$$;

-- What the statement yields: the distinct values of its only column, sorted;
-- or how many rows it wrote; or ERROR and the code.  Nothing stays.
CREATE FUNCTION proof.run(statement text, first text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    me proof.session;
    setting text;
    result text;
    plan_line text;
    touched bigint;
BEGIN
    SELECT * INTO STRICT me FROM proof.session;
    BEGIN
        FOREACH setting IN ARRAY me.settings LOOP
            PERFORM set_config(split_part(setting, '=', 1),
                               substr(setting, strpos(setting, '=') + 1), true);
        END LOOP;
        EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', me.who);
        IF first IS NOT NULL THEN
            EXECUTE first;
        END IF;
        IF statement ~* '^\s*(select|values|table|with)\M' THEN
            EXECUTE format('SELECT coalesce(string_agg(DISTINCT v::text, '','' ORDER BY v::text), '''') FROM (%s) AS q (v)', statement)
            INTO result;
        ELSIF statement ~* '^\s*explain\M' THEN
            result := '';
            FOR plan_line IN EXECUTE statement LOOP
                result := result || plan_line || E'\n';
            END LOOP;
        ELSE
            EXECUTE statement;
            GET DIAGNOSTICS touched = ROW_COUNT;
            result := touched;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'PRF01', MESSAGE = coalesce(nullif(result, ''), '<none>');
    EXCEPTION
        WHEN SQLSTATE 'PRF01' THEN
            RETURN CASE SQLERRM WHEN '<none>' THEN '' ELSE SQLERRM END;
        WHEN OTHERS THEN
            RETURN 'ERROR ' || SQLSTATE;
    END;
END
$$;

CREATE FUNCTION proof.compare(statement text, expected text, result text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF result IS DISTINCT FROM expected THEN
        RAISE EXCEPTION 'not borne out: % as % gave "%", expected "%"',
            statement, (SELECT s FROM proof.session s), result, expected;
    END IF;
END
$$;

-- A query whose values name tenants: those it shows.
CREATE FUNCTION proof.sees(query text, expected text, first text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    result text := proof.run(query, first);
    tenants text[] := CASE WHEN result LIKE 'ERROR %' THEN '{}' ELSE string_to_array(result, ',') END;
    mine text[] := (SELECT own FROM proof.session);
BEGIN
    PERFORM proof.compare(query, expected, result);
    INSERT INTO proof.seen VALUES (query, NOT tenants <@ mine, tenants && mine);
END
$$;

-- A statement that would do another tenant harm: the number of rows it writes.
CREATE FUNCTION proof.harms(statement text, expected text, first text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    result text := proof.run(statement, first);
BEGIN
    PERFORM proof.compare(statement, expected, result);
    INSERT INTO proof.seen VALUES (statement, NOT (result = '0' OR result LIKE 'ERROR %'), false);
END
$$;

-- Anything else that bears the label out.
CREATE FUNCTION proof.holds(statement text, expected text, first text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM proof.compare(statement, expected, proof.run(statement, first));
    INSERT INTO proof.seen VALUES (statement, false, false);
END
$$;

-- Whether the plan of a query has a line that matches.
CREATE FUNCTION proof.plan(query text, pattern text, expected boolean, first text DEFAULT 'SET LOCAL enable_seqscan = off')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    plan text := proof.run('EXPLAIN (COSTS OFF, VERBOSE) ' || query, first);
BEGIN
    IF plan LIKE 'ERROR %' OR (plan ~ pattern) IS DISTINCT FROM expected THEN
        RAISE EXCEPTION E'not borne out: plan of % and "%" is not %:\n%', query, pattern, expected, plan;
    END IF;
    INSERT INTO proof.seen VALUES (query, false, false);
END
$$;

-- Each query shows the own tenants with the setting, and nothing (or an
-- error) without it or with an empty one.
CREATE FUNCTION proof.isolated(who text, own text, assignment text, VARIADIC queries text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    setting text := split_part(assignment, '=', 1);
    query text;
    result text;
BEGIN
    IF current_setting(setting, true) IS NULL THEN
        PERFORM proof.login(who, NULL);
        FOREACH query IN ARRAY queries LOOP
            result := proof.run(query);
            IF result <> '' AND result NOT LIKE 'ERROR %' THEN
                RAISE EXCEPTION 'not borne out: % shows "%" without %', query, result, setting;
            END IF;
        END LOOP;
    END IF;
    PERFORM proof.login(who, NULL, setting || '=');
    FOREACH query IN ARRAY queries LOOP
        result := proof.run(query);
        IF result <> '' AND result NOT LIKE 'ERROR %' THEN
            RAISE EXCEPTION 'not borne out: % shows "%" with empty %', query, result, setting;
        END IF;
    END LOOP;
    PERFORM proof.login(who, own, assignment);
    FOREACH query IN ARRAY queries LOOP
        PERFORM proof.sees(query, own);
    END LOOP;
END
$$;

-- At the end: is the case what its header says?
CREATE FUNCTION proof.settle(claim text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM proof.seen) THEN
        RAISE EXCEPTION 'nothing was proved';
    ELSIF claim = 'leak' AND NOT EXISTS (SELECT FROM proof.seen WHERE foreign_rows) THEN
        RAISE EXCEPTION 'not borne out: no foreign row was reached';
    ELSIF claim = 'clean' AND EXISTS (SELECT FROM proof.seen WHERE foreign_rows) THEN
        RAISE EXCEPTION 'not borne out: a foreign row was reached';
    END IF;
END
$$;
