
# What the tests of pg_cron's jobs share: a server with pg_cron, and asking it
# with names that need quoting.
package OpsCron;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use Test::More;

our @EXPORT =
  qw(start_cron restart_cron has_setting rows count_jobs error_is literal identifier);

# A server with pg_cron in its database postgres.
sub start_cron
{
	my ($name, $workers) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 1);
	$node->append_conf('postgresql.conf', <<~CONF);
		shared_preload_libraries = 'operations_runbook, pg_cron'
		cron.database_name = 'postgres'
		cron.host = '${\$node->host}'
		cron.use_background_workers = $workers
		cron.max_running_jobs = 20
		max_worker_processes = 30
		max_connections = 50
		autovacuum_naptime = 1h
		timezone = 'UTC'
		lc_messages = 'C'
		CONF
	$node->start;
	$node->safe_psql('postgres',
		'CREATE EXTENSION pg_cron; CREATE EXTENSION operations_runbook');
	return $node;
}

sub restart_cron
{
	my ($node) = @_;

	$node->restart;
	$node->poll_query_until('postgres',
		q(SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pg_cron launcher')
	) or die 'no launcher';
	return;
}

sub has_setting
{
	my ($node, $name) = @_;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_settings WHERE name = '$name'");
}

# An expression over rows, in its own order.
sub rows
{
	my ($node, $database, $role, $expression, $from) = @_;

	$role = defined $role ? 'SET ROLE ' . identifier($role) . '; ' : '';
	return $node->safe_psql($database,
		"$role SELECT string_agg(x, E'\\n' ORDER BY x COLLATE \"C\") FROM (SELECT $expression FROM $from) AS r(x)"
	);
}

# Jobs of ours that pg_cron has for a database.
sub count_jobs
{
	my ($node, $database) = @_;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM cron.job, (SELECT ${\literal($database)}) AS n(d)"
		  . q( WHERE jobname ~ '^ops_' AND right(jobname, length(d) + 1) = '@' || d AND schedule <> '0 0 30 2 *')
	);
}

# Test that a statement fails, with what psql tells of it.
sub error_is
{
	my ($node, $database, $sql, $pattern, $claim) = @_;
	my ($code, $out, $err) =
	  $node->psql($database, "\\set VERBOSITY verbose\n$sql");

	like($err =~ s/^psql:<stdin>:\d+: //mr, $pattern, $claim);
	return;
}

sub literal
{
	my ($text) = @_;
	my $quoted = $text =~ s/'/''/gr =~ s/\\/\\\\/gr;

	return ($text =~ /\\/ ? 'E' : '') . "'$quoted'";
}

sub identifier
{
	my ($name) = @_;

	return '"' . ($name =~ s/"/""/gr) . '"';
}

1;
