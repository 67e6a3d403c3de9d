
# statements.pl SEED COUNT: random calls of everything in schema ops, as SQL
# for psql, a statement a line.
use strict;
use warnings FATAL => 'all';

my ($seed, $count) = @ARGV;
srand($seed);

sub pick { return $_[ rand @_ ]; }

my @names = (
	qw(database connections prepared sequences lock_table migrations cron
	  schema activity settings slow_queries unused_index hba tls disk),
	'Database', '', ' ', 'a"b', "a'b", "line\nbreak", "\x{e9}\x{4e2d}",
	'x' x 10000, '%s%n', 'ops.health', '{}', '\\');

sub text
{
	my ($value) = @_;

	return 'NULL' if rand() < 0.1;
	$value =~ s/'/''/g;
	$value =~ s/\\/\\\\/g;
	$value =~ s/\n/\\n/g;
	return "E'$value'";
}

sub format_argument { return text(rand() < 0.9 ? 'default' : pick(@names)); }
sub depth_argument { return text(rand() < 0.9 ? pick('fast', 'deep') : pick(@names)); }

sub only_argument
{
	my $way = rand;

	return 'NULL::text[]' if $way < 0.3;
	return "'{}'::text[]" if $way < 0.35;
	return "ARRAY[[" . text(pick(@names)) . "," . text(pick(@names)) . "]]"
	  if $way < 0.45;
	return "array_fill(" . text(pick(@names)) . "::text, ARRAY[" . pick(1, 10, 10000) . "])"
	  if $way < 0.5;
	return "'[-3:-2]={database,prepared}'::text[]" if $way < 0.55;
	return 'ARRAY[' . join(',', map { text(pick(@names[ 0 .. 14 ])) } 1 .. 1 + rand 5) . ']::text[]';
}

sub budget_argument
{
	return pick(
		'NULL::interval', 'NULL::interval', 'NULL::interval',
		map { "interval '$_'" } '0', '-1 s', '1 microsecond', '100 microseconds',
		'1 ms', '5 ms', '178000000 years', '-178000000 years', '2147483647 days',
		'1 mon -30 days', '1 hour');
}

sub number
{
	return pick('NULL', "'NaN'", "'Infinity'", "'-Infinity'", '-0.0', '1e308',
		'-1e308', '4.9e-324', '0', '1', '50', '80', '90', '1e6');
}

sub health
{
	return sprintf 'ops.health(%s, %s, %s, %s)', format_argument(),
	  depth_argument(), only_argument(), budget_argument();
}

sub checks
{
	return sprintf 'ops.checks(%s, %s, %s)', depth_argument(),
	  only_argument(), budget_argument();
}

sub roles_argument
{
	return pick('NULL', 'NULL', "'{}'::regrole[]", "ARRAY['fuzz_plain']::regrole[]",
		"'{4294967295,0}'::regrole[]", '(SELECT array_agg(oid::regrole) FROM pg_roles)');
}

# Of the audit of row security and its matrix.
sub audit
{
	return sprintf 'ops.%s(%s)', pick('rls_audit', 'rls_matrix'), join ', ',
	  roles_argument(), map { rand() < 0.7 ? 'NULL' : only_argument() } 1 .. 3;
}

sub bloat
{
	return sprintf 'ops.bloat_report(%s, %s, %s, %s)',
	  pick('NULL', "'pg_class'", "'ops.threshold'", '0', '4294967295', "'pg_attribute_relid_attnum_index'",
		'(SELECT oid FROM pg_class ORDER BY random() LIMIT 1)',
		'(SELECT oid FROM pg_class WHERE relname = $$we"ird.Table$$)'),
	  pick('NULL', '-1', '0', '100000', '9223372036854775807'),
	  rand() < 0.7 ? 'NULL' : number(), pick('true', 'false', 'false', 'NULL');
}

sub interval_argument
{
	return pick('NULL', map { "interval '$_'" } '90 days', '1 mon', '0', '-1 day',
		'178000000 years', '-178000000 years', '1 microsecond');
}

sub expression
{
	return text(pick(
		'read', 'NOT read', 'id % 2 = 0', 'true) OR (true', 'true --', 'true; DROP TABLE old_rows',
		'EXISTS (SELECT FROM pg_class)', 'id / 0 > 1', '$1', '(SELECT id FROM old_rows)', 'count(*) > 1',
		"at < now() - interval '1 day'", 'NULL', @names));
}

sub target { return pick("'old_rows'", "'old_parts'", "'pg_class'", "'ops.threshold'", "'ops.cleanup_run'", '0', '4294967295', 'NULL'); }
sub time_column { return pick("'at'", "'at'", "'day'", "'s'", "'u'", "'id'", "'nowhere'", q('at + interval $$1 day$$'), 'NULL'); }
sub time_format { return pick('NULL', 'NULL', "'epoch_s'", "'ulid'", "'snowflake'", "'date'", "'never'"); }

# Policies, plans and deletion.
sub retention
{
	my $way = int rand 8;
	my @arguments = (target(), time_column(), interval_argument());
	my $conditions = sprintf 'condition => %s, hold => %s, time_format => %s',
	  map { rand() < 0.6 ? 'NULL' : $_ } expression(), expression(), time_format();
	my $overrides = pick("'{}'", "'{share}'", "'{share,keep_floor,no_index}'", "'{everything}'", 'NULL');

	return 'SELECT ops.add_retention(' . join(', ', @arguments) . ", policy_name => 'p' || (random() * 5)::int, $conditions, overrides => $overrides);"
	  if $way < 2;
	return "SELECT ops.alter_retention('p' || (random() * 5)::int, keep => " . interval_argument() . ", $conditions);"
	  if $way == 2;
	return "SELECT ops.drop_retention('p' || (random() * 5)::int);" if $way == 3;
	return 'SELECT count(*), count(details) FROM ops.cleanup_plan();' if $way == 4;
	return "SELECT count(*), count(details) FROM ops.cleanup_plan(NULL, $arguments[0], $arguments[1], $arguments[2], exact => true, $conditions);"
	  if $way == 5;
	return 'SELECT count(*), sum(deleted) FROM ops.cleanup_old_rows(' . join(', ', @arguments) . ", overrides => $overrides, max_rows => " . pick('1', '50', '0', 'NULL', '100000') . ", $conditions);"
	  if $way == 6;
	return 'CALL ops.run_cleanup(' . pick('NULL', "'p1'", "'p2'", "''") . ', max_duration => ' . pick('NULL', "'100 ms'", "'-1 s'") . ", progress => '1 ms');";
}

# Maintenance mode, and the history.
sub maintenance
{
	my $way = int rand 6;
	my $until = pick('NULL', map { "timestamptz '$_'" } 'infinity', '-infinity', '2001-01-01', '2100-01-01',
		'294276-12-31', '4714-11-24 BC');

	return 'SELECT ops.set_maintenance(' . pick('true', 'true', 'false', 'NULL') . ", $until, " . text(pick(@names)) . ');'
	  if $way == 0;
	return 'SELECT ops.set_maintenance(false);' if $way == 1;
	return 'SELECT count(*), count(reason) FROM ops.maintenance_state();' if $way == 2;
	return 'SELECT ops.record_health(' . depth_argument() . ');' if $way == 3;
	return 'SELECT * FROM ops.record_audit();' if $way == 4;
	return 'SELECT * FROM ops.prune_history(' . interval_argument() . ');';
}

sub tasks_argument
{
	return only_argument() if rand() < 0.3;
	return "'{" . join(',', map { pick(qw(retention leftovers vacuum analyze reindex learn report)) } 1 .. rand 4) . "}'";
}

sub window_argument { return pick('NULL', 'NULL', "'fuzz open'", "'fuzz open'", "'fuzz closed'", text(pick(@names))); }

# Windows, rules, and what is done by them.
sub upkeep
{
	my $way = int rand 7;
	my $oid = pick('0', '4294967295', "'pg_class'::regclass", "'old_parts'::regclass", '(SELECT oid FROM pg_class ORDER BY random() LIMIT 1)', 'NULL');
	my $time = pick('NULL', 'now()', "'infinity'", "'-infinity'", "'294276-12-31'", "'2026-03-29 01:30+00'");

	return 'SELECT count(*), sum(bytes), sum(expected) FROM ops.maintenance_plan(' . join(', ', window_argument(), tasks_argument(), budget_argument()) . ');'
	  if $way < 2;
	return 'CALL ops.run_maintenance(' . pick('NULL', "'fuzz open'") . ', ' . pick('NULL', "'{vacuum,analyze}'", "'{leftovers,reindex}'", "'{retention}'", "'{report}'")
	  . ", max_duration => '1 s', grace => '100 ms', lock_timeout => '10 ms', again => true, vacuum_cost_delay => 0, wait => " . pick('true', 'true', 'false') . ');'
	  if $way == 2;
	return 'CALL ops.run_maintenance(' . window_argument() . ', ' . tasks_argument() . ', max_duration => '
	  . pick("'100 ms'", "'1 s'", "'1 microsecond'", interval_argument()) . ', grace => ' . pick("'100 ms'", interval_argument())
	  . ', lock_timeout => ' . pick("'10 ms'", "'10 ms'", interval_argument()) . ', step_timeout => ' . pick('NULL', "'50 ms'", interval_argument())
	  . ', vacuum_cost_delay => ' . pick('0', '0', number()) . ', max_sessions => ' . pick('NULL', '10', '0', '2147483647')
	  . ', max_waiters => ' . pick('NULL', '5', '-1') . ', max_lag => ' . pick('NULL', interval_argument())
	  . ', again => ' . pick('true', 'false', 'NULL') . ', on_pressure => ' . pick("'stop'", "'stop'", "'wait'", 'NULL', "''") . ', wait => ' . pick('true', 'true', 'false', 'NULL') . ');'
	  if $way < 4;
	return 'SELECT ops.maintenance_limits(' . join(', ', map { text(pick(@names)) } 1 .. 3)
	  . "), ops.maintenance_pace(" . text(pick('vacuum', 'reindex', @names)) . "), ops.relation_bytes($oid), ops.family_bytes($oid), ops.may_maintain($oid, $oid), ops.demand_tasks(" . tasks_argument() . ');'
	  if $way == 4;
	return "SELECT ops.window_open(" . window_argument() . ", $time), (SELECT count(*) FROM ops.next_window(" . window_argument() . ", $time, " . pick('1', '0', '-1', '20', 'NULL') . '));'
	  if $way == 5;
	return 'DELETE FROM ops.maintenance_rule WHERE random() < 0.5; INSERT INTO ops.maintenance_rule (schema_name, relation_name, exclude, dead_rows, dead_share, tail_bytes) VALUES ('
	  . join(', ', pick('NULL', "'public'", text(pick(@names))), pick('NULL', "'old_rows'", text(pick(@names))), tasks_argument(), pick('NULL', '0', '9223372036854775807', '-1'), number(), pick('NULL', '0', '1')) . ') ON CONFLICT DO NOTHING;';
}

sub statement
{
	my $way = int rand 28;
	my ($health, $checks) = (health(), checks());

	return "SELECT count($health);" if $way < 4;
	return "SELECT count(*), count(details), sum(value) FROM $checks;" if $way < 7;
	return 'SELECT length(ops.runbook(' . text(pick(@names)) . '));' if $way == 7;
	return 'SELECT ops.check_exists(' . text(pick(@names)) . '), ops.limits_in_order('
	  . text(pick(@names)) . ', ' . number() . ', ' . number() . ');'
	  if $way == 8;
	return 'INSERT INTO ops.threshold VALUES (' . text(pick(@names)) . ', '
	  . pick('true', 'true', 'false', 'NULL') . ', ' . number() . ', ' . number() . ', '
	  . text(pick('P0', 'P1', 'P2', 'P3', 'P4')) . ', ' . pick('true', 'false', 'NULL')
	  . ", 'fuzz') ON CONFLICT (check_name) DO UPDATE SET warning = excluded.warning, critical = excluded.critical, enabled = excluded.enabled, severity = excluded.severity, gates = excluded.gates;"
	  if $way == 9;
	return "DELETE FROM ops.threshold WHERE random() < 0.5;" if $way == 10;
	return "SELECT g, length(h::text) FROM generate_series(1, 3) g, LATERAL (SELECT $health AS h OFFSET 0) x WHERE g > 0;"
	  if $way == 11;
	return "BEGIN; SAVEPOINT s; SELECT count($health); ROLLBACK TO s; SELECT count(*) FROM $checks; ROLLBACK;"
	  if $way == 12;
	return "BEGIN READ ONLY; DECLARE c CURSOR FOR SELECT * FROM $checks; FETCH 2 FROM c; MOVE 1 FROM c; COMMIT;"
	  if $way == 13;
	return "SET statement_timeout = '1ms'; SELECT count($health); SET statement_timeout = 0;"
	  if $way == 14;
	return 'SELECT count(*), sum(reclaimable_bytes), count(details) FROM ' . bloat() . ';'
	  if $way == 15 || $way == 16;
	return 'SELECT count(*), count(message) FROM ops.rls_audit() WHERE severity < $$P2$$;'
	  if $way == 17;
	return 'SELECT count(*) FROM ' . audit() . ';' if $way == 18;
	return retention() if $way > 19 && $way < 24;
	return maintenance() if $way == 24 || $way == 25;
	return upkeep() if $way > 25;
	return "DO \$fuzz\$BEGIN PERFORM $health; EXCEPTION WHEN OTHERS THEN PERFORM $health; END\$fuzz\$;";
}

binmode STDOUT, ':utf8';
print pick(
	'', 'SET ROLE fuzz_monitor;', 'SET ROLE fuzz_plain;',
	"SET parallel_setup_cost = 0;", "SET stats_fetch_consistency = snapshot;",
	"SET search_path = '';", "SET lock_timeout = '1ms';",
	"SET operations_runbook.fast_budget = 1;", "SET jit_above_cost = 0;")
  . "\n";
for (1 .. $count)
{
	(my $line = statement()) =~ s/\n/ /g;
	print "$line\n";
}
