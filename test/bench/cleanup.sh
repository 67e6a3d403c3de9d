#!/usr/bin/env bash
# bench/cleanup.sh: how fast ops.run_cleanup() deletes, what it writes and who
# notices, against one DELETE and against the usual loop over row addresses,
# each from the same state and in the same run.  Then others write to the
# table meanwhile.  Called by run.sh; runs alone, too.
#     OPS_BENCH_CLEANUP_ROWS=5000000   of the table
#     OPS_BENCH_CLEANUP_ROUNDS=3       of one DELETE and ours, whose median counts
#     OPS_BENCH_CLUSTER=DIR            one of test/lib/cluster.sh that runs already
set -euo pipefail
cd "$(dirname "$0")/../.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh
. test/bench/lib.sh

rows=${OPS_BENCH_CLEANUP_ROWS:-5000000}
rounds=${OPS_BENCH_CLEANUP_ROUNDS:-3}
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
	query postgres -c 'DROP DATABASE IF EXISTS cleanup_run WITH (FORCE)' \
		-c 'DROP DATABASE IF EXISTS cleanup_small' -c 'DROP DATABASE IF EXISTS cleanup_start' \
		-c 'DROP ROLE IF EXISTS cleanup_owner'
}

# Durable: a commit that costs nothing would flatter small batches.
start_cluster() {
	build_and_install bench > "$work/build.log" 2>&1
	eval "$(PRELOAD=operations_runbook DURABLE=1 \
		EXTRA_CONF=$'shared_buffers = 4GB\nautovacuum = off\nmax_wal_size = 16GB\nmin_wal_size = 8GB\ncheckpoint_timeout = 1h' \
		test/lib/cluster.sh start "$cluster")"
}

# Policies and predicates of the layouts: 30 % of the rows each.
make_database() {
	query postgres -c "CREATE DATABASE $1"
	query "$1" -v rows="$2" -f test/bench/cleanup.sql > "$work/schema.log"
	query "$1" > "$work/policies.log" <<-'SQL'
		CREATE EXTENSION operations_runbook;
		CREATE EXTENSION pg_prewarm;
		GRANT USAGE ON SCHEMA ops TO cleanup_owner;
		GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO cleanup_owner;
		SELECT ops.add_retention('events', 'created_at', '70 days', policy_name => 'clustered');
		SELECT ops.add_retention('events', 'created_at', '40 days', policy_name => 'scattered', condition => 'read');
		SELECT ops.add_retention('events', 'expires_at', '70 days', policy_name => 'expiry');
	SQL
}

predicate() {
	case $1 in
		clustered) echo "created_at < now() - '70 days'::interval" ;;
		scattered) echo "read AND created_at < now() - '40 days'::interval" ;;
		expiry) echo "expires_at < now() - '70 days'::interval" ;;
	esac
}

time_column() {
	[ "$1" = expiry ] && echo expires_at || echo created_at
}

# The loop over ctid scans from the first page each time, past all that it has
# deleted.  If the table is larger than a quarter of shared_buffers,
# synchronize_seqscans lets it go on about where its last scan ended ("that
# goes on"): so fast it is where every page has rows to go, by luck.
#
# SQL that does it, and leaves the longest transaction in :longest, or "all".
method_sql() {
	case $1 in
		delete) echo "DELETE FROM events WHERE $(predicate "$2"); \\set longest all" ;;
		ctid) echo "SET synchronize_seqscans = off; CALL delete_by_ctid(\$\$$(predicate "$2")\$\$) \\gset" ;;
		luck) echo "CALL delete_by_ctid(\$\$$(predicate "$2")\$\$) \\gset" ;;
		oldest) echo "CALL delete_by_ctid(\$\$$(predicate "$2") ORDER BY $(time_column "$2")\$\$) \\gset" ;;
		ours) echo "CALL ops.run_cleanup('$2') \\gset
			\\set longest :longest_ms" ;;
		owner) echo "SET ROLE cleanup_owner;
			CALL ops.run_cleanup('$2') \\gset
			\\set longest :longest_ms
			RESET ROLE;" ;;
	esac
}

# Run a method on a layout: seconds, WAL in MB, longest transaction in ms,
# rows gone, seconds of the VACUUM afterwards.
run_method() {
	restore cleanup_start cleanup_run
	query cleanup_run <<-SQL | tail -1
		SELECT pg_current_wal_insert_lsn() AS lsn, clock_timestamp() AS started \\gset
		$(method_sql "$1" "$2")
		SELECT extract(epoch FROM clock_timestamp() - :'started') AS seconds,
			(pg_current_wal_insert_lsn() - :'lsn') / 1e6 AS wal \\gset
		SELECT $rows - count(*) AS gone FROM events \\gset
		SELECT clock_timestamp() AS vacuumed \\gset
		VACUUM events;
		SELECT format('%s %s %s %s %s', round(:seconds, 3), round(:wal, 1),
			CASE WHEN :'longest' = 'all' THEN :seconds * 1000 ELSE nullif(:'longest', 'all')::numeric END,
			:gone, round(extract(epoch FROM clock_timestamp() - :'vacuumed'), 3));
	SQL
}

# The line of the median time.
median_line() {
	sort -g | awk '{ line[NR] = $0 } END { print line[int((NR + 1) / 2)] }'
}

column() {
	awk -v layout="$1" -v method="$2" -v column="$3" \
		'$1 == layout && $2 == method { print $(column + 2) }' "$work/figures"
}

# Others at work on the table.
start_writers() {
	start_clients cleanup_run 400 -D rows="$rows" -f "$work/insert.sql@3" -f "$work/select.sql@4" -f "$work/update.sql@3"
}

# Latencies of the others alone, then during a method, and its seconds.  One
# run is over after a few hundred of them: all rounds are taken together.
others_during() {
	local alone from until seconds=0

	rm -f "$work/alone" "$work/during"
	for _ in $(seq "$([ "$1" = ours ] && echo "$rounds" || echo 1)"); do
		restore cleanup_start cleanup_run
		start_writers
		alone=$(date +%s.%N)
		sleep 15
		from=$(date +%s.%N)
		query cleanup_run <<< "$(method_sql "$1" "$2")"
		until=$(date +%s.%N)
		sleep 1
		stop_clients
		latencies "$alone" "$from" >> "$work/alone"
		latencies "$from" "$until" >> "$work/during"
		seconds=$(awk -v s="$seconds" -v a="$from" -v b="$until" 'BEGIN { printf "%.1f", s + b - a }')
	done
	echo "$(summary "$work/alone") $(summary "$work/during") $seconds"
}

# Private memory of the session that deletes, in MB: what it took at its peak
# and what it kept.
memory() {
	restore "$1" cleanup_run
	query cleanup_run <<-SQL | tail -1
		CREATE FUNCTION pg_temp.kb(name text) RETURNS int LANGUAGE sql AS
		\$\$ SELECT (regexp_match(pg_read_file('/proc/self/status'), name || ':\s+(\d+) kB'))[1]::int \$\$;
		SELECT pg_temp.kb('RssAnon') AS before \\gset
		$(method_sql ours expiry)
		SELECT round((pg_temp.kb('VmHWM') - pg_temp.kb('RssFile') - pg_temp.kb('RssShmem') - :before) / 1024.0, 1),
			round((pg_temp.kb('RssAnon') - :before) / 1024.0, 1);
	SQL
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
query postgres -c "SELECT format('fsync %s, shared_buffers %s, wal_compression %s',
	current_setting('fsync'), current_setting('shared_buffers'), current_setting('wal_compression'))"

say "a table of $rows rows with 4 indexes, 30 % of them to go"
query postgres -c 'CREATE ROLE cleanup_owner'
make_database cleanup_start "$rows"
query cleanup_start -c "SELECT format('table %s, indexes %s', pg_size_pretty(pg_table_size('events')), pg_size_pretty(pg_indexes_size('events')))"

: > "$work/figures"
for layout in clustered scattered expiry; do
	for method in delete ours owner ctid luck oldest; do
		lines=
		# The loops are what they are; a minute of each is enough.
		for _ in $(seq "$([[ $method =~ ^(ctid|luck|oldest)$ ]] && echo 1 || echo "$rounds")"); do
			lines+="$(run_method "$method" "$layout")"$'\n'
		done
		echo "$layout $method $(grep . <<< "$lines" | median_line)" >> "$work/figures"
	done
done

say 'alone on the machine'
printf '%-12s %-18s %8s %8s %12s %9s %9s %7s %7s\n' layout method s 'WAL MB' 'longest ms' rows 'vacuum s' 'time' 'WAL'
while read -r layout method seconds wal longest gone vacuum; do
	case $method in
		delete) name='one DELETE' base_seconds=$seconds base_wal=$wal ;;
		ours) name='ops.run_cleanup()' ;;
		owner) name='as no superuser' ;;
		ctid) name='loop over ctid' ;;
		luck) name='that goes on' ;;
		oldest) name='oldest first' ;;
	esac
	printf '%-12s %-18s %8.2f %8.0f %12.1f %9d %9.2f %7.2f %7.3f\n' "$layout" "$name" "$seconds" "$wal" "$longest" "$gone" "$vacuum" \
		"$(awk -v a="$seconds" -v b="$base_seconds" 'BEGIN { print a / b }')" "$(awk -v a="$wal" -v b="$base_wal" 'BEGIN { print a / b }')"
done < "$work/figures"

say 'with others that insert, read and update'
cat > "$work/insert.sql" <<-'SQL'
	\set tenant random(0, 1000)
	INSERT INTO events (tenant_id, created_at, expires_at, payload, read, flags)
	VALUES (:tenant, now(), now() + '30 days', '{"kind": "event", "text": "as short as that"}', false, 1);
SQL
cat > "$work/select.sql" <<-'SQL'
	\set id random(1, :rows)
	SELECT payload FROM events WHERE id = :id;
SQL
cat > "$work/update.sql" <<-'SQL'
	\set id random(1, :rows)
	UPDATE events SET flags = flags + 1 WHERE id = :id;
SQL
printf '%-12s %-18s %26s %26s %8s %8s\n' layout during 'alone: p50, p99, max ms' 'during: p50, p99, max ms' seconds number
: > "$work/others"
for layout in clustered scattered expiry; do
	for method in delete ours; do
		figures=$(others_during "$method" "$layout")
		echo "$layout $method $figures" >> "$work/others"
		# shellcheck disable=SC2086
		set -- $figures
		printf '%-12s %-18s %8.2f %8.2f %8.1f %8.2f %8.2f %8.1f %8s %8s\n' "$layout" \
			"$([ "$method" = delete ] && echo 'one DELETE' || echo 'ops.run_cleanup()')" \
			"$1" "$2" "$3" "$5" "$6" "$7" "$9" "$8"
	done
done
others() {
	awk -v layout="$1" -v method="$2" "\$1 == layout && \$2 == method { print $3 }" "$work/others"
}

say 'memory'
make_database cleanup_small $((rows / 5))
memory_small=$(memory cleanup_small)
memory_large=$(memory cleanup_start)
echo "MB at the peak, and kept: $memory_small with $((rows / 5)) rows, $memory_large with $rows"
memory_growth=$(awk -v a="${memory_large% *}" -v b="${memory_small% *}" 'BEGIN { print a - b }')

say 'in all'
missed=
compare() {
	awk -v a="$(column "$1" "$2" "$4")" -v b="$(column "$1" "$3" "$4")" 'BEGIN { print a / b }'
}
for layout in clustered scattered expiry; do
	verdict "$layout, rows gone that one DELETE leaves, or the reverse" \
		"$(awk -v a="$(column $layout ours 4)" -v b="$(column $layout delete 4)" 'BEGIN { print a - b }')" '==' 0
	verdict "$layout, time to that of one DELETE" "$(compare $layout ours delete 1)" '<=' 1.1
	verdict "$layout, WAL to that of one DELETE" "$(compare $layout ours delete 2)" '<=' 1.02
	verdict "$layout, time to that of one DELETE, as no superuser" "$(compare $layout owner delete 1)" '<=' 1.1
	verdict "$layout, WAL to that of one DELETE, as no superuser" "$(compare $layout owner delete 2)" '<=' 1.02
	verdict "$layout, longest transaction in ms" "$(column $layout ours 3)" '<=' 50
	verdict "$layout, VACUUM afterwards to that after one DELETE" "$(compare $layout ours delete 5)" '<=' 1.1
	if [ $layout != clustered ]; then
		verdict "$layout, times as fast as the loop over ctid" "$(compare $layout ctid ours 1)" '>=' 10
	fi
	verdict "$layout, p99 of others to theirs alone" "$(others $layout ours '$8 == 0 ? 0 : $8 / $4')" '<=' 2
	verdict "$layout, longest wait of others in ms" "$(others $layout ours '$9')" '<=' 50
done
verdict 'memory at the peak, MB more for five times the rows' "$memory_growth" '<=' 8
verdict 'memory kept by the session, in MB' "${memory_large#* }" '<=' 4
[ -z "$missed" ]
