-- expect: policy_default_open on bookings
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE FUNCTION tenant_actual() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN nullif(current_setting('app.tenant', true), '')::int; END $$;
CREATE TABLE bookings (id int PRIMARY KEY, tenant_id int NOT NULL);
CREATE INDEX ON bookings (tenant_id);
ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON bookings TO app USING (tenant_id = coalesce(nullif(current_setting('app.tenant', true), '')::int, tenant_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON bookings TO app;
INSERT INTO bookings VALUES (1, 1), (2, 2);
RESET ROLE;
-- prove:
SELECT proof.login('app', NULL, 'app.tenant=');
SELECT proof.sees('select tenant_id from bookings', '1,2');
