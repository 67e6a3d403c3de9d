/* src/core/install.sql: the schema that everything else goes into */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION operations_runbook" to load this file. \quit

-- Not IF NOT EXISTS: a schema that somebody planted must stop the install.
CREATE SCHEMA ops;
COMMENT ON SCHEMA ops IS
'operations runbook: health checks, limits and what to do next';
REVOKE ALL ON SCHEMA ops FROM PUBLIC;
GRANT USAGE ON SCHEMA ops TO pg_monitor;

