# lib.sh: what the benches have in common.  Sourced; $work is a directory for
# what is noted.

query() {
	psql -XqAt -F ' ' -v ON_ERROR_STOP=1 -d "$@"
}

say() {
	printf '\n== %s (%s s)\n' "$*" "$SECONDS"
}

# Every call timed inside the server, in one session, in turn, so that
# whatever else the machine does hits all alike.
measure() {
	local database=$1 calls=$2
	shift 2
	local name statement body=''

	while [ $# -gt 0 ]; do
		name=$1 statement=$2
		shift 2
		body+="started := clock_timestamp();
			EXECUTE \$bench\$$statement\$bench\$ INTO answer;
			INSERT INTO timing VALUES ('$name', extract(epoch FROM clock_timestamp() - started) * 1000);
		"
	done
	psql -XqAt -F ' ' -v ON_ERROR_STOP=1 -d "$database" <<-SQL
		SET client_min_messages = error;
		CREATE TEMP TABLE timing (name text, ms float8);
		DO \$do\$
		DECLARE started timestamptz; answer text;
		BEGIN
			FOR i IN 1 .. $calls LOOP
				$body
				COMMIT;
			END LOOP;
		END\$do\$;
		SELECT name, percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY ms)
		  FROM timing GROUP BY name;
	SQL
}

# Column of a measured name: 1 for p50, 2 for p99, in milliseconds.
figure() {
	awk -v name="$2" -v column="$3" '$1 == name { gsub(/[{}]/, "", $2); split($2, f, ","); print f[column] }' <<< "$1"
}

# The first number as a multiple of the second.
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'
}

# Say whether a number meets its target; sets $missed if not.
#     verdict WHAT NUMBER OPERATOR TARGET
verdict() {
	if awk -v a="$2" -v b="$4" "BEGIN { exit !(a $3 b) }"; then
		printf '%-6s %s: %.3f %s %s\n' met "$1" "$2" "$3" "$4"
	else
		printf '%-6s %s: %.3f %s %s\n' missed "$1" "$2" "$3" "$4"
		missed=yes
	fi
}

# A database as another one is, in shared buffers, nothing of it dirty.  It
# has pg_prewarm.
#     restore TEMPLATE DATABASE
restore() {
	query postgres -c "DROP DATABASE IF EXISTS $2 WITH (FORCE)" \
		-c "CREATE DATABASE $2 TEMPLATE $1 STRATEGY file_copy" -c CHECKPOINT
	query "$2" -c "SELECT count(pg_prewarm(oid)) FROM pg_class WHERE relkind IN ('r', 'i') AND oid >= 16384" > "$work/prewarm.log"
	sync
}

# Others at work, at a rate that leaves the machine air; their log tells when
# each transaction ended and how long it took from the moment it was due.
#     start_clients DATABASE RATE OPTION...
start_clients() {
	local database=$1 rate=$2
	shift 2

	rm -f "$work"/clients.*
	pgbench -n -M prepared -c 4 -j 1 -R "$rate" -T 3600 --log --log-prefix="$work/clients" \
		"$@" "$database" > "$work/pgbench.log" 2>&1 &
	clients=$!
	sleep 3
}

# Clients whose sessions end write their log out; killed ones would not.
stop_clients() {
	query postgres -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgbench'" > "$work/ended"
	wait "$clients" || true
	clients=
}

# Milliseconds of what overlapped two moments.
latencies() {
	cat "$work"/clients.* | awk -v from="$1" -v until="$2" '
		{ end = $5 + $6 / 1e6; if (end >= from && end - $3 / 1e6 <= until) print $3 / 1000 }'
}

# p50, p99 and max of milliseconds, and how many they are.
summary() {
	sort -g "$1" | awk '{ ms[NR] = $1 } END {
		printf "%.3f %.3f %.3f %d\n", ms[int(NR * 0.5)], ms[int(NR * 0.99)], ms[NR], NR }'
}
