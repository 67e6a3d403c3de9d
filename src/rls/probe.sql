/* src/rls/probe.sql: row security, tried out */

CREATE FUNCTION ops.rls_probe(
    roles regrole[] DEFAULT NULL,
    schemas text[] DEFAULT NULL,
    identities text[] DEFAULT NULL,
    tenant_columns text[] DEFAULT NULL,
    tenants text[] DEFAULT NULL,
    max_relations int DEFAULT 200,
    OUT schema_name text,
    OUT relation text,
    OUT role_name text,
    OUT identity_state text,
    OUT outcome text,
    OUT own_rows boolean,
    OUT foreign_rows boolean,
    OUT verdict text,
    OUT contradicts boolean,
    OUT message text,
    OUT remedy text,
    OUT details jsonb)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE
ROWS 1000
AS 'MODULE_PATHNAME', 'ops_rls_probe';
COMMENT ON FUNCTION ops.rls_probe(regrole[], text[], text[], text[], text[], int) IS
'looks, as each role and as two tenants, empty and unset, which rows are visible: read only and rolled back';

/*
 * For nobody but whom it is granted to.  It needs no privilege of its own: it
 * becomes only roles that the caller can SET ROLE to, and reads tenants only
 * where the caller may.  But it runs what the audited schema's policies and
 * views contain, and it takes time, so somebody should want it.
 */
REVOKE ALL ON FUNCTION ops.rls_probe(regrole[], text[], text[], text[], text[], int) FROM PUBLIC;
