/* src/cleanup/retention.sql: which rows are old, and whose rights delete them */

CREATE TABLE ops.retention_policy (
    policy_name text NOT NULL,
    relation regclass,
    pattern text,
    time_column text,
    time_expression text,
    time_format text,
    snowflake_epoch timestamptz,
    keep interval NOT NULL,
    min_keep interval NOT NULL DEFAULT '1 day',
    condition text,
    hold text,
    keep_for text,
    null_is_old boolean NOT NULL DEFAULT false,
    archive regclass,
    partitions text NOT NULL DEFAULT 'drop',
    max_share double precision NOT NULL DEFAULT 50,
    row_cap bigint,
    batch_target interval NOT NULL DEFAULT '1 ms',
    overrides text[] NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    run_as name NOT NULL,
    time_zone text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT retention_policy_pkey PRIMARY KEY (policy_name),
    CONSTRAINT retention_policy_named CHECK (policy_name <> ''),
    CONSTRAINT retention_policy_target CHECK ((relation IS NULL) <> (pattern IS NULL)),
    CONSTRAINT retention_policy_time CHECK ((time_column IS NULL) <> (time_expression IS NULL)),
    CONSTRAINT retention_policy_format CHECK (time_format IN ('date', 'timestamp', 'timestamptz',
        'epoch_s', 'epoch_ms', 'epoch_us', 'uuid_v7', 'ulid', 'snowflake')),
    CONSTRAINT retention_policy_partitions CHECK (partitions IN ('drop', 'detach', 'rows')),
    CONSTRAINT retention_policy_share CHECK (max_share > 0 AND max_share <= 100),
    CONSTRAINT retention_policy_cap CHECK (row_cap > 0),
    CONSTRAINT retention_policy_batch CHECK (batch_target > '0')
);
COMMENT ON TABLE ops.retention_policy IS
'which rows are old and may go; written by ops.add_retention(), ops.alter_retention() and ops.drop_retention()';
COMMENT ON COLUMN ops.retention_policy.policy_name IS 'what it is called';
COMMENT ON COLUMN ops.retention_policy.relation IS 'the table, with its partitions and children';
COMMENT ON COLUMN ops.retention_policy.pattern IS 'or all tables whose names fit, written as for psql''s \d';
COMMENT ON COLUMN ops.retention_policy.time_column IS 'the column that tells when a row was made';
COMMENT ON COLUMN ops.retention_policy.time_expression IS 'or SQL over the row that does';
COMMENT ON COLUMN ops.retention_policy.time_format IS 'how it tells, where its type does not say so';
COMMENT ON COLUMN ops.retention_policy.snowflake_epoch IS 'when the clock of snowflake identifiers began';
COMMENT ON COLUMN ops.retention_policy.keep IS 'how long a row is kept';
COMMENT ON COLUMN ops.retention_policy.min_keep IS 'no younger row ever goes';
COMMENT ON COLUMN ops.retention_policy.condition IS 'SQL over the row: only such rows go';
COMMENT ON COLUMN ops.retention_policy.hold IS 'SQL over the row: such rows never go, nor those for which it is null';
COMMENT ON COLUMN ops.retention_policy.keep_for IS 'SQL over the row: its own interval, or null for that of the policy';
COMMENT ON COLUMN ops.retention_policy.null_is_old IS 'rows without a time go, too';
COMMENT ON COLUMN ops.retention_policy.archive IS 'the table that rows move to';
COMMENT ON COLUMN ops.retention_policy.partitions IS 'what becomes of partitions that are old as a whole: drop, detach, or rows';
COMMENT ON COLUMN ops.retention_policy.max_share IS 'percent of a table that may go in one run';
COMMENT ON COLUMN ops.retention_policy.row_cap IS 'rows of a table that may go in one run';
COMMENT ON COLUMN ops.retention_policy.batch_target IS 'how long a transaction should take';
COMMENT ON COLUMN ops.retention_policy.overrides IS 'guards that shall not stop it';
COMMENT ON COLUMN ops.retention_policy.enabled IS 'whether it is run with the others';
COMMENT ON COLUMN ops.retention_policy.run_as IS 'the role that deletes; default: the owner of the table, or the caller where he is not that role';
COMMENT ON COLUMN ops.retention_policy.time_zone IS 'in which days and months are counted; default: the session''s';
COMMENT ON COLUMN ops.retention_policy.created_at IS 'when it was made';
SELECT pg_catalog.pg_extension_config_dump('ops.retention_policy', '');
REVOKE ALL ON TABLE ops.retention_policy FROM PUBLIC;
GRANT SELECT ON TABLE ops.retention_policy TO pg_monitor;

CREATE FUNCTION ops.add_retention(
    target text,
    time_column text,
    keep interval,
    policy_name text DEFAULT NULL,
    condition text DEFAULT NULL,
    hold text DEFAULT NULL,
    keep_for text DEFAULT NULL,
    time_format text DEFAULT NULL,
    snowflake_epoch timestamptz DEFAULT NULL,
    null_is_old boolean DEFAULT false,
    archive regclass DEFAULT NULL,
    partitions text DEFAULT 'drop',
    min_keep interval DEFAULT '1 day',
    max_share double precision DEFAULT 50,
    row_cap bigint DEFAULT NULL,
    batch_target interval DEFAULT '1 ms',
    overrides text[] DEFAULT '{}',
    enabled boolean DEFAULT true,
    run_as name DEFAULT NULL,
    time_zone text DEFAULT NULL
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_add_retention';
REVOKE ALL ON FUNCTION ops.add_retention(text, text, interval, text, text, text, text, text, timestamptz,
    boolean, regclass, text, interval, double precision, bigint, interval, text[], boolean, name, text) FROM PUBLIC;
COMMENT ON FUNCTION ops.add_retention(text, text, interval, text, text, text, text, text, timestamptz,
    boolean, regclass, text, interval, double precision, bigint, interval, text[], boolean, name, text) IS
'makes a policy of how long the rows of a table, or of all tables that fit a pattern, are kept; returns its name. Says which indexes are missing. Deletes nothing';


CREATE FUNCTION ops.alter_retention(
    policy_name text,
    target text DEFAULT NULL,
    time_column text DEFAULT NULL,
    keep interval DEFAULT NULL,
    condition text DEFAULT NULL,
    hold text DEFAULT NULL,
    keep_for text DEFAULT NULL,
    time_format text DEFAULT NULL,
    snowflake_epoch timestamptz DEFAULT NULL,
    null_is_old boolean DEFAULT NULL,
    archive regclass DEFAULT NULL,
    partitions text DEFAULT NULL,
    min_keep interval DEFAULT NULL,
    max_share double precision DEFAULT NULL,
    row_cap bigint DEFAULT NULL,
    batch_target interval DEFAULT NULL,
    overrides text[] DEFAULT NULL,
    enabled boolean DEFAULT NULL,
    run_as name DEFAULT NULL,
    time_zone text DEFAULT NULL,
    clear text[] DEFAULT '{}'
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_alter_retention';
REVOKE ALL ON FUNCTION ops.alter_retention(text, text, text, interval, text, text, text, text, timestamptz, boolean,
    regclass, text, interval, double precision, bigint, interval, text[], boolean, name, text, text[]) FROM PUBLIC;
COMMENT ON FUNCTION ops.alter_retention(text, text, text, interval, text, text, text, text, timestamptz, boolean,
    regclass, text, interval, double precision, bigint, interval, text[], boolean, name, text, text[]) IS
'changes what is given of a policy, and sets to null what "clear" names; checks all of it as ops.add_retention() does';

CREATE FUNCTION ops.drop_retention(policy_name text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_drop_retention';
REVOKE ALL ON FUNCTION ops.drop_retention(text) FROM PUBLIC;
COMMENT ON FUNCTION ops.drop_retention(text) IS
'drops a policy; false if there is none of this name';

CREATE FUNCTION ops.add_runbook_retention(
    OUT policy_name text,
    OUT relation regclass,
    OUT made boolean,
    OUT note text
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_add_runbook_retention';
REVOKE ALL ON FUNCTION ops.add_runbook_retention() FROM PUBLIC;
COMMENT ON FUNCTION ops.add_runbook_retention() IS
'makes the policies that runbooks ask for, for the tables that are here: read notifications, logs, monitoring data, the history of pg_cron and our own; leaves alone what has a policy';

CREATE FUNCTION ops.retention_predicate(
    policy_name text,
    at timestamptz DEFAULT now(),
    OUT relation regclass,
    OUT cutoff timestamptz,
    OUT predicate text
) RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_retention_predicate';
REVOKE ALL ON FUNCTION ops.retention_predicate(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.retention_predicate(text, timestamptz) TO pg_monitor;
COMMENT ON FUNCTION ops.retention_predicate(text, timestamptz) IS
'which rows of each table a policy takes for old, as SQL over the row that can be tried in a query';
