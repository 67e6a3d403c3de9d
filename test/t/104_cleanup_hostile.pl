
# Names and SQL made to break out of where they stand: they mean themselves,
# or are refused, and nothing else happens.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsCleanup;
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{PGOPTIONS} //= '-c statement_timeout=60s';

my $node = new_server('primary');

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

sub quoted
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	$text =~ s/\\/\\\\/g;
	return "E'$text'";
}

sub identifier
{
	my ($name) = @_;

	$name =~ s/"/""/g;
	return qq("$name");
}

sql(q{
	CREATE TABLE victim (id int PRIMARY KEY, at timestamptz DEFAULT now() - '1 year'::interval);
	INSERT INTO victim SELECT generate_series(1, 100);
	CREATE ROLE janitor LOGIN;
	GRANT USAGE ON SCHEMA ops TO janitor;
	GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ops TO janitor;
	CREATE SCHEMA hers AUTHORIZATION janitor;
	CREATE TABLE plain (id int PRIMARY KEY, at timestamptz, read boolean, level int);
	INSERT INTO plain SELECT i, now() - '100 days'::interval, true, i FROM generate_series(1, 50) AS i;
});

sub unharmed
{
	my ($claim) = @_;

	is( said(
			q(SELECT (SELECT count(*) FROM victim), (SELECT count(*) FROM plain), (SELECT count(*) FROM pg_roles WHERE rolsuper))
		),
		'100|50|1',
		"$claim: nothing else happened");
	return;
}

# --- names

my @names = (
	q(a'; DELETE FROM victim; --),
	q(a"; DELETE FROM victim; --),
	q(a"" "quoted""),
	q($$ || (SELECT 1) || $$),
	q(%s %n $1 %I),
	q(back\\slash \\'),
	"new\nline -- x",
	'/* comment',
	q(select),
	'ünï-čödé ☃',
	'x' x 63,
	' blank ',
	'a.b.c',
	'*?+|()');

for my $name (@names)
{
	my $id    = identifier($name);
	my $shown = $name =~ s/\n/\\n/r;

	sql(qq{
		CREATE SCHEMA $id;
		CREATE TABLE $id.$id ($id timestamptz, id int PRIMARY KEY, "other" boolean DEFAULT true);
		CREATE INDEX ON $id.$id ($id);
		CREATE TABLE $id."archive" (LIKE $id.$id);
		INSERT INTO $id.$id ($id, id) SELECT now() - CASE WHEN i % 2 = 1 THEN '1 year' ELSE '1 day' END::interval, i FROM generate_series(1, 20) AS i;
	});
	is( said(
				'SELECT ops.add_retention('
			  . quoted("$id.$id") . ', '
			  . quoted($name)
			  . ", '30 days', policy_name => "
			  . quoted($name)
			  . ', condition => '
			  . quoted("$id IS NOT NULL")
			  . ', archive => '
			  . quoted("$id.archive") . ')'),
		$name,
		"policy and table called $shown");
	my $run = run_cleanup($node, quoted($name));
	is("$run->{err}|$run->{deleted}|$run->{finished}", '|10|t', 'is run')
	  or diag($run->{said});
	is( sql("SELECT count(*) FROM $id.$id")
		  . sql("SELECT count(*) FROM $id.archive"),
		'1010',
		'half of it is in the archive');
	sql("UPDATE $id.$id SET $id = now() - '1 year'::interval WHERE id = 2");
	is( said(
				'SELECT deleted FROM ops.cleanup_old_rows('
			  . quoted("$id.$id") . ', '
			  . quoted($name)
			  . ", '30 days')"),
		1,
		'by the function, too');
	is( said('SELECT count(*) FROM ops.cleanup_plan(' . quoted($name) . ')'),
		1,
		'it has a plan');
	unlike(said('SELECT ops.drop_retention(' . quoted($name) . ')'),
		qr/ERROR/, 'it is dropped');
	sql("DROP SCHEMA $id CASCADE");
}
unharmed('names');

# --- SQL that is no boolean expression over the row

my @bad = (
	'',
	' ',
	'-- nothing',
	'true; DELETE FROM victim',
	'true) OR (true',
	'true)',
	'(true',
	'true) --',
	'true /*',
	"true \n) OR (true",
	'true RETURNING *',
	'true RETURNING (SELECT 1)',
	'true UNION SELECT true',
	'true GROUP BY 1',
	'true ORDER BY 1',
	'true LIMIT 1',
	'true FOR UPDATE',
	'true AS x',
	'true, true',
	'true FROM victim',
	'true INTO victim',
	'true WINDOW w AS ()',
	'true; ',
	'SELECT true',
	'DELETE FROM victim',
	'(WITH d AS (DELETE FROM victim RETURNING 1) SELECT true FROM d)',
	'EXISTS (WITH d AS (UPDATE victim SET id = -id RETURNING 1) SELECT FROM d)',
	'(DELETE FROM victim RETURNING true)',
	'count(*) > 0',
	'max(level) > 0',
	'row_number() OVER () > 0',
	'generate_series(1, 2) > 0',
	'unnest(ARRAY[true, false])',
	'$1',
	'$1::boolean',
	':x',
	'nowhere',
	'nowhere.read',
	'level',
	'at',
	'1',
	'row(true)',
	'*',
	'plain.*',
	'DEFAULT',
	'read = ',
	q(read = 'x),
	q('),
	q(E'\\'),
	'CURRENT OF c',
	'GROUPING(level) = 0',
	'no_such_function(read)',
	'plain.nowhere',
	'victim.id > 0',
	'(SELECT true, false)',
	'MERGE_ACTION() IS NULL',
	'excluded.read',
	'SETOF boolean',
	'true COLLATE',
	'read::no_such_type');

for my $bad (@bad)
{
	my $shown = $bad =~ s/\n/\\n/r;
	my $add =
	  "SELECT ops.add_retention('plain', 'at', '30 days', policy_name => 'bad', overrides => '{share}'";

	for my $what (qw(condition hold keep_for))
	{
		my $out = said("$add, $what => " . quoted($bad) . ')');

		like(
			$out,
			qr/ERROR:\s+(?!XX)[0-9A-Z]{5}:/,
			"refused as $what: $shown");
		unlike($out, qr/server closed|XX000/, 'cleanly');
		next if $what eq 'keep_for';
		$out = said(
			"SELECT deleted FROM ops.cleanup_old_rows('plain', 'at', '30 days', overrides => '{share}', $what => "
			  . quoted($bad)
			  . ')');
		like($out, qr/ERROR:\s+(?!XX)[0-9A-Z]{5}:/,
			'by the function as well');
	}
	next if $bad eq 'at';
	my $out =
	  said( "SELECT ops.add_retention('plain', "
		  . quoted($bad)
		  . ", '30 days', policy_name => 'bad')");
	like($out, qr/ERROR:\s+(?!XX)[0-9A-Z]{5}:/, "refused as a time: $shown")
	  or sql(q(DELETE FROM ops.retention_policy));
}
is(sql('SELECT count(*) FROM ops.retention_policy'),
	0, 'there is no policy of these');
unharmed('conditions');

# So deep that a parser could fall.
my $deep = '(' x 30000 . 'true' . ')' x 30000;
like(
	said(
		"SELECT ops.add_retention('plain', 'at', '30 days', condition => '$deep')"
	),
	qr/^plain|ERROR:\s+(?:54001|54000|42601)/m,
	'parentheses without end');
$deep = 'NOT ' x 50000 . 'true';
like(
	said(
		"SELECT ops.add_retention('plain', 'at', '30 days', condition => '$deep', policy_name => 'nots')"
	),
	qr/^nots|ERROR:\s+(?:54001|54000|42601)/m,
	'negations without end');
is(sql('SELECT 1'), 1, 'the server lives');
sql('DELETE FROM ops.retention_policy');

# --- other arguments

for my $bad (
	q(keep => '-1 day'),
	q(keep => NULL),
	q(keep => '170000000 years'),
	q(keep => '30 days', time_format => 'x; DELETE FROM victim'),
	q(keep => '30 days', time_format => 'ulid'),
	q(keep => '30 days', time_zone => 'UTC''; DELETE FROM victim; --'),
	q(keep => '30 days', partitions => 'all'),
	q(keep => '30 days', run_as => 'nobody''; DELETE FROM victim; --'),
	q(keep => '30 days', run_as => 'none'),
	q(keep => '30 days', overrides => '{no_such_guard}'),
	q(keep => '30 days', overrides => '{NULL}'),
	q(keep => '30 days', max_share => 'NaN'),
	q(keep => '30 days', max_share => 101),
	q(keep => '30 days', max_share => 0),
	q(keep => '30 days', row_cap => -1),
	q(keep => '30 days', batch_target => '0'),
	q(keep => '30 days', batch_target => '-1 ms'),
	q(keep => '30 days', min_keep => '-1 day'),
	q(keep => '30 days', policy_name => ''))
{
	my $out =
	  said(
		"SELECT ops.add_retention(target => 'plain', time_column => 'at', $bad)"
	  );

	like($out, qr/ERROR:\s+(?!XX)[0-9A-Z]{5}:/, "refused: $bad");
	sql('DELETE FROM ops.retention_policy');
}
for my $bad (
	q('nobody; DELETE FROM victim'),       q('"a""b'),
	q('a.b.c.d.e'),                        q('victim victim'),
	q('public.*; DELETE FROM victim; --'), q(NULL),
	q(''))
{
	my $out = said("SELECT ops.add_retention($bad, 'at', '30 days')");

	like($out, qr/ERROR:\s+(?!XX)[0-9A-Z]{5}:|^$/m, "refused: target $bad");
}
for my $bad (
	q('plain', duty => 0),
	q('plain', duty => 'NaN'),
	q('plain', max_rows => -1),
	q('plain', max_duration => '-1 s'),
	q('plain', on_pressure => 'x'),
	q('plain', max_lag => '-1 s'),
	q('plain', standbys => '{NULL}', max_lag_bytes => 1),
	q('plain', batch_target => '-1 ms'),
	q('plain', max_wal_rate => -1),
	q(''))
{
	my $run = run_cleanup($node, $bad);

	unlike($run->{said}, qr/XX000|server closed/, "run_cleanup($bad)");
	like($run->{said}, qr/ERROR/, 'is refused');
}
unharmed('arguments');

# --- what is planted later does not change what a policy means

sql(q{
	CREATE FUNCTION done(boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1';
	CREATE SCHEMA evil;
	SELECT ops.add_retention('plain', 'at', '30 days', policy_name => 'meant', condition => 'done(read) AND level <= 10', overrides => '{share}');
	CREATE FUNCTION evil.done(boolean) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.victim; RETURN true; END';
	CREATE FUNCTION evil.le(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
	CREATE OPERATOR evil.<= (FUNCTION = evil.le, LEFTARG = int, RIGHTARG = int);
	CREATE FUNCTION evil.lt(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT true';
	CREATE OPERATOR evil.< (FUNCTION = evil.lt, LEFTARG = timestamptz, RIGHTARG = timestamptz);
	CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''infinity''::timestamptz';
	CREATE TABLE evil.plain (LIKE plain INCLUDING ALL);
	INSERT INTO evil.plain SELECT * FROM plain;
	UPDATE plain SET at = now() WHERE id = 5;
});
my $run = run_cleanup($node, q('meant'),
	before =>
	  'SET search_path = evil, public, pg_catalog; CREATE TEMP TABLE plain (LIKE public.plain)'
);
is("$run->{deleted}|" . sql('SELECT count(*) FROM public.plain'),
	'9|41', 'it deletes what it was made for');
is(sql('SELECT count(*) FROM evil.plain'), 50,  'not from a table in front');
is(sql('SELECT count(*) FROM victim'),     100, 'with its own functions');
sql(q(ALTER TABLE plain RENAME TO "pl'ain; --"; ALTER TABLE "pl'ain; --" RENAME COLUMN at TO "a't")
);
$run = run_cleanup($node, q('meant'));
unlike($run->{said}, qr/XX000|server closed/, 'renamed: no internal error');
is(sql(q(SELECT count(*) FROM "pl'ain; --")),
	41, 'renamed: nothing more goes');
sql(q(ALTER TABLE "pl'ain; --" RENAME TO plain; ALTER TABLE plain RENAME COLUMN "a't" TO at)
);
sql('DROP FUNCTION IF EXISTS public.done(boolean) CASCADE');
$run = run_cleanup($node, q('meant'));
like(
	$run->{said},
	qr/ERROR:\s+(?!XX)[0-9A-Z]{5}/,
	'a function that is gone is told');
is(sql('SELECT count(*) FROM plain'), 41, 'nothing more goes');
sql(q(SELECT ops.drop_retention('meant')));

# --- rights that nobody has

sql(q{
	GRANT SELECT ON plain TO janitor;
	SET ROLE janitor;
	CREATE TABLE hers.notes (id int PRIMARY KEY, at timestamptz);
	INSERT INTO hers.notes SELECT i, now() - '1 year'::interval FROM generate_series(1, 50) AS i;
	CREATE TABLE hers.sink (id int, at timestamptz);
});
my $me = getpwuid($<);
for my $bad (
	q(SELECT ops.add_retention('public.victim', 'at', '30 days')),
	q(SELECT ops.add_retention('public.plain', 'at', '30 days', overrides => '{share}')),
	qq(SELECT ops.add_retention('hers.notes', 'at', '30 days', run_as => '$me')),
	q(SELECT * FROM ops.cleanup_old_rows('public.victim', 'at', '30 days', overrides => '{share}')),
	q(SELECT * FROM ops.cleanup_old_rows('public.plain', 'at', '30 days', overrides => '{share}')),
	q(SELECT * FROM ops.cleanup_old_rows('hers.notes', 'at', '30 days', overrides => '{share}', archive => 'public.victim')),
	q(SELECT * FROM ops.cleanup_old_rows('hers.notes', 'at', '30 days', overrides => '{share}', condition => 'EXISTS (SELECT FROM public.victim)')),
	q(SELECT * FROM ops.cleanup_old_rows('hers.notes', 'at', '30 days', overrides => '{share}', condition => 'EXISTS (SELECT FROM pg_catalog.pg_authid)')),
	q(DELETE FROM ops.retention_policy),
	q(UPDATE ops.cleanup_run SET status = 'done'),
	q(INSERT INTO ops.cleanup_batch VALUES (1, 1, 1, 1, 1, 1, 1)))
{
	like(
		said($bad, 'janitor'),
		qr/\b42501\b|The guard "(?:no_privilege|archive)" stopped it/,
		"not hers: $bad");
}
is(sql('SELECT count(*) FROM hers.notes'), 50, 'nothing is gone by that');

# A superuser's run of her policy reads and does what she may.
sql(q(INSERT INTO ops.retention_policy (policy_name, relation, time_column, keep, run_as, overrides)
	VALUES ('hers', 'hers.notes', 'at', '30 days', 'janitor', '{share}')));
sql(q{
	SET ROLE janitor;
	CREATE FUNCTION hers.secret() RETURNS trigger LANGUAGE plpgsql AS
	 'BEGIN INSERT INTO hers.sink SELECT id, at FROM public.victim; RETURN old; END';
	CREATE TRIGGER secret BEFORE DELETE ON hers.notes FOR EACH ROW EXECUTE FUNCTION hers.secret();
});
$run = run_cleanup($node, q('hers'));
like(
	$run->{said} . (logged($node, 'hers.notes')->{error} // ''),
	qr/permission denied for table victim/,
	'her trigger may not what the superuser may');
is(sql('SELECT count(*) FROM hers.sink'), 0, 'and read nothing');

$node->stop;
done_testing();
