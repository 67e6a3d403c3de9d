-- expect: policy_self_comparison|policy_uncorrelated_subquery on files
-- may: policy_self_comparison, policy_uncorrelated_subquery, policy_not_tenant_bound, write_check_not_tenant_bound on files
-- The sub-select yields the outer row's own column: the folder table has no firm_id.
CREATE ROLE dms LOGIN;
CREATE TABLE folder_access (
    folder_id integer NOT NULL,
    employee_id integer NOT NULL,
    PRIMARY KEY (employee_id, folder_id)
);
INSERT INTO folder_access VALUES (100, 10), (200, 20);
ALTER TABLE folder_access ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON folder_access FOR SELECT TO dms
    USING (employee_id = (SELECT current_setting('dms.employee', true)::integer));
GRANT SELECT ON folder_access TO dms;
CREATE TABLE files (
    id bigint PRIMARY KEY,
    firm_id integer NOT NULL,
    name text
);
CREATE INDEX ON files (firm_id);
INSERT INTO files VALUES (1, 100, 'a'), (2, 200, 'b');
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_folder ON files FOR SELECT TO dms
    USING (firm_id IN (SELECT firm_id FROM folder_access
                       WHERE employee_id = (SELECT current_setting('dms.employee', true)::integer)));
GRANT SELECT ON files TO dms;
-- prove:
SELECT proof.login('dms', '100', 'dms.employee=10');
SELECT proof.sees('SELECT firm_id FROM files', '100,200');
