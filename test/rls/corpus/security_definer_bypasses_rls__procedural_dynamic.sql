-- expect: security_definer_bypasses_rls on count_rows
-- Dynamic SQL over whatever table the caller names.
CREATE ROLE tool LOGIN;
CREATE TABLE assets (id bigint PRIMARY KEY, holder integer NOT NULL);
CREATE INDEX ON assets (holder);
INSERT INTO assets VALUES (1, 1), (2, 2);
ALTER TABLE assets ENABLE ROW LEVEL SECURITY;
CREATE POLICY holder ON assets FOR SELECT TO tool USING (holder = (SELECT current_setting('tool.holder', true)::integer));
GRANT SELECT ON assets TO tool;
CREATE FUNCTION count_rows(which regclass) RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s', which) INTO n;
    RETURN n;
END $$;
-- prove:
SELECT proof.login('tool', '1', 'tool.holder=1');
SELECT proof.sees('SELECT count_rows(''assets'')', '2');
