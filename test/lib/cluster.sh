#!/usr/bin/env bash
# cluster.sh start DIR | stop DIR | env DIR
#     A private, throwaway PostgreSQL cluster: data, socket and log below DIR.
#     Unix socket only, so a fixed port cannot clash with another server.
#     As root it drops to user postgres; anybody else runs it as oneself.
#
#         eval "$(test/lib/cluster.sh start DIR)"   sets PGHOST, PGPORT, ...
#
# PGVER=15                 major version, or
# BINDIR=/path             its programs
# PRELOAD=a,b              shared_preload_libraries; empty for none
# EXTRA_CONF='name=value'  more settings, a line each; they win
# INITDB_ARGS='...'        more arguments of initdb
# OPS_SERVER_ENV='A=b'     environment of the server alone
# DURABLE=1                keeps fsync and its like on
set -euo pipefail

command=${1:?start, stop or env}
dir=$(readlink -m "${2:?directory}")
bindir=${BINDIR:-/usr/lib/postgresql/${PGVER:-15}/bin}
[ "$command" = start ] || bindir=$(cat "$dir/bindir" 2>/dev/null || echo "$bindir")
preload=${PRELOAD-operations_runbook}
port=54110

# A socket's path holds 107 bytes; its name takes 15 of them.
socket=$dir/s
if [ ${#socket} -gt 90 ]; then
	socket=/tmp/ops.$(printf %s "$dir" | cksum | cut -d' ' -f1)
fi

if [ "$(id -u)" = 0 ]; then
	owner=postgres
	as_owner() {
		setpriv --reuid="$owner" --regid="$(id -gn "$owner")" --init-groups \
			env -C / HOME="$dir" "$@"
	}
else
	owner=$(id -un)
	as_owner() { env -C / "$@"; }
fi

print_environment() {
	printf 'export PGHOST=%q PGPORT=%q PGUSER=postgres PGDATABASE=postgres\n' \
		"$socket" "$port"
	printf 'export PATH=%q:"$PATH"\n' "$bindir"
}

settings() {
	cat <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$socket'
		port = $port
		max_connections = 50
		max_worker_processes = 20
		log_line_prefix = '%m [%p] %b %q%u@%d '
		timezone = 'UTC'
		log_timezone = 'UTC'
		shared_preload_libraries = '$preload'
	CONF
	if [ "${DURABLE:-0}" != 1 ]; then
		printf '%s\n' 'fsync = off' 'synchronous_commit = off' \
			'full_page_writes = off'
	fi
	# pg_cron's background workers block its scheduler in 1.4, libpq does not.
	case ",$preload," in
		*,pg_cron,*)
			printf '%s\n' "cron.database_name = 'postgres'" \
				'cron.use_background_workers = off' \
				"cron.host = '$socket'"
			;;
	esac
	printf '%s\n' "${EXTRA_CONF:-}"
}

start() {
	local initdb=(-D "$dir/data" -U postgres -A trust -E UTF8 --no-locale)

	mkdir -p "$dir" "$socket"
	if [ "$(id -u)" = 0 ]; then
		chown "$owner": "$dir" "$socket"
	fi
	echo "$bindir" > "$dir/bindir"
	# Every directory above must let the owner through; /root does not.
	as_owner test -w "$dir" || {
		echo "cluster.sh: user $owner cannot write in $dir" >&2
		exit 1
	}
	[ "${DURABLE:-0}" = 1 ] || initdb+=(-N)
	# shellcheck disable=SC2086
	as_owner "$bindir/initdb" "${initdb[@]}" ${INITDB_ARGS:-} > "$dir/initdb.log" 2>&1 || {
		cat "$dir/initdb.log" >&2
		exit 1
	}
	settings | as_owner tee -a "$dir/data/postgresql.conf" > /dev/null
	# The server must not keep the caller's pipe open.
	# shellcheck disable=SC2086
	as_owner env ${OPS_SERVER_ENV:-} "$bindir/pg_ctl" -w -t 60 -s \
		-D "$dir/data" -l "$dir/log" start \
		< /dev/null > "$dir/pg_ctl.log" 2>&1 || {
		tail -20 "$dir/log" >&2
		exit 1
	}
	print_environment
}

stop() {
	if [ -e "$dir/data/postmaster.pid" ]; then
		as_owner "$bindir/pg_ctl" -w -s -D "$dir/data" -m fast stop ||
			as_owner "$bindir/pg_ctl" -w -s -D "$dir/data" -m immediate stop ||
			true
	fi
	case $dir in
		/*/*) rm -rf "$dir" "$socket" ;;
	esac
}

case $command in
	start) start ;;
	stop) stop ;;
	env) print_environment ;;
	*)
		echo "cluster.sh: start, stop or env, not $command" >&2
		exit 2
		;;
esac
