
# The examples for system cron and systemd, without pg_cron: their own command
# lines are run and do what they are there for.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Text::ParseWords;

my $node = new_server('primary');

$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->safe_psql(
	'app', q{
	CREATE EXTENSION operations_runbook;
	CREATE TABLE fresh AS SELECT i FROM generate_series(1, 1000) i;
	INSERT INTO ops.maintenance_window (window_name, frequency, starts_at, duration, time_zone)
	SELECT name, 'daily', (now() AT TIME ZONE 'UTC' - interval '30 min')::time, '24 h', 'UTC'
	FROM unnest('{nightly, sunday, first_sunday}'::text[]) AS name});

# crontab(5): assignments, and lines of five fields, a user and a command.
my %cron;
my @lines;
for my $line (split /\n/, slurp_file('examples/crontab/operations_runbook'))
{
	next if $line =~ /^\s*(#|$)/;
	if ($line =~ /^(\w+)=(?|"(.*)"|(.*))$/)
	{
		$cron{$1} = $2;
		next;
	}
	my ($schedule, $user, $command) = $line =~ /^((?:\S+\s+){5})(\S+)\s+(.*)/;

	ok(defined $command, "crontab: $line");
	is($user, 'postgres', 'crontab: as whom');
	unlike($command, qr/%/, 'crontab: a percent sign would end the command');
	push @lines, $command;
}
is(scalar @lines, 5, 'crontab: five jobs');
for my $command (@lines)
{
	local @ENV{ keys %cron } = values %cron;

	delete $ENV{MAILTO};
	is(mail([ '/bin/sh', '-c', $command ]), '0', "crontab: $command");
}
was_done('crontab', [qw(first_sunday nightly sunday)]);

# Once more: nothing is left to do, and no mail.
for my $command (@lines)
{
	local @ENV{ keys %cron } = values %cron;

	is(mail([ '/bin/sh', '-c', $command ]), '0', "crontab: again $command");
}
is($node->safe_psql('app', 'SELECT count(*) FROM ops.maintenance_run'),
	3, 'crontab: each window had one run');

# A failure is told.
{
	local @ENV{ keys %cron } = values %cron;
	local $ENV{DATABASE} = 'nowhere';

	like(
		mail([ '/bin/sh', '-c', $lines[2] ]),
		qr/^[1-9].*database "nowhere" does not exist/s,
		'crontab: what fails says so');
}

# systemd.service(5): words as in a shell, %I and ${...} in place.
$node->safe_psql('app',
	'DELETE FROM ops.maintenance_run; DELETE FROM ops.health_history');
service('operations-runbook-health');
service('operations-runbook-history');
service('operations-runbook@', 'sunday');
service('operations-runbook@', 'nightly', TASKS => q('{retention}'));
was_done('systemd', [qw(nightly sunday)]);
is( $node->safe_psql(
		'app',
		q(SELECT string_agg(DISTINCT tasks::text, ' ') FROM ops.maintenance_run WHERE window_name = 'nightly')
	),
	'{retention}',
	'systemd: the tasks are passed on');
isnt(service_exit('operations-runbook@', 'no such window'),
	0, 'systemd: what fails says so');

# The units as systemd reads them, where it can be asked.
SKIP:
{
	my $units = PostgreSQL::Test::Utils::tempdir();

	append_to_file("$units/broken.service", "[Service]\nExecStop=x\n");
	skip 'no systemd-analyze that tells of anything', 1
	  if complaints("$units/broken.service") !~ /broken\.service/;
	unlink "$units/broken.service";

	for my $file (glob 'examples/systemd/*')
	{
		my ($name) = $file =~ m{([^/]+)\z};
		my $text = slurp_file($file);

		# Where psql is does not matter here.
		$text =~ s{^ExecStart=\S+}{ExecStart=/bin/true}mg;
		append_to_file("$units/" . ($name =~ s/\@\./\@sunday./r), $text);
	}
	is( join(
			"\n", grep { /runbook/ } split /\n/, complaints(glob "$units/*")),
		'',
		'systemd: has nothing against the units');
}

$node->stop;
done_testing();

# Exit code and whatever would be mailed.
sub mail
{
	my ($command) = @_;
	my ($out, $err) = run_command($command);

	return ($? >> 8) . $out . $err;
}

# What systemd has against some files.
sub complaints
{
	my (@files) = @_;
	my $analyze = 'systemd-analyze';

	return '' if system("command -v $analyze > /dev/null") != 0;
	return join '', run_command([ $analyze, 'verify', '--man=no', @files ]);
}

# Run a service's commands; the last exit code that is not 0.
sub service_exit
{
	my ($name, $instance, %edited) = @_;
	my $unit = slurp_file("examples/systemd/$name.service");
	my %set;
	my $exit = 0;

	for my $line ($unit =~ /^Environment=(.*)/mg)
	{
		/(\w+)=(.*)/ and $set{$1} = $2 for shellwords($line);
	}
	%set = (%set, %edited);
	local @ENV{ keys %set } = values %set;
	for my $line ($unit =~ /^ExecStart=(.*)/mg)
	{
		my @words = map { s/%I/$instance/gr =~ s/\$\{(\w+)\}/$set{$1}/gr }
		  shellwords($line);

		like($words[0], qr{^/}, "systemd: $name has a path");
		$words[0] =~ s{.*/}{};
		$exit ||= system(@words) >> 8;
	}
	return $exit;
}

sub service
{
	my ($name, $instance, %edited) = @_;

	is(service_exit($name, $instance // '', %edited), 0, "systemd: $name");
	ok(-e "examples/systemd/$name.timer", "systemd: $name has a timer");
	return;
}

sub was_done
{
	my ($claim, $windows) = @_;

	is( $node->safe_psql(
			'app',
			q(SELECT string_agg(window_name || ' ' || status, ' ' ORDER BY window_name) FROM ops.maintenance_run)
		),
		join(' ', map { "$_ done" } @$windows),
		"$claim: maintenance was done");
	is($node->safe_psql('app', 'SELECT count(*) FROM ops.health_history'),
		1, "$claim: health is on record");
	return;
}
