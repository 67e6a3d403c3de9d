# suites.sh: the suites of run.sh, a function each.  They run in the checkout
# and work in copies below $work; source_tree, work and what setup.sh exports
# are set.  A suite prints "ok - name" or "not ok - name" for what it counts;
# lines that begin with "# " are shown to whoever runs it.

# A fresh copy of the tree without build products, owned by postgres.
copy_tree() {
	local copy=$work/$1

	rm -rf "$copy"
	(cd "$source_tree" && ops_copy_sources "$copy")
	chown -R postgres: "$copy"
	echo "$copy"
}

# make as user postgres in a copy.
make_in() {
	local copy=$1
	shift
	as_postgres make -s -C "$copy" PG_CONFIG="$PG_CONFIG" with_llvm=no "$@"
}

# Build a copy and install it where the server looks; sets $tree.  Suites
# that instrument the library install their own and the next one replaces it.
build_and_install() {
	local name=$1
	shift
	tree=$(copy_tree "$name")
	make_in "$tree" -j"$(nproc)" "$@" &&
		make -s -C "$tree" PG_CONFIG="$PG_CONFIG" with_llvm=no install "$@" &&
		chown -R postgres: "$tree"
}

# Start the suites' cluster with the given preloads; sets PGHOST and so on.
start_cluster() {
	stop_cluster
	eval "$(PRELOAD=$1 test/lib/cluster.sh start "$work/cluster")"
}

stop_cluster() {
	if [ -e "$work/cluster/data" ]; then
		test/lib/cluster.sh stop "$work/cluster"
	fi
}

as_client() {
	as_postgres PGHOST="$PGHOST" PGPORT="$PGPORT" PGUSER=postgres "$@"
}

# What pg_regress and isolationtester say, as our own lines.  Their form
# changed in 16.
report_regress() {
	sed -n -E \
		-e "s/^test ([^ ]+) +\.\.\. ok .*/ok - $1 \1/p" \
		-e "s/^test ([^ ]+) +\.\.\. FAILED.*/not ok - $1 \1/p" \
		-e "s/^ok [0-9]+ +[-+] ([^ ]+).*/ok - $1 \1/p" \
		-e "s/^not ok [0-9]+ +[-+] ([^ ]+).*/not ok - $1 \1/p"
}

report_tap() {
	sed -n -E \
		-e 's/^(test\/t\/[^ ]+) \.+ *ok( .*)?$/ok - \1/p' \
		-e 's/^(test\/t\/[^ ]+) \.+ *skipped: (.*)$/ok - \1\n# skipped \1: \2/p' \
		-e 's/^(test\/t\/[^ ]+) +\(Wstat.*/not ok - \1/p'
}

# What failed in them, of a log in which that can be far above the end.
tap_failures() {
	grep -A 8 '#   Failed test' "$1" | head -100
}

# Of rls/corpus.sh: each case whose claims are borne out by executing them,
# and each share that it prints with a threshold.
report_rls() {
	awk -v raw="$work/rls.cases" '
		/^[a-z ]+ +[0-9.]+ %  \(.*, at least [0-9.]+ %\)$/ {
			match($0, /[0-9.]+ %/)
			name = substr($0, 1, RSTART - 1); sub(/ +$/, "", name)
			share = substr($0, RSTART, RLENGTH - 2)
			limit = $0; sub(/.*at least /, "", limit); sub(/ .*/, "", limit)
			print (share + 0 >= limit + 0 ? "ok" : "not ok") " - rls " name
			print "# " name " " substr($0, RSTART)
		}
		/^(missed|false alarm|not proved): / { print "# " $0 }
		END {
			while ((getline line < raw) > 0) {
				split(line, field, "\t")
				if (field[1] == "case") seen[field[2]] = 1
				if (field[1] == "failed") failed[field[2]] = 1
			}
			for (name in seen)
				print (name in failed ? "not ok" : "ok") " - rls case " name
		}'
}

# Of fuzz/rls.pl: that nothing contradicts a proof, and how much is proved.
report_rls_fuzz() {
	awk '
		/ predicates: .*share of secure ones proved/ {
			match($0, /proved [0-9.]+ %/)
			share = substr($0, RSTART + 7, RLENGTH - 9)
			sound = / 0 internal errors, 0 crashes, 0 contradictions/ && $1 > 0
			print (sound ? "ok" : "not ok") " - rls_fuzz no contradiction"
			print (share >= 75 ? "ok" : "not ok") " - rls_fuzz share of secure ones proved"
			print "# " $0
		}'
}

# Run one of make's test targets and say, test by test, how it went; also
# that it went wrong if it ended before any test could fail.
#     tell NAME report_FUNCTION command ...
tell() {
	local name=$1 report=$2 status=0 said
	shift 2
	"$@" > "$work/$name.out" 2>&1 || status=$?
	said=$(sed 's/^\[[0-9:]*\] //' "$work/$name.out" | "$report" "$name")
	[ -z "$said" ] || printf '%s\n' "$said"
	if [ "$status" != 0 ] && ! grep -q '^not ok' <<< "$said"; then
		echo "not ok - $name did not finish"
	fi
	cat "$work/$name.out"
}

suite_lint() {
	test/lint/run.sh
}

suite_build_gcc() {
	make_in "$(copy_tree gcc)" -j"$(nproc)" CC=gcc STRICT=1
}

# The server's gcc has attributes and options that clang does not know.
suite_build_clang() {
	make_in "$(copy_tree clang)" -j"$(nproc)" CC=clang STRICT=1 \
		COPT='-Wno-ignored-attributes -Wno-unknown-warning-option -Wno-ignored-optimization-argument'
}

suite_static() {
	test/lint/static.sh "$(copy_tree static)"
}

# An ordinary build, installed; the suites after it use it.
suite_install() {
	build_and_install plain
}

# On a plain server: nothing preloaded, as whoever tries it has it.
suite_regress() {
	start_cluster ''
	tell regress report_regress as_client make -s -C "$work/plain" \
		PG_CONFIG="$PG_CONFIG" with_llvm=no installcheck ISOLATION= TAP_TESTS=
	cat "$work/plain/build/regression.diffs" 2> /dev/null
	stop_cluster
}

suite_isolation() {
	start_cluster operations_runbook
	tell isolation report_regress as_client make -s -C "$work/plain" \
		PG_CONFIG="$PG_CONFIG" with_llvm=no installcheck REGRESS= TAP_TESTS=
	cat "$work/plain/build/isolation/regression.diffs" 2> /dev/null
	stop_cluster
}

# Tests wait more than they work, so there are more of them than cores.
suite_tap() {
	tell tap report_tap make_in "$work/plain" installcheck REGRESS= ISOLATION= \
		PROVE_FLAGS='-Itest/lib --timer -j3'
}

# What the audit of row security says of databases that are known in full.
suite_rls() {
	start_cluster operations_runbook
	tell rls report_rls env KEEP="$work/rls.cases" test/rls/corpus.sh
	stop_cluster
}

# What it proves of random policies, against what they let through.
suite_rls_fuzz() {
	start_cluster operations_runbook
	psql -Xq -c 'CREATE EXTENSION operations_runbook'
	tell rls_fuzz report_rls_fuzz perl test/fuzz/rls.pl \
		--count 5000 --seed 1 --workers 2
	stop_cluster
}

suite_demo() {
	OPS_DEMO_SCALE=small test/demo.sh start && test/demo.sh stop
}

suite_dist() {
	test/dist.sh check "$work/dist"
}

suite_deb() {
	test/deb.sh check "$work/deb"
}

suite_fuzz() {
	OPS_FUZZ_SECONDS=${OPS_FUZZ_SECONDS:-30} OPS_FUZZ_PREDICATES=0 test/fuzz/run.sh
}

# ASan needs to be first in the process.  On this libc it hangs any program
# with message catalogs at start; the shim takes those functions away.
suite_asan() {
	local asan shim=$work/shim.so

	build_and_install asan CC=gcc \
		COPT='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g' \
		SHLIB_LINK_EXTRA='-fsanitize=address,undefined' || return
	asan=$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)
	gcc -shared -fPIC -o "$shim" test/lib/no_nls.c
	OPS_SERVER_ENV="LD_PRELOAD=$asan:$shim ASAN_OPTIONS=detect_leaks=0:log_path=$work/asan-report UBSAN_OPTIONS=print_stacktrace=1:log_path=$work/asan-report" \
		start_cluster 'operations_runbook'
	tell asan report_regress as_client make -s -C "$tree" \
		PG_CONFIG="$PG_CONFIG" with_llvm=no installcheck ISOLATION= TAP_TESTS=
	cat "$tree/build/regression.diffs" 2> /dev/null
	stop_cluster
	restore_plain
	if compgen -G "$work/asan-report*" > /dev/null; then
		cat "$work"/asan-report*
		echo 'not ok - sanitizer reports'
	else
		echo 'ok - no sanitizer report'
	fi
}

# One script that calls everything, under valgrind.  What Debian's server
# itself does is not our matter: only stacks through our library count.
suite_valgrind() {
	local dir=$work/valgrind data=$work/valgrind/data reports

	rm -rf "$dir"
	PRELOAD=operations_runbook test/lib/cluster.sh start "$dir" > /dev/null
	as_postgres "$BINDIR/pg_ctl" -w -s -D "$data" stop
	as_postgres env -C / valgrind --quiet --trace-children=yes --leak-check=no \
		--log-file="$dir/vg.%p.log" "$BINDIR/postgres" -D "$data" \
		> "$dir/out" 2>&1 &
	eval "$(test/lib/cluster.sh env "$dir")"
	for _ in $(seq 120); do
		"$BINDIR/pg_isready" -q -h "$PGHOST" -p "$PGPORT" && break
		sleep 1
	done
	as_client psql -Xq -v ON_ERROR_STOP=1 -f test/lib/smoke.sql > "$dir/smoke.out" 2>&1
	local status=$?
	cat "$dir/smoke.out"
	as_postgres "$BINDIR/pg_ctl" -w -s -t 120 -D "$data" stop
	# No log at all would mean that valgrind never ran.
	compgen -G "$dir/vg.*.log" > /dev/null || status=1
	reports=$(grep -l 'operations_runbook\.so' "$dir"/vg.*.log || true)
	if [ -n "$reports" ]; then
		cat $reports
		return 1
	fi
	rm -rf "$dir"
	return "$status"
}

suite_coverage() {
	build_and_install coverage PROFILE='--coverage -O0' || return
	start_cluster operations_runbook
	as_client make -s -C "$tree" PG_CONFIG="$PG_CONFIG" with_llvm=no \
		installcheck ISOLATION= TAP_TESTS= PROFILE='--coverage -O0' > /dev/null 2>&1
	stop_cluster
	# Waiting covers nothing.
	make_in "$tree" installcheck REGRESS= ISOLATION= PROFILE='--coverage -O0' \
		PROVE_TESTS='$(SHORT_TESTS)' PROVE_FLAGS='-Itest/lib -j3' > "$work/coverage.out" 2>&1
	lcov -q --capture --no-external --rc lcov_branch_coverage=1 \
		--directory "$tree/src" --base-directory "$tree" -o "$work/lcov" 2> /dev/null
	lcov --summary --rc lcov_branch_coverage=1 "$work/lcov" 2>&1 |
		sed -n -E 's/^ *(lines|functions|branches)\.+: (.*)/# coverage of \1: \2/p'
	restore_plain
	grep -q '^SF:' "$work/lcov"
}

# Put the ordinary library back after an instrumented one.
restore_plain() {
	if [ -d "$work/plain" ]; then
		make -s -C "$work/plain" PG_CONFIG="$PG_CONFIG" with_llvm=no install
	fi
}
