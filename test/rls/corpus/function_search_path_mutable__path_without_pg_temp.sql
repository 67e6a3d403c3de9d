-- expect: function_search_path_mutable on aktueller_mandant
CREATE ROLE portal LOGIN;
CREATE TABLE benutzer (name text PRIMARY KEY, mandant_id int NOT NULL);
INSERT INTO benutzer VALUES ('u1', 1), ('u2', 2);
CREATE FUNCTION aktueller_mandant() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
$$ SELECT mandant_id FROM benutzer WHERE name = current_setting('app.benutzer', true) $$;
CREATE TABLE akten (id int PRIMARY KEY, mandant_id int NOT NULL);
CREATE INDEX ON akten (mandant_id);
ALTER TABLE akten ENABLE ROW LEVEL SECURITY;
CREATE POLICY nur_eigene ON akten TO portal USING (mandant_id = (SELECT aktueller_mandant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON akten TO portal;
INSERT INTO akten VALUES (1, 1), (2, 2);
-- prove:
SELECT proof.login('portal', '1', 'app.benutzer=u1');
SELECT proof.sees('select mandant_id from akten', '1');
SELECT proof.sees('select mandant_id from akten', '2', 'create temp table benutzer as select ''u1''::text as name, 2 as mandant_id; grant select on benutzer to public');
