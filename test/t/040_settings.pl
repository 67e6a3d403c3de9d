
# Checks of settings and of the files a server depends on, each driven into
# what it can say.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('primary', "fsync = on\nfull_page_writes = on");
my $data = $node->data_dir;
my $row;

$node->safe_psql('postgres', <<~SQL);
	CREATE ROLE nobody LOGIN;
	GRANT USAGE ON SCHEMA ops TO nobody;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ops TO nobody;
	SQL

# Set something and wait until new sessions have it.
sub alter_system
{
	my ($name, $value) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = $value");
	$node->reload;
	$node->poll_query_until('postgres',
		"SELECT current_setting('$name') = '$value'")
	  or die "$name did not become $value";
	return;
}

# Reload and wait until new sessions know.
sub reload_seen
{
	my $before = $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');

	$node->reload;
	$node->poll_query_until('postgres',
		"SELECT pg_conf_load_time() > '$before'")
	  or die 'the reload went unnoticed';
	return;
}

# settings
status_is($node, 'settings', 'ok', 'nothing dangerous');
alter_system('zero_damaged_pages', 'on');
$row = status_is($node, 'settings', 'warn', 'zero_damaged_pages is on');
is($row->{value}, 1, 'one is counted');
is($row->{details}{culprits}[0]{name},
	'zero_damaged_pages', 'and it is named');
alter_system('fsync', 'off');
$row = status_is($node, 'settings', 'fail', 'fsync is off');
is($row->{value}, 2, 'two are counted');
is( $row->{remedy},
	'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();',
	'the worst one comes first');
alter_system('fsync',            'on');
alter_system('full_page_writes', 'off');
status_is($node, 'settings', 'fail', 'full_page_writes is off');
alter_system('full_page_writes',   'on');
alter_system('zero_damaged_pages', 'off');
is( $node->safe_psql(
		'postgres',
		q(SET zero_damaged_pages = on;
		  SELECT status FROM ops.checks("only" => ARRAY['settings']))),
	'ok',
	'settings: what one session set does not count');

# pending_restart, and config_files, which takes no offence at it
status_is($node, 'pending_restart', 'ok', 'nothing waits');
status_is($node, 'config_files',    'ok', 'nothing wrong');
$node->safe_psql('postgres', 'ALTER SYSTEM SET max_connections = 33');
reload_seen();
$row = status_is($node, 'pending_restart', 'ok', 'not waiting for a day yet');
cmp_ok($row->{value}, '>', 0, 'but the time is counted');
like(
	$row->{message},
	qr/^1 setting has waited for a restart/,
	'and so is the setting');
threshold($node, 'pending_restart', warning => 0.001);
$row = status_is($node, 'pending_restart', 'warn', 'waiting');
is($row->{details}{culprits}[0]{name}, 'max_connections', 'for this one');
threshold($node, 'pending_restart', warning => 0.001, critical => 0.002);
status_is($node, 'pending_restart', 'fail', 'waiting for too long');
$row = status_is($node, 'config_files', 'ok', 'a changed one waits');

$node->restart;
status_is($node, 'pending_restart', 'ok', 'restarted');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET max_connections');
reload_seen();
status_is($node, 'pending_restart', 'fail', 'a removed one waits');
status_is($node, 'config_files',    'ok',   'a removed one waits');

$node->append_conf('postgresql.conf', 'shared_preload_libraries = pg_x');
reload_seen();
$row = check($node, 'pending_restart', role => 'nobody');
unlike(encode_culprits($row), qr/shared_preload_libraries/,
	'pending_restart: hides the name of a hidden setting');
like(encode_culprits(check($node, 'pending_restart')),
	qr/shared_preload_libraries/,
	'pending_restart: shows it to those who may see it');
$node->safe_psql('postgres',
	'ALTER SYSTEM SET shared_preload_libraries = operations_runbook');
$node->restart;
reset_threshold($node, 'pending_restart');
status_is($node, 'pending_restart', 'ok', 'restarted again');

sub encode_culprits
{
	my ($result) = @_;

	return join ' ', map { $_->{name} } @{ $result->{details}{culprits} };
}

# config_files
my $conf = slurp_file("$data/postgresql.conf");

sub write_file
{
	my ($name, $content) = @_;

	open my $file, '>', "$data/$name" or die "$name: $!";
	print $file $content;
	close $file or die "$name: $!";
	return;
}

write_file('postgresql.conf', "$conf\nthis is no = setting\n");
reload_seen_or_refused();
$row = status_is($node, 'config_files', 'fail', 'a broken line');
is($row->{value}, 1, 'one is counted');
like($row->{details}{culprits}[0]{name},
	qr/postgresql\.conf:\d+$/, 'and where it is');
write_file('postgresql.conf', "$conf\nno_such_setting = 1\n");
status_is($node, 'config_files', 'fail', 'an unknown setting');
write_file('postgresql.conf', "$conf\nwork_mem = much\n");
status_is($node, 'config_files', 'fail', 'a value that is none');
write_file('postgresql.conf', "$conf\nmax_connections = 44\n");
status_is($node, 'config_files', 'ok', 'only waits for a restart');
write_file('postgresql.conf', "$conf\nmax_connections = many\n");
status_is($node, 'config_files', 'fail', 'no restart would help');
$row =
  status_is($node, 'config_files', 'unknown', 'to others', role => 'nobody');
is($row->{details}{reason}, 'denied', 'because it is denied');
write_file('postgresql.conf', $conf);
reload_seen();
status_is($node, 'config_files', 'ok', 'repaired');

# A reload with a broken file is none, and there is nothing to wait for.
sub reload_seen_or_refused
{
	$node->reload;
	return;
}

# hba; the file starts out with what initdb made of it
my $hba = slurp_file("$data/pg_hba.conf");

sub hba_is
{
	my ($status, $line) = @_;

	write_file('pg_hba.conf', "$hba\n$line\n");
	return status_is($node, 'hba', $status, $line);
}

hba_is('ok', '# as it was');
hba_is('ok', 'host all all 127.0.0.0/8 trust');
hba_is('ok', 'host all all localhost trust');
hba_is('ok', 'host all all samehost trust');
hba_is('ok', 'host all all 0.0.0.0/0 scram-sha-256');
hba_is('ok', 'host all all 10.0.0.0/8 md5');
$row = hba_is('warn', 'host all all 0.0.0.0/0 md5');
is($row->{value}, 1, 'one line is counted');
hba_is('warn', 'host all all ::/0 password');
hba_is('warn', 'host all all all md5');
$row = hba_is('fail', 'host all all 10.0.0.0/8 trust');
like($row->{message}, qr/without a password/, 'and it says why');
hba_is('fail', 'host all all all trust');
hba_is('fail', 'host all all samenet trust');
hba_is('fail', 'host all all example.com trust');
hba_is('fail', 'host all all 127.0.0.1 0.0.0.0 trust');
hba_is('fail', 'host all all ::1/64 trust');
$row = hba_is('fail', 'host all all 127.0.0.1/32 rust');
like($row->{message}, qr/invalid authentication method/, 'and it says why');
$row = status_is($node, 'hba', 'unknown', 'to others', role => 'nobody');
is($row->{details}{reason}, 'denied', 'because it is denied');
write_file('pg_hba.conf', $hba);
status_is($node, 'hba', 'ok', 'repaired');

# extensions
SKIP:
{
	skip 'pg_stat_statements is not available',
	  6
	  if $node->safe_psql(
		'postgres',
		q(SELECT count(*) FROM pg_available_extension_versions WHERE name = 'pg_stat_statements' AND version = '1.9')
	  ) eq '0';

	status_is($node, 'extensions', 'ok', 'all are as new as can be');
	$node->safe_psql('postgres',
		q(CREATE EXTENSION pg_stat_statements VERSION '1.9'));
	$row = status_is($node, 'extensions', 'warn', 'one is older');
	is( $row->{remedy},
		'ALTER EXTENSION pg_stat_statements UPDATE;',
		'the remedy names it');
	threshold($node, 'extensions', critical => 1);
	status_is($node, 'extensions', 'fail', 'one is too many');
	$node->safe_psql('postgres', $row->{remedy});
	$row = status_is($node, 'extensions', 'ok', 'the remedy helps');
	is($row->{value}, 0, 'none is counted');
}

# tls
SKIP:
{
	skip 'this server cannot do TLS', 12
	  if $node->safe_psql('postgres', 'SHOW ssl_library') eq '';
	skip 'there is no openssl command', 12
	  if system('openssl version > /dev/null 2>&1') != 0;

	# A certificate that is good for so many days and an hour.
	my $make_certificate = sub {
		my ($days) = @_;

		system_or_bail(
			'openssl',  'req',
			'-x509',    '-nodes',
			'-newkey',  'ec',
			'-pkeyopt', 'ec_paramgen_curve:prime256v1',
			'-subj',    '/CN=localhost',
			'-days',    $days,
			'-keyout',  "$data/server.key",
			'-out',     "$data/server.crt");
		chmod 0600, "$data/server.key" or die "server.key: $!";
		return;
	};
	my $load_certificate = sub {
		$make_certificate->(@_);

		# Files of this second could be newer than the reload.
		sleep 1;
		reload_seen();
		return;
	};

	$row = status_is($node, 'tls', 'unknown', 'switched off');
	is($row->{details}{reason}, 'not_applicable', 'not applicable');
	$make_certificate->(100);
	$node->append_conf('postgresql.conf', 'ssl = on');
	sleep 1;
	reload_seen();
	$row = status_is($node, 'tls', 'ok', 'good for 100 days');
	cmp_ok(abs($row->{value} - 100), '<', 0.1, 'the days are counted');
	$load_certificate->(20);
	$row = status_is($node, 'tls', 'warn', 'good for 20 days');
	cmp_ok(abs($row->{value} - 20), '<', 0.1, 'the days are counted');
	$load_certificate->(3);
	$row = status_is($node, 'tls', 'fail', 'good for 3 days');
	like($row->{message}, qr/expires in 2 d 23 h/, 'and says so');

	my $short = slurp_file("$data/server.crt");
	$load_certificate->(100);
	status_is($node, 'tls', 'ok', 'renewed');
	sleep 2;
	$make_certificate->(200);
	$row = status_is($node, 'tls', 'warn', 'renewed, but not loaded');
	is($row->{remedy}, 'SELECT pg_reload_conf();', 'the remedy loads it');
	write_file('server.crt', slurp_file("$data/server.crt") . $short);
	status_is($node, 'tls', 'fail', 'one of the chain is good for 3 days');
	unlink "$data/server.crt" or die "server.crt: $!";
	$row = status_is($node, 'tls', 'unknown', 'no file');
	is($row->{details}{reason}, 'failed', 'failed to read it');
}

$node->stop;
done_testing();
