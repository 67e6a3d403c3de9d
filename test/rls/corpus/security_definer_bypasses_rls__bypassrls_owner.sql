-- expect: security_definer_bypasses_rls on report
-- The function belongs to a role that is no owner of the table but exempt.
CREATE ROLE reporter NOLOGIN BYPASSRLS;
CREATE ROLE app LOGIN;
CREATE TABLE sales (id bigint PRIMARY KEY, firma text NOT NULL);
CREATE INDEX ON sales (firma);
INSERT INTO sales VALUES (1, 'a'), (2, 'b');
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
CREATE POLICY firma ON sales TO app USING (firma = (SELECT current_setting('app.firma', true)));
GRANT SELECT ON sales TO app, reporter;
CREATE FUNCTION report() RETURNS TABLE (firma text, n bigint) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT s.firma, count(*) FROM sales s GROUP BY s.firma $$;
ALTER FUNCTION report() OWNER TO reporter;
-- prove:
SELECT proof.login('app', 'a', 'app.firma=a');
SELECT proof.sees('SELECT firma FROM report()', 'a,b');
