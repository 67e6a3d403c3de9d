
# However a run ends, table, archive and log agree, and the next run goes on.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $rounds = $ENV{OPS_CLEANUP_CRASHES} // 2;
my $seed   = $ENV{OPS_CLEANUP_SEED}    // 1;
my $rows   = 6000;

srand($seed);
note("OPS_CLEANUP_SEED=$seed");

my $node = new_server('primary', <<~CONF);
	restart_after_crash = on
	wal_writer_delay = 10s
	CONF

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# Ids that are in the table, the archive or gone, against those there were.
sub make_table
{
	my ($archive) = @_;

	sql(qq{
		DROP TABLE IF EXISTS events, archived;
		CREATE TABLE events (id int PRIMARY KEY, at timestamptz, filler text);
		CREATE TABLE archived (LIKE events);
		INSERT INTO events SELECT i, now() - '100 days'::interval, repeat('x', 500) FROM generate_series(1, $rows) AS i;
		CREATE INDEX ON events (at);
		SELECT ops.add_retention('events', 'at', '30 days', policy_name => 'events', overrides => '{share}'
			${\($archive ? ", archive => 'archived'" : '')});
		CHECKPOINT;
	});
	slow_trigger($node, 'events');
	return;
}

sub kill_backend
{
	my ($pid) = @_;

	kill('KILL', $pid) or die "cannot kill $pid: $!";
	return;
}

# What ends it; whether the server comes down with it.
my %ends = (
	cancel    => sub { sql("SELECT pg_cancel_backend($_[0])") },
	terminate => sub { sql("SELECT pg_terminate_backend($_[0])") },
	'kill -9' => sub {
		kill_backend($_[0]);
		wait_for_recovery();
	},
	'immediate stop' => sub {
		$node->stop('immediate');
		$node->start;
	},
	'cancel_cleanup' => sub {
		sql(q(SELECT ops.cancel_cleanup(max(run_id)) FROM ops.cleanup_run));
	});

# The server has come back when it has another start.
sub wait_for_recovery
{
	for (1 .. 600)
	{
		usleep(50_000);
		my ($code, $out) = $node->psql('postgres',
			'SELECT count(*) FROM ops.cleanup_run WHERE NOT pg_is_in_recovery()'
		);
		return if $code == 0;
	}
	die 'no recovery';
}

for my $end (sort keys %ends)
{
	for my $archive (0, 1)
	{
		for my $round (1 .. $rounds)
		{
			my $claim =
				"$end, "
			  . ($archive ? 'archived' : 'deleted')
			  . ", round $round";
			my $batch = 1 + int(rand 60);

			make_table($archive);
			my $run =
			  start_cleanup($node, q('events', batch_target => '1 ms'));
			wait_until(
				$node,
				qq((SELECT count(*) >= $batch FROM ops.cleanup_batch JOIN ops.cleanup_run USING (run_id)
				WHERE relid = 'events'::regclass))
			);
			usleep(int(rand 20_000));
			my $id = logged($node, 'events')->{run_id};
			my $pid =
			  sql("SELECT pid FROM ops.cleanup_run WHERE run_id = $id");
			$ends{$end}->($pid);
			finish_cleanup($run);

			my $left = sql('SELECT count(*) FROM events');
			cmp_ok($left, '>', 0, "$claim: in mid-run")
			  or diag("at batch $batch");
			is( sql("SELECT coalesce(sum(deleted), 0) FROM ops.cleanup_batch WHERE run_id = $id"
				),
				$rows - $left,
				"$claim: the log counts what is gone");
			is( sql("SELECT count(*) FROM (SELECT batch_no FROM ops.cleanup_batch WHERE run_id = $id GROUP BY 1 HAVING count(*) > 1) AS q"
				),
				0,
				"$claim: each batch once");

			if ($archive)
			{
				is( sql('SELECT count(*) || \' \' || count(DISTINCT id) FROM (SELECT * FROM events UNION ALL SELECT * FROM archived) AS q'
					),
					"$rows $rows",
					"$claim: every row is in one place");
			}

			sql('ALTER TABLE events DISABLE TRIGGER slow');
			my $next = run_cleanup($node, q('events'));
			is( "$next->{err}|$next->{deleted}|$next->{finished}",
				"|$left|t",
				"$claim: the next run goes on") or diag($next->{said});
			my $status =
			  sql("SELECT status FROM ops.cleanup_run WHERE run_id = $id");
			like(
				$status,
				$end =~ /cancel/
				? qr/^(?:cancelled|interrupted)$/
				: qr/^interrupted$/,
				"$claim: the log knows how it ended");
			is( sql('SELECT count(*) FROM archived'),
				$archive ? $rows : 0,
				"$claim: archived is what it ought to be");
			sql(q(SELECT ops.drop_retention('events')));
		}
	}
}

# Nobody has to run it to know: progress shows no dead run as alive.
is(sql(q(SELECT count(*) FROM ops.cleanup_progress)),
	0, 'nothing seems to be running');
is(sql(q(SELECT count(*) FROM ops.cleanup_run WHERE status = 'running')),
	0, 'nor does the log say so');

$node->stop;
done_testing();
