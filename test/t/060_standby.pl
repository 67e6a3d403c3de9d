
# On a hot standby everything answers, in a read-only transaction too.
use strict;
use warnings FATAL => 'all';

use lib 'test/lib';
use OpsTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_server('primary', undef, allows_streaming => 1);
threshold($primary, 'connections', warning => 0.001, critical => 100);
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay');

for my $depth (qw(fast deep))
{
	is( $standby->safe_psql(
			'postgres',
			"BEGIN READ ONLY; SELECT h ->> 'role', h -> 'truncated' FROM ops.health('default', '$depth') AS h; COMMIT"
		),
		'standby|false',
		"$depth: answers");
}
is( $standby->safe_psql(
		'postgres',
		q(SELECT string_agg(check_name || ': ' || message, '; ') FROM ops.checks('deep') WHERE details ->> 'reason' = 'failed')
	),
	'',
	'no check fails to measure');
is( $standby->safe_psql(
		'postgres',
		q(SELECT string_agg(l.check_name, ' ') FROM ops.check_list() l JOIN ops.checks('deep') c USING (check_name)
		   WHERE l.works_on = 'primary' AND c.details ->> 'reason' IS DISTINCT FROM 'not_applicable')
	),
	'',
	'what makes no sense on a standby says so');
is( $standby->safe_psql(
		'postgres',
		q(SELECT string_agg(check_name, ' ') FROM ops.checks('deep') JOIN ops.check_list() l USING (check_name)
		   WHERE l.works_on = 'standby' AND status = 'unknown' AND details ->> 'reason' = 'not_applicable')
	),
	'',
	'what is for a standby is asked there');
status_is($standby, 'connections', 'warn', 'limits come with the data');

$standby->promote;
is($standby->safe_psql('postgres', q(SELECT ops.health() ->> 'role')),
	'primary', 'a promoted standby is a primary');
is(check($standby, 'replay')->{details}{reason},
	'not_applicable', 'and has nothing to replay');

$_->stop for ($standby, $primary);
done_testing();
