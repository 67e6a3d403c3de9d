
# What the tests of the cleanup room share: running it, and a checker that
# knows nothing of how it works.
package OpsCleanup;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use IPC::Run;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time usleep);

our @EXPORT =
  qw(run_cleanup start_cleanup finish_cleanup one_row logged gate_trigger slow_trigger
  wait_until snapshot_rows expected_gone exactly_gone old_sql);

my @figures =
  qw(deleted batches pages wal_bytes longest_ms skipped finished stopped);

# CALL ops.run_cleanup(arguments): what it answered, by name, with err, failed
# and elapsed.
sub run_cleanup
{
	my ($node, $arguments, %how) = @_;

	return finish_cleanup(start_cleanup($node, $arguments, %how));
}

# The same in the background.
sub start_cleanup
{
	my ($node, $arguments, %how) = @_;
	my %run  = (out => '', err => '', started => time);
	my @role = $how{role} ? ('-U', $how{role}) : ();

	$run{handle} = IPC::Run::start(
		[
			'psql',
			'-XqAt',
			'-v',
			'VERBOSITY=verbose',
			@role,
			'-d',
			$node->connstr($how{database} // 'postgres')
			  . ' application_name=cleanup',
			($how{before} ? ('-c', $how{before}) : ()),
			'-c',
			"CALL ops.run_cleanup($arguments)"
		],
		'<',
		\undef,
		'>',
		\$run{out},
		'2>',
		\$run{err},
		IPC::Run::timeout(120));
	return \%run;
}

sub finish_cleanup
{
	my ($run) = @_;

	$run->{handle}->finish;
	$run->{failed}  = $run->{handle}->result(0) // 0;
	$run->{elapsed} = time - $run->{started};
	my ($line) = $run->{out} =~ /([^\n]*)\n\z/;
	my @answer = split(/\|/, $line // '', -1);
	$run->{ $figures[$_] } = $answer[$_] // '' for 0 .. $#figures;
	$run->{said} = "$run->{out}$run->{err}";
	return $run;
}

# A row of a query as a hash; undef if there is none.
sub one_row
{
	my ($node, $sql) = @_;
	my $json = $node->safe_psql('postgres',
		"SELECT row_to_json(q) FROM ($sql) AS q LIMIT 1");

	return $json eq '' ? undef : JSON::PP::decode_json($json);
}

# What the log says of the newest run over a table, with the sum over its
# batches.
sub logged
{
	my ($node, $table) = @_;

	return one_row(
		$node, qq(SELECT r.*, coalesce((SELECT sum(b.deleted)
		FROM ops.cleanup_batch b WHERE b.run_id = r.run_id), 0) AS summed
		FROM ops.cleanup_run r WHERE relid = '$table'::regclass
		ORDER BY run_id DESC LIMIT 1));
}

sub wait_until
{
	my ($node, $sql) = @_;
	my $until = time + 60;

	until ($node->safe_psql('postgres', "SELECT ($sql)") eq 't')
	{
		die "waited in vain for: $sql" if time > $until;
		usleep(20_000);
	}
	return;
}

# Deletions of rows for which the condition holds wait while table gate says
# so, without any lock that a timeout could see.
sub gate_trigger
{
	my ($node, $table, $condition) = @_;

	$node->safe_psql(
		'postgres', qq{
		CREATE TABLE IF NOT EXISTS public.gate (closed boolean);
		TRUNCATE public.gate;
		INSERT INTO public.gate VALUES (true);
		GRANT SELECT ON public.gate TO PUBLIC;
		CREATE OR REPLACE FUNCTION public.gate() RETURNS trigger LANGUAGE plpgsql AS '
		BEGIN
			PERFORM set_config(''application_name'', ''at the gate'', false);
			WHILE (SELECT closed FROM public.gate) LOOP
				PERFORM pg_sleep(0.01);
			END LOOP;
			PERFORM set_config(''application_name'', ''cleanup'', false);
			RETURN old;
		END';
		CREATE TRIGGER gate BEFORE DELETE ON $table FOR EACH ROW
			WHEN ($condition) EXECUTE FUNCTION public.gate();
	});
	return;
}

# Each deletion takes some time, so that a run lasts long enough to be met.
sub slow_trigger
{
	my ($node, $table) = @_;

	$node->safe_psql(
		'postgres', qq{
		CREATE OR REPLACE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS '
		BEGIN
			PERFORM pg_sleep(0.0003);
			RETURN old;
		END';
		CREATE TRIGGER slow BEFORE DELETE ON $table FOR EACH ROW EXECUTE FUNCTION public.slow();
	});
	return;
}

# Keep the rows of a table as they are, with the tables they lie in.
sub snapshot_rows
{
	my ($node, $table) = @_;

	$node->safe_psql('postgres',
		"DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT tableoid AS lay_in, t AS whole, t.* FROM $table AS t"
	);
	return;
}

# When a time is before a cutoff, told in another way than the engine does:
# through numbers that PostgreSQL's own conversions give.
sub old_sql
{
	my ($how, $column, $cutoff, $zone) = @_;
	my $at      = "'$cutoff'::timestamptz";
	my $seconds = "extract(epoch FROM $at)";
	my $digit =
	  qq{(strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', upper(substr($column\::text, place, 1))) - 1)};

	return {
		timestamptz =>
		  "($column = '-infinity' OR isfinite($column) AND $at - $column > '0')",
		timestamp =>
		  "($column = '-infinity' OR isfinite($column) AND ($at AT TIME ZONE '$zone') - $column > '0')",
		date =>
		  "($column = '-infinity' OR isfinite($column) AND ($at AT TIME ZONE '$zone')::date - $column > 0)",
		epoch_s  => "$column\::text::numeric < $seconds",
		epoch_ms => "$column\::text::numeric / 1000 < $seconds",
		epoch_us => "$column\::text::numeric / 1000000 < $seconds",
		uuid_v7  =>
		  "(substr($column\::text, 15, 1) = '7' AND ('x' || left(replace($column\::text, '-', ''), 12))::bit(48)::bigint / 1000.0 < $seconds)",
		ulid =>
		  "($column ~* '^[0-7][0-9A-HJKMNP-TV-Z]{25}\$' AND (SELECT sum($digit * 32::numeric ^ (10 - place)) FROM generate_series(1, 10) AS place) / 1000 < $seconds)",
		snowflake =>
		  "($column >= 0 AND ($column / 4194304)::numeric / 1000 + extract(epoch FROM timestamptz '2015-01-01 00:00:00+00') < $seconds)",
	}->{$how};
}

# SQL of the ids in the kept rows that ought to have gone.
sub expected_gone
{
	my (%rule) = @_;
	my $old = $rule{old};

	$old = "($old OR $rule{null_is_old} IS NULL)" if $rule{null_is_old};
	return "SELECT id FROM kept WHERE $old AND ($rule{condition})"
	  . " AND ($rule{hold}) IS FALSE";
}

# Test that the rows that went are those of a query over the kept ones, all
# others are as they were, and the log counts them.
sub exactly_gone
{
	my ($node, $table, $expected, $claim) = @_;
	my $differ = $node->safe_psql(
		'postgres', qq{
		SELECT format('wrongly gone: %s, wrongly there: %s, changed: %s',
			(SELECT count(*) FROM kept WHERE id NOT IN (SELECT id FROM $table) AND id NOT IN ($expected)),
			(SELECT count(*) FROM $table WHERE id IN ($expected)),
			(SELECT count(*) FROM kept JOIN $table AS t USING (id) WHERE t::text IS DISTINCT FROM kept.whole::text OR t.tableoid <> lay_in))
	});

	return is($differ,
		'wrongly gone: 0, wrongly there: 0, changed: 0', $claim);
}

1;
