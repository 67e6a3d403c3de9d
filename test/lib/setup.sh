# setup.sh: what a bare Debian machine needs, installed.  Source it, then
#     ops_setup demo        packages to build, install and run a server
#     ops_setup test        these, and what the test suites use
# Needs root and the network only if something is missing.  Exports PGVER,
# PG_CONFIG, BINDIR; defines as_postgres, die.  Exits with 2, and says what is
# missing, where it cannot go on.

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# Run a command as user postgres: a server refuses to run as root.  setpriv
# needs neither PAM nor a login shell.
as_postgres() {
	setpriv --reuid=postgres --regid=postgres --init-groups \
		env HOME=/tmp PATH="$BINDIR:/usr/local/bin:/usr/bin:/bin" "$@"
}

# Installed at a version; "dpkg -s" would also find what was removed.
ops_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = 'ii ' ]
}

# The newest major that this Debian has server and headers of.
ops_major() {
	local major
	for major in 18 17 15; do
		if ops_installed "postgresql-server-dev-$major" ||
			apt-cache show "postgresql-server-dev-$major" > /dev/null 2>&1; then
			echo "$major"
			return
		fi
	done
}

ops_update() {
	local try
	for try in 1 2 3; do
		apt-get -qq update > "$OPS_SETUP_LOG" 2>&1 && return
		sleep $((try * 3))
	done
	die "apt-get update failed, is there a network? See $OPS_SETUP_LOG"
}

# A new installation of postgresql-common would start a cluster of its own.
ops_no_main_cluster() {
	ops_installed postgresql-common && return
	[ -e /etc/postgresql-common/createcluster.conf ] && return
	mkdir -p /etc/postgresql-common
	echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
}

# Installed and candidate must be one version for server and headers, so all
# are named even if only one is missing.
ops_install() {
	local package missing=()
	for package in "$@"; do
		ops_installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "not root, and these packages are missing: ${missing[*]}"
	[ -n "${OPS_UPDATED:-}" ] || ops_update
	OPS_UPDATED=yes
	ops_no_main_cluster
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
		-o Dpkg::Options::=--force-confold "$@" > "$OPS_SETUP_LOG" 2>&1 ||
		die "could not install ${missing[*]}, see $OPS_SETUP_LOG"
}

# The same for what some releases of Debian lack.
ops_install_if_any() {
	local package
	for package in "$@"; do
		if ops_installed "$package" || apt-cache show "$package" > /dev/null 2>&1; then
			ops_install "$package"
		fi
	done
}

ops_setup() {
	OPS_SETUP_LOG=$(mktemp /tmp/operations_runbook-setup.XXXXXX)
	[ -e /etc/debian_version ] || die "this needs Debian: its package names are used"
	[ "$(id -u)" = 0 ] || die "this must run as root: it installs packages and drops to user postgres"
	if [ -z "$(ops_major)" ]; then
		ops_update
		OPS_UPDATED=yes
	fi
	PGVER=${PGVER:-$(ops_major)}
	[ -n "$PGVER" ] || die "no PostgreSQL with headers can be had from this machine's package sources"
	ops_install "postgresql-$PGVER" "postgresql-client-$PGVER" \
		"postgresql-server-dev-$PGVER" gcc make libc6-dev libssl-dev
	ops_install_if_any "postgresql-$PGVER-cron"
	if [ "$1" = test ]; then
		ops_install clang clang-tidy cppcheck valgrind lcov \
			libipc-run-perl perltidy shellcheck rsync zip unzip jq \
			debhelper fakeroot postgresql-server-dev-all mmdebstrap openssl
		ops_install_if_any pg-bsd-indent
	fi
	BINDIR=/usr/lib/postgresql/$PGVER/bin
	PG_CONFIG=$BINDIR/pg_config
	export PGVER BINDIR PG_CONFIG
	rm -f "$OPS_SETUP_LOG"
}

# The tree in the current directory without what was built in it.
ops_copy_sources() {
	mkdir -p "$1"
	tar --exclude=.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' \
		--exclude=./build --exclude=./dist --exclude=./tmp_check \
		--exclude=./results -cf - . | tar -xf - -C "$1"
}
