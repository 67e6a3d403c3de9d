/* src/rls/rls.sql: row security, proved */

CREATE TABLE ops.tenancy (
    kind text NOT NULL,
    relation text NOT NULL DEFAULT '*',
    names text[] NOT NULL DEFAULT '{}',
    reason text,
    CONSTRAINT tenancy_pkey PRIMARY KEY (kind, relation),
    CONSTRAINT tenancy_kind_known
        CHECK (kind IN ('tenant_columns', 'tenant_identities', 'user_identities', 'app_roles', 'public')),
    CONSTRAINT tenancy_relation_fits
        CHECK (relation = '*' OR kind IN ('tenant_columns', 'public')),
    CONSTRAINT tenancy_public_is_named
        CHECK (kind <> 'public' OR relation <> '*')
);
COMMENT ON TABLE ops.tenancy IS
'what tells tenants apart here; what has no row is found out from the policies';
COMMENT ON COLUMN ops.tenancy.kind IS
'tenant_columns: columns that name the tenant, of one table (all have to be bound) or of any (*); tenant_identities, user_identities: where a session says who it is: a setting (app.tenant_id), a function (auth.uid), a claim (request.jwt.claims.org_id); app_roles: roles that tenants'' statements run as; public: a table that everybody may see';
COMMENT ON COLUMN ops.tenancy.relation IS 'schema.table, quoted where SQL would need it; * for all';
COMMENT ON COLUMN ops.tenancy.names IS 'the columns, identities or roles';
COMMENT ON COLUMN ops.tenancy.reason IS 'why it is so here';
SELECT pg_catalog.pg_extension_config_dump('ops.tenancy', '');

CREATE TABLE ops.rls_waiver (
    finding_id text PRIMARY KEY,
    reason text NOT NULL,
    until timestamptz NOT NULL,
    CONSTRAINT rls_waiver_reason_given CHECK (reason <> '')
);
COMMENT ON TABLE ops.rls_waiver IS
'findings that somebody looked at and accepted, each for a time';
COMMENT ON COLUMN ops.rls_waiver.finding_id IS 'of ops.rls_audit()';
COMMENT ON COLUMN ops.rls_waiver.reason IS 'why it is acceptable';
COMMENT ON COLUMN ops.rls_waiver.until IS 'when the finding comes back';
SELECT pg_catalog.pg_extension_config_dump('ops.rls_waiver', '');

CREATE FUNCTION ops.rls_audit(
    roles regrole[] DEFAULT NULL,
    schemas text[] DEFAULT NULL,
    identities text[] DEFAULT NULL,
    tenant_columns text[] DEFAULT NULL,
    with_proofs boolean DEFAULT true,
    OUT finding_id text,
    OUT severity text,
    OUT code text,
    OUT class text,
    OUT object_type text,
    OUT schema_name text,
    OUT object_name text,
    OUT object text,
    OUT policy text[],
    OUT role_name text,
    OUT command text,
    OUT gate text,
    OUT reach text,
    OUT verdict text,
    OUT predicate text,
    OUT counterexample text,
    OUT message text,
    OUT remediation text,
    OUT probe text,
    OUT evidence jsonb,
    OUT splinter_name text,
    OUT doc_ref text,
    OUT waived_until timestamptz,
    OUT waiver_reason text)
RETURNS SETOF record
LANGUAGE c STABLE PARALLEL UNSAFE
ROWS 100
AS 'MODULE_PATHNAME', 'ops_rls_audit';
COMMENT ON FUNCTION ops.rls_audit(regrole[], text[], text[], text[], boolean) IS
'every way past row security, and what slows it down: a row for each finding, worst first';

CREATE FUNCTION ops.rls_matrix(
    roles regrole[] DEFAULT NULL,
    schemas text[] DEFAULT NULL,
    identities text[] DEFAULT NULL,
    tenant_columns text[] DEFAULT NULL,
    OUT schema_name text,
    OUT relation text,
    OUT role_name text,
    OUT command text,
    OUT gate text,
    OUT verdict text,
    OUT tenant_key text[],
    OUT obstacle text,
    OUT counterexample text,
    OUT predicate text,
    OUT policy text[],
    OUT reach text)
RETURNS SETOF record
LANGUAGE c STABLE PARALLEL UNSAFE
ROWS 1000
AS 'MODULE_PATHNAME', 'ops_rls_matrix';
COMMENT ON FUNCTION ops.rls_matrix(regrole[], text[], text[], text[]) IS
'for each table, role, command and gate: whether tenants are kept apart, and what proves it';

REVOKE ALL ON FUNCTION ops.rls_audit(regrole[], text[], text[], text[], boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION ops.rls_matrix(regrole[], text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON TABLE ops.tenancy FROM PUBLIC;
REVOKE ALL ON TABLE ops.rls_waiver FROM PUBLIC;

GRANT EXECUTE ON FUNCTION ops.rls_audit(regrole[], text[], text[], text[], boolean) TO pg_monitor;
GRANT EXECUTE ON FUNCTION ops.rls_matrix(regrole[], text[], text[], text[]) TO pg_monitor;
GRANT SELECT ON TABLE ops.tenancy TO pg_monitor;
GRANT SELECT ON TABLE ops.rls_waiver TO pg_monitor;
