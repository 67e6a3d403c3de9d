/* src/bloat/density.sql: how densely the last build of an index filled it */

-- Neither OIDs nor file numbers outlive a dump, so this table is not dumped;
-- pg_upgrade keeps all three.
CREATE TABLE ops.index_density (
    indexrelid oid NOT NULL,
    filenode oid NOT NULL,
    density double precision NOT NULL,
    pages bigint NOT NULL,
    entries bigint NOT NULL,
    measured_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    CONSTRAINT index_density_pkey PRIMARY KEY (indexrelid),
    CONSTRAINT index_density_sane CHECK (density > 0 AND density < 'Infinity')
);
COMMENT ON TABLE ops.index_density IS
'how full the last build left the pages of GIN, GiST and SP-GiST indexes, so that ops.bloat_report() need not guess; written by ops.bloat_learn()';
COMMENT ON COLUMN ops.index_density.indexrelid IS 'the index';
COMMENT ON COLUMN ops.index_density.filenode IS
'its file; another one means that it was built anew since, and the row says nothing';
COMMENT ON COLUMN ops.index_density.density IS
'pages that it had for each page of the model of its kind';
COMMENT ON COLUMN ops.index_density.pages IS 'pages that it had';
COMMENT ON COLUMN ops.index_density.entries IS 'index entries on them';
COMMENT ON COLUMN ops.index_density.measured_at IS 'when this was seen';
REVOKE ALL ON TABLE ops.index_density FROM PUBLIC;
GRANT SELECT ON TABLE ops.index_density TO pg_monitor;

CREATE FUNCTION ops.bloat_learn()
RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_bloat_learn';
COMMENT ON FUNCTION ops.bloat_learn() IS
'remembers how full the last build left the pages of GIN, GiST and SP-GiST indexes that hardly changed since; how many were new. To be called once a week, and best after a REINDEX';
REVOKE ALL ON FUNCTION ops.bloat_learn() FROM PUBLIC;
