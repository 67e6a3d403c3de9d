-- expect: policy_immutable_session_function on aktuelle_firma|vorgaenge
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE FUNCTION aktuelle_firma() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN nullif(current_setting('app.firma', true), '')::int; END $$;
CREATE TABLE vorgaenge (id int PRIMARY KEY, firma_id int NOT NULL);
CREATE INDEX ON vorgaenge (firma_id);
ALTER TABLE vorgaenge ENABLE ROW LEVEL SECURITY;
CREATE POLICY f ON vorgaenge TO app USING (firma_id = aktuelle_firma());
GRANT SELECT, INSERT, UPDATE, DELETE ON vorgaenge TO app;
INSERT INTO vorgaenge VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SET ROLE app;
DO $$ DECLARE a int[]; BEGIN
  FOR i IN 1 .. 2 LOOP PERFORM set_config('app.firma', i::text, true); SELECT array_agg(firma_id) INTO a FROM vorgaenge; END LOOP;
  IF a <> '{1}' THEN RAISE 'not frozen: %', a; END IF;
END $$;
RESET ROLE;
INSERT INTO proof.seen VALUES ('cached plan', true, false);
