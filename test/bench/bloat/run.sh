#!/usr/bin/env bash
# bench/bloat/run.sh: how right ops.bloat_report() is and how fast, against
# the truth, which is got by doing it: in a copy of the database every index
# is rebuilt and every table rewritten.  pgstattuple, pgstattuple_approx,
# pgstatindex and an estimate from column widths look at the same relations in
# the same run.  Called by ../run.sh; runs alone, too.
#     OPS_BENCH_BLOAT_SCALE=1   sizes of all relations
#     OPS_BENCH_BLOAT_SEED=1    of the random zoo; 0: another every time
#     OPS_BENCH_BLOAT_COLD=1    3 GB more, read with cold caches
#     OPS_BENCH_CLUSTER=DIR     one of test/lib/cluster.sh that runs already
set -euo pipefail
cd "$(dirname "$0")/../../.."
source_tree=$PWD

. test/lib/setup.sh
. test/lib/suites.sh
. test/bench/lib.sh

here=test/bench/bloat
scale=${OPS_BENCH_BLOAT_SCALE:-1}
seed=${OPS_BENCH_BLOAT_SEED:-1}
[ "$seed" != 0 ] || seed=$((RANDOM + 1))
export PGOPTIONS='-c client_min_messages=warning'

clean_up() {
	if [ -z "${OPS_BENCH_CLUSTER:-}" ]; then
		test/lib/cluster.sh stop "$cluster"
	fi
	rm -rf "$work"
}

start_cluster() {
	build_and_install bench > "$work/build.log" 2>&1
	# Page checksums, so that a hint bit that was set would show as WAL.
	eval "$(PRELOAD=operations_runbook INITDB_ARGS=-k \
		EXTRA_CONF=$'shared_buffers = 2GB\nautovacuum = off\nmax_wal_size = 16GB\ncheckpoint_timeout = 1h\nfull_page_writes = on' \
		test/lib/cluster.sh start "$cluster")"
}

restart() {
	as_postgres "$BINDIR/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w -s restart < /dev/null > /dev/null
}

make_database() {
	query postgres -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1"
	query "$1" -c 'CREATE EXTENSION operations_runbook' -c 'CREATE EXTENSION pgstattuple' \
		-c 'CREATE EXTENSION pg_prewarm' -c 'CREATE EXTENSION pg_trgm' -c 'CREATE EXTENSION btree_gist'
}

# WAL bytes and pages made dirty by a statement: "BYTES PAGES".  Catalogs are
# vacuumed first, or reading them would prune them; before that, commits are
# flushed, or no hint bit could be set.
written_by() {
	query "$1" <<-SQL
		CHECKPOINT;
		SELECT format('VACUUM %s', oid::regclass) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'pg_catalog'::regnamespace \gexec
		CHECKPOINT;
		SELECT * FROM judge.written_by(\$\$$2\$\$);
	SQL
}

# Estimates, races and the truth of a database whose schema zoo is made.
judge() {
	local database=$1

	query "$database" -f $here/judge.sql > "$work/judge.log"
	written=$(written_by "$database" 'SELECT count(*) FROM ops.bloat_report(min_size => 0)')
	echo "$written" >> "$work/written"
	echo "the first report of all wrote: ${written% *} bytes of WAL, ${written#* } dirty pages"
	written=$(written_by "$database" "SELECT sum(free_space) FROM judge.relation, pgstattuple(relation) WHERE kind = 'heap'")
	echo "pgstattuple of all tables, after it: ${written% *} bytes of WAL, ${written#* } dirty pages"
	query "$database" -c "SELECT judge.ask_us('ours', false)" -c "SELECT judge.ask_us('ours exact', true)" \
		-c 'CALL judge.ask_rivals()' > "$work/judge.log"
	query "$database" -c "CALL judge.race('shared', 1024 * 1024, 3)"
	# A server whose shared buffers are small leaves tables to the system.
	query postgres -c "ALTER SYSTEM SET shared_buffers = '128MB'"
	restart
	query "$database" -c "CALL judge.race('system', 1024 * 1024, 3)"
	for megabytes in 1 2 4 8; do
		query "$database" -c "CALL judge.race_whole($megabytes * 1024 * 1024, 5)"
	done
	query postgres -c 'ALTER SYSTEM RESET shared_buffers'
	restart
	query "$database" -c 'INSERT INTO judge.truth SELECT relation, name, kind, size FROM judge.relation WHERE size > 0' -c 'CHECKPOINT'

	say "$database: the truth"
	query postgres -c 'DROP DATABASE IF EXISTS bloat_truth' -c "CREATE DATABASE bloat_truth TEMPLATE $database STRATEGY file_copy"
	query bloat_truth -f $here/truth.sql > "$work/truth.log"
	query "$database" -c 'TRUNCATE judge.truth'
	query bloat_truth -c 'COPY judge.truth TO STDOUT' | query "$database" -c 'COPY judge.truth FROM STDIN'
	query postgres -c 'DROP DATABASE bloat_truth'
	psql -Xq -v ON_ERROR_STOP=1 -d "$database" -f $here/verdict.sql
	query "$database" -f $here/figures.sql >> "$work/figures"
}

# Median of numbers, a line each.
median() {
	sort -g | awk '{ v[NR] = $1 } END { if (NR) printf "%.3f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# The name of a figure, and columns of its lines, which have to be pooled.
pooled() {
	awk -v name="$1" "\$1 == name { $2 } END { printf \"%.4f\", $3 }" "$work/figures"
}

ops_setup demo
work=$(mktemp -d /var/tmp/operations_runbook.bench.XXXXXX)
chmod 755 "$work"
cluster=${OPS_BENCH_CLUSTER:-$work/cluster}
trap clean_up EXIT
if [ -n "${OPS_BENCH_CLUSTER:-}" ]; then
	eval "$(test/lib/cluster.sh env "$cluster")"
else
	start_cluster
fi
: > "$work/figures"

say "the zoo, at scale $scale"
make_database bloat_zoo
query bloat_zoo -v scale="$scale" -f $here/zoo.sql -f $here/large.sql > "$work/zoo.log"
judge bloat_zoo

say "a random zoo of seed $seed, at scale $scale"
make_database bloat_random
query bloat_random -v scale="$scale" -v seed="$seed" -v tables=60 -f $here/random.sql > "$work/random.log"
judge bloat_random

say '5,000 tiny tables'
make_database bloat_tiny
query bloat_tiny -f $here/tiny.sql > "$work/tiny.log"
tiny=$(measure bloat_tiny 3 all 'SELECT count(*) FROM ops.bloat_report(min_size => 0)' usual 'SELECT count(*) FROM ops.bloat_report()')
printf 'ms: %.0f with min_size => 0, %.0f as usual\n' "$(figure "$tiny" all 1)" "$(figure "$tiny" usual 1)"

# Nothing but holes, so it takes no space; each page is read all the same.
say 'sparse tables of 1 and 30 GB'
for gigabytes in 1 30; do
	query bloat_tiny -c "CREATE TABLE sparse_$gigabytes AS SELECT 1 AS id" -c CHECKPOINT
	path=$(query bloat_tiny -c "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('sparse_$gigabytes')")
	for segment in $(seq 0 $((gigabytes - 1))); do
		file=$path.$segment
		[ "$segment" != 0 ] || file=$path
		as_postgres truncate -s 1G "$file"
	done
done
flat=$(measure bloat_tiny 5 one "SELECT count(*) FROM ops.bloat_report('sparse_1')" thirty "SELECT count(*) FROM ops.bloat_report('sparse_30')")
printf 'ms: %.2f and %.2f\n' "$(figure "$flat" one 1)" "$(figure "$flat" thirty 1)"
query postgres -c 'DROP DATABASE bloat_tiny'

cold=
if [ -n "${OPS_BENCH_BLOAT_COLD:-}" ]; then
	say '3 GB with cold caches'
	make_database bloat_cold
	query bloat_cold -c "CREATE TABLE cold (id int, b text)" \
		-c "INSERT INTO cold SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 10600000) AS i" \
		-c 'DELETE FROM cold WHERE id % 3 = 0' -c CHECKPOINT
	for statement in "SELECT count(*) FROM ops.bloat_report('cold')" "SELECT * FROM pgstattuple('cold')"; do
		restart
		sync
		echo 3 > /proc/sys/vm/drop_caches
		cold+=" $(figure "$(measure bloat_cold 1 cold "$statement")" cold 1)"
	done
	echo "ms, report and pgstattuple:$cold"
	query postgres -c 'DROP DATABASE bloat_cold'
fi

say 'in all'
for cache in system shared; do
	echo "times as fast as the exact readers, by kind and size, $cache cache: number, median"
	for class in 'tables<100MB' 'tables>=100MB' 'indexes<100MB' 'indexes>=100MB'; do
		ratios=$(awk -v name="ratio/$cache" -v class="$class" '$1 == name && $3 == class { print $2 }' "$work/figures")
		printf '%-16s %4d %8s\n' "$class" "$(grep -c . <<< "$ratios")" "$(median <<< "$ratios")"
	done
done
echo 'whole database, times as fast as the exact readers of it: smallest relation and average in MB, number, times'
awk '$1 == "database" { printf "%-16s %4d %6.1f %6d %8.2f\n", $2, $3, $5, $4, $6 }' "$work/figures"
missed=
for kind in heap toast btree hash gin gist spgist; do
	most=$(pooled "error/$kind" 'if ($2 > most) most = $2' most)
	case $kind in
		gin | gist | spgist) verdict "$kind, largest error in points" "$most" '<=' 6 ;;
		*)
			verdict "$kind, largest error in points" "$most" '<=' 3
			verdict "$kind, mean error in points" "$(pooled "error/$kind" 'sum += $3; n += $4' 'n ? sum / n : 0')" '<=' 0.4
			;;
	esac
	verdict "$kind, % with the truth inside the interval" \
		"$(pooled "error/$kind" 'inside += $5; n += $4' 'n ? 100 * inside / n : 0')" '>=' 95
done
verdict 'heap, exact, largest error in points' "$(pooled exact/heap 'if ($2 > most) most = $2' most)" '<=' 0.1
verdict 'median relation over 30 MB, times as fast as the exact readers of it' \
	"$(awk '$1 == "ratio/system" { print $2 }' "$work/figures" | median)" '>=' 20
echo "the same with all of it in shared buffers: $(awk '$1 == "ratio/shared" { print $2 }' "$work/figures" | median)"
# The zoos' many small relations, one in five a GIN, GiST or SP-GiST index,
# take as long as large ones, but not to read.
verdict 'whole database of 25 MB a relation or more, times as fast as the exact readers of it' \
	"$(awk '$1 == "database" && $5 >= 25 { print $6 }' "$work/figures" | sort -g | head -1)" '>=' 8
verdict 'WAL written by a report, in bytes' "$(awk '{ sum += $1 } END { print sum }' "$work/written")" '<=' 0
verdict 'pages made dirty by a report' "$(awk '{ sum += $2 } END { print sum }' "$work/written")" '<=' 0
verdict '5,000 tiny tables, in s' "$(awk -v ms="$(figure "$tiny" all 1)" 'BEGIN { print ms / 1000 }')" '<=' 2
verdict 'price of 30 GB to that of 1 GB' "$(ratio "$(figure "$flat" thirty 1)" "$(figure "$flat" one 1)")" '<=' 1.5
if [ -n "$cold" ]; then
	# shellcheck disable=SC2086
	set -- $cold
	verdict '3 GB cold, times as fast as pgstattuple' "$(ratio "$2" "$1")" '>=' 300
fi
[ -z "$missed" ]
