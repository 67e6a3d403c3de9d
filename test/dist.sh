#!/usr/bin/env bash
# dist.sh: makes dist/<name>-<version>.zip for PGXN, META.json from the
# control file.
# dist.sh check DIR: makes it there, unpacks it and builds what it holds.
set -euo pipefail
cd "$(dirname "$0")/.."
. test/lib/setup.sh

name=operations_runbook
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" $name.control)
abstract=$(sed -n "s/^comment *= *'\(.*\)'/\1/p" $name.control)

# Per the PGXN meta specification 1.0.0.
meta() {
	cat <<-META
		{
		   "name": "$name",
		   "abstract": "$abstract",
		   "version": "$version",
		   "maintainer": "operations_runbook contributors",
		   "license": "postgresql",
		   "release_status": "stable",
		   "provides": {
		      "$name": {
		         "abstract": "$abstract",
		         "file": "src/core/install.sql",
		         "docfile": "README.md",
		         "version": "$version"
		      }
		   },
		   "prereqs": {
		      "runtime": {
		         "requires": { "PostgreSQL": "15.0.0" },
		         "recommends": { "pg_cron": "1.4.0" }
		      }
		   },
		   "tags": [ "operations", "monitoring", "health", "multi-tenant" ],
		   "meta-spec": {
		      "version": "1.0.0",
		      "url": "https://pgxn.org/meta/spec.txt"
		   }
		}
	META
}

make_zip() {
	local into=$1 tree=$name-$version

	rm -rf "${into:?}/$tree" "$into/$tree.zip"
	ops_copy_sources "$into/$tree"
	meta > "$into/$tree/META.json"
	(cd "$into" && zip -qr "$tree.zip" "$tree")
	rm -rf "${into:?}/$tree"
	echo "$into/$tree.zip"
}

# The spec's required members, and a tree that builds.
check() {
	local into=$1 zip

	mkdir -p "$into"
	zip=$(make_zip "$into")
	unzip -q "$zip" -d "$into/unpacked"
	cd "$into/unpacked/$name-$version"
	jq -e '(.name and .version and .abstract and .maintainer and .license
		and .provides and ."meta-spec".version == "1.0.0")
		and (.version | test("^[0-9]+\\.[0-9]+\\.[0-9]+$"))
		and (.provides[] | .file and .version)' META.json > /dev/null
	test -e "$(jq -r '.provides[].file' META.json)"
	make -s PG_CONFIG="${PG_CONFIG:-pg_config}" with_llvm=no
	test -s "build/$name--$version.sql"
}

case ${1:-} in
	check) check "$2" ;;
	*)
		command -v zip > /dev/null || { ops_setup demo && ops_install zip; }
		make_zip "$PWD/dist"
		;;
esac
