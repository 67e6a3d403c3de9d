/* src/schedule/maintenance_plan.sql: what maintenance finds to do */

CREATE FUNCTION ops.relation_bytes(relid oid) RETURNS bigint
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_relation_bytes';
REVOKE ALL ON FUNCTION ops.relation_bytes(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.relation_bytes(oid) TO pg_monitor;
COMMENT ON FUNCTION ops.relation_bytes(oid) IS
'size of a relation''s main fork, without any lock; null if there is none';

CREATE FUNCTION ops.family_bytes(relid oid) RETURNS bigint
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT sum(ops.relation_bytes(f.oid))::bigint
      FROM (SELECT c.oid FROM pg_class c WHERE c.oid = relid
            UNION ALL
            SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = relid AND c.reltoastrelid <> 0
            UNION ALL
            SELECT i.indexrelid FROM pg_index i
             WHERE i.indrelid = relid
                OR i.indrelid = (SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = relid AND c.reltoastrelid <> 0)
           ) AS f (oid);
END;
REVOKE ALL ON FUNCTION ops.family_bytes(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.family_bytes(oid) TO pg_monitor;
COMMENT ON FUNCTION ops.family_bytes(oid) IS
'size of a relation with its indexes and TOAST table, without any lock';

CREATE FUNCTION ops.may_maintain(role oid, relid oid) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_may_maintain';
REVOKE ALL ON FUNCTION ops.may_maintain(oid, oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.may_maintain(oid, oid) TO pg_monitor;
COMMENT ON FUNCTION ops.may_maintain(oid, oid) IS
'whether a role may VACUUM and ANALYZE a table: as its owner, the owner of the database or, from PostgreSQL 17 on, with the privilege MAINTAIN';

CREATE FUNCTION ops.maintenance_limits(
    schema_name text,
    relation_name text,
    table_name text DEFAULT NULL,
    OUT exclude text[],
    OUT dead_rows bigint,
    OUT dead_share double precision,
    OUT changed_rows bigint,
    OUT changed_share double precision,
    OUT freeze_share double precision,
    OUT tail_bytes bigint
) RETURNS record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH fitting AS (
        SELECT r.*, row_number() OVER (ORDER BY r.relation_name = maintenance_limits.relation_name DESC NULLS LAST,
                                                r.relation_name IS NULL, r.schema_name IS NULL) AS distance
          FROM ops.maintenance_rule r
         WHERE (r.schema_name IS NULL OR r.schema_name = maintenance_limits.schema_name)
           AND (r.relation_name IS NULL
                OR r.relation_name IN (maintenance_limits.relation_name, maintenance_limits.table_name))
    )
    SELECT ARRAY(SELECT DISTINCT e.task FROM fitting f CROSS JOIN LATERAL unnest(f.exclude) AS e (task) ORDER BY 1),
           coalesce((array_agg(f.dead_rows ORDER BY f.distance) FILTER (WHERE f.dead_rows IS NOT NULL))[1], 1000),
           coalesce((array_agg(f.dead_share ORDER BY f.distance) FILTER (WHERE f.dead_share IS NOT NULL))[1], 0.05),
           coalesce((array_agg(f.changed_rows ORDER BY f.distance) FILTER (WHERE f.changed_rows IS NOT NULL))[1], 500),
           coalesce((array_agg(f.changed_share ORDER BY f.distance) FILTER (WHERE f.changed_share IS NOT NULL))[1], 0.05),
           coalesce((array_agg(f.freeze_share ORDER BY f.distance) FILTER (WHERE f.freeze_share IS NOT NULL))[1], 0.75),
           coalesce((array_agg(f.tail_bytes ORDER BY f.distance) FILTER (WHERE f.tail_bytes IS NOT NULL))[1], 1048576)
      FROM fitting f;
END;
REVOKE ALL ON FUNCTION ops.maintenance_limits(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.maintenance_limits(text, text, text) TO pg_monitor;
COMMENT ON FUNCTION ops.maintenance_limits(text, text, text) IS
'what ops.maintenance_rule says of a table, or of an index and its table, and the built-in limits where it says nothing';

-- How fast a task goes here, in bytes a millisecond: as its last steps did,
-- else as ordinary disks let it.
CREATE FUNCTION ops.maintenance_pace(task text) RETURNS double precision
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(
        (SELECT sum(s.bytes_before) / nullif(sum(greatest(EXTRACT(epoch FROM s.ended_at - s.started_at), 0)) * 1000, 0)
           FROM (SELECT l.* FROM ops.maintenance_step l
                  WHERE l.task = maintenance_pace.task AND l.status = 'done' AND l.bytes_before >= 8388608
                  ORDER BY l.ended_at DESC LIMIT 20) AS s)::double precision,
        CASE maintenance_pace.task WHEN 'reindex' THEN 20000 ELSE 50000 END);
END;
REVOKE ALL ON FUNCTION ops.maintenance_pace(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.maintenance_pace(text) TO pg_monitor;
COMMENT ON FUNCTION ops.maintenance_pace(text) IS
'bytes that a task of maintenance gets through in a millisecond, by its last steps, else by a guess';

CREATE FUNCTION ops.maintenance_steps(
    tasks text[],
    role oid,
    stop_at timestamptz DEFAULT NULL,
    about oid DEFAULT NULL,
    OUT priority integer,
    OUT weight double precision,
    OUT task text,
    OUT relid oid,
    OUT object text,
    OUT command text,
    OUT reason text,
    OUT bytes bigint,
    OUT expected interval,
    OUT action text,
    OUT note text
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE
ROWS 20 COST 100000
SET search_path = pg_catalog, pg_temp
-- A time in a command is read in another session.
SET datestyle = 'ISO'
BEGIN ATOMIC
    -- The pace of a task is asked for in queries of its own, once.
    --
    -- The tables, what is counted of them, and their limits.
    WITH relation AS MATERIALIZED (
        SELECT c.oid, n.nspname, c.relname, c.relkind, format('%I.%I', n.nspname, c.relname) AS name,
               CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END AS reltuples,
               pg_stat_get_dead_tuples(c.oid) AS dead,
               pg_stat_get_live_tuples(c.oid) + pg_stat_get_dead_tuples(c.oid) AS counted,
               pg_stat_get_mod_since_analyze(c.oid) AS changed,
               coalesce(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) IS NOT NULL AS analyzed,
               greatest(age(c.relfrozenxid), age(t.relfrozenxid))::float8
                   / current_setting('autovacuum_freeze_max_age')::float8 AS freeze_share,
               greatest(mxid_age(c.relminmxid), mxid_age(t.relminmxid))::float8
                   / current_setting('autovacuum_multixact_freeze_max_age')::float8 AS multi_share
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
         WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
           AND NOT c.relisshared
           AND tasks && '{vacuum,analyze}'
           AND (about IS NULL OR c.oid = about)
    ), limited AS MATERIALIZED (
        SELECT r.*, l.*
          FROM relation r
         CROSS JOIN LATERAL ops.maintenance_limits(r.nspname, r.relname) AS l (exclude, dead_rows, dead_limit_share,
             changed_rows, changed_limit_share, freeze_limit_share, tail_bytes)
    ), bloat AS MATERIALIZED (
        -- Asked once for all, and for nothing where nobody wants to know.
        SELECT b.relation, b.kind, b.reclaimable_low, b.size_bytes, b.dead_bytes, b.truncatable_bytes, b.action, b.command, b.reason
          FROM (SELECT about::regclass AS about WHERE tasks && '{vacuum,reindex}') AS wanted
         CROSS JOIN LATERAL ops.bloat_report(wanted.about) AS b
    ), leftover AS (
        SELECT 20, 'leftovers', i.indexrelid, format('%I.%I', n.nspname, c.relname),
               format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname),
               'a REINDEX CONCURRENTLY that failed left it behind; it is kept up to date and never used',
               ops.relation_bytes(i.indexrelid), 100::float8,
               CASE WHEN pg_has_role(role, c.relowner, 'USAGE') THEN 'run' ELSE 'skip' END,
               CASE WHEN NOT pg_has_role(role, c.relowner, 'USAGE') THEN 'it belongs to another role' END,
               n.nspname, c.relname, t.relname AS table_name, 0::float8 AS weight
          FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_class t ON t.oid = i.indrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE 'leftovers' = ANY (tasks)
           AND NOT i.indisvalid AND c.relkind = 'i' AND c.relname ~ '_cc(new|old)[0-9]*$'
           AND (about IS NULL OR about IN (i.indexrelid, i.indrelid))
           -- Whoever is building it holds a lock on it.
           AND NOT EXISTS (SELECT FROM pg_locks k
                            WHERE k.locktype = 'relation' AND k.relation IN (i.indexrelid, i.indrelid)
                              AND k.mode = 'ShareUpdateExclusiveLock' AND k.pid <> pg_backend_pid()
                              AND k.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
    ), vacuum AS (
        SELECT CASE WHEN v.freeze THEN 30 ELSE 31 END, 'vacuum', l.oid, l.name,
               CASE WHEN u.useless THEN rtrim(b.command, ';')
                    ELSE format('VACUUM (%sTRUNCATE %s) %s', CASE WHEN v.freeze THEN 'FREEZE, ' ELSE '' END,
                                CASE WHEN v.tail > 0 THEN 'true' ELSE 'false' END, l.name) END,
               CASE WHEN u.useless THEN b.reason ELSE concat_ws('; ',
                   CASE WHEN v.freeze THEN format('its oldest rows have come %s %% of the way to where autovacuum has to freeze them',
                                                  round((100 * greatest(l.freeze_share, l.multi_share))::numeric)) END,
                   CASE WHEN v.sweep THEN format('%s dead rows, of %s', l.dead, l.counted) END,
                   CASE WHEN v.found THEN format('a sample of its pages finds %s of dead rows in %s',
                                                 pg_size_pretty(b.dead_bytes), pg_size_pretty(b.size_bytes)) END,
                   CASE WHEN v.tail > 0 THEN format('the last %s are empty', pg_size_pretty(v.tail)) END) END,
               ops.family_bytes(l.oid), ops.family_bytes(l.oid) / (SELECT ops.maintenance_pace('vacuum')),
               CASE WHEN u.useless THEN 'report' WHEN ops.may_maintain(role, l.oid) THEN 'run' ELSE 'skip' END,
               CASE WHEN NOT u.useless AND NOT ops.may_maintain(role, l.oid) THEN 'it belongs to another role' END,
               l.nspname, l.relname, NULL::name, -(l.dead + v.tail / 100 + CASE WHEN v.found THEN b.dead_bytes / 100 ELSE 0 END)::float8
          FROM limited l
          LEFT JOIN bloat b ON b.relation = l.oid AND b.kind <> 'partitioned'
         CROSS JOIN LATERAL (
             SELECT greatest(l.freeze_share, l.multi_share) >= l.freeze_limit_share AS freeze,
                    l.dead > l.dead_rows + l.dead_limit_share * l.reltuples AS sweep,
                    -- The counters begin anew after a crash; the pages know better.
                    l.counted < l.reltuples / 2 AND b.dead_bytes > l.dead_limit_share * b.size_bytes AS found,
                    CASE WHEN b.truncatable_bytes >= greatest(l.tail_bytes, 1) THEN b.truncatable_bytes ELSE 0 END AS tail
             ) AS v
         CROSS JOIN LATERAL (
             -- A session ends, but what a prepared transaction or a slot keeps
             -- is there until somebody decides.
             SELECT coalesce(b.action = 'UNBLOCK' AND b.command ~ '^(ROLLBACK PREPARED|SELECT slot_name)'
                             AND b.dead_bytes <= l.dead_limit_share * b.size_bytes, false)
                    AND NOT v.freeze AND v.tail = 0 AS useless
             ) AS u
         WHERE 'vacuum' = ANY (tasks) AND (v.freeze OR v.sweep OR v.found OR v.tail > 0)
    ), analyze_table AS (
        SELECT 40, 'analyze', l.oid, l.name, format('ANALYZE %s', l.name),
               CASE WHEN l.analyzed OR l.reltuples > 0
                    THEN format('%s rows were changed since the last one, of %s', l.changed, l.reltuples::bigint)
                    ELSE 'it never was' END,
               ops.family_bytes(l.oid),
               least(ops.relation_bytes(l.oid), 2457600::float8 * current_setting('default_statistics_target')::integer)
                   / (SELECT ops.maintenance_pace('analyze')),
               CASE WHEN ops.may_maintain(role, l.oid) THEN 'run' ELSE 'skip' END,
               CASE WHEN NOT ops.may_maintain(role, l.oid) THEN 'it belongs to another role' END,
               l.nspname, l.relname, NULL::name, -l.changed::float8
          FROM limited l
         WHERE 'analyze' = ANY (tasks) AND l.relkind IN ('r', 'm')
           -- ANALYZE passes over its own table, and says nothing.
           AND l.oid <> 'pg_statistic'::regclass
           AND l.changed > l.changed_rows + l.changed_limit_share * l.reltuples
    ), analyze_root AS (
        -- Autovacuum never looks at a partitioned table as a whole.
        SELECT 41, 'analyze', c.oid, format('%I.%I', n.nspname, c.relname),
               format('ANALYZE %I.%I', n.nspname, c.relname),
               CASE WHEN pg_stat_get_last_analyze_time(c.oid) IS NULL
                    THEN 'a partitioned table as a whole is analyzed by nobody else, and it never was'
                    ELSE format('its partitions have %s rows now, it was analyzed with %s', leaf.rows::bigint, c.reltuples::bigint) END,
               leaf.bytes, leaf.bytes / (SELECT ops.maintenance_pace('analyze')),
               CASE WHEN ops.may_maintain(role, c.oid) THEN 'run' ELSE 'skip' END,
               CASE WHEN NOT ops.may_maintain(role, c.oid) THEN 'it belongs to another role' END,
               n.nspname, c.relname, NULL::name, -leaf.rows
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL ops.maintenance_limits(n.nspname, c.relname) AS l
         CROSS JOIN LATERAL (
             SELECT coalesce(sum(greatest(p.reltuples, 0)), 0)::float8 AS rows,
                    coalesce(sum(ops.relation_bytes(p.oid)), 0)::bigint AS bytes
               FROM (WITH RECURSIVE tree (oid) AS (
                         SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = c.oid
                         UNION ALL
                         SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid)
                     SELECT oid FROM tree) AS t
               JOIN pg_class p ON p.oid = t.oid AND p.relkind = 'r') AS leaf
         WHERE 'analyze' = ANY (tasks) AND c.relkind = 'p' AND NOT c.relispartition AND c.relpersistence <> 't'
           AND (about IS NULL OR c.oid = about)
           AND leaf.rows > l.changed_rows
           AND (pg_stat_get_last_analyze_time(c.oid) IS NULL
                OR abs(leaf.rows - greatest(c.reltuples, 0)) > l.changed_rows + 2 * l.changed_share * greatest(c.reltuples, 0))
    ), reindex AS (
        SELECT 50, 'reindex', c.oid, format('%I.%I', n.nspname, c.relname), rtrim(b.command, ';'),
               format('it would give back %s at least, of %s', pg_size_pretty(b.reclaimable_low), pg_size_pretty(b.size_bytes)),
               b.size_bytes, (ops.relation_bytes(i.indrelid) + b.size_bytes) / (SELECT ops.maintenance_pace('reindex')),
               CASE WHEN b.command NOT LIKE 'REINDEX INDEX CONCURRENTLY %' THEN 'report'
                    WHEN pg_has_role(role, c.relowner, 'USAGE') THEN 'run' ELSE 'skip' END,
               CASE WHEN b.command NOT LIKE 'REINDEX INDEX CONCURRENTLY %' THEN 'it cannot be done concurrently'
                    WHEN NOT pg_has_role(role, c.relowner, 'USAGE') THEN 'it belongs to another role' END,
               n.nspname, c.relname, t.relname, -b.reclaimable_low::float8
          FROM bloat b
          JOIN pg_class c ON c.oid = b.relation
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_index i ON i.indexrelid = c.oid
          JOIN pg_class t ON t.oid = i.indrelid
         WHERE 'reindex' = ANY (tasks) AND b.action = 'REINDEX'
    ), about_relation AS (
        SELECT s.*
          FROM (SELECT * FROM leftover UNION ALL SELECT * FROM vacuum UNION ALL SELECT * FROM analyze_table
                UNION ALL SELECT * FROM analyze_root UNION ALL SELECT * FROM reindex)
            AS s (priority, task, relid, object, command, reason, bytes, ms, action, note, nspname, relname, table_name, weight)
    ), about_database AS (
        SELECT 10, 'retention', NULL::oid, NULL, format('CALL ops.run_cleanup(stop_at => %L, progress => NULL)', coalesce(stop_at, 'infinity')),
               format('%s policies', count(*)), NULL::bigint,
               (SELECT avg(EXTRACT(epoch FROM l.ended_at - l.started_at)) * 1000
                  FROM (SELECT d.* FROM ops.maintenance_step d WHERE d.task = 'retention' AND d.status = 'done'
                         ORDER BY d.ended_at DESC LIMIT 5) AS l)::float8,
               CASE WHEN has_function_privilege(role, 'ops.run_cleanup'::regproc, 'EXECUTE') THEN 'run' ELSE 'skip' END,
               CASE WHEN NOT has_function_privilege(role, 'ops.run_cleanup'::regproc, 'EXECUTE') THEN 'the role may not execute it' END
          FROM ops.retention_policy p
         WHERE 'retention' = ANY (tasks) AND about IS NULL AND p.enabled
        HAVING count(*) > 0
        UNION ALL
        SELECT 60, 'learn', NULL, NULL, 'SELECT ops.bloat_learn()',
               'there are GIN, GiST or SP-GiST indexes whose density after the last build is not known', NULL, 1000,
               CASE WHEN has_function_privilege(role, 'ops.bloat_learn'::regproc, 'EXECUTE') THEN 'run' ELSE 'skip' END,
               CASE WHEN NOT has_function_privilege(role, 'ops.bloat_learn'::regproc, 'EXECUTE') THEN 'the role may not execute it' END
         WHERE 'learn' = ANY (tasks) AND about IS NULL
           AND EXISTS (SELECT FROM pg_class c JOIN pg_am a ON a.oid = c.relam
                        WHERE c.relkind = 'i' AND a.amname IN ('gin', 'gist', 'spgist') AND c.relpages > 1
                          AND NOT EXISTS (SELECT FROM ops.index_density d
                                           WHERE d.indexrelid = c.oid AND d.filenode = c.relfilenode))
           AND NOT EXISTS (SELECT FROM ops.maintenance_step s
                            WHERE s.task = 'learn' AND s.status = 'done' AND s.ended_at > now() - '6 days'::interval)
        UNION ALL
        SELECT 70, 'audit', NULL, NULL, 'SELECT ops.record_audit()', 'what ops.rls_audit() finds goes on record',
               NULL, NULL, 'run', NULL
         WHERE 'audit' = ANY (tasks) AND about IS NULL
        UNION ALL
        SELECT 80, 'report', NULL, quote_ident(e.name), format('ALTER EXTENSION %I UPDATE', e.name),
               format('version %s is installed, %s is available', e.installed_version, e.default_version), NULL, NULL, 'report', NULL
          FROM pg_available_extensions e
         WHERE 'report' = ANY (tasks) AND about IS NULL AND e.installed_version <> e.default_version
        UNION ALL
        SELECT 81, 'report', NULL, s.name, format('SHOW %s', quote_ident(s.name)),
               'it was changed, which takes a restart to come into effect', NULL, NULL, 'report', NULL
          FROM pg_settings s
         WHERE 'report' = ANY (tasks) AND about IS NULL AND s.pending_restart
        UNION ALL
        SELECT 82, 'report', NULL, s.name, format('ALTER SYSTEM SET %s = on', s.name),
               'without it nobody keeps tables in order between two windows', NULL, NULL, 'report', NULL
          FROM pg_settings s
         WHERE 'report' = ANY (tasks) AND about IS NULL AND s.name IN ('autovacuum', 'track_counts') AND s.setting = 'off'
    )
    SELECT s.priority, s.weight, s.task, s.relid, s.object, s.command, s.reason, s.bytes,
           make_interval(secs => round((s.ms + 20)::numeric)::float8 / 1000),
           CASE WHEN s.task = ANY (l.exclude) THEN 'skip' ELSE s.action END,
           CASE WHEN s.task = ANY (l.exclude) THEN 'excluded by ops.maintenance_rule' ELSE s.note END
      FROM about_relation s
     CROSS JOIN LATERAL ops.maintenance_limits(s.nspname, s.relname, s.table_name) AS l
    UNION ALL
    SELECT d.priority, 0, d.task, d.relid, d.object, d.command, d.reason, d.bytes,
           make_interval(secs => round((d.ms + 20)::numeric)::float8 / 1000), d.action, d.note
      FROM about_database AS d (priority, task, relid, object, command, reason, bytes, ms, action, note);
END;
REVOKE ALL ON FUNCTION ops.maintenance_steps(text[], oid, timestamptz, oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.maintenance_steps(text[], oid, timestamptz, oid) TO pg_monitor;
COMMENT ON FUNCTION ops.maintenance_steps(text[], oid, timestamptz, oid) IS
'what there is to do, in a role''s name: behind ops.maintenance_plan() and ops.run_maintenance()';

CREATE FUNCTION ops.maintenance_plan(
    maintenance_window text DEFAULT NULL,
    tasks text[] DEFAULT NULL,
    max_duration interval DEFAULT NULL,
    OUT step bigint,
    OUT task text,
    OUT object text,
    OUT action text,
    OUT starts_after interval,
    OUT expected interval,
    OUT fits boolean,
    OUT bytes bigint,
    OUT reason text,
    OUT command text,
    OUT note text
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE
ROWS 20 COST 100000
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- The time that there is: what is left of the window, or all of its next
    -- occurrence, and not more than was asked for.
    WITH span AS (
        SELECT least((SELECT coalesce((SELECT o.ends - now() FROM ops.window_occurrence(maintenance_window) AS o),
                                      (SELECT n.ends - n.starts FROM ops.next_window(maintenance_window) AS n))
                       WHERE maintenance_window IS NOT NULL),
                     maintenance_plan.max_duration) AS length
    ), steps AS (
        SELECT s.*, row_number() OVER places AS place,
               sum(coalesce(s.expected, '0')) FILTER (WHERE s.action = 'run') OVER places AS ends_after
          FROM ops.maintenance_steps(ops.demand_tasks(tasks), (SELECT r.oid FROM pg_roles r WHERE r.rolname = current_user),
                                     now() + (SELECT p.length FROM span p)) AS s
        WINDOW places AS (ORDER BY s.priority, s.weight, s.object COLLATE "C", s.command COLLATE "C"
                          ROWS UNBOUNDED PRECEDING)
    )
    SELECT s.place, s.task, s.object, s.action,
           CASE WHEN s.action = 'run' THEN s.ends_after - coalesce(s.expected, '0') END,
           CASE WHEN s.action = 'run' THEN s.expected END,
           CASE WHEN s.action = 'run' THEN s.ends_after <= p.length OR p.length IS NULL END,
           s.bytes, s.reason, s.command, s.note
      FROM steps s CROSS JOIN span p
     ORDER BY s.place;
END;
REVOKE ALL ON FUNCTION ops.maintenance_plan(text, text[], interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.maintenance_plan(text, text[], interval) TO pg_monitor;
COMMENT ON FUNCTION ops.maintenance_plan(text, text[], interval) IS
'what ops.run_maintenance() would do now and why, in its order, with the time each is thought to take; waits for no lock on a table, changes nothing';
