#!/usr/bin/env bash
# bench/maintenance.sh: what others notice of ops.run_maintenance(), how long
# it takes and what it leaves, against what runbooks do: VACUUM ANALYZE and
# REINDEX of everything, and the same with CONCURRENTLY for scale; each from
# the same state, with the same others at work, in the same run.  Called by
# run.sh; runs alone, too.
#     OPS_BENCH_MAINTENANCE_ROWS=1200000   of each of four tables in order
#     OPS_BENCH_MAINTENANCE_ROUNDS=3       of ours; the others have one
#     OPS_BENCH_CLUSTER=DIR                one of test/lib/cluster.sh that runs already
set -euo pipefail
cd "$(dirname "$0")/../.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh
. test/bench/lib.sh

rows=${OPS_BENCH_MAINTENANCE_ROWS:-1200000}
rounds=${OPS_BENCH_MAINTENANCE_ROUNDS:-3}
alone_seconds=10
export PGOPTIONS='-c client_min_messages=warning'

clean_up() {
	[ -z "${clients:-}" ] || kill "$clients" 2> /dev/null || true
	if [ -z "${OPS_BENCH_CLUSTER:-}" ]; then
		test/lib/cluster.sh stop "$cluster"
	else
		drop_databases
	fi
	rm -rf "$work"
}

drop_databases() {
	query postgres -c 'DROP DATABASE IF EXISTS maintenance_run WITH (FORCE)' -c 'DROP DATABASE IF EXISTS maintenance_start'
}

# Durable: who waits for a commit waits for what others write, too.
start_cluster() {
	build_and_install bench > "$work/build.log" 2>&1
	eval "$(PRELOAD=operations_runbook DURABLE=1 \
		EXTRA_CONF=$'shared_buffers = 3GB\nautovacuum = off\nmax_wal_size = 16GB\nmin_wal_size = 4GB\ncheckpoint_timeout = 1h' \
		test/lib/cluster.sh start "$cluster")"
}

make_database() {
	query postgres -c 'CREATE DATABASE maintenance_start'
	query maintenance_start -c 'CREATE EXTENSION operations_runbook' -c 'CREATE EXTENSION pg_prewarm' -c 'CREATE EXTENSION pgstattuple'
	pgbench -i -q -s 30 maintenance_start > "$work/pgbench_init.log" 2>&1
	query maintenance_start -v rows="$rows" -f test/bench/maintenance.sql > "$work/schema.log"
}

# pgbench's own mix, and others on the tables that there is something to do to.
start_others() {
	start_clients maintenance_run 300 -D rows="$rows" -b tpcb-like@5 \
		-f "$work/read.sql@3" -f "$work/write.sql@2"
}

write_scripts() {
	cat > "$work/read.sql" <<-'SQL'
		\set id random(1, :rows)
		SELECT body FROM orders_1 WHERE id = :id;
		SELECT device FROM sessions WHERE token = md5('session' || :id);
		SELECT count(*) FROM visits WHERE id = :id / 10;
	SQL
	cat > "$work/write.sql" <<-'SQL'
		\set id random(1, :rows)
		BEGIN;
		UPDATE notes SET tenant_id = tenant_id + 1 WHERE id = :id / 2;
		UPDATE sessions SET seen_at = now() WHERE token = md5('session' || :id);
		UPDATE orders_2 SET body = body WHERE id = :id;
		END;
	SQL
}

name_of() {
	case $1 in
		runbook) echo 'VACUUM ANALYZE and REINDEX' ;;
		concurrently) echo 'the same with CONCURRENTLY' ;;
		ours) echo 'ops.run_maintenance()' ;;
	esac
}

# Everything, as plain statements; and ours, which is one.
work_through() {
	case $1 in
		runbook) query maintenance_run -c 'VACUUM ANALYZE' -c 'REINDEX DATABASE maintenance_run' ;;
		concurrently)
			# It warns that it leaves the catalogs out.
			query maintenance_run -c 'VACUUM ANALYZE' -c 'SET client_min_messages = error' \
				-c 'REINDEX DATABASE CONCURRENTLY maintenance_run'
			;;
		ours) query maintenance_run -c 'CALL ops.run_maintenance()' > "$work/called" ;;
	esac
}

# Dead rows, MB of tables, MB of indexes, rows that statistics know nothing of.
state() {
	query maintenance_run <<-'SQL'
		SELECT sum(dead), round(sum(table_bytes) / 1e6, 1), round(sum(index_bytes) / 1e6, 1), sum(changed)
		  FROM (SELECT (pgstattuple(oid)).dead_tuple_count AS dead, pg_table_size(oid) AS table_bytes,
				pg_indexes_size(oid) AS index_bytes, pg_stat_get_mod_since_analyze(oid) AS changed
			  FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace) AS relation;
	SQL
}

# One round of a method.  Notes the others' latencies alone and during it, its
# seconds, and the state before and afterwards.
run_round() {
	local alone from until

	restore maintenance_start maintenance_run
	query maintenance_run -f test/bench/maintenance_wear.sql > "$work/wear.log"
	sync
	state > "$work/before"
	start_others
	alone=$(date +%s.%N)
	sleep "$alone_seconds"
	from=$(date +%s.%N)
	work_through "$1"
	until=$(date +%s.%N)
	sleep 1
	stop_clients
	latencies "$alone" "$from" >> "$work/$1.alone"
	latencies "$from" "$until" >> "$work/$1.during"
	awk -v a="$from" -v b="$until" 'BEGIN { printf "%.2f\n", b - a }' >> "$work/$1.seconds"
	state > "$work/$1.after"
}

# What the last run did, and how long that took.
print_steps() {
	query maintenance_run -F '|' <<-'SQL' | awk -F '|' '{ printf "%-12s %-62s %7s %9s %9s\n", $1, $2, $3, $4, $5 }'
		SELECT 'status', 'command', 'seconds', 'MB before', 'MB after'
		UNION ALL
		(SELECT status, command, round(extract(epoch FROM ended_at - started_at), 2)::text,
			round(bytes_before / 1e6, 1)::text, round(bytes_after / 1e6, 1)::text
		   FROM ops.maintenance_step ORDER BY step_no);
	SQL
}

# A column of a file's last line.
last() {
	tail -1 "$work/$1" | awk -v column="$2" '{ print $column }'
}

# What is gone of what there was, as a share of what is gone after the other.
gone() {
	awk -v before="$(last before "$1")" -v ours="$(last ours.after "$1")" -v theirs="$(last runbook.after "$1")" \
		'BEGIN { print (before - ours) / (before - theirs) }'
}

ops_setup demo
work=$(mktemp -d /var/tmp/operations_runbook.bench.XXXXXX)
chmod 755 "$work"
cluster=${OPS_BENCH_CLUSTER:-$work/cluster}
trap clean_up EXIT
if [ -n "${OPS_BENCH_CLUSTER:-}" ]; then
	eval "$(test/lib/cluster.sh env "$cluster")"
	drop_databases
else
	start_cluster
fi
query postgres -c "SELECT format('fsync %s, shared_buffers %s, %s cores', current_setting('fsync'), current_setting('shared_buffers'), $(nproc))"
write_scripts

say 'a database most of which is in order'
make_database
query maintenance_start <<-'SQL'
	SELECT format('%s tables of %s, %s indexes of %s', count(*) FILTER (WHERE relkind = 'r'),
		pg_size_pretty(sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'r')), count(*) FILTER (WHERE relkind = 'i'),
		pg_size_pretty(sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'i')))
	  FROM pg_class WHERE relnamespace = 'public'::regnamespace;
SQL

say 'with others at work'
run_round runbook
run_round concurrently
for _ in $(seq "$rounds"); do
	run_round ours
done
print_steps
echo
printf '%-30s %28s %28s %8s %8s\n' during 'alone: p50, p99, max ms' 'during: p50, p99, max ms' seconds number
for method in runbook concurrently ours; do
	summary "$work/$method.alone" > "$work/$method.figures"
	summary "$work/$method.during" >> "$work/$method.figures"
	seconds=$(sort -g "$work/$method.seconds" | awk '{ s[NR] = $1 } END { print s[int((NR + 1) / 2)] }')
	echo "$seconds" > "$work/$method.median"
	# shellcheck disable=SC2046
	set -- $(cat "$work/$method.figures")
	printf '%-30s %8.2f %8.2f %10.1f %8.2f %8.2f %10.1f %8s %8s\n' \
		"$(name_of $method)" "$1" "$2" "$3" "$5" "$6" "$7" "$seconds" "$8"
done
echo
printf '%-30s %10s %10s %10s %16s\n' '' 'dead rows' 'tables MB' 'indexes MB' 'rows not counted'
# shellcheck disable=SC2046
for method in before runbook concurrently ours; do
	case $method in
		before) set -- before $(cat "$work/before") ;;
		*) set -- "$(name_of $method)" $(cat "$work/$method.after") ;;
	esac
	printf '%-30s %10s %10s %10s %16s\n' "$@"
done

say 'in all'
missed=
during() {
	awk -v row="$2" -v column="$3" 'NR == row { print $column }' "$work/$1.figures"
}
verdict 'seconds to those of everything' "$(awk -v a="$(last ours.median 1)" -v b="$(last runbook.median 1)" 'BEGIN { print a / b }')" '<=' 0.5
# Against alone it swings between 1.5 and 15, with what the disk does.
echo "p99 of others to theirs alone: $(awk -v a="$(during ours 2 2)" -v b="$(during ours 1 2)" 'BEGIN { print a / b }')"
verdict 'p99 of others to that while everything is done' "$(awk -v a="$(during ours 2 2)" -v b="$(during runbook 2 2)" 'BEGIN { print a / b }')" '<=' 0.1
verdict 'longest wait of others in ms' "$(during ours 2 3)" '<=' 500
verdict 'dead rows gone, to those gone after everything' "$(gone 1)" '>=' 0.95
verdict 'size of tables to that after everything' "$(awk -v a="$(last ours.after 2)" -v b="$(last runbook.after 2)" 'BEGIN { print a / b }')" '<=' 1.05
verdict 'size of indexes to that after everything' "$(awk -v a="$(last ours.after 3)" -v b="$(last runbook.after 3)" 'BEGIN { print a / b }')" '<=' 1.05
verdict 'changed rows counted, to those counted after everything' "$(gone 4)" '>=' 0.95
[ -z "$missed" ]
