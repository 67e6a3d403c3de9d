-- refused by constraints
INSERT INTO ops.tenancy (kind) VALUES (NULL);
INSERT INTO ops.tenancy (kind) VALUES ('tenant_column');
INSERT INTO ops.tenancy (kind, relation) VALUES ('public', '*');
INSERT INTO ops.tenancy (kind) VALUES ('public');
INSERT INTO ops.tenancy (kind, relation) VALUES ('tenant_columns', NULL);
INSERT INTO ops.tenancy (kind, relation, names) VALUES ('tenant_identities', 'public.t', '{app.tenant_id}');
INSERT INTO ops.tenancy (kind, relation, names) VALUES ('user_identities', 'public.t', '{app.user_id}');
INSERT INTO ops.tenancy (kind, relation, names) VALUES ('app_roles', 'public.t', '{web}');
INSERT INTO ops.tenancy (kind, names) VALUES ('tenant_columns', NULL);
INSERT INTO ops.tenancy (kind, names) VALUES ('tenant_columns', '{a}'), ('tenant_columns', '{b}');
INSERT INTO ops.rls_waiver (finding_id, reason, until) VALUES ('0123456789abcdef', '', 'infinity');
INSERT INTO ops.rls_waiver (finding_id, until) VALUES ('0123456789abcdef', 'infinity');
INSERT INTO ops.rls_waiver (finding_id, reason) VALUES ('0123456789abcdef', 'for ever');
INSERT INTO ops.rls_waiver (reason, until) VALUES ('of everything', 'infinity');
SELECT count(*) AS rows_left FROM (SELECT FROM ops.tenancy UNION ALL SELECT FROM ops.rls_waiver) t;

-- refused as arguments
SELECT FROM ops.rls_audit(roles => '{regress_ops_nonesuch}');
SELECT FROM ops.rls_audit(roles => '{4294967294}');
SELECT FROM ops.rls_audit(schemas => '{nonesuch}');
SELECT FROM ops.rls_audit(schemas => '{"ops; DROP SCHEMA ops"}');
SELECT FROM ops.rls_audit(schemas => '{ops,NULL}');
SELECT FROM ops.rls_audit(schemas => '{""}');
SELECT FROM ops.rls_audit(identities => '{NULL}');
SELECT FROM ops.rls_audit(tenant_columns => '{NULL}');
SELECT FROM ops.rls_audit(roles => '{-}');
SELECT FROM ops.rls_matrix(roles => '{regress_ops_nonesuch}');
SELECT FROM ops.rls_matrix(roles => '{4294967294}');
SELECT FROM ops.rls_matrix(schemas => '{nonesuch}');
SELECT FROM ops.rls_matrix(schemas => '{NULL}');

-- null and empty stand for what is found out
SET client_min_messages = warning;
CREATE ROLE regress_ops_owner NOLOGIN;
CREATE ROLE regress_ops_web LOGIN;
CREATE ROLE regress_ops_batch NOLOGIN;
CREATE SCHEMA clinic AUTHORIZATION regress_ops_owner;
GRANT USAGE ON SCHEMA clinic TO regress_ops_web, regress_ops_batch;
SET ROLE regress_ops_owner;
SET search_path = clinic;
CREATE TABLE visits (id int PRIMARY KEY, clinic int NOT NULL, patient int NOT NULL);
CREATE INDEX ON visits (clinic, patient);
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
CREATE POLICY visits_clinic ON visits TO regress_ops_web
    USING (clinic = (SELECT nullif(current_setting('app.clinic', true), '')::int));
CREATE TABLE wards (id int PRIMARY KEY, clinic int NOT NULL);
CREATE TABLE icd (code text PRIMARY KEY, clinic int);
CREATE TABLE "Weird, ""Name""" (id int PRIMARY KEY, house int);
GRANT SELECT ON ALL TABLES IN SCHEMA clinic TO regress_ops_web;
GRANT SELECT ON wards TO regress_ops_batch;
RESET search_path;
RESET ROLE;

CREATE VIEW found AS
SELECT severity COLLATE "C" AS severity, code COLLATE "C" AS code, object COLLATE "C" AS object,
       role_name, verdict, counterexample, message, remediation, evidence
  FROM ops.rls_audit('{regress_ops_web,regress_ops_batch}', '{clinic}')
 WHERE code NOT IN ('server_rls_cve', 'rls_not_forced', 'unique_side_channel', 'setting_user_writable');
CREATE VIEW verdicts AS
SELECT relation COLLATE "C" AS relation, role_name, command COLLATE "C" AS command, gate, verdict, tenant_key, obstacle
  FROM ops.rls_matrix('{regress_ops_web,regress_ops_batch}', '{clinic}');
SELECT severity, code, object, role_name, verdict, counterexample FROM found ORDER BY 1, 2, 3, 4;
SELECT message, remediation FROM found WHERE code = 'tenancy_assumed';
SELECT * FROM verdicts ORDER BY 1, 2, 3;
SELECT count(*) = (SELECT count(*) FROM ops.rls_audit('{regress_ops_web,regress_ops_batch}', '{clinic}', '{}', '{}')) AS same
  FROM ops.rls_audit('{regress_ops_web,regress_ops_batch}', '{clinic}', NULL, NULL, NULL);

-- the whole database is audited where nothing is asked for
SELECT count(DISTINCT schema_name) AS schemas FROM ops.rls_audit('{regress_ops_web}', '{}') WHERE schema_name = 'clinic';
SELECT code COLLATE "C" AS code, object FROM ops.rls_audit() WHERE schema_name = 'clinic' AND severity = 'P0' ORDER BY 1, 2;

-- public on purpose
INSERT INTO ops.tenancy VALUES ('public', 'clinic.icd', DEFAULT, 'a standard'), ('public', 'clinic."Weird, ""Name"""', DEFAULT, NULL);
SELECT severity, code, object, role_name, verdict, counterexample FROM found ORDER BY 1, 2, 3, 4;
-- only committed rows, or one's own
BEGIN;
DELETE FROM ops.tenancy WHERE relation = 'clinic.icd';
SELECT severity, code FROM found WHERE object = 'clinic.icd' ORDER BY 1, 2;
ROLLBACK;
SELECT severity, code FROM found WHERE object = 'clinic.icd' ORDER BY 1, 2;

-- several columns that identify together: all have to be bound
INSERT INTO ops.tenancy VALUES ('tenant_columns', 'clinic.visits', '{clinic,patient}');
SELECT * FROM verdicts WHERE relation = 'visits' ORDER BY 1, 2, 3;
SELECT severity, code, object, role_name, verdict, counterexample FROM found WHERE object = 'clinic.visits' ORDER BY 1, 2, 3, 4;
ALTER POLICY visits_clinic ON clinic.visits
    USING (clinic = (SELECT nullif(current_setting('app.clinic', true), '')::int)
           AND patient = (SELECT nullif(current_setting('app.patient', true), '')::int));
SELECT * FROM verdicts WHERE relation = 'visits' ORDER BY 1, 2, 3;

-- another column, by name for all tables and by argument
DELETE FROM ops.tenancy WHERE kind = 'tenant_columns';
INSERT INTO ops.tenancy VALUES ('tenant_columns', DEFAULT, '{patient}');
SELECT * FROM verdicts WHERE relation = 'visits' ORDER BY 1, 2, 3;
SELECT severity, code, object, verdict FROM found WHERE object = 'clinic.wards' ORDER BY 1, 2, 3, 4;
SELECT relation COLLATE "C" AS relation, verdict, tenant_key
  FROM ops.rls_matrix('{regress_ops_web}', '{clinic}', tenant_columns => '{clinic}') ORDER BY 1;
DELETE FROM ops.tenancy WHERE kind = 'tenant_columns';

-- identities: what is no identity binds nothing
INSERT INTO ops.tenancy VALUES ('tenant_identities', DEFAULT, '{app.house}');
SELECT * FROM verdicts WHERE relation = 'visits' ORDER BY 1, 2, 3;
SELECT severity, code, object, verdict, counterexample FROM found WHERE object = 'clinic.visits' ORDER BY 1, 2, 3, 4;
UPDATE ops.tenancy SET names = '{app.clinic}' WHERE kind = 'tenant_identities';
SELECT * FROM verdicts WHERE relation = 'visits' ORDER BY 1, 2, 3;
INSERT INTO ops.tenancy VALUES ('user_identities', DEFAULT, '{app.patient}');
SELECT * FROM verdicts WHERE relation = 'visits' ORDER BY 1, 2, 3;
DELETE FROM ops.tenancy WHERE kind IN ('tenant_identities', 'user_identities');
SELECT relation COLLATE "C" AS relation, verdict
  FROM ops.rls_matrix('{regress_ops_web}', '{clinic}', identities => '{app.nonesuch}') WHERE relation = 'visits' ORDER BY 1;

-- roles that tenants' statements run as
INSERT INTO ops.tenancy VALUES ('app_roles', DEFAULT, '{regress_ops_batch}');
SELECT DISTINCT role_name FROM ops.rls_matrix(schemas => '{clinic}');
SELECT severity COLLATE "C" AS severity, code COLLATE "C" AS code, object COLLATE "C" AS object, role_name
  FROM ops.rls_audit(schemas => '{clinic}') WHERE severity < 'P3' AND class = 'security' AND code <> 'server_rls_cve' ORDER BY 1, 2, 3;
DELETE FROM ops.tenancy;

-- declared, but there is no such thing: said, and no error
INSERT INTO ops.tenancy VALUES
    ('tenant_columns', DEFAULT, '{clinic,nonesuch}'),
    ('tenant_columns', 'clinic.wards', '{nonesuch}'),
    ('tenant_columns', 'clinic.nonesuch', '{clinic}'),
    ('public', 'nonesuch.icd', '{}'),
    ('public', 'clinic."unclosed', '{}'),
    ('public', 'a.b.c.d', '{}'),
    ('public', '', '{}'),
    ('tenant_identities', DEFAULT, '{app.clinic,app.patient,nonesuch.nonesuch,""}'),
    ('app_roles', DEFAULT, '{regress_ops_nonesuch,regress_ops_web}');
SELECT severity, code, object, message FROM found ORDER BY 1, 2, 3, 4;
SELECT * FROM verdicts ORDER BY 1, 2, 3;
DELETE FROM ops.tenancy;

-- a column with a null among the names, and names of two dimensions
INSERT INTO ops.tenancy VALUES ('tenant_columns', DEFAULT, '{NULL,clinic}');
SELECT count(*) > 0 AS answers FROM found;
UPDATE ops.tenancy SET names = '{{clinic,house},{a,b}}';
SELECT count(*) > 0 AS answers FROM found;
DELETE FROM ops.tenancy;

DROP VIEW found, verdicts;
DROP SCHEMA clinic CASCADE;
DROP ROLE regress_ops_batch, regress_ops_web, regress_ops_owner;
