-- clean
-- proved: profiles
-- Two ways in, both through the tenant.
CREATE ROLE web LOGIN;
CREATE TABLE profiles (
    id bigint PRIMARY KEY,
    tenant_id integer NOT NULL,
    email text NOT NULL,
    listed boolean NOT NULL DEFAULT true
);
CREATE INDEX ON profiles (tenant_id);
INSERT INTO profiles VALUES (1, 1, 'a@x'), (2, 2, 'b@y');
ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON profiles FOR ALL TO web
    USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
CREATE POLICY directory ON profiles FOR SELECT TO web
    USING (listed AND tenant_id = (SELECT current_setting('app.tenant_id', true)::integer));
GRANT SELECT, INSERT, UPDATE, DELETE ON profiles TO web;
-- prove:
SELECT proof.isolated('web', '1', 'app.tenant_id=1', 'SELECT tenant_id FROM profiles');
