-- expect: unique_side_channel on members
-- expect: fk_side_channel on badges
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app;
SET ROLE app_owner;
CREATE TABLE members (id int PRIMARY KEY, tenant_id int NOT NULL, email text UNIQUE);
CREATE TABLE badges (id int, tenant_id int NOT NULL, member_id int REFERENCES members);
CREATE INDEX ON members (tenant_id); CREATE INDEX ON badges (tenant_id);
ALTER TABLE members ENABLE ROW LEVEL SECURITY; ALTER TABLE badges ENABLE ROW LEVEL SECURITY;
CREATE POLICY t ON members TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
CREATE POLICY t ON badges TO app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON members, badges TO app;
INSERT INTO members VALUES (1, 1, 'a@x'), (2, 2, 'b@x');
RESET ROLE;
-- prove:
SELECT proof.login('app', '1', 'app.tenant=1');
SELECT proof.holds('insert into members values (9, 1, ''b@x'')', 'ERROR 23505');
SELECT proof.holds('insert into badges values (9, 1, 2)', '1');
SELECT proof.holds('insert into badges values (9, 1, 3)', 'ERROR 23503');
