-- sql/cleanup_plan.sql: what would go, how, and what stands against it
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA plan;
SET search_path = plan, public;

-- One row of a plan, without what changes from run to run.
CREATE FUNCTION brief(target regclass, keep interval DEFAULT '90 days',
    condition text DEFAULT NULL, time_column name DEFAULT 'at',
    overrides text[] DEFAULT '{}', archive regclass DEFAULT NULL,
    OUT relation regclass, OUT method text, OUT n bigint, OUT pct float8,
    OUT stopped_by text, OUT guards text)
RETURNS SETOF record LANGUAGE sql AS $$
    SELECT p.relation, p.method, p.rows, p.share_pct, p.stopped_by,
        array_to_string(p.guards, '; ')
    FROM ops.cleanup_plan(target => $1, keep => $2, condition => $3,
        time_column => $4, overrides => $5, archive => $6) AS p
$$;

-- arguments
SELECT * FROM ops.cleanup_plan(policy_name => 'nothing of that name');
SELECT * FROM ops.cleanup_plan(policy_name => 'x', target => 'pg_class');
SELECT * FROM ops.cleanup_plan(target => 'pg_class', keep => '1 day');
SELECT * FROM ops.cleanup_plan(keep => '1 day');
SELECT * FROM ops.cleanup_plan(target => 'pg_class', time_column => 'x', keep => '1 day',
    overrides => '{shares}');
SELECT * FROM ops.cleanup_plan(target => 'pg_class', time_column => 'x', keep => '1 day',
    overrides => '{system_table}');
SELECT count(*) FROM ops.cleanup_plan();

-- 100 rows, one a day, every second one read
CREATE TABLE event (id int PRIMARY KEY, at timestamptz, read boolean, size int);
INSERT INTO event SELECT i, now() - i * interval '1 day', i % 2 = 0, i FROM generate_series(1, 100) AS i;
SELECT * FROM brief('event');
SELECT * FROM brief('event', '10 days');
SELECT * FROM brief('event', '10 days', overrides => '{share}');
SELECT * FROM brief('event', '200 days');
SELECT * FROM brief('event', '90 days', 'read');
SELECT * FROM brief('event', '1 hour');
SELECT method, n, stopped_by FROM brief('event', '-1 day');
SELECT method, n, stopped_by FROM brief('event', '-1 day', overrides => '{share,keep_floor,future_cutoff}');
SELECT * FROM brief('event', time_column => 'made');
SELECT * FROM brief('event', time_column => 'read');
SELECT * FROM brief('event', time_column => 'ctid');
SELECT method, rows, stopped_by, note FROM ops.cleanup_plan(target => 'event', time_column => 'at', keep => '90 days',
    condition => '1 / (id - id) > 0');
SELECT rows, rows_low, rows_high, bytes > 0 AS bytes, batches, expected_ms > 0 AS ms, wal_bytes > 0 AS wal,
    regexp_replace(predicate, '''[0-9].*?''', 'CUTOFF') AS predicate, note
FROM ops.cleanup_plan(target => 'event', time_column => 'at', keep => '90 days', hold => 'read');

-- which index finds the rows
CREATE FUNCTION found_by(condition text DEFAULT NULL, target regclass DEFAULT 'event', time_column name DEFAULT 'at')
RETURNS text LANGUAGE sql AS $$
    SELECT method || coalesce(': ' || (details ->> 'index'), '')
    FROM ops.cleanup_plan(target => $2, time_column => $3, keep => '90 days', condition => $1,
        time_format => CASE WHEN $3 = 'ulid' THEN 'ulid' END)
$$;
SELECT found_by();
CREATE INDEX second_column ON event (id, at);
CREATE INDEX by_hash ON event USING hash (at);
SELECT found_by();
CREATE INDEX brin ON event USING brin (at);
SELECT found_by();
CREATE INDEX unread ON event (at) WHERE NOT read;
SELECT found_by(), found_by('read'), found_by('NOT read'), found_by('read = false AND size > 3');
CREATE INDEX sized ON event (at DESC, id) WHERE size IS NOT NULL;
SELECT found_by(), found_by('size > 3'), found_by('size IS DISTINCT FROM 3');
CREATE INDEX whole ON event (at);
SELECT found_by(), found_by('size > 3');
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'whole'::regclass;
SELECT found_by();

CREATE TABLE stamped (ulid text);
CREATE INDEX other_order ON stamped (ulid COLLATE "und-x-icu");
INSERT INTO stamped VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV'), ('7ZZZZZZZZZZZZZZZZZZZZZZZZZ'), ('7zzzzzzzzzzzzzzzzzzzzzzzzz');
SELECT found_by(NULL, 'stamped', 'ulid');
CREATE INDEX bytewise ON stamped (ulid COLLATE "C");
SELECT found_by(NULL, 'stamped', 'ulid');

-- foreign keys: what is reached, and what lacks an index
CREATE TABLE child (id int PRIMARY KEY, event_id int CONSTRAINT of_event REFERENCES event ON DELETE CASCADE);
CREATE TABLE grandchild (child_id int CONSTRAINT of_child REFERENCES child ON DELETE SET NULL DEFERRABLE);
CREATE TABLE keeper (event_id int CONSTRAINT keeps REFERENCES event);
ALTER TABLE grandchild ADD PRIMARY KEY (child_id);
CREATE TABLE far (child_id int CONSTRAINT far REFERENCES grandchild ON DELETE CASCADE);
CREATE VIEW feels AS
    SELECT cascades, unindexed_keys, stopped_by, remedy, details -> 'deferrable' AS deferrable, note
    FROM ops.cleanup_plan(target => 'event', time_column => 'at', keep => '90 days');
SELECT * FROM feels;
CREATE INDEX ON keeper (event_id) WHERE event_id > 3;
CREATE INDEX ON child (id, event_id);
SELECT cascades, unindexed_keys FROM feels;
CREATE INDEX ON keeper (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX ON child (event_id, id);
SELECT cascades, unindexed_keys FROM feels;
DROP INDEX child_event_id_id_idx;
INSERT INTO child SELECT i, NULL FROM generate_series(1, 5000) AS i;
SELECT stopped_by, remedy FROM feels;
ALTER TABLE event DISABLE TRIGGER ALL;
SELECT cascades, unindexed_keys, stopped_by FROM feels;
ALTER TABLE event ENABLE TRIGGER ALL;
DROP TABLE far, grandchild, child, keeper CASCADE;

-- a key of two columns, of a table to itself, and of a partitioned table
CREATE TABLE node (a int, b text, at date, up_a int, up_b text, PRIMARY KEY (a, b),
    CONSTRAINT up FOREIGN KEY (up_a, up_b) REFERENCES node ON DELETE CASCADE);
CREATE TABLE leafy (a int, b text, CONSTRAINT in_parts FOREIGN KEY (a, b) REFERENCES node ON DELETE SET NULL)
    PARTITION BY LIST (a);
CREATE TABLE leafy_1 PARTITION OF leafy FOR VALUES IN (1);
CREATE TABLE leafy_2 PARTITION OF leafy FOR VALUES IN (2);
CREATE VIEW node_feels AS SELECT cascades, unindexed_keys
    FROM ops.cleanup_plan(target => 'node', time_column => 'at', keep => '90 days');
SELECT * FROM node_feels;
CREATE INDEX ON node (up_b, up_a, at);
CREATE INDEX ON leafy_1 (b, a);
SELECT * FROM node_feels;
CREATE INDEX ON leafy_2 (a, b);
SELECT * FROM node_feels;

-- triggers and rules
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END';
CREATE TRIGGER audit AFTER DELETE ON event FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER "Told, once" BEFORE DELETE OR UPDATE ON event EXECUTE FUNCTION act();
CREATE TRIGGER written AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER off AFTER DELETE ON event FOR EACH ROW EXECUTE FUNCTION act();
ALTER TABLE event DISABLE TRIGGER off;
SELECT unnest(triggers) FROM ops.cleanup_plan(target => 'event', time_column => 'at', keep => '90 days');
CREATE RULE beside AS ON DELETE TO event DO ALSO NOTIFY gone;
SELECT * FROM brief('event');
CREATE RULE instead AS ON DELETE TO event DO INSTEAD NOTHING;
SELECT * FROM brief('event');

-- what is no table to delete from
CREATE VIEW seen AS SELECT * FROM event;
CREATE FOREIGN DATA WRAPPER plan_wrapper;
CREATE SERVER plan_server FOREIGN DATA WRAPPER plan_wrapper;
CREATE FOREIGN TABLE abroad (at timestamptz) SERVER plan_server;
SELECT * FROM brief('seen');
SELECT * FROM brief('abroad');
SELECT * FROM brief('pg_class');
SELECT * FROM brief('ops.retention_policy', time_column => 'snowflake_epoch');

-- the archive has to take every row
CREATE TABLE kept (id int, at timestamptz);
SELECT guards FROM brief('event', archive => 'kept');
ALTER TABLE kept ADD read boolean, ADD size bigint;
SELECT guards FROM brief('event', archive => 'kept');
ALTER TABLE kept ALTER size TYPE int, ADD why text NOT NULL;
SELECT guards FROM brief('event', archive => 'kept');
ALTER TABLE kept ALTER why SET DEFAULT 'old';
SELECT guards FROM brief('event', archive => 'kept', overrides => '{instead_rule}');
SELECT guards FROM brief('event', archive => 'event');
SELECT guards FROM brief('event', archive => 'seen');
ALTER TABLE kept SET UNLOGGED;
SELECT guards FROM brief('event', archive => 'kept');
DROP RULE instead ON event;

-- partitions: those that are old as a whole go as a whole
CREATE TABLE log (at timestamptz NOT NULL, kind int) PARTITION BY RANGE (at);
CREATE TABLE log_old PARTITION OF log FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE log_2020 PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (kind);
CREATE TABLE log_2020_1 PARTITION OF log_2020 FOR VALUES IN (1) PARTITION BY HASH (kind);
CREATE TABLE log_2020_1_0 PARTITION OF log_2020_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE log_2021 PARTITION OF log FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE log_now PARTITION OF log FOR VALUES FROM ('2022-01-01') TO (MAXVALUE);
CREATE TABLE log_rest PARTITION OF log_2020 DEFAULT;
INSERT INTO log VALUES ('2019-12-31', 1), ('2020-02-02', 1), ('2020-03-03', 9), ('2021-07-01', 1);
INSERT INTO log SELECT now(), i FROM generate_series(1, 10) AS i;
SELECT * FROM brief('log');
SELECT * FROM brief('log', condition => 'kind > 0');
SELECT * FROM brief('log_2020');
SELECT relation, method FROM brief('log', (now() - '2021-12-31')::interval);
CREATE TRIGGER audit AFTER DELETE ON log_2021 FOR EACH ROW EXECUTE FUNCTION act();
SELECT relation, method FROM brief('log');
DROP TRIGGER audit ON log_2021;

-- but not where others refer to them, or where bounds say nothing of a row's age
CREATE TABLE dated (at timestamptz PRIMARY KEY) PARTITION BY RANGE (at);
CREATE TABLE dated_old PARTITION OF dated FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE dated_now PARTITION OF dated FOR VALUES FROM ('2020-02-01') TO (MAXVALUE);
SELECT relation, method FROM brief('dated');
CREATE TABLE refers (at timestamptz REFERENCES dated);
INSERT INTO dated VALUES ('2020-01-02'), (now());
SELECT relation, method FROM brief('dated');
CREATE TABLE keyed (id uuid) PARTITION BY RANGE (id);
CREATE TABLE keyed_old PARTITION OF keyed
    FOR VALUES FROM ('00000000-0000-0000-0000-000000000000') TO ('01000000-0000-0000-0000-000000000000');
CREATE TABLE keyed_now PARTITION OF keyed DEFAULT;
INSERT INTO keyed VALUES ('00000000-0000-4000-8000-000000000000'), ('00000000-0000-7000-8000-000000000000'),
    ('ffffffff-0000-7000-8000-000000000000');
SELECT relation, method, n FROM brief('keyed', time_column => 'id');

-- inheritance: each table by itself, each once
CREATE TABLE base (at date);
CREATE TABLE left_one () INHERITS (base);
CREATE TABLE right_one () INHERITS (base);
CREATE TABLE both_of () INHERITS (left_one, right_one);
INSERT INTO base VALUES ('2000-01-01'), ('infinity'), (NULL), ('-infinity');
INSERT INTO both_of VALUES ('0100-01-01 BC'), (current_date), (current_date);
SELECT * FROM brief('base');
SELECT * FROM brief('both_of');

-- a large table is sampled, and the truth lies between the bounds
CREATE TABLE large (at timestamptz, filling text) WITH (fillfactor = 10);
INSERT INTO large SELECT now() - i * interval '1 minute', repeat('x', 60) FROM generate_series(1, 12000) AS i;
SELECT method, (details ->> 'exact')::boolean AS exact,
    rows_low <= truth.n AND truth.n <= rows_high AS covered, rows_high - rows_low < 800 AS narrow
FROM ops.cleanup_plan(target => 'large', time_column => 'at', keep => '5 days'),
    (SELECT count(*) AS n FROM large WHERE at < now() - interval '5 days') AS truth;
SELECT rows, rows_low, rows_high, (details ->> 'exact')::boolean AS exact
FROM ops.cleanup_plan(target => 'large', time_column => 'at', keep => '5 days', exact => true);

-- rights: of the role that it runs as
CREATE ROLE regress_ops_planner;
CREATE ROLE regress_ops_owner;
GRANT USAGE ON SCHEMA ops, plan TO regress_ops_planner;
GRANT USAGE, CREATE ON SCHEMA plan TO regress_ops_owner;
SET ROLE regress_ops_planner;
SELECT * FROM ops.cleanup_plan(target => 'event', time_column => 'at', keep => '90 days');
RESET ROLE;
GRANT EXECUTE ON FUNCTION ops.cleanup_plan TO regress_ops_planner;
SET ROLE regress_ops_planner;
SELECT * FROM brief('event');
RESET ROLE;
ALTER TABLE event OWNER TO regress_ops_owner;
GRANT regress_ops_owner TO regress_ops_planner;
SET ROLE regress_ops_planner;
SELECT * FROM brief('event');
RESET ROLE;
REVOKE DELETE ON event FROM regress_ops_owner;
SELECT stopped_by, rows, remedy FROM ops.cleanup_plan(target => 'event', time_column => 'at', keep => '90 days');
GRANT DELETE ON event TO regress_ops_owner;
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
SELECT method FROM brief('event');
ALTER TABLE event FORCE ROW LEVEL SECURITY;
SELECT * FROM brief('event');
SELECT * FROM brief('event', overrides => '{row_security}');
CREATE POLICY half ON event USING (size <= 95);
SELECT n FROM brief('event', overrides => '{row_security}');
ALTER TABLE event NO FORCE ROW LEVEL SECURITY;

-- what a condition calls can write nothing
CREATE TABLE trace (note text);
ALTER TABLE trace OWNER TO regress_ops_owner;
CREATE FUNCTION writes(int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    EXECUTE 'INSERT INTO plan.trace VALUES (''was here'')';
    RETURN true;
END $$;
SELECT method, rows, note FROM ops.cleanup_plan(target => 'event', time_column => 'at', keep => '90 days',
    condition => 'plan.writes(id)');
SELECT count(*) FROM trace;
BEGIN READ ONLY;
SELECT method FROM brief('event');
COMMIT;

-- a deletion that could not be published
CREATE TABLE told (at timestamptz);
SET client_min_messages = error;
CREATE PUBLICATION plan_publication FOR TABLE told;
SET client_min_messages = warning;
SELECT guards FROM brief('told');
ALTER TABLE told REPLICA IDENTITY FULL;
SELECT method FROM brief('told');
ALTER TABLE told REPLICA IDENTITY NOTHING;
ALTER PUBLICATION plan_publication SET (publish = 'insert');
SELECT method FROM brief('told');

-- hostile names
CREATE TABLE "x'; DROP TABLE plan.told; --" ("a""b c" timestamptz);
INSERT INTO "x'; DROP TABLE plan.told; --" VALUES ('-infinity'), (now()), (now());
SELECT method, n FROM brief('"x''; DROP TABLE plan.told; --"', time_column => 'a"b c');

-- policies, all of them; one that fails does not hide the others
SELECT ops.add_retention('plan.event', 'at', '90 days', policy_name => 'events', max_share => 5);
SELECT ops.add_retention('plan.told', 'at', '90 days', policy_name => 'asleep', enabled => false);
SELECT ops.add_retention('plan.base', 'at', '90 days', policy_name => 'family', row_cap => 1, max_share => 99);
SELECT ops.add_retention('plan.log*', 'at', '90 days', policy_name => 'logs', partitions => 'detach');
SELECT ops.add_retention('plan.large', 'at', '90 days', policy_name => 'short');
ALTER TABLE large RENAME at TO since;
SELECT policy_name, relation, method, rows, guards FROM ops.cleanup_plan();
SELECT policy_name, relation, method, note FROM ops.cleanup_plan('asleep');
SELECT policy_name, relation, method, guards FROM ops.cleanup_plan('events', overrides => '{share}');
SET ROLE regress_ops_planner;
SELECT policy_name, method, stopped_by FROM ops.cleanup_plan();
\set VERBOSITY sqlstate
SELECT * FROM ops.cleanup_plan('family');
\set VERBOSITY default
RESET ROLE;
DROP TABLE large;
SELECT policy_name, relation, method, note FROM ops.cleanup_plan('short');

DELETE FROM ops.retention_policy;
DROP PUBLICATION plan_publication;
SET client_min_messages = error;
DROP SCHEMA plan CASCADE;
DROP FOREIGN DATA WRAPPER plan_wrapper CASCADE;
DROP OWNED BY regress_ops_planner, regress_ops_owner;
DROP ROLE regress_ops_planner, regress_ops_owner;
