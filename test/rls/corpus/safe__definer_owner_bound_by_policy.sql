-- clean
-- proved: sales
-- The function's owner is an ordinary role, to whom the policy applies.
CREATE ROLE reporter NOLOGIN;
CREATE ROLE app LOGIN;
CREATE TABLE sales (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON sales (firma);
INSERT INTO sales VALUES (1, 'a'), (2, 'b');
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON sales FOR SELECT TO app, reporter USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON sales TO app, reporter;
CREATE FUNCTION report() RETURNS TABLE (firma text, n bigint) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT s.firma, count(*) FROM sales s GROUP BY s.firma $$;
ALTER FUNCTION report() OWNER TO reporter;
-- prove:
SELECT proof.isolated('app', 'a', 'app.firma=a', 'SELECT firma FROM report()');
