#!/usr/bin/env perl
# rls.pl: what ops.rls_matrix() proves of random policies, against what they
# let through when the role's statements are executed.
#
#     rls.pl --count N --seed S --workers W [--keep DIRECTORY] [--batch B]
#
# Reaches a server as superuser through PGHOST and PGPORT, in PGDATABASE (or
# postgres); creates roles fuzz_*, schemas fuzz_* and drops them again.  Each
# contradiction is written as SQL that shows it, to standard output or into
# files of the directory, which also get some of what was secure and not
# proved.  --batch runs one batch of the run again.  Exits with 1 if there is a
# contradiction, an internal error or a crash, or too much was refused.
# --unjudged only executes, without the extension; nothing is proved then.
#
# Tables and their rows stay; a batch gives them policies, asks for the
# verdicts, executes, and rolls back.  A batch depends on the seed and its
# number alone, and has a session of its own: a setting that was never set
# reads differently from one that was reset.
use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);
use File::Temp     qw(tempdir);
use Getopt::Long;
use lib dirname(__FILE__);
use List::Util  qw(shuffle);
use POSIX       qw(_exit);
use Time::HiRes qw(time);

use RlsFixture qw(roles drop_roles lookups shapes table_sql identities
  settings standing attacks @STATES);
use RlsPolicies qw(begin_batch condition functions pick chance %KEYS);

# Predicates in a batch: what one round over the tables surely brings.
use constant PER_BATCH => 140;

# Ways to change a lookup table that are tried on a predicate, as somebody and
# as nobody.
use constant ATTACKS => 3;

# Command and gate of ops.rls_matrix() for each gate here.
my %gate_of = (
	SELECT => [ 'SELECT', 'using' ],
	UPDATE => [ 'UPDATE', 'using' ],
	DELETE => [ 'DELETE', 'using' ],
	INSERT => [ 'INSERT', 'check' ],
	CHECK  => [ 'UPDATE', 'check' ]);

my %option = (count => 5000, seed => 1, workers => 2);
GetOptions(
	\%option, 'count=i', 'seed=i', 'workers=i',
	'keep=s', 'batch=i', 'unjudged')
  && !@ARGV
  or die "usage: rls.pl --count N --seed S --workers W [--keep DIRECTORY]\n";
$ENV{PGDATABASE} ||= 'postgres';
$ENV{PGOPTIONS} = '-c client_min_messages=error -c jit=off'
  . ' -c plan_cache_mode=force_generic_plan';

my $work   = tempdir(CLEANUP => 1);
my $began  = time;
my $judges = !$option{unjudged};

setup();
srand $option{seed};
check_harness('fuzz_w1');
my $results = run_workers();
my $sound   = report($results);
tear_down();
exit($sound ? 0 : 1);

#
# Running.
#

# Output of SQL; dies if it fails.
sub ask
{
	my ($sql) = @_;

	open my $in, '>', "$work/ask.$$" or die $!;
	print {$in} $sql;
	close $in or die $!;
	my $out = `psql -XqAt -v ON_ERROR_STOP=1 -f $work/ask.$$ 2>&1`;
	die "psql: $out" if $?;
	chomp $out;
	return $out;
}

sub setup
{
	tear_down();
	ask(roles() . slurp(dirname(__FILE__) . '/rls.sql'));
	for my $worker (1 .. $option{workers})
	{
		my $schema = "fuzz_w$worker";
		ask(    schema_sql($schema)
			  . join('', map { $_->[1] } lookups($schema))
			  . join('',
				map { table_sql($schema, $_) . trigger_sql($schema, $_) }
				  shapes())
			  . "ANALYZE;\n");
		next unless $judges;
		ask(join '',
			map    { tenancy_sql("$schema.$_->{name}") }
			  grep { $_->{org} } shapes());
	}
	return;
}

sub tear_down
{
	my $schemas = ask(
		"SELECT string_agg(nspname, ' ') FROM pg_namespace WHERE nspname ~ '^fuzz_(w[0-9]+|harness)\$'"
	);
	ask(join('', map { "DROP SCHEMA $_ CASCADE;\n" } split ' ', $schemas)
		  . (
			$judges
			? "DELETE FROM ops.tenancy WHERE reason = 'fuzz';\n"
			: '')
		  . drop_roles());
	return;
}

sub schema_sql
{
	my ($schema) = @_;

	return
	  "CREATE SCHEMA $schema;\nGRANT USAGE ON SCHEMA $schema TO PUBLIC;\n";
}

sub trigger_sql
{
	my ($schema, $shape) = @_;

	return
		"CREATE TRIGGER see BEFORE UPDATE OR DELETE ON $schema.$shape->{name}"
	  . " FOR EACH ROW EXECUTE FUNCTION fuzz_harness.see();\n";
}

# Policies of which is known what they let through: whatever sees something
# else here would be wrong about the random ones too.
sub check_harness
{
	my ($schema) = @_;
	my $mine     = "current_setting('app.tenant_id', true)";
	my $me       = "current_setting('app.user_id', true)";
	my @known    = (
		[ t01 => 'SELECT', 'own',              "tenant_id = $mine" ],
		[ t01 => 'DELETE', 'own',              "tenant_id = $mine" ],
		[ t01 => 'UPDATE', 'own',              "tenant_id = $mine" ],
		[ t01 => 'INSERT', 'own',              "tenant_id = $mine" ],
		[ t02 => 'SELECT', 'foreign null own', 'true' ],
		[ t02 => 'INSERT', 'foreign null own', 'true' ],
		[ t02 => 'CHECK',  'own',              "tenant_id = $mine" ],
		[ t02 => 'DELETE', 'null',             'tenant_id IS NULL' ],
		[ t03 => 'CHECK',  'foreign null own', 'true' ],
		[ t03 => 'SELECT', '',                 'false' ],
		[ t06 => 'SELECT', 'foreign',          "id = 0 AND $mine IS NULL" ],
		[ t03 => 'INSERT', '',                 'flag AND NOT flag' ],
		[
			t03 => 'DELETE',
			'foreign own', "coalesce($mine, tenant_id) = tenant_id"
		],
		[ t12 => 'SELECT', 'foreign own', "$mine IS NULL" ],
		[ t12 => 'UPDATE', 'foreign own', "$mine = ''" ],
		[
			t12 => 'DELETE',
			'foreign',
			"tenant_id = 'bolt' AND $mine = 'acme' AND $me IS NULL"
		],
		[
			t22 => 'SELECT',
			'error own',
			"tenant_id = current_setting('app.tenant_uuid', true)::uuid"
		],
		[
			t22 => 'DELETE',
			'error own',
			"tenant_id = current_setting('app.tenant_uuid')::uuid"
		],
		[
			t22 => 'UPDATE',
			'error foreign own',
			"tenant_id = 'b0000000-0000-4000-8000-00000000000b' OR 1 / (n - 5) = 7"
		],
		[
			t35 => 'SELECT',
			'error own', "tenant_id = current_setting('app.tenant_no')::int"
		],
		[
			t45 => 'SELECT',
			'error foreign own',
			"tenant_id::int = current_setting('app.tenant_code', true)::int"
		],
		[
			t45 => 'DELETE',
			'own', "tenant_id = current_setting('app.tenant_code', true)"
		],
		[ t47 => 'SELECT', 'foreign null own', "tenant_id = $mine" ],
		[
			t04 => 'SELECT',
			'own', "tenant_id IN (SELECT tenant_id FROM m_rls)"
		],
		[
			t04 => 'DELETE',
			'foreign own', "tenant_id IN (SELECT tenant_id FROM m_self)"
		],
		[
			t04 => 'UPDATE',
			'own',
			"tenant_id IN (SELECT tenant_id FROM m_ten WHERE user_id = $me)"
		],
		[
			t04 => 'INSERT',
			'foreign own',
			"tenant_id IN (SELECT tenant_id FROM m_w WHERE user_id = $me)"
		],
		[
			t05 => 'SELECT',
			'foreign own',
			"tenant_id IN (SELECT tenant_id FROM m_upd WHERE user_id = $me)"
		],
		[
			t05 => 'DELETE',
			'foreign own', "tenant_id IN (SELECT tenant_id FROM v_def)"
		],
		[
			t05 => 'UPDATE',
			'own', "tenant_id IN (SELECT tenant_id FROM v_forced)"
		],
		[
			t55 => 'SELECT',
			'own', "EXISTS (SELECT FROM p_rls p WHERE p.id = parent_id)"
		],
		[
			t55 => 'DELETE',
			'foreign null own',
			"EXISTS (SELECT FROM p_ro p WHERE p.id = parent_id) OR parent_id IS NULL"
		],);
	my %shape = map { $_->{name} => $_ } shapes();
	my (@policies, @jobs);

	for (@known)
	{
		my ($table, $gate, undef, $condition) = @$_;
		my $command = $gate eq 'CHECK' ? 'UPDATE' : $gate;
		my @parts =
			$gate eq 'INSERT' ? (check => $condition)
		  : $gate eq 'CHECK'  ? (using => 'true', check => $condition)
		  :                     (using => $condition);
		my $policy = policy($schema, $table, lc "by_$gate", $command, @parts);
		push @policies, $policy;
		push @jobs,
		  {
			gate     => $gate,
			shape    => $shape{$table},
			policies => [$policy]
		  };
	}
	my $batch = with_needs($schema, [], \@policies, \@jobs, 100);
	my $ran   = execute($schema, 'known', $batch);
	die "harness: $ran->{errors}\n" if $ran->{errors} =~ /ERROR|FATAL/;
	for my $job_number (0 .. $#jobs)
	{
		my $shown =
		  shown($jobs[$job_number], $ran->{passed}{$job_number}, '');
		my $saw = join ' ', sort keys %$shown;
		my ($table, $gate, $expected, $condition) = @{ $known[$job_number] };
		die
		  "harness: $gate of $table with $condition: '$saw' instead of '$expected'\n"
		  if $saw ne $expected;
	}
	return;
}

# Fork the workers; sum up what they counted.
sub run_workers
{
	my $batches = int(($option{count} + PER_BATCH - 1) / PER_BATCH);
	my (%pipes, %sum, @texts);

	for my $worker (1 .. $option{workers})
	{
		pipe my $out, my $in or die $!;
		my $pid = fork;
		die "fork: $!" unless defined $pid;
		if ($pid == 0)
		{
			close $out;
			my $ok = eval {
				for (
					my $batch = $worker;
					$batch <= $batches;
					$batch += $option{workers})
				{
					next if $option{batch} && $batch != $option{batch};
					run_batch($worker, $batch, $in);
				}
				1;
			};
			print {$in} 'died ' . ($@ =~ s/\n/ /gr) . "\n" unless $ok;
			print {$in} "end\n";
			close $in;
			_exit(0);
		}
		close $in;
		$pipes{$pid} = $out;
	}
	for my $pid (sort keys %pipes)
	{
		my $pipe  = $pipes{$pid};
		my $ended = 0;

		while (my $line = <$pipe>)
		{
			chomp $line;
			if    ($line eq 'end')                { $ended = 1; }
			elsif ($line =~ /^count (\d+) (.*)$/) { $sum{$2} += $1; }
			else                                  { push @texts, $line; }
		}
		push @texts, 'died without a word' unless $ended;
		waitpid $pid, 0;
	}
	return { sum => \%sum, texts => \@texts };
}

#
# A batch.
#

sub run_batch
{
	my ($worker, $number, $out) = @_;
	my $schema = "fuzz_w$worker";
	my $batch  = make_batch($schema, $number);
	my %count;
	my $ran = execute($schema, $worker, $batch);

	complain(\%count, $out, $number, $ran->{errors});
	if (!$ran->{ended})
	{
		print {$out} "crash: batch $number ended early\n";
		$count{crash}++;
	}
	judge($schema, $number, $batch, $ran, \%count, $out);
	print {$out} "count $count{$_} $_\n" for sort keys %count;
	return;
}

# Verdicts of a batch, and numbers of rows that passed in each state.
sub execute
{
	my ($schema, $worker, $batch) = @_;
	my $file = "$work/batch.$worker.sql";
	my (%verdicts, %passed, $ended);

	open my $script, '>', $file or die $!;
	print {$script} batch_sql($schema, $batch);
	close $script or die $!;
	open my $psql, '-|',
	  "psql -XqAt -F '|' -v VERBOSITY=verbose -f $file 2> $file.err"
	  or die $!;
	while (my $line = <$psql>)
	{
		chomp $line;
		my ($kind, @field) = split /\|/, $line, -1;
		next unless defined $kind;
		if ($kind eq 'V')
		{
			$verdicts{"$field[0] $field[1] $field[2]"} = \@field;
		}
		elsif ($kind eq 'R')
		{
			$passed{ $field[1] }{ $field[0] } .= $field[2];
		}
		elsif ($kind eq 'E') { $ended = 1; }
	}
	close $psql;
	return {
		verdicts => \%verdicts,
		passed   => \%passed,
		ended    => $ended,
		errors   => slurp("$file.err")
	};
}

# What the server complained about outside of the harness.
sub complain
{
	my ($count, $out, $number, $errors) = @_;

	for (grep { /(ERROR|FATAL|PANIC): / } split /\n/, $errors)
	{
		my ($code) = /(?:ERROR|FATAL|PANIC):\s+(\w{5})/;
		if ($code && $code !~ /^XX|^57P/)
		{
			$count->{refused}++;
			next;
		}
		$count->{'internal error'}++;
		print {$out} "internal: batch $number: $_\n";
	}
	return;
}

# Random policies for every table, and what to find out about them.
sub make_batch
{
	my ($schema, $number) = @_;
	my (@policies, @jobs);

	srand($option{seed} * 1_000_003 + $number);
	begin_batch($schema);
	push @policies, lookup_policies($schema);
	for my $shape (shapes())
	{
		my ($made, @gates) = table_policies($schema, $shape);
		push @policies, @$made;
		push @jobs, map {
			{ %$_, shape => $shape }
		} @gates;
	}
	my $last   = $option{count} - ($number - 1) * PER_BATCH;
	my $wanted = $last < PER_BATCH ? $last : PER_BATCH;
	@jobs = shuffle(@jobs);
	splice @jobs, $wanted if @jobs > $wanted;
	return with_needs($schema, [ functions() ], \@policies, \@jobs, ATTACKS);
}

# The same, and what each job uses, may be attacked through and is tried on.
sub with_needs
{
	my ($schema, $functions, $policies, $jobs, $attacks) = @_;
	my %text_of = map { $_->{name} => $_->{sql} } @$functions;

	for (@$policies)       { $text_of{ $_->{table} } .= "\n$_->{sql}"; }
	for (lookups($schema)) { $text_of{ $_->[0] }     .= "\n$_->[1]"; }
	for my $job (@$jobs)
	{
		my %used =
		  used(\%text_of, join ' ', map { $_->{sql} } @{ $job->{policies} });
		$used{ $job->{shape}{parents} } = 1 if $job->{shape}{parents};
		$job->{used} = \%used;
		$job->{attacks} =
		  [ some_attacks($schema, $attacks, sort keys %used) ];
		$job->{attacked_in} = { A => 1, pick('unset', 'empty') => 1 };
		my $rows = $job->{shape}{keys};
		my $each = $job->{gate} =~ /INSERT|CHECK/ ? 9 : 5;
		$job->{sample} = [
			map {
				my $key = $_;
				map { $key * 100 + int rand 27 } 1 .. $each
			} 0 .. $#$rows
		];
	}
	return {
		functions => $functions,
		policies  => $policies,
		jobs      => $jobs
	};
}

# Some of the ways to change what policies look up.
sub some_attacks
{
	my ($schema, $most, @used) = @_;
	my @attacks = shuffle(map { attacks($schema, $_) } @used);

	splice @attacks, $most if @attacks > $most;
	return @attacks;
}

# Names of what a text needs, and of what that needs.
sub used
{
	my ($text_of, @texts) = @_;
	my %used;

	while (@texts)
	{
		my $text = shift @texts;
		for ($text =~ /\b((?:f\d+)|(?:[mpv]_\w+))\b/g)
		{
			next if $used{$_} || !exists $text_of->{$_};
			$used{$_} = 1;
			push @texts, $text_of->{$_};
		}
	}
	return %used;
}

# A policy, as a hash.
sub policy
{
	my ($schema, $table, $name, $command, %is) = @_;
	my $sql =
		"CREATE POLICY $name ON $schema.$table"
	  . ($is{restrictive}                 ? ' AS RESTRICTIVE' : '')
	  . ($command eq 'ALL' && chance(0.5) ? ''            : " FOR $command")
	  . ($is{to}                          ? " TO $is{to}" : '')
	  . ($is{using} ? " USING ($is{using})"               : '')
	  . ($is{check} ? " WITH CHECK ($is{check})"          : '') . ";\n";

	return { table => $table, command => $command, sql => $sql };
}

# Policies of the lookup tables that have others in each batch.
sub lookup_policies
{
	my ($schema) = @_;
	my %scope = (
		key    => 'tenant_id',
		kind   => 'text',
		type   => 'text',
		n      => 'tenant_no',
		prefix => '',
		parent => 'tenant_no');
	my %member =
	  (%scope, owner => 'user_id', flag => 'active', name => 'kind');
	my %parent =
	  (%scope, owner => 'org_id', flag => 'open', name => 'tenant_code');
	my $lookup = sub {
		my ($made) = @_;
		# Its own rows it cannot look up.
		$made =
		  chance(0.5)
		  ? "user_id = nullif(current_setting('app.user_id', true), '')"
		  : "tenant_id = current_setting('app.tenant_id', true)"
		  if $made =~ /\b[mv]_\w+|\bf\d+/;
		return $made;
	};
	my $intent = sub { chance(0.7) ? 'guarded' : 'anything' };

	return (
		policy(
			$schema, 'm_rnd', 'r1', 'SELECT',
			using => $lookup->(condition(\%member, $intent->()))),
		policy(
			$schema, 'm_wrnd', 'r1', 'INSERT',
			check => $lookup->(condition(\%member, $intent->()))),
		policy(
			$schema, 'm_wrnd', 'r2', 'UPDATE',
			using => $lookup->(condition(\%member, $intent->())),
			(   chance(0.5)
				? (check => $lookup->(condition(\%member, $intent->())))
				: ())),
		policy(
			$schema,
			'p_rnd',
			'r1',
			'ALL',
			using => condition(\%parent, $intent->()) =~ s/\bp_rnd\b/p_rls/gr)
	);
}

# Policies of a table, and the gates whose predicates they are.
sub table_policies
{
	my ($schema, $shape) = @_;
	my $table = $shape->{name};
	my %scope = (
		prefix => '',
		flag   => 'flag',
		n      => 'n',
		name   => 'name',
		owner  => 'owner_id',
		parent => 'parent_id');
	my (@policies, @gates);

	if ($shape->{parents}) { $scope{parents} = $shape->{parents}; }
	else
	{
		# Names alone are caught by the lookup tables' columns, if types fit.
		my $dot =
		  chance($shape->{kind} eq 'text' ? 0.85 : 0.95) ? "$table." : '';
		$scope{key}  = "${dot}tenant_id";
		$scope{kind} = $shape->{kind};
		$scope{type} = $KEYS{ $shape->{kind} }{type};
		$scope{org}  = "${dot}org_id" if $shape->{org};
	}
	my $make = sub {
		my ($command, $part) = @_;
		my @made = gate_policies($schema, $table, \%scope, $command, $part);
		push @policies, @made;
		return \@made;
	};
	my $gate = sub {
		my ($name, $made) = @_;
		push @gates, { gate => $name, policies => $made };
	};

	if (chance(0.2))
	{
		my $made = $make->('ALL', 'using');
		$gate->(pick(qw(SELECT SELECT DELETE UPDATE INSERT)), $made);
		return (\@policies, @gates);
	}
	my @floor;
	if (chance(0.06))
	{
		@floor = (
			policy(
				$schema, $table, 'floor', 'ALL',
				restrictive => 1,
				using       => condition(\%scope, 'guarded')));
		push @policies, @floor;
	}
	$gate->('SELECT', [ @floor, @{ $make->('SELECT', 'using') } ]);
	$gate->('DELETE', [ @floor, @{ $make->('DELETE', 'using') } ]);
	if (chance(0.7) || @floor)
	{
		$gate->('UPDATE', [ @floor, @{ $make->('UPDATE', 'using') } ]);
	}
	else
	{
		$gate->('CHECK', $make->('UPDATE', 'check'));
	}
	$gate->('INSERT', [ @floor, @{ $make->('INSERT', 'check') } ])
	  if chance(0.3);
	return (\@policies, @gates);
}

# What one gate of a command is guarded by: up to three permissive policies
# and up to two restrictive ones.
sub gate_policies
{
	my ($schema, $table, $scope, $command, $part) = @_;
	my @made;
	my $name = lc substr $command, 0, 1;
	my $add  = sub {
		my ($intent, %is) = @_;
		my $made = condition($scope, $intent);
		my @parts =
			$command eq 'INSERT' ? (check => $made)
		  : $part eq 'check'     ? (using => 'true', check => $made)
		  :                        (using => $made);
		push @made,
		  policy($schema, $table, $name . (@made + 1), $command, @parts, %is);
	};
	my $to =
	  sub { chance(0.3) ? pick(qw(fuzz_app fuzz_group PUBLIC)) : undef };

	my $intent = chance(0.7) ? 'guarded' : 'anything';
	$add->($intent,                             to => $to->());
	$add->(chance(0.85) ? $intent : 'anything', to => $to->())
	  if chance(0.15);
	$add->(chance(0.85) ? $intent : 'anything', to => $to->())
	  if chance(0.05);
	$add->('anything', to => 'fuzz_other') if chance(0.05);
	$add->(
		chance(0.5) ? 'guarded' : 'anything',
		to          => $to->(),
		restrictive => 1) if chance($intent eq 'anything' ? 0.3 : 0.1);
	$add->(
		'anything',
		to          => chance(0.2) ? 'fuzz_other' : $to->(),
		restrictive => 1) if chance(0.07);
	return @made;
}

sub batch_sql
{
	my ($schema, $batch) = @_;
	my $sql =
	  "\\set ON_ERROR_ROLLBACK on\nBEGIN;\nSET LOCAL search_path = $schema;\n";
	my $number = 0;

	$sql .= "$_->{sql};\n" for @{ $batch->{functions} };
	$sql .= $_->{sql}      for @{ $batch->{policies} };
	$sql .= verdicts_sql(
		$schema,
		q('V', relation, command, gate, verdict, array_to_string(tenant_key, ','), translate(obstacle, E'|\\n', '  ')),
		q(relation ~ '^t[0-9]+$')) if $judges;
	for my $state (@STATES)
	{
		if ($state ne 'unset')
		{
			my $settings = settings($state);
			$sql .= 'SELECT '
			  . join(', ',
				map { "set_config('$_', '$settings->{$_}', false)" }
				sort keys %$settings)
			  . " \\g /dev/null\n";
		}
		$sql .= jobs_sql($schema, $state, $batch->{jobs});
	}
	return "${sql}ROLLBACK;\nSELECT 'E';\n";
}

sub verdicts_sql
{
	my ($schema, $columns, $where) = @_;
	my $identities = join ',', map { qq("$_") } identities();

	return <<"SQL";
SELECT $columns
  FROM ops.rls_matrix(roles => '{fuzz_app}', schemas => '{$schema}',
       identities => '{$identities}', tenant_columns => '{tenant_id}')
 WHERE $where;
SQL
}

# The declaration of a table that has two keys.
sub tenancy_sql
{
	my ($table) = @_;

	return
	  "INSERT INTO ops.tenancy VALUES ('tenant_columns', '$table', '{tenant_id,org_id}', 'fuzz');\n";
}

sub jobs_sql
{
	my ($schema, $state, $jobs) = @_;
	my $number = -1;
	my (@all, @attacked);

	for my $job (@$jobs)
	{
		$number++;
		my $what =
			"$number, '$schema.$job->{shape}{name}', '$job->{gate}', '{"
		  . join(',', @{ $job->{sample} })
		  . "}'::int[]";
		push @all, "($what)";
		push @attacked, "($what, " . json($job->{attacks}) . ')'
		  if @{ $job->{attacks} } && $job->{attacked_in}{$state};
	}
	my $sql =
		"SELECT 'R', '$state', j, fuzz_harness.passing(t, g, s) FROM (VALUES "
	  . join(",\n", @all)
	  . ") v (j, t, g, s);\n";
	$sql .=
	  "SELECT 'R', '$state', j, fuzz_harness.passing_after(t, g, s, a) FROM (VALUES "
	  . join(",\n", @attacked)
	  . ") v (j, t, g, s, a);\n"
	  if @attacked;
	return $sql;
}

sub json
{
	my ($lists) = @_;
	my $text = '[' . join(
		', ',
		map {
			'[' . join(', ', map { '"' . s/(["\\])/\\$1/gr . '"' } @$_) . ']'
		} @$lists) . ']';

	$text =~ s/'/''/g;
	return "'$text'::jsonb";
}

#
# Judging.
#

sub judge
{
	my ($schema, $number, $batch, $ran, $count, $out) = @_;
	my $job_number = -1;
	my %kept;

	for my $job (@{ $batch->{jobs} })
	{
		$job_number++;
		my ($command, $gate) = @{ $gate_of{ $job->{gate} } };
		my $passed  = $ran->{passed}{$job_number};
		my $row     = $ran->{verdicts}{"$job->{shape}{name} $command $gate"};
		my $verdict = $row ? $row->[3] : $judges ? 'missing' : 'unproved';
		my $shown   = shown($job, $passed, $row ? $row->[4] : '');
		my $leak    = $shown->{foreign} || $shown->{null};
		my $secure  = $leak ? 'leaking' : 'secure';
		my $against = contradicts($verdict, $shown);

		if (grep { !defined $passed->{$_} } @STATES)
		{
			$count->{crash}++;
			print {$out}
			  "crash: batch $number did not execute $job->{gate} of $job->{shape}{name}\n";
			next;
		}
		$count->{$_}++
		  for 'predicate', $secure, "verdict $verdict", "$secure $verdict",
		  "gate $job->{gate}";
		$count->{nothing}++ if !$leak && !$shown->{own};
		$count->{error}++   if $shown->{error};
		$count->{"stopped by $row->[5]"}++
		  if $row && $verdict eq 'unproved' && !$leak;
		$count->{contradiction}++ if $against;

		# A few of what is secure and not proved are worth a look.
		$against ||= 'secure, as far as was seen'
		  if $option{keep} && !$leak && $verdict !~ /^(proved|denied)$/;
		next if !$against || $kept{$verdict}++ >= 3;
		reproduce($schema, $number, $batch, $job, $verdict, $against, $out);
	}
	return;
}

# What of that which passed speaks against a verdict.
sub contradicts
{
	my ($verdict, $shown) = @_;

	return 'no verdict at all' if $verdict eq 'missing';
	return $shown->{foreign} || $shown->{null}
	  if $verdict eq 'proved';
	return $shown->{foreign} || $shown->{null} || $shown->{own}
	  if $verdict eq 'denied';
	return;
}

# The first row of each standing that passed, and in which state.
sub shown
{
	my ($job, $passed, $columns) = @_;
	my %shown;

	for my $state (@STATES)
	{
		for my $id (split ' ', $passed->{$state} // '')
		{
			if ($id eq 'error') { $shown{error} = 1; next; }
			my ($standing, $key) =
			  standing($job->{shape}, $id, $columns, $state);
			$shown{$standing} ||= "$state $id ($key)";
		}
	}
	return \%shown;
}

# SQL that shows a contradiction from nothing, and undoes itself.
sub reproduce
{
	my ($schema, $number, $batch, $job, $verdict, $against, $out) = @_;
	my $shape = $job->{shape};
	my $table = "$schema.$shape->{name}";
	my ($command, $gate) = @{ $gate_of{ $job->{gate} } };
	my ($state, $id)     = $against =~ /^(\w+) (\d+)/;
	my %used = %{ $job->{used} };

	my @sql = (
		"-- seed $option{seed}, count $option{count}, batch $number:",
		"-- $command $gate of $table is $verdict, but: $against",
		"\\set ON_ERROR_STOP on\nBEGIN;",
		roles() . schema_sql($schema) . "SET search_path = $schema;",
		map({ $_->[1] } grep { $used{ $_->[0] } } lookups($schema)),
		table_sql($schema, $shape),
		$shape->{org} ? tenancy_sql($table) : (),
		map({ "$_->{sql};" }
			grep { $used{ $_->{name} } } @{ $batch->{functions} }),
		map({ $_->{sql} }
			grep { $used{ $_->{table} } } @{ $batch->{policies} }),
		map({ $_->{sql} } @{ $job->{policies} }),
		"\\x on",
		verdicts_sql(
			$schema,
			'*',
			"relation = '$shape->{name}' AND command = '$command' AND gate = '$gate'"
		),
		"\\x off");
	if ($state)
	{
		my $settings = $state eq 'unset' ? {} : settings($state);
		push @sql, map { "SET $_ = '$settings->{$_}';" } sort keys %$settings;
		push @sql, '-- what the role may do first:',
		  map { "-- $_;" } map { @$_ } @{ $job->{attacks} }
		  if @{ $job->{attacks} };
		push @sql, passing_sql($table, $job->{gate}, $id);
	}
	push @sql, 'ROLLBACK;';
	my $sql = join "\n", map { s/\n+\z//r } @sql;
	if (!$option{keep})
	{
		print {$out} "$sql\n";
		return;
	}

	my $kind = $state ? 'contradiction' : $verdict;
	my $file = join '_', 'fuzz', $kind, $option{seed}, $number,
	  $shape->{name}, "$job->{gate}.sql";
	open my $handle, '>', "$option{keep}/$file" or die "$file: $!";
	print {$handle} "$sql\n";
	close $handle or die $!;
	print {$out} "wrote $option{keep}/$file\n"
	  if $state || $verdict eq 'missing';
	return;
}

# SQL by which one row gets through a gate, if it does.
sub passing_sql
{
	my ($table, $gate, $id) = @_;
	my $alone = "DELETE FROM $table WHERE id <> $id;\nSET ROLE fuzz_app;\n";

	return "SET ROLE fuzz_app;\nSELECT * FROM $table WHERE id = $id;"
	  if $gate eq 'SELECT';
	return "${alone}DELETE FROM $table;\n\\echo deleted :ROW_COUNT"
	  if $gate eq 'DELETE';
	return "$alone-- passes USING, even where the new row is refused then\n"
	  . "UPDATE $table SET flag = NULL;\n\\echo updated :ROW_COUNT"
	  if $gate eq 'UPDATE';
	my $candidate =
	  "CREATE TEMP TABLE candidate AS SELECT * FROM $table WHERE id = $id;\n"
	  . "GRANT SELECT ON candidate TO fuzz_app;\n";
	return "${candidate}SET ROLE fuzz_app;\n"
	  . "INSERT INTO $table SELECT * FROM candidate;\n\\echo inserted :ROW_COUNT"
	  if $gate eq 'INSERT';
	return "$candidate-- the row that an UPDATE may make:\nTABLE candidate;";
}

#
# The end.
#

sub report
{
	my ($result) = @_;
	my %sum      = %{ $result->{sum} };
	my $of       = sub { $sum{ $_[0] } || 0 };
	my $died     = grep { /^died/ } @{ $result->{texts} };
	my $safe     = $of->('secure proved') + $of->('secure denied');

	print "$_\n" for @{ $result->{texts} };
	printf "seed %d, %.0f s, %d statements refused, %d ended in an error\n",
	  $option{seed}, time - $began, $of->('refused'), $of->('error');
	print 'gates: ', shares(\%sum, 'gate'), "\n";
	printf "%d behave securely, %d of these let nothing through: %s\n",
	  $of->('secure'), $of->('nothing'), shares(\%sum, 'secure');
	printf "%d leak: %s\n", $of->('leaking'), shares(\%sum, 'leaking');
	my @stopped = sort { $sum{$b} <=> $sum{$a} || $a cmp $b }
	  grep { /^stopped by/ } keys %sum;
	print "$sum{$_} $_\n" for splice @stopped, 0, 10;
	printf '%d predicates: %s; share of secure ones proved %.1f %%,'
	  . " %d internal errors, %d crashes, %d contradictions\n",
	  $of->('predicate'), shares(\%sum, 'verdict'),
	  $of->('secure') ? 100 * $safe / $of->('secure') : 0,
	  map { $of->($_) } 'internal error', 'crash', 'contradiction';
	return
		 $of->('predicate') > 0
	  && $of->('refused') < $of->('predicate') / 20
	  && !$died
	  && !$of->('contradiction')
	  && !$of->('internal error')
	  && !$of->('crash');
}

# Counts of one kind, most first.
sub shares
{
	my ($sum, $kind) = @_;
	my %count =
	  map { /^\Q$kind\E (.*)/ ? ($1 => $sum->{$_}) : () } keys %$sum;

	return join ', ', map { "$count{$_} $_" }
	  sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
}

sub slurp
{
	my ($file) = @_;

	open my $handle, '<', $file or die "$file: $!";
	local $/ = undef;
	my $text = <$handle>;
	close $handle or die $!;
	return defined $text ? $text : '';
}
