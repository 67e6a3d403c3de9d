# score.pl LOG CASE...: compares what the audit said with what the cases
# expect.  Called by corpus.sh.
use strict;
use warnings FATAL => 'all';

my ($log, @files) = @ARGV;

my (%severity, %class);
open(my $codes, '<', 'codes.txt') or die "codes.txt: $!";
while (<$codes>)
{
	next if /^#/;
	my ($code, $severity, $class) = split;
	($severity{$code}, $class{$code}) = ($severity, $class);
}

# Facts about the server, not about a case.
my %ignored = map { $_ => 1 } qw(server_rls_cve tenancy_assumed not_visible);

# One name for an object, however it was written.
sub normal
{
	my $name = shift;

	$name =~ s/^public\.//;
	$name =~ s/"//g;
	$name =~ tr/ /_/;
	$name =~ s/\(.*//;
	return $name;
}

# "a,b|c on x|y" is two expectations: a on x or y; b or c on x or y.
sub expectations
{
	my $text = shift;
	my ($codes, $objects) = $text =~ /^(.*?) on (.*?)\s*$/
	  or die "cannot read: $text\n";
	my @objects = map { normal($_) } split /\|/, $objects;
	my @expected;

	for my $alternatives (split /,\s*/, $codes)
	{
		my @codes = split /\|/, $alternatives;
		for (@codes) { die "unknown code: $_\n" unless $severity{$_} }
		push @expected,
		  {
			codes   => \@codes,
			objects => \@objects,
			text    => "$alternatives on $objects"
		  };
	}
	return @expected;
}

sub read_case
{
	my $file = shift;
	my %case =
	  (expect => [], may => [], proved => [], judge => { security => 1 });

	open(my $in, '<', $file) or die "$file: $!";
	while (<$in>)
	{
		last if /^-- prove:/;
		if (/^-- expect: (.*)/) { push @{ $case{expect} }, expectations($1) }
		elsif (/^-- expect_perf: (.*)/)
		{
			push @{ $case{expect} }, expectations($1);
			$case{judge}{performance} = 1;
		}
		elsif (/^-- may: (.*)/) { push @{ $case{may} }, expectations($1) }
		elsif (/^-- clean/) { $case{clean} = 1 }
		elsif (/^-- perf_clean/) { $case{judge}{performance} = 1 }
		elsif (/^-- proved: (.*)/)
		{
			push @{ $case{proved} }, map { normal($_) } split ' ', $1;
		}
	}
	die "$file: neither clean nor expects anything\n"
	  unless $case{clean} || @{ $case{expect} };
	return \%case;
}

sub matches
{
	my ($finding, $expected) = @_;

	return 0 unless grep { $_ eq $finding->{code} } @{ $expected->{codes} };
	for my $object (@{ $expected->{objects} })
	{
		return 1
		  if $object eq '*'
		  || grep { $_ eq $object } @{ $finding->{objects} };
	}
	return 0;
}

# A note does not find a leak: what is P0 to P2 by its code has to be reported
# as one of these.
sub counts
{
	my $finding = shift;

	return $finding->{severity} ne 'P3'
	  || ($severity{ $finding->{code} } // '') eq 'P3';
}

my (%case, %findings, %verdicts, @failed, $name);
for my $file (@files)
{
	my ($base) = $file =~ m{([^/]+)\.sql$};
	$case{$base} = read_case($file);
}
open(my $in, '<', $log) or die "$log: $!";
my $answers = 0;
while (<$in>)
{
	chomp;
	my @field = split /\t/, $_, -1;
	if    (!@field)               { next }
	elsif ($field[0] eq 'case')   { $name = $field[1] }
	elsif ($field[0] eq 'failed') { push @failed, $name }
	elsif ($field[0] eq 'finding')
	{
		my (undef, $severity, $class, $code, $object, $qualified, @rest) =
		  @field;
		$answers = 1;
		push @{ $findings{$name} },
		  {
			severity => $severity,
			class    => $class,
			code     => $code,
			object   => normal($object),
			objects  => [ normal($object), normal($qualified) ],
			rest     => join(' ', @rest)
		  };
	}
	elsif ($field[0] eq 'verdict')
	{
		my (undef, $relation, $role, $command, $gate, $verdict, $obstacle) =
		  @field;
		$answers = 1;
		push @{ $verdicts{$name}{ normal($relation) } },
		  {
			gate     => "$role $command $gate",
			verdict  => $verdict,
			obstacle => $obstacle
		  };
	}
	elsif (/^(ERROR|psql:|.*\bERROR: |DETAIL|CONTEXT|FATAL)/)
	{
		print "$name: $_\n";
	}
}

printf "%d cases, %d leaks or faults, %d clean, %d claims not borne out\n",
  scalar keys %case,
  scalar(grep { !$_->{clean} } values %case),
  scalar(grep { $_->{clean} } values %case), scalar @failed;
print "claim not borne out: $_\n" for @failed;
exit(@failed ? 2 : 0) if $ENV{LABELS_ONLY};
die "the audit gave no answer\n" unless $answers;

my (%expected, %found, %reported, %right, @missed, @alarms);
my ($policy_tables, $fully_proved, @unproved) = (0, 0);
for my $base (sort keys %case)
{
	my $case = $case{$base};
	my %seen;

	for my $expected (@{ $case->{expect} })
	{
		my $class = $class{ $expected->{codes}[0] };
		$expected{$class}++;
		if (grep { counts($_) && matches($_, $expected) }
			@{ $findings{$base} })
		{
			$found{$class}++;
		}
		else { push @missed, "$base: $expected->{text}" }
	}
	for my $finding (@{ $findings{$base} })
	{
		next if $ignored{ $finding->{code} } || $finding->{severity} eq 'P3';
		next unless $case->{judge}{ $finding->{class} };
		next if $seen{"$finding->{code} $finding->{object}"}++;
		next if grep { matches($finding, $_) } @{ $case->{may} };
		$reported{ $finding->{class} }++;
		if (grep { matches($finding, $_) } @{ $case->{expect} })
		{
			$right{ $finding->{class} }++;
		}
		else
		{
			push @alarms,
			  "$base: $finding->{severity} $finding->{code} on $finding->{object} ($finding->{rest})";
		}
	}
	for my $claim (@{ $case->{proved} })
	{
		my ($table, $role) = split /@/, $claim;
		my @gates = grep { !defined $role || $_->{gate} =~ /^\Q$role\E / }
		  @{ $verdicts{$base}{$table} };
		my @open = grep { $_->{verdict} !~ /^(proved|denied)$/ } @gates;
		$policy_tables++;
		if (@gates && !@open) { $fully_proved++ }
		else
		{
			push @unproved,
			  "$base: $table: "
			  . (
				@open
				? join('; ',
					map { "$_->{gate} $_->{verdict} $_->{obstacle}" } @open)
				: 'no verdict');
		}
	}
}

print "missed: $_\n"      for @missed;
print "false alarm: $_\n" for @alarms;
print "not proved: $_\n"  for @unproved;

my $status = @failed ? 2 : 0;

sub rate
{
	my ($title, $part, $whole, $threshold) = @_;
	my $share = $whole ? 100 * $part / $whole : 100;

	printf "%-24s %5.1f %%  (%d of %d, at least %d %%)\n", $title, $share,
	  $part, $whole, $threshold;
	$status ||= 1 if $share < $threshold;
}
for my $class (qw(security performance))
{
	my $limit = uc $class;

	rate(
		"$class recall",
		$found{$class}    // 0,
		$expected{$class} // 0,
		$ENV{"${limit}_RECALL"});
	rate(
		"$class precision",
		$right{$class}    // 0,
		$reported{$class} // 0,
		$ENV{"${limit}_PRECISION"});
}
rate('safe tables proved', $fully_proved, $policy_tables, $ENV{PROVED_SHARE});
exit $status;
