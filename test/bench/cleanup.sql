-- bench/cleanup.sql: the table that bench/cleanup.sh deletes from.  Rows come
-- in the order of their time; a third of each row's lot is drawn, so that one
-- table is all three layouts: the oldest 30 % (clustered), half of the oldest
-- 60 % (scattered), 30 % of all (random expiry).  Wants :rows.

-- A row's time by its age in days.  None becomes old within half a day, so
-- that every method finds the same rows.
CREATE FUNCTION pg_temp.moment(age float8) RETURNS timestamptz LANGUAGE sql AS $$
SELECT now() - '1 day'::interval * CASE WHEN age BETWEEN 69.5 AND 70 THEN 69.4 WHEN age BETWEEN 39.5 AND 40 THEN 39.4 ELSE age END
$$;
SELECT setseed(0.25);
CREATE TABLE events (
    id bigserial,
    tenant_id int NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    read boolean NOT NULL,
    flags int NOT NULL
) WITH (autovacuum_enabled = false);
INSERT INTO events (tenant_id, created_at, expires_at, payload, read, flags)
SELECT (random() * 1000)::int,
       pg_temp.moment(100 * (1 - i / (:rows)::float8)),
       pg_temp.moment(100 * random()),
       jsonb_build_object('kind', 'event', 'actor', md5(i::text), 'object', md5('object' || i), 'session', md5('session' || i % 1000),
                          'text', 'What happened, told in a sentence or two: ' || md5('text' || i), 'agent', 'a browser of some make'),
       random() < 0.5,
       (random() * 100)::int
  FROM generate_series(1, :rows) AS i;
ALTER TABLE events ADD PRIMARY KEY (id);
CREATE INDEX events_tenant ON events (tenant_id);
CREATE INDEX events_created ON events (created_at);
CREATE INDEX events_expires ON events (expires_at);
VACUUM (FREEZE, ANALYZE) events;

-- Who is no superuser cannot have the WAL compressed for him.
ALTER TABLE events OWNER TO cleanup_owner;
GRANT ALL ON SCHEMA public TO cleanup_owner;

-- What people write instead: batches by row address, a commit after each.
-- Ends with the longest of them, in ms.
CREATE PROCEDURE delete_by_ctid(predicate text, INOUT longest float8 DEFAULT 0)
LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    gone bigint;
BEGIN
    LOOP
        started := clock_timestamp();
        EXECUTE format('DELETE FROM events WHERE ctid = ANY(ARRAY(SELECT ctid FROM events WHERE %s LIMIT 10000))', predicate);
        GET DIAGNOSTICS gone = ROW_COUNT;
        COMMIT;
        longest := greatest(longest, extract(epoch FROM clock_timestamp() - started) * 1000);
        EXIT WHEN gone = 0;
    END LOOP;
END $$;
