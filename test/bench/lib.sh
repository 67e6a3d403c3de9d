# lib.sh: what the benches have in common.  Sourced.

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
