-- a planted schema stops the install
CREATE SCHEMA ops;
\set VERBOSITY terse
CREATE EXTENSION operations_runbook;
\set VERBOSITY default
DROP SCHEMA ops;

CREATE EXTENSION operations_runbook;

-- every member is ours, and says what it is
SELECT count(*) > 5 AS has_members FROM pg_depend
 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'operations_runbook');
SELECT pg_describe_object(classid, objid, 0) AS without_comment
  FROM pg_depend
 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'operations_runbook')
   AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_namespace'::regclass)
   AND obj_description(objid, classid::regclass::name) IS NULL
 ORDER BY pg_describe_object(classid, objid, 0) COLLATE "C";
SELECT a.attrelid::regclass AS relation, a.attname AS column_without_comment
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'ops'::regnamespace AND c.relkind IN ('r', 'v')
   AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL
 ORDER BY 1, 2;

-- nothing is PUBLIC's
SELECT proname AS public_can_execute FROM pg_proc
 WHERE pronamespace = 'ops'::regnamespace
   AND has_function_privilege('public', oid, 'EXECUTE')
 ORDER BY proname COLLATE "C";
SELECT relname AS public_can_read FROM pg_class
 WHERE relnamespace = 'ops'::regnamespace AND relkind IN ('r', 'v')
   AND has_table_privilege('public', oid, 'SELECT, INSERT, UPDATE, DELETE')
 ORDER BY relname COLLATE "C";
SELECT has_schema_privilege('public', 'ops', 'USAGE') AS public_can_use;

-- pg_monitor reads, and changes nothing
SELECT proname AS monitor_cannot_execute FROM pg_proc
 WHERE pronamespace = 'ops'::regnamespace AND provolatile <> 'v'
   AND NOT has_function_privilege('pg_monitor', oid, 'EXECUTE')
 ORDER BY proname COLLATE "C";
SELECT relname AS monitor_can_write FROM pg_class
 WHERE relnamespace = 'ops'::regnamespace AND relkind = 'r'
   AND has_table_privilege('pg_monitor', oid, 'INSERT, UPDATE, DELETE')
 ORDER BY relname COLLATE "C";

-- the library and the script are of one version
SELECT extversion = (SELECT default_version FROM pg_available_extensions
                      WHERE name = 'operations_runbook') AS current
  FROM pg_extension WHERE extname = 'operations_runbook';

-- dropping leaves nothing
DROP EXTENSION operations_runbook;
SELECT count(*) AS left_over FROM pg_namespace WHERE nspname = 'ops';
CREATE EXTENSION operations_runbook;
