
# What the TAP tests share: a server with the extension in it, and asking it.
package OpsTest;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT =
  qw(new_server check status_is threshold reset_threshold poll_status);

# Who the server's superuser is: whoever ran initdb.
my $node_user = getpwuid($<);

# A started primary with the extension in database postgres.  The settings
# come after the common ones and so win over them.
sub new_server
{
	my ($name, $settings, %init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%init);
	$node->append_conf('postgresql.conf', <<~CONF);
		shared_preload_libraries = 'operations_runbook'
		autovacuum_naptime = 1h
		lc_messages = 'C'
		CONF
	$node->append_conf('postgresql.conf', $settings) if defined $settings;
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION operations_runbook');
	return $node;
}

# The row of one check as a hash, its details decoded.
sub check
{
	my ($node, $name, %how) = @_;
	my $json = $node->safe_psql(
		$how{database} // 'postgres',
		qq(SELECT row_to_json(c) FROM ops.checks("only" => ARRAY['$name']) c),
		extra_params => [ '-U', $how{role} // $node_user ]);

	return decode_json($json);
}

# Test the status of one check; returns its row for closer looks.
sub status_is
{
	my ($node, $name, $status, $claim, %how) = @_;
	my $row = check($node, $name, %how);

	is($row->{status}, $status, "$name: $claim")
	  or diag("$name says: $row->{message}");
	return $row;
}

# Change what ops.threshold says of a check: warning => 1, critical => 2 ...
sub threshold
{
	my ($node, $name, %change) = @_;
	my @columns = sort keys %change;
	my $columns = join(', ', 'check_name', @columns);
	my $values  = join(', ', "'$name'",    map { "'$change{$_}'" } @columns);
	my $sets    = join(', ', map { "$_ = excluded.$_" } @columns);

	$node->safe_psql('postgres',
		"INSERT INTO ops.threshold ($columns) VALUES ($values) ON CONFLICT (check_name) DO UPDATE SET $sets"
	);
}

sub reset_threshold
{
	my ($node, $name) = @_;

	$node->safe_psql('postgres',
		"DELETE FROM ops.threshold WHERE check_name = '$name'");
}

# Wait until a check has a status; false if it does not within the time.
sub poll_status
{
	my ($node, $name, $status) = @_;

	return $node->poll_query_until('postgres',
		qq(SELECT status = '$status' FROM ops.checks("only" => ARRAY['$name']))
	);
}

1;
