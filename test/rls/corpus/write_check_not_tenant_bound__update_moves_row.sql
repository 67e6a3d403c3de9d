-- expect: write_check_not_tenant_bound on assets
-- One may only touch one's own rows, and give them to anybody.
CREATE ROLE app LOGIN;
CREATE TABLE assets (
    id bigint PRIMARY KEY,
    org_id uuid NOT NULL,
    label text NOT NULL
);
CREATE INDEX ON assets (org_id);
INSERT INTO assets VALUES (1, 'a0000000-0000-0000-0000-000000000001', 'x'),
                          (2, 'b0000000-0000-0000-0000-000000000002', 'y');
ALTER TABLE assets ENABLE ROW LEVEL SECURITY;
CREATE POLICY org_select ON assets FOR SELECT TO app
    USING (org_id = (SELECT current_setting('app.org', true)::uuid) OR label = 'handed over');
CREATE POLICY org_update ON assets FOR UPDATE TO app
    USING (org_id = (SELECT current_setting('app.org', true)::uuid))
    WITH CHECK (label <> '');
GRANT UPDATE ON assets TO app;
-- prove:
SELECT proof.login('app', NULL, 'app.org=a0000000-0000-0000-0000-000000000001');
SELECT proof.harms($$UPDATE assets SET org_id = 'b0000000-0000-0000-0000-000000000002'$$, '1');
