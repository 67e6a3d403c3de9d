-- maintenance_window.sql: windows refused and made, and when they open
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set VERBOSITY terse

-- refused: what makes no sense
CREATE FUNCTION pg_temp.try(VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE violated text;
BEGIN
    INSERT INTO ops.maintenance_window (window_name, frequency, weekday, nth, starts_at, duration, time_zone, notice)
    VALUES ($1[1], $1[2], $1[3], $1[4]::int, $1[5]::time, $1[6]::interval, $1[7], $1[8]::interval);
    RAISE SQLSTATE 'ZZ000';
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN RETURN 'accepted';
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
        RETURN coalesce(nullif(violated, ''), SQLERRM);
END$$;
SELECT t.case, pg_temp.try(VARIADIC t.def) AS outcome FROM (VALUES
    (1, 'good', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'Europe/Prague', '0']),
    (2, 'no name', ARRAY['', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'UTC', '0']),
    (3, 'null name', ARRAY[NULL, 'weekly', 'sunday', NULL, '02:00', '2 hours', 'UTC', '0']),
    (4, 'frequency', ARRAY['w', 'hourly', 'sunday', NULL, '02:00', '2 hours', 'UTC', '0']),
    (5, 'capitals', ARRAY['w', 'Weekly', 'sunday', NULL, '02:00', '2 hours', 'UTC', '0']),
    (6, 'weekday', ARRAY['w', 'weekly', 'someday', NULL, '02:00', '2 hours', 'UTC', '0']),
    (7, 'weekly without weekday', ARRAY['w', 'weekly', NULL, NULL, '02:00', '2 hours', 'UTC', '0']),
    (8, 'daily with weekday', ARRAY['w', 'daily', 'sunday', NULL, '02:00', '2 hours', 'UTC', '0']),
    (9, 'weekly with nth', ARRAY['w', 'weekly', 'sunday', '1', '02:00', '2 hours', 'UTC', '0']),
    (10, 'monthly without nth', ARRAY['w', 'monthly', 'sunday', NULL, '02:00', '2 hours', 'UTC', '0']),
    (11, 'monthly without weekday', ARRAY['w', 'monthly', NULL, '1', '02:00', '2 hours', 'UTC', '0']),
    (12, 'nth 0', ARRAY['w', 'monthly', 'sunday', '0', '02:00', '2 hours', 'UTC', '0']),
    (13, 'nth 6', ARRAY['w', 'quarterly', 'sunday', '6', '02:00', '2 hours', 'UTC', '0']),
    (14, 'nth -2', ARRAY['w', 'monthly', 'sunday', '-2', '02:00', '2 hours', 'UTC', '0']),
    (15, 'nth last', ARRAY['w', 'quarterly', 'sunday', '-1', '02:00', '2 hours', 'UTC', '0']),
    (16, '24:00', ARRAY['w', 'weekly', 'sunday', NULL, '24:00', '2 hours', 'UTC', '0']),
    (17, 'last microsecond', ARRAY['w', 'weekly', 'sunday', NULL, '23:59:59.999999', '2 hours', 'UTC', '0']),
    (18, 'no duration', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '0', 'UTC', '0']),
    (19, 'negative duration', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '-1 hour', 'UTC', '0']),
    (20, 'duration in months', ARRAY['w', 'quarterly', 'sunday', '1', '02:00', '1 month', 'UTC', '0']),
    (21, 'months undone by days', ARRAY['w', 'quarterly', 'sunday', '1', '02:00', '-1 month 31 days', 'UTC', '0']),
    (22, 'a year undone by months', ARRAY['w', 'quarterly', 'sunday', '1', '02:00', '1 year -12 months 1 day', 'UTC', '0']),
    (23, 'day', ARRAY['w', 'daily', NULL, NULL, '02:00', '1 day', 'UTC', '0']),
    (24, 'more than a day', ARRAY['w', 'daily', NULL, NULL, '02:00', '24:00:00.000001', 'UTC', '0']),
    (25, 'days undone by hours', ARRAY['w', 'daily', NULL, NULL, '02:00', '3 days -50 hours', 'UTC', '0']),
    (26, 'week', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '168 hours', 'UTC', '0']),
    (27, 'more than a week', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '7 days 1 second', 'UTC', '0']),
    (28, 'four weeks', ARRAY['w', 'monthly', 'sunday', '5', '02:00', '28 days', 'UTC', '0']),
    (29, 'more than four weeks', ARRAY['w', 'monthly', 'sunday', '5', '02:00', '29 days', 'UTC', '0']),
    (30, 'twelve weeks', ARRAY['w', 'quarterly', 'sunday', '5', '02:00', '84 days', 'UTC', '0']),
    (31, 'more than twelve weeks', ARRAY['w', 'quarterly', 'sunday', '5', '02:00', '85 days', 'UTC', '0']),
    (32, 'negative notice', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'UTC', '-1 hour']),
    (33, 'notice in months', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'UTC', '1 month']),
    (34, 'notice of years', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'UTC', '367 days']),
    (35, 'no zone', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', '', '0']),
    (36, 'null zone', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', NULL, '0']),
    (37, 'a city', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'Prague', '0']),
    (38, 'an abbreviation', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'CEST', '0']),
    (39, 'POSIX: two hours west', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'UTC+2', '0']),
    (40, 'POSIX: a slip', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'Europa/Prag1', '0']),
    (41, 'an offset', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', '+02', '0']),
    (42, 'a path', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', '../../../../etc/passwd', '0']),
    (43, 'a long one', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', repeat('1x', 5000), '0']),
    (44, 'small letters', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'europe/prague', '0']),
    (45, 'one with a number', ARRAY['w', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'Etc/GMT+2', '0'])
    ) AS t (no, "case", def) ORDER BY no;
SELECT count(*) FROM ops.maintenance_window;
-- neither months nor times without end, on servers that have these
SELECT count(*) AS accepted FROM (VALUES ('infinity'), ('-infinity')) AS v (span),
       pg_temp.try('w', 'quarterly', 'sunday', '1', '02:00', span, 'UTC', '0') AS a (duration),
       pg_temp.try('w', 'quarterly', 'sunday', '1', '02:00', '1 h', 'UTC', span) AS b (notice)
 WHERE duration = 'accepted' OR notice = 'accepted';

-- none yet
\set VERBOSITY default
SELECT * FROM ops.next_window();
SELECT ops.window_open();
SELECT * FROM ops.window_occurrence();
SELECT ops.window_open('sunday');

-- the windows of the runbooks
SELECT * FROM ops.add_runbook_windows();
SELECT window_name, frequency, weekday, nth, starts_at, duration, time_zone, notice, enabled, comment
  FROM ops.maintenance_window ORDER BY window_name COLLATE "C";
DELETE FROM ops.maintenance_window WHERE window_name = 'first_sunday';
UPDATE ops.maintenance_window SET duration = '3 hours' WHERE window_name = 'sunday';
SELECT * FROM ops.add_runbook_windows(enabled => true);
SELECT window_name, duration, enabled FROM ops.maintenance_window ORDER BY window_name COLLATE "C";
UPDATE ops.maintenance_window SET duration = '2 hours' WHERE window_name = 'sunday';

-- what is switched off never opens, but has a name
SELECT * FROM ops.next_window(after => '2025-06-01', n => 2);
SELECT count(*) FROM ops.next_window('sunday', '2025-06-01', 5);
SELECT ops.window_open('sunday', '2025-06-01 00:00+00'), ops.window_open(at => '2025-06-01 00:00+00');
UPDATE ops.maintenance_window SET enabled = true;
SELECT * FROM ops.next_window(after => '2025-05-31', n => 5);
SELECT ops.window_open('sunday', '2025-06-01 00:00+00'), ops.window_open(at => '2025-06-01 00:00+00');
SELECT * FROM ops.window_occurrence(at => '2025-06-01 03:59:59.999999+00');
SELECT * FROM ops.window_occurrence('sunday', '2025-06-01 02:00+00');
SELECT ops.window_open('Sunday');
SELECT * FROM ops.next_window('');
SELECT * FROM ops.window_occurrence('sunday ');

-- from its start on, and before its end
SELECT at, ops.window_open('sunday_utc', at) FROM (VALUES
    ('2025-06-08 01:59:59.999999+00'::timestamptz), ('2025-06-08 02:00+00'),
    ('2025-06-08 03:59:59.999999+00'), ('2025-06-08 04:00+00')) AS v (at);
-- the next one starts later than that
SELECT after, starts FROM (VALUES ('2025-06-08 01:59:59.999999+00'::timestamptz), ('2025-06-08 02:00+00')) AS v (after),
       ops.next_window('sunday_utc', after);

-- how many
SELECT count(*) FROM ops.next_window(n => 0);
SELECT count(*) FROM ops.next_window(n => -1);
SELECT count(*) FROM ops.next_window(n => NULL);
SELECT count(*) FROM ops.next_window(after => NULL);
SELECT ops.window_open(at => NULL) IS NULL AS unknown;
SELECT count(*) FROM ops.window_occurrence(at => NULL);

-- the ends of time
SELECT count(*) FROM ops.next_window('sunday_utc', 'infinity', 3);
SELECT * FROM ops.next_window('sunday_utc', '-infinity', 2);
SELECT starts, notice_at FROM ops.next_window('sunday_utc', '4714-11-24 00:00:00+00 BC');
SELECT ops.window_open(at => 'infinity'), ops.window_open(at => '-infinity');
SELECT at, ops.window_open(at => at) FROM (VALUES ('4714-11-24 00:00:00+00 BC'::timestamptz),
    ('294276-12-31 23:59:59.999999+00')) AS v (at);
SELECT starts, ends FROM ops.next_window('sunday_utc', '294276-12-20+00', 2147483647);
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone, notice) VALUES
    ('ends', 'daily', '00:00', '1 day', 'UTC', '366 days'),
    ('east', 'daily', '00:00', '1 day', 'Etc/GMT-14', '0'),
    ('west', 'daily', '00:00', '1 day', 'Etc/GMT+12', '0');
SELECT * FROM ops.next_window('ends', '-infinity');
SELECT * FROM ops.next_window('east', '-infinity');
SELECT * FROM ops.next_window('west', '-infinity');
SELECT * FROM ops.next_window('ends', '294276-12-29+00', 2147483647);
SELECT * FROM ops.next_window('east', '294276-12-29+00', 2147483647);
SELECT * FROM ops.next_window('west', '294276-12-29+00', 2147483647);
SELECT * FROM ops.window_occurrence('ends', '4714-11-24 00:00:00+00 BC');
SELECT * FROM ops.window_occurrence('ends', '294276-12-30 23:59:59.999999+00');
DELETE FROM ops.maintenance_window WHERE window_name IN ('ends', 'east', 'west');

-- names of all kinds
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
SELECT name, 'daily', '01:00', '1 h', 'UTC'
  FROM unnest(ARRAY['it''s "one"', '%s%n$1\', E'two\nlines', repeat('long ', 1000)]) AS n (name);
SELECT length(window_name), left(window_name, 12) AS name, starts
  FROM ops.next_window(after => '2025-06-01 20:00+00', n => 4);
SELECT ops.window_open(E'two\nlines', '2025-06-01 01:30+00');
DELETE FROM ops.maintenance_window WHERE length(window_name) > 1000;
SELECT ops.window_open('%d');
DELETE FROM ops.maintenance_window WHERE window_name NOT LIKE '%sunday%';
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
SELECT 'window ' || i, 'daily', '01:00', '1 h', 'UTC' FROM generate_series(1, 20) AS i;
SELECT ops.window_open('none');
TRUNCATE ops.maintenance_window;

-- daylight saving: at a time that is skipped, and at one that comes twice
INSERT INTO ops.maintenance_window (window_name, frequency, weekday, starts_at, duration, time_zone) VALUES
    ('a Prague 02:00', 'weekly', 'sunday', '02:00', '2 hours', 'Europe/Prague'),
    ('b Prague 02:30', 'weekly', 'sunday', '02:30', '2 hours', 'Europe/Prague'),
    ('c Prague 01:30', 'weekly', 'sunday', '01:30', '2 hours', 'Europe/Prague');
SELECT window_name, starts AT TIME ZONE 'Europe/Prague' AS local_start,
       ends AT TIME ZONE 'Europe/Prague' AS local_end, starts, ends
  FROM ops.next_window(after => '2024-03-31+00', n => 3)
UNION ALL
SELECT window_name, starts AT TIME ZONE 'Europe/Prague', ends AT TIME ZONE 'Europe/Prague', starts, ends
  FROM ops.next_window(after => '2024-10-26 20:00+00', n => 3)
 ORDER BY starts, window_name;
-- the hour that comes twice: open in one of them
SELECT at, ops.window_open('a Prague 02:00', at) AS a, ops.window_open('b Prague 02:30', at) AS b,
       ops.window_open('c Prague 01:30', at) AS c
  FROM generate_series(timestamptz '2024-10-26 23:00+00', '2024-10-27 04:00+00', '30 min') AS at;
-- half an hour, at the other end of the world
INSERT INTO ops.maintenance_window (window_name, frequency, weekday, starts_at, duration, time_zone) VALUES
    ('d Lord Howe 01:45', 'weekly', 'sunday', '01:45', '2 hours', 'Australia/Lord_Howe'),
    ('e Lord Howe 02:15', 'weekly', 'sunday', '02:15', '2 hours', 'Australia/Lord_Howe');
SELECT window_name, starts, starts AT TIME ZONE 'Australia/Lord_Howe' AS local_start, ends AT TIME ZONE 'Australia/Lord_Howe' AS local_end
  FROM unnest('{2017-04-01+00, 2017-09-30+00}'::timestamptz[]) AS after, ops.next_window(NULL, after, 10)
 WHERE window_name ~ 'Howe' AND starts < after + interval '2 days'
 ORDER BY starts, window_name;
-- a midnight that is skipped
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone) VALUES
    ('f Sao Paulo 00:00', 'daily', '00:00', '1 day', 'America/Sao_Paulo');
SELECT starts, starts AT TIME ZONE 'America/Sao_Paulo' AS local_start, ends FROM ops.next_window('f Sao Paulo 00:00', '2017-10-13+00', 4);
-- two open at once: the later one counts; and none
SELECT at, starts FROM (VALUES ('2017-10-16 01:59+00'::timestamptz), ('2017-10-16 02:30+00'), ('2018-02-18 01:59+00'),
    ('2018-02-18 02:00+00'), ('2018-02-18 03:00+00')) AS v (at)
  LEFT JOIN LATERAL ops.window_occurrence('f Sao Paulo 00:00', at) ON true;
-- a day that is left out: one occurrence, not two
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone) VALUES
    ('g Apia', 'daily', '12:00', '1 hour', 'Pacific/Apia');
SELECT starts, starts AT TIME ZONE 'Pacific/Apia' AS local_start FROM ops.next_window('g Apia', '2011-12-29+00', 3);
-- days left out, and a day that came twice, when the date line moved: against SQL
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
SELECT 'l ' || starts_at || zone, 'daily', starts_at, '1 hour', zone
  FROM unnest('{05:00,12:00,20:00}'::time[]) AS starts_at,
       unnest('{America/Juneau,Pacific/Apia,Pacific/Kwajalein}'::text[]) AS zone;
SELECT count(*) AS compared, count(*) FILTER (WHERE got IS DISTINCT FROM wanted) AS differences
  FROM (SELECT (SELECT starts FROM ops.next_window(w.window_name, after)) AS got,
               (SELECT min(start) FROM generate_series(-4, 4) AS shift,
                       timezone(w.time_zone, after::date + shift + w.starts_at) AS start
                 WHERE start > after) AS wanted
          FROM ops.maintenance_window w,
               unnest('{1867-10-15+00, 1892-07-01+00, 1993-08-18+00, 2011-12-27+00}'::timestamptz[]) AS era,
               generate_series(era, era + interval '7 days', '20 min') AS after
         WHERE w.window_name ~ '^l ') AS s;
DELETE FROM ops.maintenance_window WHERE window_name ~ '^l ';
-- over midnight, the ends of months and years, and the leap day
INSERT INTO ops.maintenance_window (window_name, frequency, weekday, nth, starts_at, duration, time_zone) VALUES
    ('h last Saturday', 'monthly', 'saturday', -1, '23:00', '4 hours', 'UTC'),
    ('i last of quarter', 'quarterly', 'sunday', -1, '22:00', '6 hours', 'UTC'),
    ('j fifth', 'monthly', 'thursday', 5, '00:00', '28 days', 'UTC'),
    ('k fifth of quarter', 'quarterly', 'friday', 5, '00:00', '1 hour', 'UTC');
SELECT starts, ends FROM ops.next_window('h last Saturday', '2022-11-30+00', 4);
SELECT starts, ends FROM ops.next_window('i last of quarter', '2023-12-01+00', 4);
SELECT starts, ends FROM ops.next_window('j fifth', '2024-01-01+00', 4);
SELECT starts, ends FROM ops.next_window('k fifth of quarter', '2024-01-01+00', 4);
SELECT starts, ends FROM ops.window_occurrence('h last Saturday', '2023-01-01 02:00+00');
SELECT starts, ends FROM ops.window_occurrence('i last of quarter', '2024-01-01 03:00+00');
-- the session's zone is not the window's
SET timezone = 'Asia/Tokyo';
SELECT starts FROM ops.next_window('h last Saturday', '2022-11-30+00', 1);
SET timezone = 'UTC';
TRUNCATE ops.maintenance_window;

-- every rule in four zones over ten years, against SQL
INSERT INTO ops.maintenance_window (window_name, frequency, weekday, nth, starts_at, duration, time_zone, notice)
SELECT concat_ws(' ', frequency, weekday, nth, starts_at, zone), frequency, weekday, nth, starts_at, '3:20', zone, '48 hours'
  FROM (SELECT 'daily', NULL::text, NULL::int
        UNION ALL
        SELECT 'weekly', weekday, NULL
          FROM unnest('{sunday,monday,tuesday,wednesday,thursday,friday,saturday}'::text[]) AS weekday
        UNION ALL
        SELECT frequency, weekday, nth
          FROM unnest('{sunday,monday,tuesday,wednesday,thursday,friday,saturday}'::text[]) AS weekday,
               unnest('{monthly,quarterly}'::text[]) AS frequency,
               unnest('{1,2,3,4,5,-1}'::int[]) AS nth) AS rule (frequency, weekday, nth),
       unnest('{00:00,01:45,02:00,02:30,23:30:00.000001}'::time[]) AS starts_at,
       unnest('{Europe/Prague,America/Sao_Paulo,Australia/Lord_Howe,UTC}'::text[]) AS zone;
CREATE TEMP TABLE wanted AS
SELECT w.window_name, (day + w.starts_at) AT TIME ZONE w.time_zone AS starts
  FROM (SELECT day::date, trim(to_char(day, 'day')) AS weekday,
               1 + (EXTRACT(day FROM day)::int - 1) / 7 AS of_month,
               EXTRACT(month FROM day) <> EXTRACT(month FROM day + interval '7 days') AS last_of_month,
               1 + (day::date - date_trunc('quarter', day)::date) / 7 AS of_quarter,
               EXTRACT(quarter FROM day) <> EXTRACT(quarter FROM day + interval '7 days') AS last_of_quarter
          FROM generate_series(timestamp '2009-12-01', '2020-02-01', '1 day') AS day) AS calendar
  JOIN ops.maintenance_window w
    ON w.frequency = 'daily'
    OR (w.weekday = calendar.weekday AND
        CASE w.frequency WHEN 'weekly' THEN true
                         WHEN 'monthly' THEN CASE nth WHEN -1 THEN last_of_month ELSE nth = of_month END
                         WHEN 'quarterly' THEN CASE nth WHEN -1 THEN last_of_quarter ELSE nth = of_quarter END END);
DELETE FROM wanted WHERE starts <= '2010-01-01+00' OR starts > '2020-01-01+00';
CREATE TEMP TABLE got AS
SELECT g.* FROM (SELECT window_name, count(*)::int AS n FROM wanted GROUP BY 1) AS w,
       ops.next_window(w.window_name, '2010-01-01+00', w.n) AS g;
SELECT count(*) AS compared, count(DISTINCT window_name) AS windows FROM wanted;
SELECT count(*) AS differences FROM (
    (TABLE got EXCEPT ALL SELECT window_name, starts, starts + interval '3:20', starts - interval '48 hours' FROM wanted)
    UNION ALL
    (SELECT window_name, starts, starts + interval '3:20', starts - interval '48 hours' FROM wanted EXCEPT ALL TABLE got)) AS d;
-- all taken together are the same, in order
SELECT count(*) AS compared, count(*) FILTER (WHERE a IS DISTINCT FROM b) AS differences
  FROM (SELECT row_number() OVER () AS no, window_name || starts AS a FROM ops.next_window(NULL, '2010-01-01+00', 50000)) AS x
  FULL JOIN (SELECT row_number() OVER (ORDER BY starts, window_name COLLATE "C") AS no, window_name || starts AS b
               FROM wanted ORDER BY starts, window_name COLLATE "C" LIMIT 50000) AS y USING (no);
-- open or not, each half hour of months in which clocks change
DELETE FROM ops.maintenance_window WHERE frequency <> 'daily';
UPDATE ops.maintenance_window SET duration = '1 day' WHERE starts_at < '01:50';
CREATE TEMP TABLE expected AS
SELECT w.window_name, at, max(starts) AS starts
  FROM generate_series(timestamptz '2017-01-01 00:00+00', '2017-12-31 23:59+00', '30 min') AS at
 CROSS JOIN ops.maintenance_window w
  LEFT JOIN LATERAL (
    SELECT ((at AT TIME ZONE w.time_zone)::date + shift + w.starts_at) AT TIME ZONE w.time_zone AS starts
      FROM generate_series(-2, 1) AS shift) AS s ON s.starts <= at AND at < s.starts + w.duration
 WHERE EXTRACT(month FROM at) IN (2, 3, 4, 10)
 GROUP BY 1, 2;
SELECT count(*) AS compared, count(*) FILTER (WHERE e.starts IS NOT NULL) AS open,
       count(*) FILTER (WHERE o.starts IS DISTINCT FROM e.starts) AS differences,
       count(*) FILTER (WHERE ops.window_open(e.window_name, e.at) <> (e.starts IS NOT NULL)) AS otherwise_open
  FROM expected e LEFT JOIN LATERAL ops.window_occurrence(e.window_name, e.at) AS o ON true;
TRUNCATE ops.maintenance_window;

-- in a read-only transaction, in a parallel worker, and as whoever may only execute
SELECT count(*) FROM ops.add_runbook_windows(true);
BEGIN READ ONLY;
SELECT starts FROM ops.next_window('sunday', '2025-06-01 12:00+00');
COMMIT;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE TABLE hours AS SELECT at FROM generate_series(timestamptz '2025-06-01 00:00+00', '2025-06-30 23:00+00', '1 hour') AS at;
ALTER TABLE hours SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT count(*) FROM hours WHERE ops.window_open('sunday', at);
SELECT count(*) FROM hours WHERE ops.window_open('sunday', at);
ROLLBACK;
CREATE ROLE regress_ops_watcher;
SET ROLE regress_ops_watcher;
SELECT ops.window_open();
RESET ROLE;
GRANT USAGE ON SCHEMA ops TO regress_ops_watcher;
GRANT EXECUTE ON FUNCTION ops.window_open(text, timestamptz) TO regress_ops_watcher;
SET ROLE regress_ops_watcher;
SELECT ops.window_open('sunday', '2025-06-01 00:30+00');
SELECT ops.next_window();
TABLE ops.maintenance_window;
RESET ROLE;
GRANT pg_monitor TO regress_ops_watcher;
SET ROLE regress_ops_watcher;
SELECT window_name FROM ops.next_window(after => '2025-06-01 00:30+00');
SELECT window_name FROM ops.window_occurrence(at => '2025-06-01 00:30+00') ORDER BY 1;
SELECT count(*) FROM ops.maintenance_window;
UPDATE ops.maintenance_window SET enabled = false;
SELECT ops.add_runbook_windows();
RESET ROLE;
-- who was granted the table writes it, and nothing else
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.maintenance_window TO regress_ops_watcher;
SET ROLE regress_ops_watcher;
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
VALUES ('night', 'daily', '01:00', '1 hour', 'Etc/UTC');
SELECT starts FROM ops.next_window('night', '2025-06-01+00');
\set VERBOSITY terse
INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
VALUES ('night 2', 'daily', '01:00', '1 hour', 'Etc/GMT+99');
\set VERBOSITY default
RESET ROLE;
REVOKE ALL ON ops.maintenance_window FROM regress_ops_watcher;
REVOKE ALL ON FUNCTION ops.window_open(text, timestamptz) FROM regress_ops_watcher;
REVOKE USAGE ON SCHEMA ops FROM regress_ops_watcher;
DROP ROLE regress_ops_watcher;

-- a broken table is an error, not a crash
BEGIN;
ALTER TABLE ops.maintenance_window DROP CONSTRAINT maintenance_window_frequency_known,
    DROP CONSTRAINT maintenance_window_weekday_known, DROP CONSTRAINT maintenance_window_duration_within_period;
SAVEPOINT s;
UPDATE ops.maintenance_window SET frequency = 'yearly', weekday = 'someday', nth = NULL;
SELECT ops.window_open();
ROLLBACK TO s;
UPDATE ops.maintenance_window SET weekday = 'someday' WHERE weekday IS NOT NULL;
SELECT ops.window_open();
ROLLBACK;
BEGIN;
ALTER TABLE ops.maintenance_window DROP CONSTRAINT maintenance_window_zone_in_pg_timezone_names;
UPDATE ops.maintenance_window SET time_zone = 'Europe/Atlantis' WHERE window_name = 'sunday';
SELECT ops.window_open('night', '2025-06-01 01:30+00');
SELECT ops.window_open('sunday', '2025-06-01 01:30+00');
ROLLBACK;
DELETE FROM ops.maintenance_window;
