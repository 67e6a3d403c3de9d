/* src/schedule/window.sql: when routine work may be done */

CREATE FUNCTION ops.time_zone_exists(time_zone text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_time_zone_exists';
REVOKE ALL ON FUNCTION ops.time_zone_exists(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.time_zone_exists(text) TO pg_monitor;
COMMENT ON FUNCTION ops.time_zone_exists(text) IS
'whether pg_timezone_names lists a zone';

CREATE TABLE ops.maintenance_window (
    window_name text NOT NULL,
    frequency text NOT NULL,
    weekday text,
    nth integer,
    starts_at time NOT NULL,
    duration interval NOT NULL,
    time_zone text NOT NULL,
    notice interval NOT NULL DEFAULT '0',
    enabled boolean NOT NULL DEFAULT true,
    comment text,
    changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT maintenance_window_pkey PRIMARY KEY (window_name),
    CONSTRAINT maintenance_window_named CHECK (window_name <> ''),
    CONSTRAINT maintenance_window_frequency_known
        CHECK (frequency IN ('daily', 'weekly', 'monthly', 'quarterly')),
    CONSTRAINT maintenance_window_weekday_known
        CHECK (weekday IN ('sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday')),
    CONSTRAINT maintenance_window_weekday_unless_daily
        CHECK ((weekday IS NULL) = (frequency = 'daily')),
    CONSTRAINT maintenance_window_nth_1_to_5_or_last
        CHECK (nth BETWEEN 1 AND 5 OR nth = -1),
    CONSTRAINT maintenance_window_nth_if_monthly_or_quarterly
        CHECK ((nth IS NOT NULL) = (frequency IN ('monthly', 'quarterly'))),
    CONSTRAINT maintenance_window_starts_before_midnight
        CHECK (starts_at < '24:00'),
    CONSTRAINT maintenance_window_duration_without_months
        CHECK (EXTRACT(year FROM duration) = 0 AND EXTRACT(month FROM duration) = 0),
    CONSTRAINT maintenance_window_duration_within_period
        CHECK (duration > '0' AND duration <= CASE frequency
            WHEN 'daily' THEN interval '1 day' WHEN 'weekly' THEN interval '7 days'
            WHEN 'monthly' THEN interval '28 days' ELSE interval '84 days' END),
    CONSTRAINT maintenance_window_notice_without_months
        CHECK (EXTRACT(year FROM notice) = 0 AND EXTRACT(month FROM notice) = 0),
    CONSTRAINT maintenance_window_notice_0_to_366_days
        CHECK (notice >= '0' AND notice <= '366 days'),
    CONSTRAINT maintenance_window_zone_in_pg_timezone_names
        CHECK (ops.time_zone_exists(time_zone))
);
COMMENT ON TABLE ops.maintenance_window IS
'when routine work may be done; written by INSERT, UPDATE and DELETE';
COMMENT ON COLUMN ops.maintenance_window.window_name IS 'what it is called';
COMMENT ON COLUMN ops.maintenance_window.frequency IS 'daily, weekly, monthly or quarterly';
COMMENT ON COLUMN ops.maintenance_window.weekday IS 'sunday to saturday; null if daily';
COMMENT ON COLUMN ops.maintenance_window.nth IS
'which of these weekdays of the month or quarter: 1 to 5, -1 for the last; months without a fifth are left out; else null';
COMMENT ON COLUMN ops.maintenance_window.starts_at IS 'when it opens, on a clock on the wall of the zone';
COMMENT ON COLUMN ops.maintenance_window.duration IS 'after how much time it closes; a day is 24 hours';
COMMENT ON COLUMN ops.maintenance_window.time_zone IS 'a name of pg_timezone_names';
COMMENT ON COLUMN ops.maintenance_window.notice IS 'how long before users are to be told';
COMMENT ON COLUMN ops.maintenance_window.enabled IS 'false: it never opens';
COMMENT ON COLUMN ops.maintenance_window.comment IS 'what it is for';
COMMENT ON COLUMN ops.maintenance_window.changed_at IS 'when its rule was made or changed; set by a trigger';
SELECT pg_catalog.pg_extension_config_dump('ops.maintenance_window', '');
REVOKE ALL ON TABLE ops.maintenance_window FROM PUBLIC;
GRANT SELECT ON TABLE ops.maintenance_window TO pg_monitor;

CREATE FUNCTION ops.window_changed() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'ops_window_changed';
REVOKE ALL ON FUNCTION ops.window_changed() FROM PUBLIC;
COMMENT ON FUNCTION ops.window_changed() IS
'notes when the rule of a window changed';
CREATE TRIGGER maintenance_window_changed
    BEFORE UPDATE OF window_name, frequency, weekday, nth, starts_at, duration, time_zone, enabled
    ON ops.maintenance_window
    FOR EACH ROW EXECUTE FUNCTION ops.window_changed();
COMMENT ON TRIGGER maintenance_window_changed ON ops.maintenance_window IS
'occurrences of before count as nobody''s omission; see the check maintenance';

CREATE FUNCTION ops.next_window(
    window_name text DEFAULT NULL,
    after timestamptz DEFAULT now(),
    n integer DEFAULT 1,
    OUT window_name text,
    OUT starts timestamptz,
    OUT ends timestamptz,
    OUT notice_at timestamptz
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE
ROWS 1
AS 'MODULE_PATHNAME', 'ops_next_window';
REVOKE ALL ON FUNCTION ops.next_window(text, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.next_window(text, timestamptz, integer) TO pg_monitor;
COMMENT ON FUNCTION ops.next_window(text, timestamptz, integer) IS
'the next n times that a window, or any of them, opens after an instant, and when users are to be told';

CREATE FUNCTION ops.window_open(
    window_name text DEFAULT NULL,
    at timestamptz DEFAULT now()
) RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'ops_window_open';
REVOKE ALL ON FUNCTION ops.window_open(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.window_open(text, timestamptz) TO pg_monitor;
COMMENT ON FUNCTION ops.window_open(text, timestamptz) IS
'whether a window, or any of them, is open at an instant';

CREATE FUNCTION ops.window_occurrence(
    window_name text DEFAULT NULL,
    at timestamptz DEFAULT now(),
    OUT window_name text,
    OUT starts timestamptz,
    OUT ends timestamptz,
    OUT notice_at timestamptz
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE
ROWS 1
AS 'MODULE_PATHNAME', 'ops_window_occurrence';
REVOKE ALL ON FUNCTION ops.window_occurrence(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.window_occurrence(text, timestamptz) TO pg_monitor;
COMMENT ON FUNCTION ops.window_occurrence(text, timestamptz) IS
'since when and until when a window, or each of them, is open at an instant; no row if it is not';

CREATE FUNCTION ops.add_runbook_windows(
    enabled boolean DEFAULT false,
    OUT window_name text,
    OUT made boolean
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH example (window_name, frequency, weekday, nth, starts_at, duration, time_zone, notice, comment) AS (
        VALUES ('sunday', 'weekly', 'sunday', NULL::integer, time '02:00', interval '2 hours', 'Europe/Prague',
                interval '0', 'weekly: optimisation, cleanup of logs, review'),
               ('first_sunday', 'monthly', 'sunday', 1, '02:00', '4 hours', 'Europe/Prague',
                '0', 'monthly: full backup, audit, updates'),
               ('sunday_utc', 'weekly', 'sunday', NULL, '02:00', '2 hours', 'UTC',
                '48 hours', 'weekly, announced two days before')
    ), inserted AS (
        INSERT INTO ops.maintenance_window AS w (window_name, frequency, weekday, nth, starts_at, duration,
            time_zone, notice, enabled, comment)
        SELECT e.window_name, e.frequency, e.weekday, e.nth, e.starts_at, e.duration, e.time_zone, e.notice,
               add_runbook_windows.enabled, e.comment
          FROM example e
        ON CONFLICT DO NOTHING
        RETURNING w.window_name
    )
    SELECT e.window_name, EXISTS (SELECT FROM inserted i WHERE i.window_name = e.window_name)
      FROM example e
     ORDER BY e.window_name COLLATE "C";
END;
REVOKE ALL ON FUNCTION ops.add_runbook_windows(boolean) FROM PUBLIC;
COMMENT ON FUNCTION ops.add_runbook_windows(boolean) IS
'makes the windows that runbooks ask for, switched off unless told otherwise; leaves alone those that are there';
