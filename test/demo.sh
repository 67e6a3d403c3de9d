#!/usr/bin/env bash
# demo.sh start | stop | status
#
# The extension at work on a sample application, in a private cluster that
# touches nothing else: its own directory, a unix socket only, its own port
# number in that directory.  "start" replaces a demo that is already there and
# leaves the cluster running to be looked at; "stop" removes every trace but
# the installed extension and packages.
#
#   OPS_DEMO_SCALE=small     a tenth of the rows (default: default)
#   OPS_DEMO_SECONDS=20      how long the load runs before the first act
#   OPS_DEMO_DIR=/dir        where everything lives
#
# Each act is a file examples/sample-app/acts/NN-name.sql, run in order.  Its
# first comment line is the heading, the comment lines after that the text.
#
# Exit status: 1 something failed, 2 something is missing (root, packages),
# 3 (status only) no demo is running.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
app=$root/examples/sample-app
dir=${OPS_DEMO_DIR:-/var/tmp/operations_runbook.demo}
cluster=$dir/cluster
log=$dir/demo.log
marker=$dir/.operations_runbook-demo
database=postgres

current_step=            # what is being done, for whoever reads a failure
failure_status=1
failed_acts=()
background=()            # processes that make load and trouble
unset PGOPTIONS PGSERVICE
exec 3>&1 4>&2           # where to speak from inside of a step; whatever
                         # lives on must close it, or a pipe to us never ends

# ---------------------------------------------------------------- output

if [ -t 1 ]; then
	bold=$'\e[1m' plain=$'\e[0m'
	width=$(tput cols 2>/dev/null || echo 120)
else
	bold='' plain=''
	width=120
fi
case $(locale charmap 2>/dev/null) in
	UTF-8) lines=unicode ;;
	*) lines=ascii ;;
esac

heading() {
	printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

missing() {
	printf 'demo: %s\n' "$1" >&2
	exit 2
}

# Say what is being done and how long it took; what it prints goes to the log.
# The command runs in this shell, so that it can set variables, and outside of
# any condition, so that "set -e" holds in it.
step() {
	local started=$SECONDS

	current_step=$1
	shift
	printf '%-50s' "$current_step ..."
	printf '\n### %s\n' "$current_step" >>"$log"
	"$@" >>"$log" 2>&1 </dev/null
	current_step=
	printf ' %3d s\n' $((SECONDS - started))
}

on_exit() {
	local status=$?

	# A signal finds us inside of a step, whose output goes to the log.
	exec 1>&3 2>&4
	stop_background
	if [ $status = 130 ]; then
		printf '\nInterrupted; make demo-stop removes what is there.\n' >&2
	elif [ -n "$current_step" ]; then
		printf ' failed\n\n' >&2
		# The last step's part of the log.
		# shellcheck disable=SC2016
		sed -n '/^### /h; /^### /!H; ${x;p}' "$log" | tail -n 15 | cut -c 1-300 >&2
		printf '\nThe whole log: %s\n' "$log" >&2
		if [ "$failure_status" = 2 ]; then
			printf 'Packages could not be installed; is there a network?\n' >&2
		fi
		status=$failure_status
	fi
	exit "$status"
}

# ---------------------------------------------------------------- set-up

need_machine() {
	[ "$(id -u)" = 0 ] ||
		missing 'needs root, to install packages and to run a server as user postgres'
	[ -n "$(command -v apt-get)" ] ||
		missing 'needs apt-get: this is written for Debian'
	[ -e "$root/test/lib/setup.sh" ] || missing 'test/lib/setup.sh is not there'
}

# In a directory for all to write, what bears our name need not be ours.
ours() {
	[ -e "$marker" ] && [ -O "$dir" ]
}

make_directory() {
	if [ -e "$dir" ]; then
		missing "$dir exists and is not a demo of ours; set OPS_DEMO_DIR"
	fi
	# Whoever reaches the socket is superuser, so nobody else may reach it.
	mkdir -m 0700 "$dir"
	touch "$marker" "$log"
}

set_up_packages() {
	# shellcheck source=test/lib/setup.sh
	. "$root/test/lib/setup.sh"
	ops_setup demo
	chgrp postgres "$dir"
	chmod 0750 "$dir"
}

# Build a copy, so that the checkout keeps its owner and its own objects.
build_extension() {
	mkdir "$dir/build"
	tar -C "$root" --exclude=./.git --exclude=./build --exclude=./dist \
		--exclude=./tmp_check --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
		-cf - . |
		tar -C "$dir/build" -xf -
	chown -R postgres: "$dir/build"
	cd "$dir/build"
	as_postgres make PG_CONFIG="$PG_CONFIG" with_llvm=no
	make PG_CONFIG="$PG_CONFIG" with_llvm=no install
	cd "$root"
}

cluster_settings() {
	cat <<-END
		max_connections = 50
		max_prepared_transactions = 5
		shared_buffers = '128MB'
		max_wal_size = '2GB'
		wal_level = 'replica'
		archive_mode = on
		archive_command = 'test ! -f "$dir/archive/%f" && cp "%p" "$dir/archive/%f"'
		track_io_timing = on
		operations_runbook.environment = 'demo'
		operations_runbook.release = '$(git -C "$root" rev-parse --short HEAD 2>/dev/null || true)'
		operations_runbook.sample_interval = '1s'
		operations_runbook.statistics_min_age = 0
	END
}

start_cluster() {
	local preload=operations_runbook,pg_stat_statements

	mkdir "$dir/archive"
	chown postgres: "$dir/archive"
	# Some releases of Debian have no pg_cron.
	if [ -e "$("$PG_CONFIG" --pkglibdir)/pg_cron.so" ]; then
		preload+=,pg_cron
	fi
	PRELOAD=$preload \
	INITDB_ARGS=--data-checksums \
	EXTRA_CONF=$(cluster_settings) \
		"$root/test/lib/cluster.sh" start "$cluster" >"$dir/env" 3>&- 4>&-
	# shellcheck source=/dev/null
	. "$dir/env"
	# A standby that was taken away: its slot keeps WAL for ever.
	query "SELECT pg_create_physical_replication_slot('old_standby', true)"
}

load_application() {
	local scale

	case ${OPS_DEMO_SCALE:-default} in
		default) scale=1.0 ;;
		small) scale=0.1 ;;
		*) echo 'OPS_DEMO_SCALE is default or small'; return 1 ;;
	esac
	psql -X -q -v ON_ERROR_STOP=1 -v scale="$scale" -d "$database" -f "$app/install.sql"
	# A cluster for tests trades durability for speed; this one is to be found
	# in order where it is in order.
	query 'ALTER SYSTEM SET fsync = on' 'ALTER SYSTEM SET full_page_writes = on' \
		'ALTER SYSTEM SET synchronous_commit = on' \
		'SELECT pg_reload_conf()' 'CHECKPOINT' \
		'CREATE EXTENSION operations_runbook'
	psql -X -q -v ON_ERROR_STOP=1 -d "$database" -f "$app/thresholds.sql"
}

query() {
	local statement

	for statement in "$@"; do
		psql -X -q -At -v ON_ERROR_STOP=1 -d "$database" -c "$statement"
	done
}

# ---------------------------------------------------------------- load

# session NAME ROLE SCRIPT OPTION...: pgbench as sessions of that name
session() {
	local name=$1 role=$2 script=$3
	shift 3

	PGAPPNAME=$name pgbench -n -U "$role" -f "$app/$script" "$@" "$database" \
		>>"$log" 2>&1 </dev/null 3>&- 4>&- &
	background+=($!)
}

# What runs is bounded twice: by these limits and by stop_background.
start_background() {
	local seconds=$((${OPS_DEMO_SECONDS:-20} + 60))
	local people tasks

	# The first of two samples that rates are computed from.
	query "SELECT count(*) FROM ops.checks('deep')"

	people=$(query 'SELECT count(*) FROM auth.users')
	tasks=$(query 'SELECT count(*) FROM public.tasks')

	session leaked authenticator sessions/leaked.sql -c 33 -t 1
	session forgotten service_worker sessions/forgotten.sql -c 1 -t 1
	session holder contractor_admin sessions/holder.sql -c 1 -t 1
	sleep 1
	session waiter authenticator sessions/waiter.sql -c 2 -t 1
	session api authenticator load.sql -c 4 -T "$seconds" -R 200 \
		-D people="$people" -D tasks="$tasks"
	session crossing service_worker sessions/crossing.sql -c 1 -t 1 -D first=11 -D last=12
	session crossing service_worker sessions/crossing.sql -c 1 -t 1 -D first=12 -D last=11
	session dashboard authenticator report.sql -c 1 -T "$seconds"

	sleep "${OPS_DEMO_SECONDS:-20}"
}

stop_background() {
	if [ ${#background[@]} -gt 0 ]; then
		kill "${background[@]}" 2>/dev/null || true
		wait "${background[@]}" 2>/dev/null || true
		background=()
	fi
}

# ---------------------------------------------------------------- acts

run_act() {
	heading "$(sed -n '1s/^-- *//p' "$1")"
	# The comment lines right below the heading.
	sed -n -e '1d' -e '/^--/!q' -e 's/^-- *//p' "$1"
	echo
	# From standard input: messages then come without file and line.
	psql -X -q -v ON_ERROR_STOP=1 -P pager=off -P footer=off -P null=- \
		-P format=wrapped -P columns="$width" -P linestyle=$lines -d "$database" 2>&1 <"$1"
}

run_acts() {
	local act

	for act in "$app"/acts/*.sql; do
		run_act "$act" || failed_acts+=("${act##*/}")
	done
}

how_to_go_on() {
	heading 'Your turn'
	cat <<-END
		The load has ended; the cluster runs on.  As root:

		  psql -h $PGHOST -p $PGPORT -U postgres $database

		Other roles to be: monitoring, health_endpoint, authenticator.
		What is wrong on purpose: examples/sample-app/README.md
		To remove it all: ${OPS_DEMO_DIR:+OPS_DEMO_DIR=$OPS_DEMO_DIR }make demo-stop
	END
}

# ---------------------------------------------------------------- commands

start() {
	need_machine
	stop
	trap on_exit EXIT
	trap 'exit 130' INT TERM
	make_directory
	heading 'Setting the stage'
	failure_status=2
	step 'Installing packages' set_up_packages
	failure_status=1
	step 'Building and installing the extension' build_extension
	step 'Starting a private cluster' start_cluster
	step "Loading the sample application (${OPS_DEMO_SCALE:-default})" load_application
	step 'Letting users in, and some trouble' start_background
	run_acts
	stop_background
	how_to_go_on
	if [ ${#failed_acts[@]} -gt 0 ]; then
		printf '\nNot all went well, see above: %s\n' "${failed_acts[*]}" >&2
		exit 1
	fi
}

stop() {
	ours || return 0
	if [ -e "$cluster" ]; then
		"$root/test/lib/cluster.sh" stop "$cluster" >/dev/null 2>&1 || true
	fi
	rm -rf "$dir"
}

status() {
	if ! ours || [ ! -e "$dir/env" ]; then
		echo "No demo of user $(id -un) is running."
		return 3
	fi
	# shellcheck source=/dev/null
	. "$dir/env"
	if ! pg_isready -q; then
		echo "There is a demo in $dir, but its server does not answer."
		return 3
	fi
	psql -X -At -d "$database" \
		-c "SELECT format('A demo runs in %s: PostgreSQL %s, %s.', '$dir', current_setting('server_version'), pg_size_pretty(pg_database_size(current_database())))"
	echo "psql -h $PGHOST -p $PGPORT -U postgres $database"
}

case ${1:-start} in
	start) start ;;
	stop)
		[ "$(id -u)" = 0 ] || missing 'needs root'
		if ours; then
			stop
			echo 'The demo is gone.'
		else
			echo 'There was no demo.'
		fi
		;;
	status) status ;;
	*) missing 'start, stop or status?' ;;
esac
