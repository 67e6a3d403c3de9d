#!/usr/bin/env bash
# fuzz/run.sh: random arguments to everything, in several sessions at once,
# while tables come and go and sessions are cancelled.  OPS_FUZZ_SECONDS says
# for how long (300), OPS_FUZZ_SEED where to begin.  A crash, an internal
# error or an error of a class that nobody documented fails the run.  Then
# random policies, OPS_FUZZ_PREDICATES (100000) of them, against what
# ops.rls_matrix() says they let through.
set -euo pipefail
cd "$(dirname "$0")/../.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh

seconds=${OPS_FUZZ_SECONDS:-300}
seed=${OPS_FUZZ_SEED:-$RANDOM}
predicates=${OPS_FUZZ_PREDICATES:-100000}

# What callers have been told of: no such check, bad arguments, no such thing,
# nothing that takes space, not allowed, constraints of ops.threshold,
# cancelled, a lock that was not waited for, and no worker to be had.
expected='OR001|22[0-9A-Z]{3}|42501|3F000|42P01|42704|42809|23514|23502|57014|25006|55P03|40P01|40001|25P01|25P02|3B001|42601|42703|42803|42P02|42804|42883|42846|55000|25001|0A000|42710|21000|53000'

clean_up() {
	touch "$work/stop"
	wait
	cp "$work/cluster/log" "$work/log"
	test/lib/cluster.sh stop "$work/cluster"
	[ -n "${OPS_KEEP:-}" ] || rm -rf "$work"
}

# One fuzzer: a fresh session for each lot of statements.
fuzz() {
	local lot=$1

	while [ ! -e "$work/stop" ]; do
		perl test/fuzz/statements.pl "$lot" 200 |
			psql -Xq -d postgres -v VERBOSITY=sqlstate > /dev/null 2>> "$work/errors.$1" || true
		echo 200 >> "$work/calls.$1"
		lot=$((lot + 1000))
	done
}

# Tables and roles that come and go below the checks.
churn() {
	while [ ! -e "$work/stop" ]; do
		psql -Xq -d postgres > /dev/null 2>&1 <<-'SQL' || true
			CREATE TABLE "we""ird.Table" (id serial PRIMARY KEY, r int REFERENCES "we""ird.Table", t text);
			INSERT INTO "we""ird.Table" (t) SELECT repeat('x', 5000) FROM generate_series(1, 50);
			ALTER TABLE "we""ird.Table" ENABLE ROW LEVEL SECURITY;
			CREATE POLICY "p""q" ON "we""ird.Table" USING (t = current_setting('a.b', true) OR EXISTS (SELECT FROM "we""ird.Table"));
			GRANT SELECT ON "we""ird.Table" TO fuzz_plain;
			DELETE FROM "we""ird.Table" WHERE id % 2 = 0;
			CREATE INDEX ON "we""ird.Table" (r);
			CREATE SEQUENCE "s""q" MAXVALUE 3 CYCLE;
			SELECT nextval('"s""q"');
			VACUUM "we""ird.Table";
			ALTER TABLE "we""ird.Table" DROP COLUMN t CASCADE;
			VACUUM FULL "we""ird.Table";
			TRUNCATE "we""ird.Table" CASCADE;
			ALTER SEQUENCE "s""q" AS smallint INCREMENT -1 MINVALUE -5 START 3;
			DROP TABLE "we""ird.Table";
			DROP SEQUENCE "s""q";
			INSERT INTO old_rows (at, day, s, u, read) SELECT now() - interval '1 day' * i, current_date - i, 1.7e9 - i * 86400, gen_random_uuid(), i % 3 = 0 FROM generate_series(-100, 300) AS i;
			INSERT INTO old_parts SELECT i, now() - interval '1 day' * i FROM generate_series(1, 100) AS i;
			UPDATE old_rows SET at = now() WHERE random() < 0.1;
			CLUSTER old_rows USING old_rows_at_idx;
			SELECT pg_cancel_backend(pid) FROM pg_stat_activity
			 WHERE backend_type = 'client backend' AND state = 'active' AND random() < 0.1 AND pid <> pg_backend_pid();
		SQL
	done
}

ops_setup demo
work=$(mktemp -d /var/tmp/operations_runbook.fuzz.XXXXXX)
chmod 755 "$work"
trap clean_up EXIT
build_and_install fuzz > "$work/build.log" 2>&1
settings="max_prepared_transactions = 5
operations_runbook.sample_interval = 10ms
restart_after_crash = off
log_line_prefix = '%e '"
eval "$(PRELOAD=operations_runbook EXTRA_CONF="$settings" \
	test/lib/cluster.sh start "$work/cluster")"
psql -Xq -d postgres <<-'SQL'
	CREATE EXTENSION operations_runbook;
	CREATE ROLE fuzz_monitor LOGIN;
	GRANT pg_monitor TO fuzz_monitor;
	CREATE ROLE fuzz_plain LOGIN;
	GRANT USAGE ON SCHEMA ops TO fuzz_plain;
	GRANT EXECUTE ON FUNCTION ops.health(text, text, text[], interval), ops.checks(text, text[], interval),
	    ops.rls_audit, ops.rls_matrix, ops.bloat_report, ops.add_retention, ops.alter_retention, ops.drop_retention,
	    ops.cleanup_plan, ops.cleanup_old_rows, ops.window_open, ops.next_window, ops.maintenance_plan, ops.maintenance_limits,
	    ops.relation_bytes, ops.demand_tasks TO fuzz_plain;
	GRANT EXECUTE ON PROCEDURE ops.run_cleanup, ops.run_maintenance TO fuzz_plain;
	INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
	VALUES ('fuzz open', 'daily', '00:00', '1 day', 'UTC'),
	       ('fuzz closed', 'daily', (now() AT TIME ZONE 'UTC' + '6 hours'::interval)::time, '1 hour', 'UTC');
	CREATE TABLE old_rows (id bigserial PRIMARY KEY, at timestamptz, day date, s bigint, u uuid, read boolean);
	CREATE INDEX ON old_rows (at);
	CREATE TABLE old_parts (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at);
	CREATE TABLE old_parts_rest PARTITION OF old_parts DEFAULT;
SQL

echo "seed $seed, $seconds s"
for n in 1 2 3; do fuzz $((seed + n)) & done
churn &
sleep "$seconds"
touch "$work/stop"
wait

calls=$(cat "$work"/calls.* | awk '{ n += $1 } END { print n + 0 }')
crashes=$(grep -cE 'PANIC|TRAP|was terminated by signal' "$work/cluster/log" || true)
# psql prints "ERROR:  XX000", and the place in a script before it.
codes=$(cat "$work"/errors.* | grep -oE '(ERROR|FATAL|PANIC): +[0-9A-Z]{5}' | awk '{ print $2 }' | sort | uniq -c)
unexpected=$(awk '{ print $2 }' <<< "$codes" | grep -vxE "($expected)" | tr '\n' ' ' || true)
echo "errors by SQLSTATE:" $codes
if [ -n "$unexpected" ]; then
	echo "not expected: $unexpected"
	for code in $unexpected; do
		grep -a "^$code ERROR" "$work/cluster/log" | sort | uniq -c | sort -rn | head -5 | cut -c1-300 || true
	done
fi
internal=$(awk '$2 ~ /^XX/ { n += $1 } END { print n + 0 }' <<< "$codes")
echo "$calls calls, $crashes crashes, $internal internal errors"
status=0
if [ "$predicates" -gt 0 ] && [ "$crashes" = 0 ]; then
	perl test/fuzz/rls.pl --count "$predicates" --seed "$seed" --workers 2 || status=1
fi
[ "$status" = 0 ] && [ "$crashes" = 0 ] && [ -z "$unexpected" ] && [ "$calls" -gt 0 ]
