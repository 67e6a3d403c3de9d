-- clean
-- proved: assets
CREATE ROLE tool LOGIN;
CREATE TABLE assets (id bigint PRIMARY KEY, holder integer NOT NULL);
CREATE INDEX ON assets (holder);
INSERT INTO assets VALUES (1, 1), (2, 2);
ALTER TABLE assets ENABLE ROW LEVEL SECURITY;
CREATE POLICY holder ON assets FOR SELECT TO tool USING (holder = (SELECT current_setting('tool.holder', true)::integer));
GRANT SELECT ON assets TO tool;
CREATE FUNCTION holdings() RETURNS SETOF assets LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.* FROM (SELECT nullif(current_setting('tool.holder', true), '')::integer AS n) me JOIN assets a ON a.holder = me.n
$$;
-- prove:
SELECT proof.isolated('tool', '1', 'tool.holder=1', 'SELECT holder FROM holdings()');
