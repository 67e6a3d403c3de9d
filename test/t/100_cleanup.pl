
# Exactly the rows that are old and may go are gone, whatever the table is
# like and whoever works on it meanwhile: judged by SQL that was written
# without a look at the engine's.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use IPC::Run;
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# Nothing here may hang for ever.
$ENV{PGOPTIONS} //= '-c statement_timeout=60s';

my $seed = $ENV{OPS_CLEANUP_SEED} // 1;
srand($seed);
note("OPS_CLEANUP_SEED=$seed");

my $node = new_server('primary', <<~CONF);
	max_locks_per_transaction = 256
	max_prepared_transactions = 5
	timezone = 'Europe/Berlin'
	CONF

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# What a statement that may fail says.
sub said
{
	my ($sql, $role) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $sql,
		extra_params =>
		  [ '-v', 'VERBOSITY=verbose', '-U', $role // scalar getpwuid($<) ]);

	return "$out$err";
}

sub one_of
{
	my (@choice) = @_;

	return $choice[ rand @choice ];
}

sub literal
{
	my ($text) = @_;

	return 'NULL' unless defined $text;
	$text =~ s/'/''/g;
	return "'$text'";
}

sub policy
{
	my ($name, $table, $column, $keep, %more) = @_;
	my $more = join('', map { ", $_ => $more{$_}" } sort keys %more);

	return sql("SELECT ops.add_retention("
		  . literal($table) . ', '
		  . literal($column)
		  . ", '$keep', policy_name => '$name'$more)");
}

# Rows of 500 bytes, so that some thousand of them are some batches; the odd
# ones are old.
sub simple_table
{
	my ($name, $rows, $options) = @_;

	sql(qq{
		CREATE TABLE $name (id int PRIMARY KEY, at timestamptz, n int NOT NULL DEFAULT 0, filler text) ${\($options // '')};
		INSERT INTO $name SELECT i, now() - CASE WHEN i % 2 = 1 THEN '100 days' ELSE '1 day' END::interval, 0, repeat('x', 500)
		  FROM generate_series(1, $rows) AS i;
		CREATE INDEX ON $name (at);
		ANALYZE $name});
	return;
}

# A part of the test whose failure does not take the others with it.
sub part
{
	my ($name, $code) = @_;

	eval { $code->(); 1 } or fail("$name: died of $@");
	return;
}

sub count_rows
{
	my ($table, $where) = @_;

	return sql("SELECT count(*) FROM $table WHERE " . ($where // 'true'));
}

sub trigger_table
{
	my ($name, $body, $more) = @_;

	simple_table($name, 1000);
	sql(qq{
		CREATE FUNCTION fires_$name() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN $body END \$\$;
		CREATE TRIGGER fires BEFORE DELETE ON $name FOR EACH ROW EXECUTE FUNCTION fires_$name();
	});
	policy($name, $name, 'at', '30 days', overrides => q('{share}'));
	return run_cleanup($node, qq('$name'));
}

# Table, log and answer tell the same number of rows.
sub agree
{
	my ($table, $before, $run, $claim) = @_;
	my $gone = $before - count_rows($table);
	my $log  = logged($node, $table);

	is($log->{summed},  $gone, "$claim: batches in the log sum up");
	is($run->{deleted}, $gone, "$claim: and so the answer")
	  if $run && !$run->{failed};
	return $log;
}

my $run;
my $third;

# --- every kind of time, in random tables

sql(q{
	CREATE EXTENSION IF NOT EXISTS plpgsql;
	CREATE DOMAIN moment AS timestamptz;
	CREATE DOMAIN later_moment AS moment CHECK (value > '-infinity');
	CREATE TYPE mood AS ENUM ('glad', 'sad');
	CREATE TYPE place AS (x int, y text);
	CREATE TABLE legal_hold (id bigint);
	INSERT INTO legal_hold SELECT i * 7 FROM generate_series(1, 500) AS i;
	CREATE FUNCTION ms(timestamptz) RETURNS bigint LANGUAGE sql STABLE AS
	 'SELECT floor(extract(epoch FROM $1) * 1000)::bigint';
	CREATE FUNCTION as_uuid(timestamptz, version text DEFAULT '7') RETURNS uuid LANGUAGE sql AS
	 $$ SELECT (lpad(to_hex(ms($1)), 12, '0') || version || substr(md5(random()::text), 1, 3) || substr('89ab', 1 + (random() * 3)::int, 1)
	 || substr(md5(random()::text), 1, 15))::uuid $$;
	CREATE FUNCTION as_ulid(timestamptz) RETURNS text LANGUAGE sql AS
	 $$ SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + (CASE WHEN i <= 10
	 THEN (ms($1) >> (5 * (10 - i))) & 31 ELSE (random() * 31)::bigint END)::int, 1), '' ORDER BY i) FROM generate_series(1, 26) AS i $$;
});

# Of each: type, format, how a moment is written, odd values (of id 1 and on).
my @kinds = (
	[
		'timestamptz',      undef,
		'timestamptz',      'm',
		q{'infinity'},      q{'-infinity'},
		q{'4000-01-01 BC'}, q{'1969-12-31'}
	],
	[
		'timestamp',   undef,
		'timestamp',   'm::timestamp',
		q{'infinity'}, q{'-infinity'},
		q{'0044-03-15 BC'}
	],
	[
		'date',        undef,
		'date',        'm::date',
		q{'infinity'}, q{'-infinity'},
		q{'0044-03-15 BC'}
	],
	[ 'moment', undef, 'timestamptz', 'm', q{'infinity'}, q{'-infinity'} ],
	[ 'later_moment', undef, 'timestamptz', 'm', q{'infinity'} ],
	[
		'bigint',  'epoch_s',
		'epoch_s', 'floor(extract(epoch FROM m))::bigint',
		'-1',      '0', '-9223372036854775808', '9223372036854775807'
	],
	[
		'int',         'epoch_s',
		'epoch_s',     'floor(extract(epoch FROM m))::int',
		'-2147483648', '2147483647'
	],
	[ 'bigint', 'epoch_ms', 'epoch_ms', 'ms(m)', '-1', '0' ],
	[
		'bigint',   'epoch_us',
		'epoch_us', '(extract(epoch FROM m) * 1000000)::bigint', '-1'
	],
	[
		'numeric', 'epoch_s',
		'epoch_s', 'extract(epoch FROM m)',
		q{'NaN'},  q{'Infinity'},
		q{'-Infinity'}
	],
	[
		'numeric',  'epoch_ms',
		'epoch_ms', 'extract(epoch FROM m) * 1000',
		q{'NaN'},   '-0.5'
	],
	[
		'float8', 'epoch_s',     'epoch_s', 'extract(epoch FROM m)::float8',
		q{'NaN'}, q{'Infinity'}, q{'-Infinity'}, '-1e300'
	],
	[
		'uuid',
		undef,
		'uuid_v7',
		'as_uuid(m)',
		q{'00000000-0000-0000-0000-000000000000'},
		q{'ffffffff-ffff-ffff-ffff-ffffffffffff'},
		q{as_uuid(now() - '1 year'::interval, '4')},
		q{as_uuid(now() - '1 year'::interval)}
	],
	[
		'text',
		'ulid',
		'ulid',
		'as_ulid(m)',
		q{''},
		q{'not one'},
		q{lower(as_ulid(now() - '1 year'::interval))},
		q{repeat('8', 26)},
		q{repeat('0', 25) || 'U'},
		q{repeat('0', 26)},
		q{repeat('0', 27)}
	],
	[ 'varchar(26)', 'ulid', 'ulid', 'as_ulid(m)', q{'x'} ],
	[ 'char(26)',    'ulid', 'ulid', 'as_ulid(m)', q{'x'} ],
	[
		'bigint',
		'snowflake',
		'snowflake',
		q{((ms(m) - ms('2015-01-01 00:00:00+00')) << 22) + (random() * 4194303)::bigint},
		'-1',
		'0',
		'9223372036854775807'
	]);

for my $number (0 .. $#kinds)
{
	part($kinds[$number][0], sub { try_kind($number) });
}

sub try_kind
{
	my ($number) = @_;
	my ($type, $format, $how, $written, @odd) = @{ $kinds[$number] };
	my $table  = qq{public."Odd ""$number"" täble; --"};
	my $column = one_of('at', 'at', '"order"', q("Weird "" né'er"));
	my $bare   = $column =~ s/^"(.*)"$/$1/r =~ s/""/"/gr;
	my $zone   = one_of('Europe/Berlin', 'America/New_York', 'Asia/Kolkata');
	my $keep = one_of('30 days', '1 month', '90 days 3 hours', '2160:00:00');
	my $null_is_old = one_of(0, 0, 1);
	my $condition   = one_of(
		undef,
		undef,
		'read',
		'read = true AND level < 50',
		q{mood IS DISTINCT FROM 'sad' AND doc ? 'a'},
		'level IN (SELECT (id % 90)::int FROM public.legal_hold)');
	my $hold = one_of(undef, undef, 'held',
		'EXISTS (SELECT FROM public.legal_hold AS l WHERE l.id = 7 * level)');
	my $index = one_of(
		"CREATE INDEX ON $table ($column)",
		"CREATE INDEX ON $table ($column DESC NULLS LAST)",
		"CREATE INDEX ON $table USING brin ($column)",
		"CREATE INDEX ON $table ($column) WHERE read",
		"CREATE INDEX ON $table (level, $column)",
		"CREATE INDEX ON $table ($column, level)",
		'SELECT 1');
	# uuid has no BRIN operators that mean anything; text does.
	my $claim = "$type"
	  . ($format ? " ($format)" : '') . ': '
	  . join(', ',
		$condition // 'all',
		$hold ? "but $hold" : (),
		$index =~ s/ ON .*? \(/ (/r);

	sql(qq{
		SET timezone = '$zone';
		CREATE TABLE $table (
			gone_one int,
			id bigserial PRIMARY KEY,
			doc jsonb,
			gone_two text,
			mood mood,
			spot place,
			spans tstzrange,
			$column $type,
			numbers int[],
			level int,
			twice int GENERATED ALWAYS AS (level * 2) STORED,
			read boolean,
			held boolean,
			raw bytea,
			address inet,
			"select" text DEFAULT 'x'
		) WITH (fillfactor = ${\(one_of(30, 70, 100))});
		ALTER TABLE $table DROP COLUMN gone_one, DROP COLUMN gone_two;
		ALTER TABLE $table ADD COLUMN late numeric DEFAULT 1.5;
		INSERT INTO $table (doc, mood, spot, spans, $column, numbers, level, read, held, raw, address, "select")
		SELECT CASE WHEN i % 3 = 0 THEN '{"a": 1}'::jsonb END, CASE i % 4 WHEN 0 THEN 'sad'::mood WHEN 1 THEN 'glad' END, ROW(i, 'y')::place,
			tstzrange(m, NULL), CASE WHEN i % 20 > 0 THEN $written END, ARRAY[i], i % 100, nullif(i % 5, 4) < 3, nullif(i % 11, 10) < 2,
			decode(md5(i::text), 'hex'), '10.0.0.1', repeat(md5(i::text), CASE WHEN i % 500 = 0 THEN 300 ELSE 5 END)
		FROM (SELECT i, now() - '$keep'::interval + CASE WHEN i < 400 THEN (i - 200) * '10 ms'::interval
				ELSE (random() - 0.6) * '50 days'::interval END AS m FROM generate_series(1, 3000) AS i) AS made ORDER BY random();
		${\join('', map { "INSERT INTO $table ($column, read, held, level, doc) VALUES ($_, true, false, 1, '{\"a\": 1}');" } @odd)}
		$index;
		ANALYZE $table;
	});
	policy(
		"kind_$number",
		$table, $bare,
		$keep,
		condition   => literal($condition),
		hold        => literal($hold),
		null_is_old => $null_is_old ? 'true' : 'false',
		time_zone   => "'$zone'",
		overrides   => q('{share}'),
		$format ? (time_format => "'$format'") : (),
		$how eq 'snowflake'
		? (snowflake_epoch => q('2015-01-01 00:00:00+00'))
		: ());
	for my $round (1, 2)
	{
		snapshot_rows($node, $table);
		my $before = count_rows($table);
		my $answer;

		if (rand() < 0.7)
		{
			my $run = run_cleanup($node,
				"'kind_$number', batch_target => '${\one_of('1 ms', '5 ms')}'"
			);
			$answer = $run->{deleted};
			is("$run->{err}|$run->{finished}|$run->{stopped}",
				'|t|', "$claim: finished")
			  or diag($run->{said});
		}
		else
		{
			$answer = sql(
				"SELECT sum(deleted) FROM ops.cleanup_old_rows(policy_name => 'kind_$number')"
			);
		}
		my $log = logged($node, $table);
		is( sql("SET timezone = '$zone'; SELECT '$log->{cutoff}'::timestamptz BETWEEN now() - '$keep'::interval - '20 s'::interval AND now() - '$keep'::interval"
			),
			't',
			"$claim: cutoff");
		exactly_gone(
			$node, $table,
			expected_gone(
				old         => old_sql($how, $column, $log->{cutoff}, $zone),
				condition   => $condition // 'true',
				hold        => $hold      // 'false',
				null_is_old => $null_is_old && $column),
			"$claim: round $round");
		is( "$answer|$log->{summed}",
			join('|', ($before - count_rows($table)) x 2),
			"$claim: told and logged");
	}
	sql("SELECT ops.drop_retention('kind_$number')");
	isnt(count_rows($table), 0, "$claim: something is left");
}

# --- others at work

# A gate in the middle of a batch: what happens after its snapshot was taken
# and before it comes to the row.
part(
	'others at work',
	sub {
		simple_table('busy', 4000);
		policy('busy', 'busy', 'at', '30 days', overrides => q('{share}'));
		gate_trigger($node, 'busy', 'old.id = 1001');
		$run = start_cleanup($node, q('busy'));
		wait_until($node,
			q(EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'at the gate'))
		);
		my $writer = IPC::Run::start(
			[
				'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', q{
		UPDATE busy SET at = now() WHERE id IN (3801, 3901);
		UPDATE busy SET at = now() - '1 year'::interval WHERE id IN (1004, 3802);
		INSERT INTO busy VALUES (100001, now()), (100002, now() - '1 year'::interval)},
				'-c', q(SET application_name = 'late'),
				'-c',
				'UPDATE busy SET at = now() WHERE id IN (1003, 1903) RETURNING id',
				'-c', q(SET application_name = 'done'), '-c',
				'SELECT pg_sleep(0.5)'
			],
			'<'  => \undef,
			'>'  => \my $updated,
			'2>' => \my $refused);
		wait_until(
			$node,
			q(EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'done'
	OR application_name = 'late' AND wait_event_type = 'Lock'))
		);
		sql('UPDATE gate SET closed = false');
		$writer->finish;
		finish_cleanup($run);
		is($refused, '', 'an update is not refused');
		is( sql(q(SELECT string_agg(id::text, ' ' ORDER BY id) FROM busy WHERE id IN (1003, 1903))
			),
			join(' ', $updated =~ /(\d+)/g),
			'rows made young in the very batch survive, if the update came first'
		);
		is(count_rows('busy', 'id IN (3801, 3901, 100001)'),
			3, 'rows made young and new ones survive');
		is( count_rows(
				'busy',
				q{at < now() - '30 days'::interval AND id NOT IN (1004, 3802, 100002)}
			),
			0,
			'of the others, all that are old');
		is( count_rows(
				'busy', q{id % 2 = 0 AND at > now() - '30 days'::interval}),
			1998,
			'of the young, none');
		agree('busy', 4002, $run, 'busy');
		run_cleanup($node, q('busy'));
		is(count_rows('busy', q{at < now() - '30 days'::interval}),
			0, 'the next run finds what became old');
	});

# A run, another one, and one that may not wait.
part(
	'two runs',
	sub {
		simple_table('twice', 1000);
		policy('twice', 'twice', 'at', '30 days', overrides => q('{share}'));
		gate_trigger($node, 'twice', 'old.id = 501');
		$run = start_cleanup($node, q('twice'));
		wait_until($node,
			q(EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'at the gate'))
		);
		my $second = run_cleanup($node, q('twice'));
		cmp_ok($second->{elapsed}, '<', 3, 'a second run does not wait');
		unlike($second->{said}, qr/\|t\|$/m, 'nor says that it is finished');
		like($second->{said}, qr/another run/i, 'but why')
		  or diag($second->{said});
		$third = said(
			q(SELECT deleted, finished, stopped, note FROM ops.cleanup_old_rows(policy_name => 'twice'))
		);
		like($third, qr/another run/i, 'the function as well');
		sql('UPDATE gate SET closed = false');
		finish_cleanup($run);
		is("$run->{deleted}|$run->{finished}",
			'500|t', 'the first one does it all');
		is(run_cleanup($node, q('twice'))->{deleted}, '0',
			'there is no more');
	});

# Rows that others hold are left, told, and go the next time.
part(
	'held rows',
	sub {
		simple_table('held', 2000);
		policy('held', 'held', 'at', '30 days', overrides => q('{share}'));
		sql(q(BEGIN; SELECT count(*) FROM (SELECT FROM held WHERE id IN (1, 2, 777, 1999) FOR UPDATE) AS q; PREPARE TRANSACTION 'rows')
		);
		$run = run_cleanup($node, q('held'));
		cmp_ok($run->{elapsed}, '<', 5, 'locked rows are not waited for');
		is("$run->{deleted}|$run->{skipped}", '997|3', 'they are counted');
		is(count_rows('held', 'id % 2 = 1'),  3,       'and left');
		is(agree('held', 2000, $run, 'held')->{skipped}, 3,
			'the log says so');
		$third = sql(
			q(SELECT sum(deleted), sum(skipped) FROM ops.cleanup_old_rows(policy_name => 'held'))
		);
		is($third, '0|3', 'the function leaves them as well');
		sql(q(ROLLBACK PREPARED 'rows'));
		$run = run_cleanup($node, q('held'));
		is("$run->{deleted}|$run->{skipped}|$run->{finished}",
			'3|0|t', 'then they go');
	});

# A child row held so that the foreign key would wait.
part(
	'held child',
	sub {
		sql(q{
	CREATE TABLE parent (id int PRIMARY KEY, at timestamptz);
	CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE);
	CREATE INDEX ON child (parent);
	INSERT INTO parent SELECT i, now() - '1 year'::interval FROM generate_series(1, 500) AS i;
	INSERT INTO child SELECT i, 1 + i % 500 FROM generate_series(1, 2000) AS i;
	BEGIN; SELECT FROM child WHERE id = 700 FOR UPDATE; PREPARE TRANSACTION 'child'}
		);
		policy('parent', 'parent', 'at', '30 days',
			overrides => q('{share}'));
		$run = run_cleanup($node, q('parent'));
		cmp_ok($run->{elapsed}, '<', 10, 'a locked child is not waited for');
		is(count_rows('parent') . '|' . count_rows('child'),
			'1|4', 'its parent stays, the others go');
		agree('parent', 500, $run, 'parent');
		sql(q(ROLLBACK PREPARED 'child'));
		run_cleanup($node, q('parent'));
		is(count_rows('parent') . '|' . count_rows('child'),
			'0|0', 'then it goes');
	});

# A lock on the table.
part(
	'locked table',
	sub {
		simple_table('closed', 100);
		policy('closed', 'closed', 'at', '30 days',
			overrides => q('{share}'));
		my $holder = IPC::Run::start(
			[
				'psql', '-XqAt',
				'-d',   $node->connstr('postgres'),
				'-c',   'BEGIN',
				'-c',   'LOCK TABLE closed IN SHARE MODE',
				'-c',   q(SET application_name = 'holder'),
				'-c',   'SELECT pg_sleep(60)'
			],
			'<'  => \undef,
			'>'  => \my $holder_out,
			'2>' => \my $holder_err);
		wait_until($node,
			q(EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'holder'))
		);
		my $holder_pid =
		  sql(
			q(SELECT pid FROM pg_stat_activity WHERE application_name = 'holder')
		  );
		$run = run_cleanup($node, q('closed'));
		cmp_ok($run->{elapsed}, '<', 2,
			'a lock on the table is not waited for');
		like($run->{said}, qr/\b$holder_pid\b/, 'who holds it is told');
		$third = said(
			q(SELECT deleted, finished, stopped, note FROM ops.cleanup_old_rows(policy_name => 'closed'))
		);
		like($third, qr/\b$holder_pid\b/, 'by the function as well');
		is(count_rows('closed'), 100, 'nothing is gone');
		sql("SELECT pg_terminate_backend($holder_pid)");
		$holder->finish;
		is(run_cleanup($node, q('closed'))->{deleted}, 50, 'then all of it');
	});

# --- the table changes in mid-run
part(
	'changes',
	sub {
		sql('CREATE ROLE somebody; GRANT ALL ON SCHEMA public TO somebody');
		for my $change (
			[ 'DROP TABLE changed',                                0 ],
			[ 'ALTER TABLE changed DROP COLUMN at',                1 ],
			[ 'ALTER TABLE changed RENAME COLUMN at TO made_at',   1 ],
			[ 'ALTER TABLE changed ALTER COLUMN at TYPE text',     1 ],
			[ 'ALTER TABLE changed RENAME TO changed_too',         1 ],
			[ 'ALTER TABLE changed ADD COLUMN more int DEFAULT 7', 1 ],
			[ 'TRUNCATE changed',                                  1 ],
			[ 'ALTER TABLE changed OWNER TO somebody',             1 ],
			[
				'ALTER TABLE changed ENABLE ROW LEVEL SECURITY; ALTER TABLE changed FORCE ROW LEVEL SECURITY; ALTER TABLE changed OWNER TO somebody',
				1
			],
			[ 'CLUSTER changed USING changed_pkey', 1 ])
		{
			my ($command, $stays) = @$change;

			simple_table('changed', 3000);
			slow_trigger($node, 'changed');
			policy(
				'changed', 'changed',
				'at',      '30 days',
				overrides => q('{share}'));
			my $relid = sql(q(SELECT 'changed'::regclass::oid));
			$run = start_cleanup($node, q('changed', batch_target => '1 ms'));
			wait_until(
				$node,
				qq(EXISTS (SELECT FROM ops.cleanup_batch JOIN ops.cleanup_run AS r USING (run_id)
		WHERE r.relid = $relid AND cleanup_batch.deleted > 0))
			);
			is( count_rows(
					'pg_stat_activity', q(application_name = 'cleanup')),
				1,
				"$command: in mid-run");
			my ($code, $out, $err) = $node->psql('postgres', $command);
			is("$code$err", '0', "$command: gets its lock");
			finish_cleanup($run);
			unlike(
				$run->{said},
				qr/XX000|could not open relation|cache lookup|server closed/,
				"$command: no internal error");
			my $log = one_row($node,
				"SELECT * FROM ops.cleanup_run WHERE relid = $relid ORDER BY run_id DESC LIMIT 1"
			);
			isnt($log->{status}, 'running',
				"$command: the log knows its end");

			if ($stays)
			{
				my $name =
				  sql("SELECT relname FROM pg_class WHERE oid = $relid");
				is( count_rows($name, 'id % 2 = 0'),
					$command =~ /TRUNCATE/ ? 0 : 1500,
					"$command: no young row is gone");
				is(count_rows($name, 'id % 2 = 1'),
					0, "$command: who says done has left none")
				  if $log->{status} eq 'done';
				sql("DROP TABLE $name");
			}
			sql(q(SELECT ops.drop_retention('changed')));
		}
	});

# --- where it must not run
part(
	'where',
	sub {
		simple_table('plain', 100);
		policy('plain', 'plain', 'at', '30 days', overrides => q('{share}'));
		$run = run_cleanup($node, q('plain'), before => 'BEGIN');
		like($run->{said}, qr/\b25001\b/, 'CALL in a transaction block');
		$run = run_cleanup($node, q('nobody knows it'));
		like($run->{said}, qr/ERROR: .*nobody knows it/, 'an unknown policy');
		like(
			said(
				q(BEGIN READ ONLY; SELECT * FROM ops.cleanup_old_rows(policy_name => 'plain'))
			),
			qr/\b25006\b/,
			'in a read-only transaction');
		$run = run_cleanup($node, q('plain'),
			before => 'SET default_transaction_read_only = on');
		like($run->{said}, qr/\b25006\b/,
			'where all transactions are read-only');
		like(
			said(
				q(DO $$BEGIN EXECUTE 'BEGIN; CALL ops.run_cleanup(''plain'')'; END$$)
			),
			qr/ERROR/,
			'from EXECUTE with a BEGIN');
		like(
			said(
				q(CREATE FUNCTION calls() RETURNS void LANGUAGE plpgsql AS
					'DECLARE x bigint; f float8; b boolean; t text; BEGIN CALL ops.run_cleanup(''plain'', deleted => x, batches => x, pages => x, wal_bytes => x,
					longest_ms => f, skipped => x, finished => b, stopped => t); END'; SELECT calls())
			),
			qr/\b25001\b|\b2D000\b/,
			'CALL in a function');
		is(count_rows('plain'), 100, 'nothing is gone by all that');

		for my $level ('REPEATABLE READ', 'SERIALIZABLE')
		{
			my $out = said(
				"BEGIN ISOLATION LEVEL $level; SELECT sum(deleted) FROM ops.cleanup_old_rows(policy_name => 'plain', max_rows => 10); ROLLBACK"
			);
			is($out, 10, "in a transaction that is $level");
		}
		is( said(
				q(DO $$DECLARE n bigint; BEGIN SELECT sum(deleted) INTO n FROM ops.cleanup_old_rows(policy_name => 'plain', max_rows => 20);
		IF n <> 20 THEN RAISE '%', n; END IF; END$$)),
			'',
			'from a DO block');
		is(count_rows('plain'), 80, 'max_rows of them');
		is( said(
				q(BEGIN; SAVEPOINT s; SELECT sum(deleted) FROM ops.cleanup_old_rows(policy_name => 'plain'); ROLLBACK TO s; COMMIT)
			),
			30,
			'in a subtransaction');
		is(count_rows('plain'), 80, 'that was rolled back');
		is( said(
				q(DO $$DECLARE d bigint; x bigint; f float8; b boolean; t text; BEGIN
		CALL ops.run_cleanup('plain', max_rows => 7, deleted => d, batches => x, pages => x, wal_bytes => x, longest_ms => f, skipped => x, finished => b, stopped => t);
		IF d <> 7 THEN RAISE '% %', d, t; END IF; END$$)),
			'',
			'CALL from a DO block that is no transaction of anybody');
		is(count_rows('plain'), 73, 'stops at max_rows');
		sql(q(CREATE PROCEDURE nightly() LANGUAGE plpgsql AS
	'DECLARE d bigint; x bigint; f float8; b boolean; t text; BEGIN CALL ops.run_cleanup(''plain'', deleted => d, batches => x, pages => x, wal_bytes => x,
	longest_ms => f, skipped => x, finished => b, stopped => t); END'; CALL nightly())
		);
		is(count_rows('plain'), 50, 'CALL from a procedure');
	});

# --- who may
part(
	'who',
	sub {
		sql(q{
	CREATE ROLE janitor LOGIN; CREATE ROLE stranger LOGIN;
	CREATE SCHEMA "her Own" AUTHORIZATION janitor;
	GRANT USAGE ON SCHEMA ops TO janitor, stranger;
	GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO janitor, stranger;
	SET ROLE janitor;
	CREATE TABLE "her Own".notes (id int PRIMARY KEY, at timestamptz, owner_of text DEFAULT 'janitor', secret boolean DEFAULT false);
	CREATE INDEX ON "her Own".notes (at);
	INSERT INTO "her Own".notes SELECT i, now() - '1 year'::interval FROM generate_series(1, 300) AS i;
	GRANT ALL ON "her Own".notes TO stranger; GRANT USAGE ON SCHEMA "her Own" TO stranger;
});
		is( said(
				q(SELECT ops.add_retention('"her Own".notes', 'at', '30 days', policy_name => 'notes', overrides => '{share}', condition => 'id > 0')),
				'janitor'),
			'notes',
			'an owner who is no superuser makes a policy');
		is( sql(q(SELECT run_as FROM ops.retention_policy WHERE policy_name = 'notes')
			),
			'janitor',
			'that runs as the owner');
		for my $statement (
			q(CALL ops.run_cleanup('notes')),
			q(SELECT * FROM ops.cleanup_old_rows(policy_name => 'notes')),
			q(SELECT ops.drop_retention('notes')))
		{
			like(said($statement, 'stranger'),
				qr/\b42501\b/, "not for a stranger: $statement");
		}
		is(count_rows('"her Own".notes'), 300, 'nothing is gone by that');
		$run =
		  run_cleanup($node, q('notes', max_rows => 100), role => 'janitor');
		is("$run->{err}$run->{deleted}", 100, 'its owner runs it');
		is( sql(q(SELECT run_as || started_by FROM ops.cleanup_run WHERE policy_name = 'notes')
			),
			'janitorjanitor',
			'and the log knows who');
		$run = run_cleanup($node, q('notes', max_rows => 100));
		is("$run->{err}$run->{deleted}", 100, 'a superuser runs it');
		is( said(
				q(SELECT sum(deleted) FROM ops.cleanup_old_rows('"her Own".notes', 'at', '30 days', overrides => '{share}', max_rows => 10)),
				'stranger'),
			10,
			'who was granted it deletes in his own name');
	});

# Row security: nothing is silently left out.
part(
	'row security',
	sub {
		sql(q{
	ALTER TABLE "her Own".notes ENABLE ROW LEVEL SECURITY;
	CREATE POLICY mine ON "her Own".notes USING (owner_of = current_user);
	UPDATE "her Own".notes SET owner_of = 'stranger' WHERE id > 250;
});
		my $left = count_rows('"her Own".notes');
		like(
			said(
				q(SELECT * FROM ops.cleanup_old_rows('"her Own".notes', 'at', '30 days', overrides => '{share}')),
				'stranger'),
			qr/row_security|row security/,
			'who sees only some rows is told');
		is(count_rows('"her Own".notes'), $left, 'and deletes none');
		sql('ALTER TABLE "her Own".notes FORCE ROW LEVEL SECURITY');
		$run = run_cleanup($node, q('notes'));
		like(
			$run->{said},
			qr/row_security|row security/,
			'so is an owner under force');
		is(count_rows('"her Own".notes'), $left, 'who deletes none');
		sql('ALTER TABLE "her Own".notes NO FORCE ROW LEVEL SECURITY');
		$run = run_cleanup($node, q('notes'));
		is("$run->{err}$run->{deleted}", $left,
			'without it, the owner deletes all');
	});

# Code of the table's owner gains nothing from the superuser who runs it.
part(
	'trap',
	sub {
		sql(q{
	SET ROLE janitor;
	CREATE TABLE "her Own".trap (id int PRIMARY KEY, at timestamptz);
	INSERT INTO "her Own".trap SELECT i, now() - '1 year'::interval FROM generate_series(1, 10) AS i;
	CREATE FUNCTION "her Own".grab() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		BEGIN EXECUTE 'ALTER ROLE janitor SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
		BEGIN EXECUTE 'SET ROLE postgres'; EXCEPTION WHEN OTHERS THEN NULL; END;
		BEGIN EXECUTE 'RESET ROLE; ALTER ROLE janitor SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
		BEGIN EXECUTE 'RESET SESSION AUTHORIZATION; ALTER ROLE janitor SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
		BEGIN EXECUTE 'CREATE TEMP TABLE left_behind (a int)'; EXCEPTION WHEN OTHERS THEN NULL; END;
		RETURN old; END $$;
	CREATE FUNCTION "her Own".grab_now() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN
		BEGIN EXECUTE 'ALTER ROLE janitor SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
		RETURN true; END $$;
	CREATE TRIGGER grab BEFORE DELETE ON "her Own".trap FOR EACH ROW EXECUTE FUNCTION "her Own".grab();
	CREATE CONSTRAINT TRIGGER grab_late AFTER DELETE ON "her Own".trap DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "her Own".grab();
});
		policy(
			'trap', '"her Own".trap', 'at', '30 days',
			condition => q('"her Own".grab_now()'),
			overrides => q('{share}'));
		$run = run_cleanup($node, q('trap', max_rows => 5));
		said(q(SELECT * FROM ops.cleanup_old_rows(policy_name => 'trap')));
		is(count_rows('"her Own".trap'),
			0, 'all triggers of a trap have fired');
		is(sql(q(SELECT rolsuper FROM pg_roles WHERE rolname = 'janitor')),
			'f', 'nobody has gained anything');
	});

# --- triggers, keys and constraints
part(
	'triggers',
	sub {
		$run = trigger_table('keeper',
			'IF old.id % 3 = 0 THEN RETURN NULL; END IF; RETURN old;');
		is(count_rows('keeper', 'id % 2 = 1'),
			167, 'rows that a trigger keeps are kept, the others gone');
		agree('keeper', 1000, $run, 'keeper');
		cmp_ok($run->{elapsed}, '<', 10, 'keeper: it comes to an end');
		$run = trigger_table('all_kept', 'RETURN NULL;');
		is($run->{deleted} . '|' . count_rows('all_kept'),
			'0|1000', 'all kept');
		$run = trigger_table('refuses',
			q(IF old.id = 501 THEN RAISE 'not this one'; END IF; RETURN old;)
		);
		like(
			$run->{said} . (logged($node, 'refuses')->{error} // ''),
			qr/not this one/,
			'what a trigger raises is told');
		is(count_rows('refuses', 'id = 501 OR id % 2 = 0'),
			501, 'the row is there');
		agree('refuses', 1000, undef, 'refuses');
		isnt(logged($node, 'refuses')->{status},
			'running', 'refuses: it has ended');
		$run = trigger_table('deletes',
			'DELETE FROM public.deletes WHERE id = old.id + 2; RETURN old;');
		is(count_rows('deletes', 'id % 2 = 0'),
			500, 'a trigger that deletes: young ones stay');
		like(
			$run->{said},
			qr/already modified|^\d+\|.*\|t\|$/m,
			'it fails as one DELETE does, or it does not');
		$run = trigger_table('renews',
			q(UPDATE public.renews SET at = now() WHERE id = old.id + 2; RETURN old;)
		);
		is(count_rows('renews', 'id % 2 = 0'),
			500, 'a trigger that updates: young ones stay');
		cmp_ok(count_rows('renews', 'id % 2 = 1'),
			'>', 0, 'and those made young');

		sql(q{
	CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree, at timestamptz);
	INSERT INTO tree SELECT i, CASE WHEN i > 1 THEN i / 2 END, now() - '1 year'::interval FROM generate_series(1, 1000) AS i;
	CREATE INDEX ON tree (up);
	CREATE TABLE chain (id int PRIMARY KEY, up int REFERENCES chain ON DELETE CASCADE, at timestamptz);
	INSERT INTO chain SELECT i, CASE WHEN i > 1 THEN i - 1 END, now() - CASE WHEN i <= 500 THEN '1 year' ELSE '1 day' END::interval FROM generate_series(1, 510) AS i;
	CREATE INDEX ON chain (up);
	CREATE TABLE left_side (id int PRIMARY KEY, other int, at timestamptz);
	CREATE TABLE right_side (id int PRIMARY KEY, other int REFERENCES left_side ON DELETE CASCADE);
	INSERT INTO left_side SELECT i, NULL, now() - CASE WHEN i % 2 = 1 THEN '1 year' ELSE '1 day' END::interval FROM generate_series(1, 400) AS i;
	INSERT INTO right_side SELECT i, i FROM generate_series(1, 400) AS i;
	UPDATE left_side SET other = id;
	ALTER TABLE left_side ADD FOREIGN KEY (other) REFERENCES right_side ON DELETE CASCADE;
	CREATE INDEX ON left_side (other); CREATE INDEX ON right_side (other);
	CREATE TABLE late (id int PRIMARY KEY, at timestamptz);
	CREATE TABLE late_child (late int REFERENCES late DEFERRABLE INITIALLY DEFERRED);
	CREATE INDEX ON late_child (late);
	INSERT INTO late SELECT i, now() - '1 year'::interval FROM generate_series(1, 2000) AS i;
	INSERT INTO late_child VALUES (1500);
	CREATE TABLE kin (id int PRIMARY KEY, at timestamptz);
	CREATE TABLE kin_null (id int, kin int REFERENCES kin ON DELETE SET NULL);
	CREATE INDEX ON kin_null (kin);
	INSERT INTO kin SELECT i, now() - CASE WHEN i % 2 = 1 THEN '1 year' ELSE '1 day' END::interval FROM generate_series(1, 400) AS i;
	INSERT INTO kin_null SELECT i, i FROM generate_series(1, 400) AS i;
});
		for my $table (qw(tree chain left_side late kin))
		{
			policy($table, $table, 'at', '30 days',
				overrides => q('{share}'));
			$run = run_cleanup($node, qq('$table'));
			note("$table: $run->{said}");
			isnt(logged($node, $table)->{status},
				'running', "$table: has ended");
			unlike(
				$run->{said},
				qr/XX000|server closed/,
				"$table: no internal error");
		}
		is(count_rows('tree'),  0, 'rows that refer to one another are gone');
		is(count_rows('chain'), 0, 'a chain of cascades');
		is(count_rows('left_side') . '|' . count_rows('right_side'),
			'200|200', 'a cycle of cascades');
		is(count_rows('left_side AS l JOIN right_side AS r USING (id)'),
			200, 'is consistent');
		is( count_rows('late', 'id = 1500')
			  . count_rows('late_child', 'late NOT IN (SELECT id FROM late)'),
			'10',
			'a deferred key is kept');
		agree('late', 2000, undef, 'late');
		like(
			$node->safe_psql('postgres',
				"SELECT coalesce(error, stopped, '') FROM ops.cleanup_run WHERE policy_name = 'late' ORDER BY run_id DESC LIMIT 1"
			  )
			  . $run->{said},
			qr/late_child|foreign key|\|/,
			'and told');
		is(count_rows('kin') . '|' . count_rows('kin_null', 'kin IS NULL'),
			'200|200', 'ON DELETE SET NULL');
	});

# --- kinds of tables
part(
	'tables',
	sub {
		sql(q{
	CREATE TABLE deep (id int, at timestamptz NOT NULL, kind text) PARTITION BY LIST (kind);
	CREATE TABLE deep_a PARTITION OF deep FOR VALUES IN ('a') PARTITION BY RANGE (at);
	CREATE TABLE deep_a_old PARTITION OF deep_a FOR VALUES FROM (MINVALUE) TO ('2001-01-01') PARTITION BY HASH (id);
	CREATE TABLE deep_a_old_0 PARTITION OF deep_a_old FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE deep_a_old_1 (kind text, gone int, id int, at timestamptz NOT NULL);
	ALTER TABLE deep_a_old_1 DROP COLUMN gone;
	ALTER TABLE deep_a_old ATTACH PARTITION deep_a_old_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE TABLE deep_a_rest PARTITION OF deep_a DEFAULT;
	CREATE TABLE deep_rest PARTITION OF deep DEFAULT;
	CREATE INDEX ON deep (at);
	INSERT INTO deep SELECT i, CASE i % 4 WHEN 0 THEN '2000-06-01' WHEN 1 THEN now() - '100 days'::interval ELSE now() - '10 days'::interval END,
		CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END FROM generate_series(1, 3000) AS i;
	CREATE TABLE elder (id int, at timestamptz);
	CREATE TABLE younger (more text) INHERITS (elder);
	CREATE TABLE youngest (id int, at timestamptz) INHERITS (younger);
	INSERT INTO elder SELECT i, now() - CASE WHEN i % 2 = 1 THEN '1 year' ELSE '1 day' END::interval FROM generate_series(1, 300) AS i;
	INSERT INTO younger SELECT i, now() - CASE WHEN i % 2 = 1 THEN '1 year' ELSE '1 day' END::interval FROM generate_series(301, 600) AS i;
	INSERT INTO youngest SELECT i, now() - CASE WHEN i % 2 = 1 THEN '1 year' ELSE '1 day' END::interval FROM generate_series(601, 900) AS i;
	CREATE UNLOGGED TABLE unlogged (id int, at timestamptz);
	INSERT INTO unlogged SELECT * FROM ONLY elder;
	CREATE VIEW looks AS SELECT * FROM elder;
	CREATE MATERIALIZED VIEW seen AS SELECT * FROM elder;
	CREATE TABLE ruled (id int, at timestamptz);
	CREATE RULE nothing AS ON DELETE TO ruled DO INSTEAD NOTHING;
	INSERT INTO ruled SELECT * FROM ONLY elder;
});
		for my $how (qw(rows detach drop))
		{
			sql('CREATE TABLE before_it AS SELECT * FROM deep');
			policy(
				'deep', 'deep', 'at', '30 days',
				overrides  => q('{share}'),
				partitions => "'$how'",
				condition  => $how eq 'drop' ? 'NULL' : q('id <= 2000'));
			$run = run_cleanup($node, q('deep'));
			note("deep, $how: $run->{said}");
			is( sql(qq(SELECT count(*) FROM (SELECT * FROM before_it WHERE at >= now() - '30 days'::interval OR id > 2000 AND '$how' <> 'drop'
			EXCEPT ALL SELECT * FROM deep) AS q)
				  )
				  . sql(
					qq(SELECT count(*) FROM (SELECT * FROM deep EXCEPT ALL
			SELECT * FROM before_it WHERE at >= now() - '30 days'::interval OR id > 2000 AND '$how' <> 'drop') AS q)
				  ),
				'00',
				"a tree of partitions, $how: exactly the old ones are gone");
			is( sql(q(SELECT count(*) FROM deep WHERE at < '2001-01-01' OR kind = 'a')
				) > 0,
				1,
				"$how: something is left to see");
			sql(q(SELECT ops.drop_retention('deep'); DROP TABLE before_it));
			sql(q(INSERT INTO deep SELECT i, now() - '100 days'::interval, NULL FROM generate_series(5001, 5100) AS i)
			);
		}
		for my $table (qw(elder unlogged))
		{
			policy($table, $table, 'at', '30 days',
				overrides => q('{share}'));
			$run = run_cleanup($node, qq('$table'));
			is( count_rows($table),
				$table eq 'elder' ? 450 : 150,
				"$table: half of it");
			is(count_rows($table, 'id % 2 = 1'), 0, "$table: the old half");
		}
		is( said(
				q(CREATE TEMP TABLE mine (id int, at timestamptz); INSERT INTO mine SELECT i, now() - i * '1 day'::interval FROM generate_series(1, 100) AS i;
		SELECT deleted, finished FROM ops.cleanup_old_rows('mine', 'at', '30 days', overrides => '{share}'); SELECT count(*) FROM mine)
			),
			"71|t\n29",
			'a temporary table');
		like(
			said(
				q(CREATE TEMP TABLE going (id int, at timestamptz) ON COMMIT DELETE ROWS; SELECT deleted FROM ops.cleanup_old_rows('going', 'at', '30 days')
		)),
			qr/^0$|ERROR/,
			'one that empties itself');
		for my $table (qw(looks seen ruled pg_class pg_stat_activity))
		{
			my $out = said(
				"SELECT * FROM ops.cleanup_old_rows('$table', '${\($table =~ /^pg/ ? 'xmin' : 'at')}', '30 days', overrides => '{share}')"
			);

			unlike($out, qr/XX000|server closed/,
				"$table: no internal error");
			like(
				$out,
				qr/ERROR|not_a_table|system_table|instead_rule|wrong_column/,
				"$table: refused");
		}
		is(count_rows('ruled'), 300,
			'nothing is gone from a table with a rule');
	});

# --- archives: a row is here or there, once
part(
	'archives',
	sub {
		simple_table('kept_here', 3000);
		sql(q{CREATE TABLE archived (filler text, id int, n int, extra timestamptz DEFAULT now(), at timestamptz)}
		);
		policy(
			'archive', 'kept_here', 'at', '30 days',
			archive   => q('archived'),
			overrides => q('{share}'));
		snapshot_rows($node, 'kept_here');
		$run = run_cleanup($node, q('archive', batch_target => '1 ms'));
		is("$run->{err}$run->{deleted}", 1500, 'rows are archived');
		is( sql(q(SELECT count(*) FROM ((SELECT id, at, n, filler FROM kept EXCEPT ALL (SELECT id, at, n, filler FROM kept_here UNION ALL SELECT id, at, n, filler FROM archived)))
		AS q)),
			0,
			'all columns by name');
		is(sql(q(SELECT count(*) FROM archived)), 1500, 'none of them twice');
		is(agree('kept_here', 3000, $run, 'archive')->{status},
			'done', 'the log says so');
		for my $drift (
			[ 'ALTER TABLE kept_here ADD COLUMN fresh int', 'a new column' ],
			[
				'ALTER TABLE kept_here DROP COLUMN fresh; ALTER TABLE archived ALTER COLUMN n TYPE text',
				'another type'
			],
			[ 'DROP TABLE archived', 'no archive' ])
		{
			my ($command, $claim) = @$drift;

			sql("$command; UPDATE kept_here SET at = now() - '1 year'::interval WHERE id <= 10"
			);
			my $before = count_rows('kept_here');
			$run = run_cleanup($node, q('archive'));
			like($run->{said}, qr/archive/, "$claim is told");
			is(count_rows('kept_here'), $before, "$claim: nothing is gone");
		}
	});

# --- a thousand policies
part(
	'policies',
	sub {
		$node->safe_psql('postgres', 'CREATE DATABASE many');
		$node->safe_psql(
			'many', q{
	CREATE EXTENSION operations_runbook;
	SELECT format('CREATE TABLE t%s (id int, at timestamptz)', i) FROM generate_series(1, 1000) AS i \gexec
	SELECT format('INSERT INTO t%s SELECT i, now() - i * ''1 day''::interval FROM generate_series(1, 40) AS i', i) FROM generate_series(1, 1000) AS i \gexec
	SELECT count(ops.add_retention('t' || i, 'at', '30 days', policy_name => 'p' || i, enabled => i <> 13)) FROM generate_series(1, 1000) AS i}
		);
		# How far it is is told now and then, if it takes long.
		$run = run_cleanup(
			$node, q(max_rows => NULL),
			database => 'many',
			before   => 'SET client_min_messages = warning');
		is("$run->{err}|$run->{deleted}|$run->{finished}",
			'|10989|t', 'all policies that are enabled')
		  or diag(substr($run->{said}, 0, 1000));
		cmp_ok($run->{elapsed}, '<', 60, 'in seconds');
		note("1,000 policies: $run->{elapsed} s");
		is( $node->safe_psql('many', 'SELECT count(*) FROM t13') . '|'
			  . $node->safe_psql('many', 'SELECT count(*) FROM t14'),
			'40|29',
			'but not the one that is not');
		is( $node->safe_psql(
				'many',
				'SELECT coalesce(sum(deleted), 0) FROM ops.cleanup_old_rows()'
			),
			0,
			'the function over all of them finds no more');
	});

$node->stop;
done_testing();
