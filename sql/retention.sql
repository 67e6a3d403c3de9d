-- retention.sql: policies, refused and made
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
CREATE ROLE regress_ops_keeper;
CREATE ROLE regress_ops_owner;
CREATE ROLE regress_ops_other;
CREATE SCHEMA shop AUTHORIZATION regress_ops_owner;
SET ROLE regress_ops_owner;
CREATE TABLE shop.events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant int,
    created_at timestamptz,
    seen boolean,
    stamp text,
    "odd ""Name; --" timestamptz
);
CREATE INDEX events_created ON shop.events (created_at);
CREATE TABLE shop.legal_hold (tenant int PRIMARY KEY, reason text);
CREATE TABLE shop.events_archive (LIKE shop.events);
CREATE VIEW shop.recent AS SELECT * FROM shop.events;
RESET ROLE;
SET search_path = shop, public;
RESET client_min_messages;

-- refused: what is no value
SELECT ops.add_retention(NULL, 'created_at', '1 day');
SELECT ops.add_retention('shop.events', NULL, '1 day');
SELECT ops.add_retention('shop.events', 'created_at', NULL);
SELECT ops.add_retention('shop.events', 'created_at', '-1 day');
SELECT ops.add_retention('shop.events', 'created_at', '1 mon -31 days');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', min_keep => '-1 s');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', policy_name => '');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', partitions => 'truncate');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', max_share => 0);
SELECT ops.add_retention('shop.events', 'created_at', '90 days', max_share => 'NaN');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', row_cap => 0);
SELECT ops.add_retention('shop.events', 'created_at', '90 days', batch_target => '0');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', overrides => '{share,nonesuch}');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', overrides => '{wrong_column}');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', overrides => '{NULL}');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', run_as => 'regress_ops_nonesuch');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', time_zone => 'Mars/Olympus');
SELECT ops.add_retention('shop.events', 'created_at', '300000 years');
SELECT ops.add_retention('shop.events', 'created_at', '178000000 years');

-- refused: what is no table, or fits none
SELECT ops.add_retention('', 'created_at', '90 days');
SELECT ops.add_retention('shop.nonesuch', 'created_at', '90 days');
SELECT ops.add_retention('shop.events; DROP TABLE shop.events', 'created_at', '90 days');
SELECT ops.add_retention('4294967294', 'created_at', '90 days');
SELECT ops.add_retention('shop.recent', 'created_at', '90 days');
SELECT ops.add_retention('events_created', 'created_at', '90 days');
SELECT ops.add_retention('pg_catalog.pg_class', 'created_at', '90 days');
SELECT ops.add_retention('shop.nonesuch_*', 'created_at', '90 days');
SELECT ops.add_retention('a.b.*', 'created_at', '90 days');
SELECT ops.add_retention('shop."open*', 'created_at', '90 days');
SELECT ops.add_retention('shop.*"open', 'created_at', '90 days');
SELECT ops.add_retention('shop.*%', 'created_at', '90 days');
CREATE TEMPORARY TABLE passing (created_at timestamptz);
SELECT ops.add_retention('passing', 'created_at', '90 days');

-- refused: what does not tell the time
SELECT ops.add_retention('shop.events', 'nonesuch', '90 days');
SELECT ops.add_retention('shop.events', 'seen', '90 days');
SELECT ops.add_retention('shop.events', 'id', '90 days');
SELECT ops.add_retention('shop.events', 'stamp', '90 days', time_format => 'epoch_s');
SELECT ops.add_retention('shop.events', 'tenant', '90 days', time_format => 'epoch_ms');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', time_format => 'date');
SELECT ops.add_retention('shop.events', 'id', '90 days', time_format => 'nonesuch');
SELECT ops.add_retention('shop.events', 'id', '90 days', time_format => 'snowflake');
SELECT ops.add_retention('shop.events', 'id', '90 days', time_format => 'snowflake', snowflake_epoch => 'infinity');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', snowflake_epoch => '2020-01-01');
SELECT ops.add_retention('shop.events', 'xmin', '90 days');
SELECT ops.add_retention('shop.events', 'now()', '90 days');
SELECT ops.add_retention('shop.events', '''2020-01-01''', '90 days');
SELECT ops.add_retention('shop.events', 'created_at, id', '90 days');
SELECT ops.add_retention('shop.events', 'created_at FROM shop.events', '90 days');
SELECT ops.add_retention('shop.events', 'max(created_at)', '90 days');

-- refused: what is no condition over the row
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => '');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'true) OR (true');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'true; DROP TABLE shop.events');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'true;');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'true /* never closed');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'seen = $$true');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'seen = $1');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'seen AS seen');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'seen ORDER BY 1');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'DISTINCT seen');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'seen LIMIT 1');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'seen WHERE false');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'seen INTO loot');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => '*');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'events.*');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'DEFAULT');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'tenant');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => '(SELECT 1 FROM pg_sleep(0))');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => '(SELECT true FROM pg_sleep(0))');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'count(*) > 1');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'row_number() OVER () > 1');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'generate_series(1, 2) > 1');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'random() < 0.5');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'EXISTS (SELECT nextval(''shop.events_id_seq''))');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'ctid = ''(0,1)''');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'EXISTS (SELECT FROM shop.legal_hold WHERE events.xmax::text = ''0'')');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => '(WITH gone AS (DELETE FROM shop.events RETURNING true) SELECT true)');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'EXISTS (SELECT FROM (WITH put AS (INSERT INTO shop.legal_hold VALUES (1) RETURNING 1) SELECT * FROM put) t)');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'EXISTS (SELECT FROM shop.legal_hold FOR UPDATE)');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'EXISTS (SELECT FROM passing)');
CREATE FUNCTION pg_temp.passes(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'pg_temp.passes(tenant)');
DROP FUNCTION pg_temp.passes(int);
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'EXISTS (SELECT FROM nonesuch)');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', hold => 'tenant');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', keep_for => 'tenant');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', keep_for => 'stamp');

-- refused: archives that do not take the rows
SELECT ops.add_retention('shop.events', 'created_at', '90 days', archive => 'shop.events');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', archive => 'shop.recent');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', archive => 'shop.legal_hold');
ALTER TABLE shop.events_archive ALTER tenant TYPE bigint;
SELECT ops.add_retention('shop.events', 'created_at', '90 days', archive => 'shop.events_archive');
ALTER TABLE shop.events_archive ALTER tenant TYPE int;

SELECT count(*) AS policies FROM ops.retention_policy;
SELECT ops.alter_retention('nonesuch');
SELECT ops.drop_retention('nonesuch');
SELECT ops.drop_retention(NULL);

-- comments and quotes end where the expression does
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => E'seen -- ; DROP TABLE shop.events\n');
SELECT ops.add_retention('events', 'CREATED_AT /* not the "odd" one */', '90 days', policy_name => 'quotes',
    condition => $q$stamp <> $$') OR (true$$ AND stamp <> U&'\0027\0029' AND stamp <> E'\\'' --'$q$);
SELECT ops.add_retention('events', 'odd "Name; --', '90 days', policy_name => 'odd');
SELECT ops.add_retention('events', '"odd ""Name; --"', '90 days', policy_name => $$'); DROP TABLE shop.events; --$$);
SELECT policy_name, relation, time_column, condition, run_as
  FROM ops.retention_policy ORDER BY policy_name COLLATE "C";

-- expressions mean the same under any search_path and any setting
SET datestyle = 'German, DMY';
SET intervalstyle = 'sql_standard';
CREATE FUNCTION shop.is_spam(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = ''spam''';
CREATE OPERATOR shop.%% (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
SELECT ops.add_retention('events', 'COALESCE(created_at, ''01.02.2003 04:05'')', '90 days', policy_name => 'all',
    condition => 'is_spam(stamp) OR stamp %% ''junk''',
    hold => 'EXISTS (SELECT FROM legal_hold WHERE legal_hold.tenant = events.tenant)',
    keep_for => 'CASE tenant WHEN 1 THEN interval ''-3 12:00'' WHEN 2 THEN ''1-2''::interval END',
    archive => 'events_archive', null_is_old => true, time_zone => 'Europe/Prague', row_cap => 100000);
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\x on
SELECT policy_name, relation, pattern, time_column, time_expression, time_format, snowflake_epoch, keep, min_keep, condition,
       hold, keep_for, null_is_old, archive, partitions, max_share, row_cap, batch_target, overrides, enabled, run_as, time_zone
FROM ops.retention_policy WHERE policy_name = 'all';
SELECT * FROM ops.retention_predicate('odd', '2026-11-21 12:00+00');
SELECT * FROM ops.retention_predicate('nonesuch');
\x off

-- changes
SELECT ops.alter_retention('all', condition => 'seen', clear => '{condition}');
SELECT ops.alter_retention('all', clear => '{keep}');
SELECT ops.alter_retention('all', keep => '-1 day');
SELECT ops.alter_retention('all', target => 'shop.legal_hold');
SELECT ops.alter_retention('all', archive => 'shop.events');
SELECT ops.alter_retention('all', time_column => 'created_at', keep => '30 days',
    clear => '{condition,keep_for,archive,row_cap,time_zone}', overrides => '{share}', enabled => false);
\x on
SELECT policy_name, relation, pattern, time_column, time_expression, time_format, snowflake_epoch, keep, min_keep, condition,
       hold, keep_for, null_is_old, archive, partitions, max_share, row_cap, batch_target, overrides, enabled, run_as, time_zone
FROM ops.retention_policy WHERE policy_name = 'all';
\x off
SELECT ops.add_retention('events', 'created_at', '90 days', policy_name => 'all');
SELECT ops.add_retention('events', 'created_at', '90 days');
SELECT ops.drop_retention('shop.events (2)'), ops.drop_retention('shop.events (2)');
DELETE FROM ops.retention_policy;

-- missing indexes are told
CREATE TABLE shop.logs (id bigint PRIMARY KEY, at timestamp, day date) PARTITION BY RANGE (id);
CREATE TABLE shop.logs_1 PARTITION OF shop.logs FOR VALUES FROM (1) TO (100);
CREATE TABLE shop.notes (id int, log_id bigint REFERENCES shop.logs, "event Id" bigint REFERENCES shop.events ON DELETE CASCADE);
CREATE INDEX ON shop.events (tenant, "odd ""Name; --");
CREATE INDEX ON shop.events ("odd ""Name; --") WHERE tenant > 0;
CREATE INDEX ON shop.notes (log_id, id);
SELECT ops.add_retention('logs', 'at', '90 days');
SELECT ops.add_retention('events', 'odd "Name; --', '90 days');
CREATE INDEX ON shop.events USING brin ("odd ""Name; --");
CREATE INDEX ON shop.events ((COALESCE(created_at, '2000-01-01 00:00+00')));
CREATE INDEX ON shop.notes ("event Id");
SELECT ops.add_retention('events', 'odd "Name; --', '90 days');
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Kathmandu';
SELECT ops.add_retention('events', 'coalesce(created_at, ''2000-01-01 00:00+00'')', '90 days');
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SELECT ops.add_retention('events', 'coalesce(created_at, now())', '90 days');
DELETE FROM ops.retention_policy;

-- which rows are old, for every way to tell the time
CREATE FUNCTION shop.old(policy text, at timestamptz) RETURNS TABLE (cutoff timestamptz, old_rows text)
LANGUAGE plpgsql AS $$
DECLARE
    predicate text;
    relation regclass;
BEGIN
    SELECT p.relation, p.cutoff, p.predicate INTO relation, cutoff, predicate FROM ops.retention_predicate(policy, at) p;
    EXECUTE format('SELECT string_agg(row_name, '', '' ORDER BY n) FROM %s WHERE %s', relation, predicate) INTO old_rows;
    RETURN NEXT;
END
$$;
CREATE DOMAIN shop.moment AS timestamptz;
CREATE DOMAIN shop.later_moment AS shop.moment;
CREATE TABLE shop.clock (
    n int GENERATED ALWAYS AS IDENTITY, row_name text,
    tz timestamptz, ts timestamp, day date, dom shop.later_moment,
    s bigint, s4 int, ms bigint, us bigint, num numeric, flt float8,
    v7 uuid, ulid text, ulid_c char(30), flake bigint, own interval
);
SET client_min_messages = warning;
-- the cutoff is 2026-08-23 10:00:00.5 UTC
INSERT INTO shop.clock (row_name, tz, ts, day, dom, s, s4, ms, us, num, flt, v7, ulid, ulid_c, flake, own) VALUES
('null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
('minus infinity', '-infinity', '-infinity', '-infinity', '-infinity', -9223372036854775808, -2147483648, -9223372036854775808,
    -9223372036854775808, '-Infinity', '-Infinity', NULL, '00000000000000000000000000', '00000000000000000000000000', 0, '1 day'),
('bc', '0044-03-15 BC', '0044-03-15 BC', '0044-03-15 BC', '0044-03-15 BC', -63517996800, NULL, -63517996800000, -63517996800000000,
    -63517996800, -63517996800, NULL, NULL, NULL, -1, '1 day'),
('before 1970', '1960-01-01 UTC', '1960-01-01', '1960-01-01', '1960-01-01 UTC', -315619200, -315619200, -315619200000, -315619200000000,
    -315619200.5, -315619200.5, NULL, NULL, NULL, NULL, '90 days'),
('just before', '2026-08-23 10:00:00.499999 UTC', '2026-08-23 10:00:00.499999', '2026-08-22', '2026-08-23 10:00:00.499999 UTC',
    1787479200, 1787479200, 1787479200499, 1787479200499999, 1787479200.499999, 1787479200.499999,
    '01a02e10-12f3-7fff-bfff-ffffffffffff', '01M0Q104QKZZZZZZZZZZZZZZZZ', '01m0q104qkzzzzzzzzzzzzzzzz', 2091465471030198271, '90 days'),
('just at', '2026-08-23 10:00:00.5 UTC', '2026-08-23 10:00:00.5', '2026-08-23', '2026-08-23 10:00:00.5 UTC',
    1787479201, 1787479201, 1787479200500, 1787479200500000, 1787479200.5, 1787479200.5,
    '01a02e10-12f4-7000-8000-000000000000', '01M0Q104QM0000000000000000', '01m0q104qm0000000000000000', 2091465471030198272, '1 day'),
('kept for ever', '2020-01-01 UTC', '2020-01-01', '2020-01-01', '2020-01-01 UTC', 1577836800, 1577836800, 1577836800000, 1577836800000000,
    1577836800, 1577836800, '016f5e66-e800-7000-8000-000000000000', '01DXF6DT000000000000000000', '01dxf6dt000000000000000000', 1,
    '178000000 years'),
('not a time', 'infinity', 'infinity', 'infinity', 'infinity', 9223372036854775807, 2147483647, 9223372036854775807, 9223372036854775807,
    'NaN', 'NaN', '016f5e66-e800-4000-8000-000000000000', '01DXF6DT0000000000000000 0', '81DXF6DT00000000000000000', -1, '-1 day');
DO $$
DECLARE
    kind record;
BEGIN
    FOR kind IN VALUES ('tz', NULL), ('ts', NULL), ('day', NULL), ('dom', NULL), ('s', 'epoch_s'), ('s4', 'epoch_s'), ('ms', 'epoch_ms'),
        ('us', 'epoch_us'), ('num', 'epoch_s'), ('flt', 'epoch_s'), ('v7', NULL), ('ulid', 'ulid'), ('ulid_c', 'ulid'), ('flake', 'snowflake'),
        ('COALESCE(dom, tz)', NULL) LOOP
        PERFORM ops.add_retention('shop.clock', kind.column1, '90 days', policy_name => kind.column1, time_format => kind.column2,
            snowflake_epoch => CASE kind.column2 WHEN 'snowflake' THEN '2010-11-04 01:42:54.657 UTC'::timestamptz END, time_zone => 'UTC');
        PERFORM ops.add_retention('shop.clock', kind.column1, '100 years', policy_name => kind.column1 || ', own', time_format => kind.column2,
            snowflake_epoch => CASE kind.column2 WHEN 'snowflake' THEN '2010-11-04 01:42:54.657 UTC'::timestamptz END, time_zone => 'UTC',
            keep_for => 'own', null_is_old => true);
    END LOOP;
END
$$;
SET timezone = 'America/St_Johns';
SET datestyle = 'SQL, DMY';
SELECT policy_name, old_rows FROM ops.retention_policy, shop.old(policy_name, '2026-11-21 10:00:00.5 UTC') ORDER BY policy_name COLLATE "C";
SELECT policy_name, predicate FROM ops.retention_policy, ops.retention_predicate(policy_name, '2026-11-21 10:00:00.5 UTC')
 WHERE policy_name IN ('tz', 'ts', 'day', 's', 'num', 'v7', 'ulid', 'flake') ORDER BY policy_name COLLATE "C";
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
-- an interval that ends at, before and beyond the first of times
SELECT ops.alter_retention('tz', keep => '0');
SELECT * FROM shop.old('tz', '2026-08-23 10:00:00.5 UTC');
SELECT ops.alter_retention('tz', keep => '6000 years');
SELECT * FROM shop.old('tz', '2026-08-23 10:00:00.5 UTC');
SELECT * FROM shop.old('tz', '0001-08-23 UTC');
SELECT ops.alter_retention('s', keep => '100 years');
SELECT * FROM shop.old('s', '2026-08-23 10:00:00.5 UTC');
-- an endless interval, where the server has it
SELECT count(ops.alter_retention(kind, keep => CASE WHEN current_setting('server_version_num')::int >= 170000
    THEN 'infinity'::text::interval ELSE '6700 years' END)) FROM unnest('{tz,ts,day,s,num,v7,ulid,flake,"tz, own"}'::text[]) kind;
SELECT kind, replace(old_rows, 'minus infinity', '') AS old_rows
  FROM unnest('{tz,ts,day,s,num,v7,ulid,flake,"tz, own"}'::text[]) kind, shop.old(kind, '2026-11-25 10:00:00.5 UTC');
-- the hour that comes twice: in Prague 03:00 is 02:00 again, at 01:00 UTC on 2024-10-27
TRUNCATE shop.clock;
INSERT INTO shop.clock (row_name, ts, day) VALUES
    ('01:59', '2024-10-27 01:59', '2024-10-26'), ('02:15', '2024-10-27 02:15', '2024-10-27'), ('02:45', '2024-10-27 02:45', '2024-10-28');
SELECT count(ops.alter_retention(kind, keep => '24 hours', time_zone => 'Europe/Prague')) FROM unnest('{ts,day}'::text[]) kind;
SELECT count(ops.alter_retention(kind, keep_for => 'interval ''24 hours''', min_keep => '0', time_zone => 'Europe/Prague', null_is_old => false))
  FROM unnest('{"ts, own","day, own"}'::text[]) kind;
SELECT now, kind, o.old_rows
  FROM unnest('{2024-10-27 23:59+00,2024-10-28 00:30+00,2024-10-28 00:59+00,2024-10-28 01:30+00,2024-10-28 01:50+00}'::timestamptz[]) now,
    unnest('{ts,"ts, own",day,"day, own"}'::text[]) kind, shop.old(kind, now) o ORDER BY 1, kind COLLATE "C";
DELETE FROM ops.retention_policy;
RESET client_min_messages;

-- patterns
CREATE TABLE shop."we""ird.Table" (created_at timestamptz);
CREATE INDEX ON shop."we""ird.Table" (created_at);
CREATE TABLE shop.a_log (created_at timestamptz, n int);
CREATE INDEX ON shop.a_log (created_at);
CREATE TABLE shop.b_log (created_at timestamptz, n text);
CREATE INDEX ON shop.b_log (created_at);
CREATE TABLE shop.b_log_child () INHERITS (shop.b_log);
CREATE TABLE shop.bxlog (created_at date);
SELECT ops.add_retention('shop."we""ird.Table"', 'created_at', '90 days');
SELECT ops.add_retention('shop."we""ird.*"*', 'created_at', '90 days');
SELECT ops.add_retention('shop."we""ird.T"?ble', 'created_at', '90 days');
SELECT ops.add_retention('Shop.?_LOG*', 'created_at', '90 days', condition => 'n IS NULL');
SELECT relation FROM ops.retention_predicate('Shop.?_LOG*') ORDER BY 1;
SELECT ops.add_retention('shop.?_log', 'created_at', '90 days', condition => 'n = ''7''');
SELECT ops.add_retention('shop.?_log', 'n', '90 days');
SELECT ops.add_retention('shop.?_log', 'created_at', '90 days', hold => 'EXISTS (SELECT FROM legal_hold WHERE tenant::text = n::text)');
-- a table of a role that lacks those of the policy is not taken in
ALTER TABLE shop.b_log OWNER TO regress_ops_owner;
SELECT ops.add_retention('shop.?_log', 'created_at', '90 days');
SELECT ops.add_retention('shop.?_log', 'created_at', '90 days', run_as => 'regress_ops_owner');
SELECT relation FROM ops.retention_predicate('shop.?_log') ORDER BY 1;
SELECT ops.add_retention('shop.b_log*', 'created_at', '90 days', run_as => 'regress_ops_other');
DELETE FROM ops.retention_policy;

-- who may
GRANT USAGE ON SCHEMA ops TO regress_ops_owner, regress_ops_other, regress_ops_keeper;
SET ROLE regress_ops_owner;
SELECT ops.add_retention('shop.events', 'created_at', '90 days');
SELECT ops.alter_retention('shop.events');
SELECT ops.drop_retention('shop.events');
SELECT ops.add_runbook_retention();
SELECT ops.retention_predicate('shop.events');
SELECT count(*) FROM ops.retention_policy;
RESET ROLE;
DO $$
DECLARE function regprocedure;
BEGIN
    FOR function IN SELECT oid FROM pg_proc WHERE pronamespace = 'ops'::regnamespace AND proname ~ 'retention' LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO regress_ops_owner, regress_ops_other, regress_ops_keeper', function);
    END LOOP;
END
$$;
\set SHOW_CONTEXT never
SET ROLE regress_ops_owner;
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'seen');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', run_as => 'regress_ops_other');
SELECT ops.add_retention('pg_catalog.pg_authid', 'rolvaliduntil', '90 days');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', condition => 'EXISTS (SELECT FROM pg_authid)');
SELECT count(*) FROM ops.retention_policy;
SET ROLE regress_ops_other;
SELECT ops.add_retention('shop.events', 'created_at', '90 days');
SELECT ops.alter_retention('shop.events', keep => '1 s');
SELECT ops.drop_retention('shop.events');
SELECT ops.retention_predicate('shop.events');
RESET ROLE;
GRANT USAGE ON SCHEMA shop TO regress_ops_other;
GRANT DELETE ON shop.events TO regress_ops_other;
SET ROLE regress_ops_other;
SELECT ops.add_retention('shop.events', 'created_at', '90 days');
RESET ROLE;
GRANT SELECT ON shop.events TO regress_ops_other;
SET ROLE regress_ops_other;
SELECT ops.add_retention('shop.events', 'created_at', '90 days', hold => 'EXISTS (SELECT FROM shop.legal_hold)');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', archive => 'shop.events_archive');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', hold => 'shop.is_spam(stamp)');
RESET ROLE;
GRANT SELECT ON ops.retention_policy TO regress_ops_keeper;
SELECT policy_name, run_as FROM ops.retention_policy ORDER BY policy_name COLLATE "C";
-- a superuser's policy for another role, and one of a role that is gone
REVOKE EXECUTE ON FUNCTION shop.is_spam(text) FROM PUBLIC;
SELECT ops.add_retention('shop.events', 'created_at', '90 days', hold => 'shop.is_spam(stamp)', run_as => 'regress_ops_other');
SELECT ops.add_retention('shop.events', 'created_at', '90 days', policy_name => 'orphan');
UPDATE ops.retention_policy SET run_as = 'regress_ops_gone' WHERE policy_name = 'orphan';
SET ROLE regress_ops_owner;
SELECT ops.drop_retention('orphan');
RESET ROLE;
SELECT ops.drop_retention('orphan');
DELETE FROM ops.retention_policy;
REVOKE ALL ON SCHEMA ops FROM regress_ops_owner, regress_ops_other, regress_ops_keeper;

-- the runbooks' own
SET client_min_messages = warning;
CREATE TABLE shop.notifications (id int, created_at timestamptz, read boolean, is_read boolean);
CREATE SCHEMA mail;
CREATE TABLE mail.notifications (id int, inserted_at date, read_at timestamptz);
CREATE SCHEMA push;
CREATE TABLE push.notifications (id int, created_at timestamptz);
CREATE TABLE push.error_logs (id int, created_at bigint);
CREATE TABLE push.audit_log (id int, created_at timestamptz);
CREATE TABLE push.api_metrics (id int, created_at timestamptz);
CREATE TABLE push.backlog (id int, created_at timestamptz);
CREATE TABLE push.usage_metrics (id int, created_at timestamptz);
CREATE SCHEMA cron;
CREATE TABLE cron.job_run_details (runid bigint PRIMARY KEY, status text, start_time timestamptz, end_time timestamptz);
RESET client_min_messages;
SELECT policy_name, relation, made, note FROM ops.add_runbook_retention()
 WHERE relation::text !~ '^ops' ORDER BY relation::text COLLATE "C";
SELECT policy_name, relation, coalesce(time_column, time_expression) AS time, keep, condition, overrides FROM ops.retention_policy
 WHERE relation::text !~ '^ops' ORDER BY policy_name COLLATE "C";
SELECT policy_name, relation, made, note FROM ops.add_runbook_retention()
 WHERE relation::text !~ '^ops' ORDER BY relation::text COLLATE "C";

DELETE FROM ops.retention_policy;
SET client_min_messages = warning;
RESET search_path;
DROP SCHEMA shop, mail, push, cron CASCADE;
DROP TABLE passing;
REVOKE ALL ON ops.retention_policy FROM regress_ops_keeper;
DO $$
DECLARE function regprocedure;
BEGIN
    FOR function IN SELECT oid FROM pg_proc WHERE pronamespace = 'ops'::regnamespace AND proname ~ 'retention' LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM regress_ops_owner, regress_ops_other, regress_ops_keeper', function);
    END LOOP;
END
$$;
DROP ROLE regress_ops_keeper, regress_ops_owner, regress_ops_other;
