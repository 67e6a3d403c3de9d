
# All connections are taken: who is connected still gets an answer.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary',
	"max_connections = 12\nsuperuser_reserved_connections = 2\nmax_wal_senders = 0"
);
my $slots = $node->safe_psql(
	'postgres',
	q(SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
	       - coalesce(current_setting('reserved_connections', true), '0')::int));
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

status_is($node, 'connections', 'ok', 'hardly any');

# Whoever looks takes a slot, too; so sessions are counted in the log.
sub wait_for_sessions
{
	my ($n) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $begun = () =
		  slurp_file($node->logfile) =~ /statement: SELECT pg_sleep\(1000\)/g;

		return if $begun >= $n;
		select(undef, undef, undef, 0.1);
	}
	die "fewer than $n sessions";
}

my @sessions;
for my $n (1 .. $slots)
{
	push @sessions,
	  IPC::Run::start(
		[
			'psql', '-XqAt',
			'-U',   'app',
			'-d',   $node->connstr('postgres'),
			'-c',   'SELECT pg_sleep(1000)'
		],
		'<'  => \undef,
		'>'  => \my $session_out,
		'2>' => \my $session_err);
	if ($n == int(0.8 * $slots))
	{
		wait_for_sessions($n);

		# The session that asks is counted with them.
		status_is($node, 'connections',
			($n + 1) / $slots >= 0.9 ? 'fail' : 'warn', 'most');

		# Its slot is free once its process is gone.
		sleep 1;
	}
}
wait_for_sessions($slots);

my ($status, $stdout, $stderr) =
  $node->psql('postgres', 'SELECT 1', extra_params => [ '-U', 'app' ]);
isnt($status, 0, 'an ordinary role cannot connect');
my $row = status_is($node, 'connections', 'fail', 'all');
is($row->{severity}, 'P0', 'connections: now it is P0');
cmp_ok($row->{value}, '>=', 100, 'connections: all of them');
is($row->{details}{culprits}[0]{role}, 'app', 'connections: names the role');
$row = $node->safe_psql('postgres',
	q(SELECT (h ->> 'latency_ms')::float8 < 1000 FROM ops.health('default', 'deep') AS h)
);
is($row, 't', 'and all else answers within a second');

$node->safe_psql('postgres',
	q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app')
);
$_->finish for @sessions;
ok(poll_status($node, 'connections', 'ok'), 'connections: free again');

$node->stop;
done_testing();
