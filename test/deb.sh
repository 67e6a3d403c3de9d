#!/usr/bin/env bash
# deb.sh: builds the Debian package for this machine's PostgreSQL into dist/.
# deb.sh check DIR: builds it there, installs it, asks a server that has it
# for its health, and removes it.  Both need root.
set -euo pipefail
cd "$(dirname "$0")/.."
. test/lib/setup.sh

name=operations_runbook
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" $name.control)

# The package's description lies apart from the tree's top level; a build
# puts it where Debian's tools look.
build() {
	local into=$1 tree=$1/operations-runbook-$version

	rm -rf "$tree"
	ops_copy_sources "$tree"
	cp -r test/debian "$tree/debian"
	cat > "$tree/debian/changelog" <<-LOG
		operations-runbook ($version) unstable; urgency=medium

		  * Release $version, see src/upgrade/CHANGES.md.

		 -- operations_runbook contributors <maintainers@localhost>  $(date -R -d @"${SOURCE_DATE_EPOCH:-$(stat -c %Y $name.control)}")
	LOG
	# pg_buildext would look for every major it knows.
	echo "$PGVER" > "$tree/debian/pgversions"
	sed "s/PGVERSION/$PGVER/g" "$tree/debian/control.in" > "$tree/debian/control"
	chown -R postgres: "$into"
	(cd "$tree" && as_postgres dpkg-buildpackage -us -uc -b -Pnocheck) > "$into/build.log" 2>&1 || {
		tail -40 "$into/build.log" >&2
		return 1
	}
	find "$into" -maxdepth 1 -name "postgresql-$PGVER-operations-runbook_*.deb"
}

check() {
	local into=$1 package answer

	cluster=$1/cluster

	mkdir -p "$into"
	package=$(build "$into")
	test -n "$package"
	# What the suites installed by hand must not answer in its place.
	rm -f "$("$PG_CONFIG" --pkglibdir)/$name.so"
	rm -f "$("$PG_CONFIG" --sharedir)/extension/$name"*
	dpkg -i "$package" > "$into/dpkg.log"
	trap 'test/lib/cluster.sh stop "$cluster" || true; dpkg -r "postgresql-$PGVER-operations-runbook" > /dev/null || true' EXIT
	eval "$(test/lib/cluster.sh start "$cluster")"
	answer=$(as_postgres psql -XqAt -h "$PGHOST" -p "$PGPORT" -U postgres -d postgres \
		-c 'CREATE EXTENSION operations_runbook' -c "SELECT ops.health() ->> 'status'")
	echo "health of a server with $(basename "$package"): $answer"
	case $answer in
		ok | warn | unknown) ;;
		*) return 1 ;;
	esac
}

case ${1:-} in
	check)
		if [ -z "${PG_CONFIG:-}" ]; then ops_setup test; fi
		check "$2"
		;;
	*)
		ops_setup test
		work=$(mktemp -d /var/tmp/operations_runbook.deb.XXXXXX)
		chmod 755 "$work"
		package=$(build "$work")
		mkdir -p dist
		cp "$package" dist/
		rm -rf "$work"
		echo "dist/$(basename "$package")"
		;;
esac
