#!/usr/bin/env bash
# bench/run.sh: how fast ops.health() is, against hand-written SQL over the
# same facts in the same run; then rls.sh does so for ops.rls_audit(), bloat/run.sh
# for ops.bloat_report(), cleanup.sh for ops.run_cleanup(), maintenance.sh for
# ops.run_maintenance().  Prints times of this machine and ratios; the ratios
# are what holds elsewhere.  Needs root on Debian, as `make test` does.
set -euo pipefail
cd "$(dirname "$0")/../.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh
. test/bench/lib.sh

rounds=${OPS_BENCH_ROUNDS:-2000}
sessions=300

make_database() {
	psql -Xq -d postgres -c "CREATE DATABASE $1"
	psql -Xq -d "$1" -v ON_ERROR_STOP=1 -v tables="$2" -f test/bench/schema.sql > /dev/null
	psql -Xq -d "$1" -c 'CREATE EXTENSION operations_runbook' -c 'VACUUM ANALYZE'
}

clean_up() {
	if [ -n "${busy:-}" ]; then kill "$busy" 2> /dev/null || true; fi
	test/lib/cluster.sh stop "$work/cluster"
	rm -rf "$work"
}

ops_setup demo
work=$(mktemp -d /var/tmp/operations_runbook.bench.XXXXXX)
chmod 755 "$work"
trap clean_up EXIT
build_and_install bench > "$work/build.log" 2>&1
eval "$(PRELOAD=operations_runbook EXTRA_CONF=$'max_connections = 400\nshared_buffers = 1GB\nmax_locks_per_transaction = 256\nautovacuum = off\nmax_wal_size = 4GB' \
	test/lib/cluster.sh start "$work/cluster")"

make_database bench 2000
psql -XqAt -F ' ' -d bench -c "SELECT format('database of %s tables, %s indexes, %s sequences, %s relations in all',
	count(*) FILTER (WHERE relkind = 'r' AND relname LIKE 'bench%'), count(*) FILTER (WHERE relkind = 'i' AND relname LIKE 'bench%'),
	count(*) FILTER (WHERE relkind = 'S'), count(*)) FROM pg_class"

# Sessions that idle, one in thirty of them in a transaction.
cat > "$work/idle.sql" <<-'SQL'
	\if :in_tx
	BEGIN;
	SELECT count(*) FROM pg_class WHERE oid = 1;
	\endif
	SELECT 1;
	\sleep 1800 s
SQL
pgbench -n -c $((sessions - 10)) -t 1 -D in_tx=0 -f "$work/idle.sql" bench > /dev/null 2>&1 &
busy=$!
pgbench -n -c 10 -t 1 -D in_tx=1 -f "$work/idle.sql" bench > /dev/null 2>&1 &
busy="$busy $!"
for _ in $(seq 100); do
	[ "$(psql -XqAt -d bench -c "SELECT count(*) FROM pg_stat_activity WHERE datname = 'bench'")" -gt "$sessions" ] && break
	sleep 0.2
done
psql -XqAt -d bench -c "SELECT format('%s sessions, %s of them idle in a transaction', count(*), count(*) FILTER (WHERE state = 'idle in transaction'))
	FROM pg_stat_activity WHERE backend_type = 'client backend'"
echo

fast=$(measure bench "$rounds" health 'SELECT ops.health()' \
	sql "$(grep -v '^--' test/bench/fast.sql)" \
	activity 'SELECT count(*) FROM pg_stat_activity' nothing 'SELECT 1')
deep=$(measure bench 30 health "SELECT ops.health('default', 'deep')" \
	sql "$(grep -v '^--' test/bench/deep.sql)")

printf '%-46s %10s %10s\n' '' 'p50 ms' 'p99 ms'
row() { printf '%-46s %10.3f %10.3f\n' "$1" "$(figure "$2" "$3" 1)" "$(figure "$2" "$3" 2)"; }
row "ops.health(), fast tier" "$fast" health
row 'one SQL statement, same facts' "$fast" sql
row 'count(*) FROM pg_stat_activity, for scale' "$fast" activity
row "SELECT 1, for scale" "$fast" nothing
row "ops.health('default', 'deep')" "$deep" health
row 'SQL over the dearest deep facts' "$deep" sql
echo

# Locks: what the very transaction holds afterwards, and what another session
# sees in passing.
held=$(psql -XqAt -d bench <<-'SQL'
	BEGIN;
	SELECT NULL FROM ops.health('default', 'deep'), ops.checks('deep') WHERE false;
	CREATE TEMP TABLE held AS SELECT relation, mode FROM pg_locks WHERE false;
	COMMIT;
	BEGIN;
	SELECT count(*) > 0 FROM ops.checks('deep') \g /dev/null
	SELECT count(*) FROM pg_locks l WHERE pid = pg_backend_pid() AND relation >= 16384;
	SELECT coalesce(string_agg(DISTINCT mode, ', '), 'none') FROM pg_locks
	 WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation <> 'pg_locks'::regclass;
	COMMIT;
SQL
)
echo "relation locks kept after a deep run: $(sed -n 1p <<< "$held") on tables of users, modes in all: $(sed -n 2p <<< "$held")"
(for _ in $(seq 40); do psql -XqAt -d bench -c "/* looked at */ SELECT count(*) FROM ops.checks('deep')"; done > /dev/null) &
looker=$!
seen=$(while kill -0 $looker 2> /dev/null; do
	psql -XqAt -d bench -c "SELECT DISTINCT mode, CASE WHEN relation < 16384 THEN 'catalog' ELSE relkind::text END
		FROM pg_locks l JOIN pg_stat_activity a USING (pid) LEFT JOIN pg_class c ON c.oid = l.relation
		WHERE locktype = 'relation' AND a.query LIKE '/* looked at%'"
done | sort | uniq -c | awk '{ print $2 }' | tr '\n' ' ')
echo "seen from another session meanwhile (mode|catalog or kind of relation): ${seen:-nothing}"
echo

# Linear: the price of a relation at three sizes.
printf '%-46s %10s %10s\n' 'deep tier by size' 'p50 ms' 'us each'
sizes=''
for tables in 200 1000 3600; do
	make_database "size_$tables" "$tables"
	timing=$(measure "size_$tables" 15 health "SELECT ops.health('default', 'deep')")
	relations=$(psql -XqAt -d "size_$tables" -c 'SELECT count(*) FROM pg_class')
	each=$(awk -v ms="$(figure "$timing" health 1)" -v n="$relations" 'BEGIN { printf "%.2f", ms * 1000 / n }')
	printf '%-46s %10.1f %10s\n' "$relations relations" "$(figure "$timing" health 1)" "$each"
	sizes+="$each "
done
echo

missed=
ratio_fast=$(ratio "$(figure "$fast" sql 1)" "$(figure "$fast" health 1)")
verdict 'fast tier, times as fast as the SQL statement' "$ratio_fast" '>=' 5
verdict 'fast tier, p50 in ms' "$(figure "$fast" health 1)" '<=' 0.5
verdict 'deep tier, times as fast as the SQL statement' "$(ratio "$(figure "$deep" sql 1)" "$(figure "$deep" health 1)")" '>=' 1
verdict 'deep tier, p50 in ms' "$(figure "$deep" health 1)" '<=' 60
verdict 'price of a relation, largest database to smallest' \
	"$(awk '{ print $3 / $1 }' <<< "$sizes")" '<=' 1.5
echo
test/bench/rls.sh || missed=yes
echo
test/bench/bloat/run.sh || missed=yes
echo
test/bench/cleanup.sh || missed=yes
echo
test/bench/maintenance.sh || missed=yes
[ -z "$missed" ]
