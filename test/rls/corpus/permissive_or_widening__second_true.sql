-- expect: permissive_or_widening on profiles
-- may: policy_always_true on profiles
-- "Public profiles" was written as if it narrowed; permissive policies add up.
CREATE ROLE web LOGIN;
CREATE TABLE profiles (
    id bigint PRIMARY KEY,
    tenant_id integer NOT NULL,
    email text NOT NULL
);
CREATE INDEX ON profiles (tenant_id);
INSERT INTO profiles VALUES (1, 1, 'a@x'), (2, 2, 'b@y');
ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON profiles FOR ALL TO web
    USING (tenant_id = (SELECT current_setting('app.tenant_id')::integer));
CREATE POLICY readable ON profiles FOR SELECT TO web USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON profiles TO web;
-- prove:
SELECT proof.login('web', '1', 'app.tenant_id=1');
SELECT proof.sees('SELECT tenant_id FROM profiles', '1,2');
SELECT proof.harms('DELETE FROM profiles WHERE tenant_id = 2', '0');
