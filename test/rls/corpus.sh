#!/usr/bin/env bash
# corpus.sh [CASE ...]: audits every case of corpus/ (or the named ones) in a
# database of its own, executes what the case claims, and prints recall and
# precision.  Format and meaning: README.md.
#
# Reaches a running server as superuser through PGHOST and PGPORT; the
# extension has to be available there.  What it creates (two databases, the
# roles of the case at hand) it drops again.
#
#   LABELS_ONLY=1   only execute the claims; needs no extension
#   FAST=1          each case in a transaction that is rolled back, instead of
#                   in a database of its own
#   KEEP=FILE       keep the raw log, one block for each case
#
# Exit status: 1 a threshold is missed, 2 a claim is not borne out.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit

export SECURITY_RECALL=${SECURITY_RECALL:-97}
export SECURITY_PRECISION=${SECURITY_PRECISION:-98}
export PERFORMANCE_RECALL=${PERFORMANCE_RECALL:-90}
export PERFORMANCE_PRECISION=${PERFORMANCE_PRECISION:-90}
export PROVED_SHARE=${PROVED_SHARE:-95}
labels_only=${LABELS_ONLY:-}
fast=${FAST:-}
maintenance=${PGDATABASE:-postgres}
template=rls_corpus_template
database=rls_corpus_case
export PGOPTIONS='-c client_min_messages=error'
unset PGSERVICE

log=$(mktemp)
known_roles=
clean_up() {
	drop_case
	psql -Xq -d "$maintenance" -c "DROP DATABASE IF EXISTS $template"
	if [ -n "${KEEP:-}" ]; then mv "$log" "$KEEP"; else rm -f "$log"; fi
}

# SQL that removes a case and the roles which were not there before.
forget() {
	cat <<-SQL
		DROP DATABASE IF EXISTS $database WITH (FORCE);
		SELECT format('DROP ROLE %I', rolname) FROM pg_roles
		WHERE oid >= 16384 AND oid <> ALL ('{$known_roles}') \gexec
	SQL
}

drop_case() {
	forget | psql -Xq -d "$maintenance" > /dev/null
}

create_template() {
	psql -Xq -v ON_ERROR_STOP=1 -d "$maintenance" \
		-c "DROP DATABASE IF EXISTS $template" \
		-c "CREATE DATABASE $template" || return
	if [ -z "$labels_only" ]; then
		psql -Xq -v ON_ERROR_STOP=1 -d "$template" \
			-c "CREATE EXTENSION operations_runbook" || return
	fi
}

# What the header promises: leak, clean, or only that something is shown.
claim_of() {
	local codes

	if grep -q '^-- clean' "$1"; then
		echo clean
		return
	fi
	codes=$(sed -nE 's/^-- expect: (.*) on .*/\1/p' "$1" | tr ',|' '\n\n' | tr -d ' ')
	if grep -E ' P0 ' codes.txt | cut -d' ' -f1 | grep -qxF -f <(echo "$codes"); then
		echo leak
	else
		echo shown
	fi
}

# Tenancy declarations of the header, as rows of ops.tenancy.
tenancy_of() {
	sed -nE "s/^-- tenancy: ([a-z_]+) ([^ ]+) ?(.*)/INSERT INTO ops.tenancy VALUES ('\1', '\2', string_to_array('\3', ' '));/p" "$1"
}

# Everything psql has to do for a case, as its input.
script_of() {
	if [ -n "$fast" ]; then
		printf '%s\n' "\\connect $template" 'BEGIN;'
	else
		echo "CREATE DATABASE $database TEMPLATE $template STRATEGY wal_log;"
		echo "\\connect $database"
	fi
	sed '/^-- prove:/,$d' "$1"
	echo "RESET ALL;"
	if [ -z "$labels_only" ]; then
		tenancy_of "$1"
		cat audit.sql
	fi
	cat proof.sql
	sed '1,/^-- prove:/d' "$1"
	echo "SELECT proof.settle('$(claim_of "$1")');"
	if [ -n "$fast" ]; then
		echo 'ROLLBACK;'
	else
		echo "\\connect $maintenance"
		forget
	fi
}

run_case() {
	local name=${1##*/}

	echo "case	${name%.sql}"
	if ! script_of "$1" | psql -XqAt -F $'\t' -v ON_ERROR_STOP=1 -d "$maintenance" 2>&1; then
		echo "failed	${name%.sql}"
		[ -n "$fast" ] || drop_case
	fi
}

cases=()
for name in "$@"; do
	name=${name##*/}
	cases+=("corpus/${name%.sql}.sql")
done
[ $# != 0 ] || cases=(corpus/*.sql)

known_roles=$(psql -XAtq -d "$maintenance" -c "SELECT coalesce(string_agg(oid::text, ','), '') FROM pg_roles") || exit
trap clean_up EXIT
trap 'exit 130' INT TERM
create_template || exit

for case in "${cases[@]}"; do
	run_case "$case"
done > "$log"

perl score.pl "$log" "${cases[@]}"
