-- expect: unique_side_channel on users
-- A duplicate key tells that somebody elsewhere has this address.
CREATE ROLE app LOGIN;
CREATE TABLE users (id bigint PRIMARY KEY, tenant_id integer NOT NULL, email text NOT NULL UNIQUE);
CREATE INDEX ON users (tenant_id);
INSERT INTO users VALUES (1, 1, 'a@x'), (2, 2, 'b@y');
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON users FOR ALL TO app USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT ON users TO app;
-- prove:
SELECT proof.isolated('app', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM users');
SELECT proof.holds('INSERT INTO users VALUES (3, 1, ''b@y'')', 'ERROR 23505');
