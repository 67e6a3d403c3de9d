-- bench/maintenance.sql: what bench/maintenance.sh does maintenance on, beside
-- the tables of pgbench.  Most of it is in order.  Wants :rows.

-- In order: all that the paper runbooks work through in vain.
SELECT setseed(0.25);
CREATE TABLE orders_1 (
    id bigint PRIMARY KEY,
    tenant_id int NOT NULL,
    created_at timestamptz NOT NULL,
    reference text NOT NULL,
    body text NOT NULL
);
INSERT INTO orders_1
SELECT i, (random() * 1000)::int, '2026-01-01'::timestamptz + i * '1 s'::interval, md5('order' || i), repeat(md5(i::text), 2)
  FROM generate_series(1, :rows) AS i;
CREATE INDEX orders_1_tenant ON orders_1 (tenant_id);
CREATE INDEX orders_1_created ON orders_1 (created_at);
CREATE INDEX orders_1_reference ON orders_1 (reference);
SELECT format('CREATE TABLE orders_%1$s (LIKE orders_1)', i),
       format('INSERT INTO orders_%1$s SELECT * FROM orders_1', i),
       format('ALTER TABLE orders_%1$s ADD PRIMARY KEY (id)', i),
       format('CREATE INDEX ON orders_%1$s (tenant_id)', i),
       format('CREATE INDEX ON orders_%1$s (created_at)', i),
       format('CREATE INDEX ON orders_%1$s (reference)', i)
  FROM generate_series(2, 4) AS i
\gexec

-- Bloated indexes: of the sessions one in four is left.
CREATE TABLE sessions (token text PRIMARY KEY, device text NOT NULL, seen_at timestamptz NOT NULL);
CREATE INDEX sessions_device ON sessions (device);
INSERT INTO sessions SELECT md5('session' || i), md5('device' || i), now() FROM generate_series(1, :rows) AS i;
DELETE FROM sessions WHERE hashtext(token) % 4 <> 0;

-- What maintenance_wear.sql works on.
CREATE TABLE notes (id bigint PRIMARY KEY, tenant_id int NOT NULL, body text NOT NULL);
CREATE INDEX notes_tenant ON notes (tenant_id);
INSERT INTO notes SELECT i, i % 1000, repeat(md5(i::text), 4) FROM generate_series(1, :rows / 2) AS i;
CREATE TABLE queue (id bigint PRIMARY KEY, payload text NOT NULL);
INSERT INTO queue SELECT i, repeat(md5(i::text), 6) FROM generate_series(1, :rows / 2) AS i;
CREATE TABLE visits (id bigint PRIMARY KEY, page text NOT NULL, visited_on date NOT NULL);
INSERT INTO visits SELECT i, 'page ' || i % 100, '2026-01-01' FROM generate_series(1, :rows / 10) AS i;

VACUUM (FREEZE, ANALYZE);
