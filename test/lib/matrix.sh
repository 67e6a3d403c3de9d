# matrix.sh: the other majors, each in a chroot of the Debian that has it.
# Sourced by run.sh.  A chroot is kept below $matrix_cache for the next run.
# Nothing is mounted outside, and whatever is started inside dies with its
# process namespace, so an interrupted run leaves nothing behind.  The majors
# run at the same time: much of what they do is to wait for something.

matrix_cache=${OPS_MATRIX_CACHE:-/var/tmp/operations_runbook.matrix}

# Releases by name; 19 is a candidate and may fail.
matrix_suite_of() {
	case $1 in
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo forky ;;
		19) echo sid ;;
	esac
}

# Where this machine's own packages come from, so that no host is named here.
matrix_mirror() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -v security | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'
}

# Server, headers, compiler and what the tests use.  Of the headers' package
# only the files are wanted, not the llvm it depends on.
matrix_bootstrap() {
	local major=$1 root=$2 release mirror sources packages extra=()

	release=$(matrix_suite_of "$major")
	mirror=$(matrix_mirror)
	sources="deb $mirror $release main"
	packages="postgresql-$major,gcc,libc6-dev,make,libpq-dev,libssl-dev,libipc-run-perl,openssl"
	if [ "$major" = 19 ]; then
		sources+=$'\n'"deb $mirror experimental main"
		extra=("--essential-hook=printf 'Package: *postgresql*19* libpq5 libpq-dev\nPin: release n=rc-buggy\nPin-Priority: 990\n' > \"\$1/etc/apt/preferences.d/pg19\"")
	else
		packages+=",postgresql-$major-cron"
	fi

	rm -rf --one-file-system "$root"
	mkdir -p "$root"
	# The clock of a machine may be past a testing release's date.
	printf '%s\n' "$sources" | mmdebstrap --quiet --mode=root --variant=apt \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Check-Date "false"' \
		--aptopt='Acquire::Retries "5"' \
		--aptopt='Apt::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
		--essential-hook='mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"' \
		"${extra[@]}" --include="$packages" --skip=cleanup/apt \
		--customize-hook="chroot \"\$1\" sh -ec 'cd /tmp; apt-get -qq download postgresql-server-dev-$major; dpkg -x postgresql-server-dev-$major*.deb /; rm -rf *.deb /var/cache/apt/* /var/lib/apt/lists/*'" \
		"$release" "$root" - && : > "$root/.complete"
}

# What runs inside: build, then each suite, saying "ok - " and "not ok - ".
matrix_inner() {
	cat <<-'INNER'
		set -u
		major=$1
		bindir=/usr/lib/postgresql/$major/bin
		export PATH=$bindir:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
		export PG_CONFIG=$bindir/pg_config BINDIR=$bindir PGVER=$major
		cd /build || exit 1
		. test/lib/setup.sh
		. test/lib/suites.sh
		work=/tmp/work source_tree=/build
		mkdir -p $work && chmod 755 $work
		tree=$work/plain
		build_and_install plain STRICT=1 || { echo "not ok - build"; exit 1; }
		echo "ok - build"
		suite_regress
		suite_isolation
		# A candidate is only tried: the rest takes minutes.
		[ "$major" != 19 ] || exit 0
		suite_tap
		FAST=1 suite_rls
		suite_rls_fuzz
	INNER
}

# Bootstrap if need be and run; the log is left in the cache.
matrix_major() {
	local major=$1 root=$matrix_cache/pg$1 log=$matrix_cache/pg$1.log

	if [ ! -e "$root/.complete" ]; then
		# A mirror can change between its index and its packages: once more.
		matrix_bootstrap "$major" "$root" > "$log.bootstrap" 2>&1 ||
			matrix_bootstrap "$major" "$root" > "$log.bootstrap" 2>&1 || {
			echo "not ok - chroot" > "$log"
			tail -20 "$log.bootstrap" >> "$log"
			return
		}
	fi
	rm -rf "$root/build"
	(cd "$source_tree" && ops_copy_sources "$root/build")
	matrix_inner > "$root/inner.sh"
	unshare --mount --pid --ipc --fork --kill-child sh -ec '
		mount -t proc proc "$1/proc"
		for d in dev/shm tmp; do
			mkdir -p "$1/$d"
			mount -t tmpfs -o mode=1777 tmpfs "$1/$d"
		done
		exec chroot "$1" /bin/bash /inner.sh "$2"' sh "$root" "$major" \
		> "$log" 2>&1 < /dev/null
}

# What the log of a major says.
matrix_report() {
	local major=$1 log=$matrix_cache/pg$1.log

	if [ "$major" = 19 ]; then
		if grep -q '^ok - build' "$log" && ! grep -q '^not ok' "$log"; then
			echo "# PostgreSQL 19 (candidate, not counted): all passed"
		else
			echo "# PostgreSQL 19 (candidate, not counted): $(grep '^not ok' "$log" | tr '\n' ';')"
		fi
		return
	fi
	sed -n -E "s/^(ok|not ok) - (.*)/\1 - PostgreSQL $major: \2/p" "$log"
	grep -q '^ok - \(regress\|test/t\)' "$log" ||
		echo "not ok - PostgreSQL $major ran no test"
	if grep -q '^not ok' "$log"; then
		{
			tap_failures "$log"
			tail -80 "$log"
		} | sed 's/^/| /'
	fi
	echo "# PostgreSQL $major: $(grep -c '^ok - ' "$log") passed, $(grep -c '^not ok - ' "$log") failed"
}

suite_matrix() {
	local major majors=()

	for major in ${OPS_MAJORS:-15 17 18 19}; do
		[ "$major" = "$PGVER" ] || majors+=("$major")
	done
	mkdir -p "$matrix_cache"
	# Each in a process group of its own, that run.sh can end.
	set -m
	for major in "${majors[@]}"; do
		rm -f "$matrix_cache/pg$major.log"
		matrix_major "$major" &
	done
	set +m
	wait
	for major in "${majors[@]}"; do
		matrix_report "$major"
	done
}
