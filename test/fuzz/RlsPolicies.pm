# RlsPolicies.pm: random conditions of policies, and the functions they call.
#
# A condition is written for a scope: how to name the key column and the other
# columns (in a function they are parameters), of what type the key is, which
# schema prefix relations need.  About half of what comes out keeps tenants
# apart, the rest does so nearly.
package RlsPolicies;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';

our @EXPORT_OK =
  qw(begin_batch condition functions pick chance %KEYS %TENANTS);

# Key columns by kind: type, setting, claim, column of the lookup tables.
our %KEYS = (
	text => {
		type    => 'text',
		setting => 'app.tenant_id',
		claim   => 'tenant_id',
		column  => 'tenant_id'
	},
	uuid => {
		type    => 'uuid',
		setting => 'app.tenant_uuid',
		claim   => 'tenant_uuid',
		column  => 'tenant_uuid'
	},
	int => {
		type    => 'int',
		setting => 'app.tenant_no',
		claim   => 'tenant_no',
		column  => 'tenant_no'
	},
	code => {
		type    => 'text',
		setting => 'app.tenant_code',
		claim   => 'tenant_code',
		column  => 'tenant_code'
	},
	org => {
		type    => 'text',
		setting => 'app.org_id',
		claim   => 'org_id',
		column  => 'org_id'
	},
	user => {
		type    => 'text',
		setting => 'app.user_id',
		claim   => 'sub',
		column  => 'user_id'
	});

# What tenants A, B and C are called in each kind of key, and D, which no
# session is of; where that is zero there are no rows of it.  Codes look like numbers, and two of them are the same number.
our %TENANTS = (
	text => { A => 'acme', B => 'bolt', C => 'cove', D => 'nobody' },
	uuid => {
		D => '00000000-0000-0000-0000-000000000000',
		map { $_ => lc "${_}0000000-0000-4000-8000-00000000000$_" } qw(A B C)
	},
	int  => { A => 1,    B => 2,    C => 3, D => 0 },
	code => { A => '1',  B => '01', C => '2' },
	org  => { A => 'oa', B => 'ob', C => 'oc' },
	user => { A => 'ua', B => 'ub', C => 'uc' });

my ($schema, @functions, %identity_functions);

sub pick   { return $_[ rand @_ ]; }
sub chance { return rand() < $_[0]; }

# One of (weight, code, weight, code ...), called with the rest.
sub choose
{
	my ($choices, @arguments) = @_;
	my $total = 0;

	for (my $i = 0; $i < @$choices; $i += 2) { $total += $choices->[$i]; }
	my $at = rand $total;
	for (my $i = 0; $i < @$choices; $i += 2)
	{
		$at -= $choices->[$i];
		next if $at >= 0;
		my $choice = $choices->[ $i + 1 ];
		return ref $choice ? $choice->(@arguments) : $choice;
	}
	die 'no choice';
}

sub begin_batch
{
	($schema) = @_;
	@functions          = ();
	%identity_functions = ();
	return;
}

# Functions made since begin_batch(): name, and statement that makes it.
sub functions { return @functions; }

sub literal
{
	my ($kind, $tenant) = @_;

	return $TENANTS{int}{$tenant} if $kind eq 'int';
	return "'$TENANTS{$kind}{$tenant}'" . ($kind eq 'uuid' ? '::uuid' : '');
}

#
# What the session says about itself.
#

# The setting or claim of a kind, as text.
sub source
{
	my ($scope,   $kind)  = @_;
	my ($setting, $claim) = @{ $KEYS{$kind} }{qw(setting claim)};
	my $json = pick('json', 'jsonb');

	return choose(
		[
			12 => "current_setting('$setting', true)",
			1  => "current_setting('$setting')",
			3  => "(SELECT current_setting('$setting', true))",
			1  =>
			  "(current_setting('request.jwt.claims', true)::$json ->> '$claim')",
			1 =>
			  "(nullif(current_setting('request.jwt.claims', true), '')::$json ->> '$claim')",
			1 =>
			  "(SELECT nullif(current_setting('request.jwt.claims', true), '')::$json ->> '$claim')",
		]);
}

sub identity_text
{
	my ($scope, $kind) = @_;
	my $s   = source($scope, $kind);
	my $own = literal($kind, pick('A', 'B'));

	return choose(
		[
			14  => $s,
			6   => "nullif($s, '')",
			2   => "coalesce($s, '')",
			2   => "(SELECT $s)",
			2   => "(SELECT nullif($s, ''))",
			1   => "CASE WHEN $s <> '' THEN $s END",
			1   => "CASE WHEN $s = '' THEN NULL ELSE $s END",
			1   => "CASE $s WHEN '' THEN NULL ELSE $s END",
			1   => "nullif(btrim($s), '')",
			1   => "($s || '')",
			1   => "lower($s)",
			1   => "$s\::varchar",
			1   => "nullif(coalesce($s, ''), '')",
			1   => "coalesce(nullif($s, ''), 'nobody')",
			0.5 => "coalesce($s, $own)",
			0.5 => "coalesce(nullif($s, ''), $own)",
			0.5 => sub {
				my $column = $scope->{name} || $own;
				return "coalesce($s, $column)";
			},
			0.5 => sub {
				return $s unless $scope->{key} && $scope->{type} eq 'text';
				return "coalesce(nullif($s, ''), $scope->{key})";
			},
			0.3 => "CASE WHEN $s IS NULL THEN $own ELSE $s END",
		]);
}

# An identity of a kind, of the key's own type.
sub identity
{
	my ($scope, $kind) = @_;
	my $type = $KEYS{$kind}{type};

	return identity_call($scope, $kind) if chance(0.12);
	return identity_text($scope, $kind) if $type eq 'text';

	my $s      = source($scope, $kind);
	my $own    = literal($kind, pick('A', 'B'));
	my $nobody = literal($kind, 'D');
	return choose(
		[
			14  => "nullif($s, '')::$type",
			4   => "$s\::$type",
			3   => "(SELECT nullif($s, '')::$type)",
			2   => "CAST(nullif($s, '') AS $type)",
			1   => "(SELECT $s\::$type)",
			1   => "CASE WHEN $s <> '' THEN $s\::$type END",
			1   => "coalesce(nullif($s, '')::$type, $nobody)",
			0.5 => "coalesce(nullif($s, '')::$type, $own)",
			0.5 => sub {
				return "nullif($s, '')::$type" unless $scope->{key};
				return "coalesce(nullif($s, '')::$type, $scope->{key})"
				  if $scope->{type} eq $type;
				return "nullif($s, '')::$type";
			},
			0.5 => sub {
				return $kind eq 'int'
				  ? "(nullif($s, '')::int + 0)"
				  : "nullif(lower($s), '')::uuid";
			},
			0.5 => sub {
				return $kind eq 'int'
				  ? "CASE WHEN $s ~ '^[0-9]+\$' THEN $s\::int END"
				  : "nullif($s, '')::text::uuid";
			},
		]);
}

sub me { return identity($_[0], 'user'); }

# Whether a function looks names up in its own path, or else in none.
sub attributes
{
	my ($deep) = @_;
	my $volatility =
	  choose(
		[ 8 => 'STABLE', $deep ? 0 : 1 => 'IMMUTABLE', 1 => 'VOLATILE' ]);
	my $definer = chance(0.35) ? ' SECURITY DEFINER' : '';
	my $path    = choose(
		[
			4 => '',
			2 => " SET search_path = $schema",
			1 => " SET search_path = pg_catalog, pg_temp",
			1 => " SET search_path = ''"
		]);
	my $parallel = chance(0.1)                       ? ' PARALLEL SAFE' : '';
	my $prefix   = $path =~ /$schema/ && chance(0.7) ? '' : "$schema.";

	return ("$volatility$definer$parallel$path", $prefix);
}

sub add_function
{
	my ($parameters, $returns, $rest) = @_;
	my $name = 'f' . (@functions + 1);

	push @functions,
	  {
		name => $name,
		sql  =>
		  "CREATE FUNCTION $schema.$name($parameters) RETURNS $returns $rest"
	  };
	return $name;
}

# A function without arguments that says who the session is.  The batch has a
# few of each kind.
sub identity_call
{
	my ($scope, $kind) = @_;
	my $made = $identity_functions{$kind} ||= [];

	if (@$made < 4 && !$scope->{in_function})
	{
		push @$made, identity_function($kind);
	}
	my @usable =
	  grep { !$scope->{in_function} || !$_->{frozen} } @$made;
	return source($scope, $kind) . "::$KEYS{$kind}{type}" unless @usable;
	my $call = "$scope->{prefix}" . pick(@usable)->{name} . '()';
	return chance(0.4) ? "(SELECT $call)" : $call;
}

sub identity_function
{
	my ($kind) = @_;
	my ($attributes, $prefix) = attributes(0);
	my $type    = $KEYS{$kind}{type};
	my $scope   = { prefix => $prefix, in_function => 1, kind => $kind };
	my $e       = identity($scope, $kind);
	my $s       = source($scope, $kind);
	my $own     = literal($kind, pick('A', 'B'));
	my $sql     = "LANGUAGE sql $attributes";
	my $plpgsql = "LANGUAGE plpgsql $attributes";
	my $body    = choose(
		[
			5 => "$sql AS \$\$ SELECT $e \$\$",
			2 => "$sql RETURN $e",
			2 => "$sql BEGIN ATOMIC SELECT $e; END",
			3 => "$plpgsql AS \$\$ BEGIN RETURN $e; END \$\$",
			2 =>
			  "$plpgsql AS \$\$ DECLARE v $type := $e; BEGIN RETURN v; END \$\$",
			2 =>
			  "$plpgsql AS \$\$ DECLARE v text; BEGIN v := $s; IF v IS NULL OR v = '' THEN RETURN NULL; END IF; RETURN v::$type; END \$\$",
			1 =>
			  "$plpgsql AS \$\$ DECLARE v text := $s; BEGIN IF v <> '' THEN RETURN v; ELSE RETURN NULL; END IF; END \$\$",
			1 =>
			  "$plpgsql AS \$\$ DECLARE v text := $s; BEGIN IF v = '' THEN RAISE EXCEPTION 'nobody'; END IF; RETURN v; END \$\$",
			1 =>
			  "$plpgsql AS \$\$ DECLARE v $type; BEGIN SELECT $e INTO v; RETURN v; END \$\$",
			1 =>
			  "$plpgsql AS \$\$ DECLARE v $type; BEGIN SELECT x.y INTO v FROM (SELECT $e AS y) x; IF NOT FOUND THEN RETURN $own; END IF; RETURN v; END \$\$",
			2 =>
			  "$plpgsql AS \$\$ BEGIN RETURN $e; EXCEPTION WHEN OTHERS THEN RETURN NULL; END \$\$",
			0.5 =>
			  "$plpgsql AS \$\$ BEGIN RETURN $e; EXCEPTION WHEN OTHERS THEN RETURN $own; END \$\$",
			0.5 =>
			  "$plpgsql AS \$\$ BEGIN IF ($s IS NULL) THEN RETURN $own; END IF; RETURN $e; END \$\$",
			0.5 =>
			  "$plpgsql AS \$\$ BEGIN CASE WHEN ($s <> '') THEN RETURN $e; ELSE RETURN NULL; END CASE; END \$\$",
		]);

	return {
		name   => add_function('', $type, $body),
		frozen => $attributes =~ /IMMUTABLE/ ? 1 : 0
	};
}

#
# Conditions that tie the row to the session, or seem to.
#

sub bound
{
	my ($scope) = @_;

	return bind_child($scope) if $scope->{parents};
	my $bound = bind_key($scope);
	return $bound unless $scope->{org} && chance(0.75);
	my $other = bind_key(
		{
			%$scope,
			key  => $scope->{org},
			kind => 'org',
			type => 'text',
			org  => undef
		});
	return "(($bound) AND ($other))";
}

sub bind_key
{
	my ($scope) = @_;

	return choose([ 10 => \&bind_equal, 4 => \&bind_lookup ], $scope);
}

sub bind_equal
{
	my ($scope) = @_;
	my ($k, $kind, $type) = @{$scope}{qw(key kind type)};
	my $e   = identity($scope, $kind);
	my $s   = source($scope, $kind);
	my $own = literal($kind, pick('A', 'B', 'C'));

	return choose(
		[
			16  => "$k = $e",
			4   => "$e = $k",
			4   => "$k\::text = $s",
			2   => "$s = $k\::text",
			2   => "$k IN ($e)",
			0.5 => "$k IN ($e, $own)",
			1   => "$k IN ($e, " . identity($scope, $kind) . ')',
			1   => "$k = ANY (ARRAY[$e])",
			0.5 => "$k = ANY (ARRAY[$e, $own])",
			2   => "$k = ANY (string_to_array($s, ',')::$type\[])",
			1   => "$k\::text = ANY (string_to_array($s, ','))",
			1   => "$k = ANY (ARRAY(SELECT $e))",
			1   =>
			  "$k\::text = ANY (ARRAY(SELECT unnest(string_to_array($s, ','))))",
			1 => "$k\::text IN (SELECT unnest(string_to_array($s, ',')))",
			1 => "$k IN (SELECT $e)",
			1 => "ARRAY[$k] <@ ARRAY[$e]",
			1 => "ARRAY[$k] && ARRAY[$e]",
			1 => "array_position(ARRAY[$e], $k) IS NOT NULL",
			2 => "ROW($k, $scope->{n}) = ROW($e, "
			  . pick('1', '5', $scope->{n}) . ')',
			1   => "($k, $scope->{flag}) IN (($e, true), ($e, false))",
			0.3 => "ROW($k, $scope->{n}) <> ROW($e, 1)",
			0.3 => "ROW($k, $scope->{n}) >= ROW($e, 1)",
			1   => "NOT ($k IS DISTINCT FROM $e)",
			1   => "$k IS NOT DISTINCT FROM $e",
			0.3 => "$k IS DISTINCT FROM $e",
			0.5 => "ROW($k, 1) IS NOT DISTINCT FROM ROW($e, 1)",
			1   => "($k >= $e AND $k <= $e)",
			0.3 => "($k >= $e AND $k < $e)",
			0.3 => "$k >= $e",
			1   => "$k BETWEEN $e AND $e",
			0.5 => "$k BETWEEN SYMMETRIC $e AND $e",
			0.3 => "$k NOT BETWEEN $e AND $e",
			1   => "NOT ($k <> $e)",
			0.5 => "NOT ($k < $e OR $k > $e)",
			0.3 => "$k <> $e",
			1   => "(SELECT $k = $e)",
			1   => "EXISTS (SELECT 1 WHERE $k = $e)",
			1   => "EXISTS (SELECT FROM (VALUES ($e)) v (x) WHERE v.x = $k)",
			1   => "$k IN (SELECT v.x FROM (VALUES ($e), ($e)) v (x))",
			0.5 => "$k IN (VALUES ($e), ($own))",
			0.5 => "NOT EXISTS (SELECT 1 WHERE $k <> $e)",
			0.5 => "NOT EXISTS (SELECT 1 WHERE $k IS DISTINCT FROM $e)",
			0.5 => "EXISTS (SELECT count(*) WHERE $k = $e)",
			0.5 => "(SELECT count(*) FROM (SELECT 1 WHERE $k = $e) s) > 0",
			0.3 => "(SELECT count(*) FROM (SELECT 1 WHERE $k = $e) s) >= 0",
			2   => "coalesce($k = $e, false)",
			0.5 => "coalesce($k = $e, true)",
			0.5 => "coalesce($k = $e, $scope->{flag})",
			2   => "($k = $e) IS TRUE",
			0.3 => "($k = $e) IS NOT FALSE",
			0.3 => "($k = $e) IS UNKNOWN",
			0.5 => "($k = $e) IS NOT UNKNOWN",
			0.5 => "($k <> $e) IS FALSE",
			0.5 => "($k <> $e) IS NOT TRUE",
			0.3 => "($k = $e) IS NULL",
			0.3 => "($k = $e) IS NOT NULL",
			1   => "($k = $e) = true",
			0.3 => "($k = $e) <> true",
			0.5 => "($k = $e) IS NOT DISTINCT FROM true",
			0.3 => "($k = $e) IS NOT DISTINCT FROM NULL",
			0.5 => "nullif($k, $e) IS NULL",
			0.3 => "nullif($e, $k) IS NULL",
			0.3 => "nullif($k, $e) IS NOT NULL",
			1   => "CASE WHEN $k = $e THEN true ELSE false END",
			1   => "CASE WHEN $k <> $e THEN false ELSE $k = $e END",
			0.5 => "CASE WHEN $k <> $e THEN false ELSE true END",
			1   => "CASE $k WHEN $e THEN true END",
			0.5 => "CASE WHEN $k = $e THEN 1 ELSE 0 END = 1",
			0.3 => "CASE WHEN $k = $e THEN 1 END IS NULL",
			1   =>
			  "CASE WHEN $s IS NULL THEN false WHEN $s = '' THEN false ELSE $k = $e END",
			0.3 => "CASE WHEN $s IS NULL THEN true ELSE $k = $e END",
			0.5 => "coalesce($k, $own) = $e",
			0.3 => "coalesce($k, $e) = $e",
			0.3 => "coalesce(nullif($k, $own), $e) = $e",
			0.3 => "$k = coalesce($e, $k)",
			0.5 => "greatest($k, $e) = least($k, $e)",
			0.3 => "greatest($k, $e) = $e",
			1   => sub {
				return "$k + 0 = $e"   if $kind eq 'int';
				return "$k || '' = $e" if $type eq 'text';
				return "lower($k\::text)::uuid = $e";
			},
			0.5 => sub {
				return "$k - $e = 0"    if $kind eq 'int';
				return "lower($k) = $e" if $type eq 'text';
				return "md5($k\::text) = md5($s)";
			},
			0.5 => sub {
				return "$k\::bigint = $s\::bigint" if $kind eq 'int';
				return "$k\::int = $s\::int"       if $kind eq 'code';
				return "$k\::varchar(10) = $s\::varchar(10)"
				  if $type eq 'text';
				return "$k\::text = lower($s)";
			},
			0.3 => sub {
				return "$k / 2 = $e / 2"             if $kind eq 'int';
				return "$k\::char(1) = $s\::char(1)" if $type eq 'text';
				return "left($k\::text, 1) = left($s, 1)";
			},
			0.3 => sub {
				return "$k LIKE $e" if $type eq 'text';
				return "$k\::text LIKE $s || '%'";
			},
			0.3 => sub {
				return "starts_with($k\::text, $s)";
			},
		]);
}

# Where memberships are looked up.
my @members = qw(m_ro m_ro m_ro m_rls m_rls m_rnd m_w m_self m_ten m_upd m_del
  m_wrnd v_mem v_mem_rls);
my @parents =
  qw(p_ro p_rls p_rls p_rnd p_w p_wrls v_def v_own v_inv v_inv v_bar
  v_filter v_forced p_forced);

sub bind_lookup
{
	my ($scope) = @_;
	my ($k, $kind, $type, $prefix) = @{$scope}{qw(key kind type prefix)};
	my $column  = $KEYS{$kind}{column};
	my $members = $prefix . pick(@members);
	my $parents = $prefix . pick(@parents);
	my $u       = me($scope);
	my $e       = identity($scope, $kind);
	my $own     = choose(
		[
			8   => "m.user_id = $u",
			1   => "m.user_id = $u AND m.active",
			0.5 => "m.active",
			0.5 => "m.user_id IS NOT DISTINCT FROM $u",
			0.5 => "m.user_id <> $u",
			1   => "m.$column = $e",
			0.5 => "(m.user_id = $u OR m.kind = 'admin')",
			1   => "m.user_id = $u AND m.kind IN ('member', 'admin')"
		]);
	my $all  = "SELECT m.$column FROM $members m";
	my $mine = "$all WHERE $own";

	return choose(
		[
			6 => "$k IN ($mine)",
			1 => "$k IN ($all)",
			1 => "$k IN (SELECT $column FROM $members WHERE user_id = $u)",
			1 => "$k = ANY ($mine)",
			3 =>
			  "EXISTS (SELECT 1 FROM $members m WHERE m.$column = $k AND $own)",
			1 =>
			  "EXISTS (SELECT FROM $members m WHERE $own AND $k = m.$column LIMIT 1)",
			1   => "EXISTS (SELECT FROM $members m WHERE m.$column = $k)",
			0.5 => sub {
				return "$k IN ($mine)" if $k !~ /^(tenant_id|org_id)$/;
				return
				  "EXISTS (SELECT FROM $members m WHERE m.$column = $k OR $own)"
				  if chance(0.5);
				return
				  "EXISTS (SELECT FROM $members m WHERE m.$k = $k AND $own)";
			},
			2   => "$k = ANY (ARRAY($mine))",
			1   => "$k = ANY (ARRAY($all))",
			0.5 => "$k <> ALL (ARRAY($mine))",
			0.5 => "$k NOT IN ($mine)",
			0.5 =>
			  "NOT EXISTS (SELECT FROM $members m WHERE m.$column = $k AND $own)",
			0.5 =>
			  "NOT EXISTS (SELECT FROM $members m WHERE m.$column <> $k AND $own)",
			0.5 => "NOT ($k NOT IN ($mine))",
			0.5 => "($k IN ($mine)) IS TRUE",
			0.3 => "($k IN ($mine)) IS NOT FALSE",
			1   => "coalesce($k IN ($mine), false)",
			1   => "$k = ($mine ORDER BY m.$column LIMIT 1)",
			1   => "$k IN ($mine ORDER BY 1 LIMIT 5)",
			1   =>
			  "$k IN (SELECT DISTINCT m.$column FROM $members m WHERE $own)",
			1   => "$k IN ($mine GROUP BY m.$column)",
			0.5 => "$k IN ($mine GROUP BY m.$column HAVING count(*) > 0)",
			0.5 =>
			  "$k IN ($mine GROUP BY m.$column HAVING bool_or(m.active))",
			0.5 =>
			  "$k IN (SELECT m.$column FROM $members m GROUP BY m.$column HAVING bool_or($own))",
			1 => sub {
				my $max =
				  $type eq 'uuid'
				  ? 'max(m.' . $column . '::text)::uuid'
				  : "max(m.$column)";
				return "$k = (SELECT $max FROM $members m WHERE $own)";
			},
			1 =>
			  "(SELECT count(*) FROM $members m WHERE m.$column = $k AND $own) > 0",
			0.3 => "(SELECT count(*) FROM $members m WHERE $own) > 0",
			0.3 =>
			  "(SELECT count(*) FROM $members m WHERE m.$column = $k AND $own) < 2",
			0.5 =>
			  "(SELECT bool_or(m.$column = $k) FROM $members m WHERE $own)",
			0.5 =>
			  "(SELECT bool_and(m.$column = $k) FROM $members m WHERE $own)",
			0.5 =>
			  "(SELECT bool_or($own) FROM $members m WHERE m.$column = $k)",
			0.5 =>
			  "coalesce((SELECT bool_or($own) FROM $members m WHERE m.$column = $k), false)",
			0.5 =>
			  "$k = ANY ((SELECT array_agg(m.$column) FROM $members m WHERE $own)::$type\[])",
			0.5 =>
			  "$k = ANY (coalesce((SELECT array_agg(m.$column) FROM $members m WHERE $own), '{}'))",
			1 =>
			  "(SELECT true FROM $members m WHERE m.$column = $k AND $own LIMIT 1)",
			1 =>
			  "$u = (SELECT m.user_id FROM $members m WHERE m.$column = $k LIMIT 1)",
			1 =>
			  "$u IN (SELECT m.user_id FROM $members m WHERE m.$column = $k)",
			0.5 => "$u IN (SELECT m.user_id FROM $members m)",
			1 => "($k, $u) IN (SELECT m.$column, m.user_id FROM $members m)",
			0.5 =>
			  "($u, $k) IN (SELECT m.user_id, m.$column FROM $members m WHERE m.active)",
			0.3 =>
			  "($k, $u) NOT IN (SELECT m.$column, m.user_id FROM $members m)",
			1 =>
			  "$k IN (SELECT p.$column FROM $members m JOIN $parents p ON p.$column = m.$column WHERE $own)",
			0.5 =>
			  "$k IN (SELECT p.$column FROM $members m, $parents p WHERE $own)",
			0.5 =>
			  "$k IN (SELECT p.$column FROM $members m LEFT JOIN $parents p ON p.$column = m.$column WHERE $own)",
			0.5 =>
			  "$k IN (SELECT p.$column FROM $parents p LEFT JOIN $members m ON m.$column = p.$column AND $own)",
			0.5 =>
			  "$k IN (SELECT p.$column FROM $parents p LEFT JOIN $members m ON m.$column = p.$column AND $own WHERE m.user_id IS NOT NULL)",
			0.5 =>
			  "$k IN (SELECT m.$column FROM $members m RIGHT JOIN $parents p USING ($column) WHERE $own)",
			0.5 =>
			  "$k IN (SELECT p.$column FROM $members m FULL JOIN $parents p ON p.$column = m.$column AND $own)",
			0.5 =>
			  "EXISTS (SELECT FROM $members m JOIN $members o ON o.$column = m.$column WHERE $own AND o.$column = $k)",
			0.3 =>
			  "EXISTS (SELECT FROM $members m JOIN $members o ON o.user_id = m.user_id WHERE o.active AND o.$column = $k)",
			0.5 => "$k IN ($mine UNION SELECT $e)",
			0.5 =>
			  "$k IN ($mine UNION ALL SELECT p.$column FROM $parents p WHERE p.$column = $e)",
			0.3 => "$k IN ($mine UNION SELECT p.$column FROM $parents p)",
			0.5 => "$k IN ($all INTERSECT SELECT $e)",
			0.5 => "$k IN ($mine EXCEPT SELECT $e)",
			0.3 => "$k IN ($all EXCEPT $mine)",
			1   => "$k IN (WITH q AS ($mine) SELECT * FROM q)",
			0.5 =>
			  "EXISTS (WITH q AS MATERIALIZED ($all) SELECT FROM q WHERE q.$column = $k)",
			0.5 =>
			  "EXISTS (WITH q AS (SELECT * FROM $members m WHERE $own) SELECT FROM q WHERE q.$column = $k)",
			0.5 => "$k IN (SELECT x.$column FROM ($mine) x)",
			0.5 =>
			  "$k IN (SELECT x.c FROM $members m CROSS JOIN LATERAL (SELECT m.$column AS c) x WHERE $own)",
			0.5 =>
			  "$k IN (SELECT (SELECT m.$column) FROM $members m WHERE $own)",
			0.5 =>
			  "$k IN (SELECT coalesce(m.$column, $k) FROM $members m WHERE $own)",
			0.5 =>
			  "$k IN (SELECT first_value(m.$column) OVER (ORDER BY m.$column) FROM $members m WHERE $own)",
			0.3 =>
			  "$k IN (SELECT lead(m.$column) OVER (ORDER BY m.$column, m.user_id) FROM $members m WHERE $own)",
			1 => "$k IN (SELECT p.$column FROM $parents p)",
			1 => "EXISTS (SELECT FROM $parents p WHERE p.$column = $k)",
			1 =>
			  "EXISTS (SELECT FROM $parents p WHERE p.$column = $k AND p.$column = $e)",
			0.5 =>
			  "EXISTS (SELECT FROM $parents p WHERE p.id = $scope->{parent} AND p.$column = $e)",
			0.5 =>
			  "EXISTS (SELECT FROM $parents p WHERE p.id = $scope->{parent} AND p.$column = $k AND p.$column = $e)",
			0.5 =>
			  "(SELECT p.$column FROM $parents p WHERE p.id = $scope->{parent}) = $k",
			0.5 =>
			  "$k = (SELECT p.$column FROM $parents p WHERE p.$column = $e LIMIT 1)",
			2 => sub {
				return "$k IN ($mine)" if $scope->{in_function};
				my $call = $prefix . lookup_function($kind, 'SETOF') . '()';
				return choose(
					[
						2   => "$k IN (SELECT $call)",
						1   => "$k = ANY (ARRAY(SELECT $call))",
						1   => "$k IN (SELECT x FROM $call x)",
						1   => "EXISTS (SELECT FROM $call x WHERE x = $k)",
						0.3 => "EXISTS (SELECT FROM $call x)",
						0.3 => "$k NOT IN (SELECT $call)"
					]);
			},
			1 => sub {
				return "$k IN ($mine)" if $scope->{in_function};
				my $call = $prefix . lookup_function($kind, 'ARRAY') . '()';
				return choose(
					[
						2   => "$k = ANY ($call)",
						1   => "$k = ANY ((SELECT $call)::$type\[])",
						1   => "$k IN (SELECT unnest($call))",
						0.5 => "ARRAY[$k] <@ $call",
						0.3 => "$k <> ALL ($call)"
					]);
			},
		]);
}

# A function that says which tenants the session's user belongs to.
sub lookup_function
{
	my ($kind, $shape)        = @_;
	my ($attributes, $prefix) = attributes(1);
	my $type    = $KEYS{$kind}{type};
	my $column  = $KEYS{$kind}{column};
	my $scope   = { prefix => $prefix, in_function => 1, kind => $kind };
	my $members = $prefix . pick(@members);
	my $own     = 'm.user_id = ' . me($scope);

	$own = 'm.active' if chance(0.1);
	if ($shape eq 'SETOF')
	{
		my $query = "SELECT m.$column FROM $members m WHERE $own";
		return add_function(
			'',
			"SETOF $type",
			choose(
				[
					4 => "LANGUAGE sql $attributes AS \$\$ $query \$\$",
					1 => "LANGUAGE sql $attributes BEGIN ATOMIC $query; END",
					2 =>
					  "LANGUAGE plpgsql $attributes AS \$\$ BEGIN RETURN QUERY $query; END \$\$",
				]));
	}
	my $query = "SELECT array_agg(m.$column) FROM $members m WHERE $own";
	return add_function(
		'',
		"$type\[]",
		choose(
			[
				3 => "LANGUAGE sql $attributes AS \$\$ $query \$\$",
				1 => "LANGUAGE sql $attributes BEGIN ATOMIC $query; END",
				1 =>
				  "LANGUAGE sql $attributes AS \$\$ SELECT ARRAY(SELECT m.$column FROM $members m WHERE $own) \$\$",
				1 =>
				  "LANGUAGE plpgsql $attributes AS \$\$ BEGIN RETURN ($query); END \$\$",
				1 =>
				  "LANGUAGE plpgsql $attributes AS \$\$ DECLARE v $type\[]; BEGIN $query INTO v; RETURN v; END \$\$",
			]));
}

# Rows that belong to whom their parent does.
sub bind_child
{
	my ($scope) = @_;
	my $kind    = pick(qw(text text uuid int));
	my $column  = $KEYS{$kind}{column};
	my $table   = $scope->{prefix}
	  . (
		$scope->{parents} eq 'p_rls' && chance(0.3)
		? pick(qw(v_inv v_inv v_def v_own v_bar v_filter))
		: $scope->{parents});
	my $members = $scope->{prefix} . pick(@members);
	my $e       = identity($scope, $kind);
	my $u       = me($scope);
	my $key     = $scope->{parent};

	return choose(
		[
			4 =>
			  "EXISTS (SELECT FROM $table p WHERE p.id = $key AND p.$column = $e)",
			3 => "EXISTS (SELECT FROM $table p WHERE p.id = $key)",
			3 => "$key IN (SELECT p.id FROM $table p WHERE p.$column = $e)",
			3 => "$key IN (SELECT p.id FROM $table p)",
			1 =>
			  "$key = ANY (ARRAY(SELECT p.id FROM $table p WHERE p.$column = $e))",
			1 => "(SELECT p.$column FROM $table p WHERE p.id = $key) = $e",
			1 => "$e IN (SELECT p.$column FROM $table p WHERE p.id = $key)",
			1 =>
			  "EXISTS (SELECT FROM $table p WHERE p.id = $key AND p.$column IN (SELECT m.$column FROM $members m WHERE m.user_id = $u))",
			1 =>
			  "EXISTS (SELECT FROM $table p JOIN $members m ON m.$column = p.$column WHERE p.id = $key AND m.user_id = $u)",
			0.5 =>
			  "EXISTS (SELECT FROM $table p WHERE p.id <= $key AND p.$column = $e)",
			0.5 =>
			  "EXISTS (SELECT FROM $table p WHERE p.id = $key AND (p.open OR p.$column = $e))",
			0.5 =>
			  "EXISTS (SELECT FROM $table p WHERE p.id = p.id AND p.$column = $e)",
			0.5 =>
			  "$key NOT IN (SELECT p.id FROM $table p WHERE p.$column <> $e)",
			0.5 =>
			  "(SELECT bool_or(p.$column = $e) FROM $table p WHERE p.id = $key)",
			0.5 =>
			  "(SELECT count(*) FROM $table p WHERE p.id = $key AND p.$column = $e) = 1",
		]);
}

#
# Everything else a condition can say.
#

sub noise
{
	my ($scope) = @_;
	my ($k, $flag, $n, $name, $owner, $parent) =
	  @{$scope}{qw(key flag n name owner parent)};
	my $kind    = $scope->{kind} || 'text';
	my $u       = me($scope);
	my $s       = source($scope, $kind);
	my @choices = (
		4   => $flag,
		1   => "NOT $flag",
		1   => "$flag IS TRUE",
		1   => "$flag IS NOT FALSE",
		1   => "$flag IS UNKNOWN",
		1   => "coalesce($flag, " . pick('true', 'false') . ')',
		2   => "$n = 1",
		1   => "$n > 1",
		1   => "$n IS NULL",
		1   => "$n IN (1, 5)",
		1   => "$n NOT IN (1, NULL)",
		1   => "nullif($n, 1) IS NULL",
		1   => "$n BETWEEN 1 AND 4",
		1   => "CASE $n WHEN 1 THEN true WHEN 5 THEN false END",
		1   => "$name = 'x'",
		0.5 => "$name LIKE 'a%'",
		0.5 => "$name IS NULL",
		3   => "$owner = $u",
		1   => "$owner IS NULL",
		0.5 => "$owner IS DISTINCT FROM $u",
		0.5 => "$parent = 1",
		0.5 => "current_user = 'fuzz_app'",
		0.5 => 'true',
		0.5 => 'false',
		0.5 => 'NULL::boolean',
		1   => "$s IS NOT NULL",
		1   => "$s <> ''",
		0.5 => "$s IS NULL",
		0.5 => "$s = ''",
		0.5 => "coalesce($s, '') = ''",
		0.5 => "length($s) > 0",
		0.5 => "clock_timestamp() > '2020-01-01'",
		0.3 => "pg_has_role('fuzz_group', 'member')",
		0.5 =>
		  "EXISTS (SELECT FROM $scope->{prefix}m_ro m WHERE m.user_id = $u AND m.kind = 'admin')",
		0.5 =>
		  "EXISTS (SELECT FROM $scope->{prefix}m_ro m WHERE m.user_id = $owner)",
	);
	if ($k)
	{
		my $own   = literal($kind, pick('A', 'B', 'C'));
		my $other = literal($kind, pick('A', 'B', 'C'));
		push @choices,
		  0.5 => "$k IS NULL",
		  1   => "$k IS NOT NULL",
		  0.5 => "$k = $own",
		  0.5 => "$k IN ($own, $other)",
		  0.5 => "$k <> $own",
		  0.3 => "$k = $k",
		  0.3 => "$k < $own",
		  0.5 => "$s = '$TENANTS{$kind}{A}'",
		  0.5 => "$name = $k\::text",
		  ;
	}
	return choose(\@choices);
}

# A condition that ought to be safe: everything true of it is bound.
sub guarded
{
	my ($scope, $depth) = @_;
	my $b = sub { bound($scope) };

	return $b->() if $depth <= 0 || chance(0.4);
	my $g = sub { guarded($scope, $depth - 1) };
	my $x = sub { anything($scope, $depth - 1) };
	return choose(
		[
			5 => sub { '(' . $g->() . ' AND ' . $x->() . ')' },
			3 => sub { '(' . $x->() . ' AND ' . $g->() . ')' },
			4 => sub { '(' . $g->() . ' OR ' . $g->() . ')' },
			1 => sub { '((' . $g->() . ') IS TRUE)' },
			1 => sub { 'coalesce(' . $g->() . ', false)' },
			1 => sub { 'coalesce(' . $g->() . ', ' . $g->() . ')' },
			1 => sub {
				'CASE WHEN '
				  . $x->()
				  . ' THEN '
				  . $g->()
				  . ' ELSE '
				  . $g->() . ' END';
			},
			1 => sub {
				'CASE WHEN ' . $g->() . ' THEN ' . $x->() . ' ELSE false END';
			},
			1 => sub {
				'CASE WHEN ' . $x->() . ' THEN false ELSE ' . $g->() . ' END';
			},
			1   => sub { 'CASE WHEN ' . $x->() . ' THEN ' . $g->() . ' END' },
			1   => sub { '(NOT (NOT (' . $g->() . ')))' },
			1   => sub { '(NOT (NOT (' . $g->() . ') OR ' . $x->() . '))' },
			1   => sub { '(SELECT ' . $g->() . ')' },
			0.5 => sub { '((' . $g->() . ') = true)' },
			0.5 => sub {
				'(('
				  . $g->()
				  . ') AND (('
				  . $x->() . ') = ('
				  . $x->() . ')))';
			},
			0.5 => sub { 'EXISTS (SELECT 1 WHERE ' . $g->() . ')' },
			0.5 => sub {
				'('
				  . $g->() . ' AND '
				  . $x->() . ' OR '
				  . $g->() . ' AND '
				  . $x->() . ')';
			},
			1.5 => sub { call_condition($scope, $depth, \&guarded) },
		]);
}

# Any condition at all.
sub anything
{
	my ($scope, $depth) = @_;

	return chance(0.4) ? bound($scope) : noise($scope)
	  if $depth <= 0 || chance(0.25);
	my $x = sub { anything($scope, $depth - 1) };
	return choose(
		[
			5 => sub { '(' . $x->() . ' AND ' . $x->() . ')' },
			4 => sub { '(' . $x->() . ' OR ' . $x->() . ')' },
			2 => sub { '(NOT (' . $x->() . '))' },
			2 => sub {
				'(('
				  . $x->() . ') IS '
				  . pick('', 'NOT ')
				  . pick('TRUE', 'FALSE', 'UNKNOWN', 'NULL') . ')';
			},
			1 => sub { 'coalesce(' . $x->() . ', ' . $x->() . ')' },
			1 => sub { 'nullif(' . $x->() . ', ' . $x->() . ')' },
			1 => sub {
				'CASE WHEN '
				  . $x->()
				  . ' THEN '
				  . $x->()
				  . ' ELSE '
				  . $x->() . ' END';
			},
			0.5 => sub {
				'CASE WHEN '
				  . $x->()
				  . ' THEN '
				  . $x->()
				  . ' WHEN '
				  . $x->()
				  . ' THEN '
				  . $x->() . ' END';
			},
			0.5 => sub {
				'(('
				  . $x->() . ') IS '
				  . pick('', 'NOT ')
				  . 'DISTINCT FROM ('
				  . $x->() . '))';
			},
			0.5 => sub {
				'(('
				  . $x->() . ') '
				  . pick('=', '<>', '<=', '>') . ' ('
				  . $x->() . '))';
			},
			0.5 => sub { '((' . $x->() . ') IN (true, ' . $x->() . '))' },
			0.5 => sub { '(SELECT ' . $x->() . ')' },
			0.5 => sub { '(SELECT ' . $x->() . ' WHERE ' . $x->() . ')' },
			0.5 => sub {
				pick('', 'NOT ') . 'EXISTS (SELECT 1 WHERE ' . $x->() . ')';
			},
			0.5 => sub { call_condition($scope, $depth, \&anything) },
		]);
}

# A condition behind a function that is given the row's columns.
sub call_condition
{
	my ($scope, $depth, $make) = @_;

	return $make->($scope, $depth - 1) if $scope->{in_function};
	my ($attributes, $prefix) = attributes(1);
	my $strict = chance(0.1) ? 'STRICT ' : '';
	my @columns =
	  grep { defined $scope->{$_} } qw(key org flag n name owner parent);
	my %types = (
		key    => $scope->{type},
		org    => 'text',
		flag   => 'boolean',
		n      => 'int',
		name   => 'text',
		owner  => 'text',
		parent => 'int');
	my %inside = (%$scope, prefix => $prefix, in_function => 1);
	$inside{$_} = "a_$_" for @columns;
	my $g       = sub { $make->(\%inside, $depth - 1) };
	my $x       = sub { anything(\%inside, 0) };
	my $sql     = "LANGUAGE sql $strict$attributes";
	my $plpgsql = "LANGUAGE plpgsql $strict$attributes";
	my $body    = choose(
		[
			5   => sub { "$sql AS \$\$ SELECT " . $g->() . ' $$' },
			1   => sub { "$sql RETURN " . $g->() },
			1   => sub { "$sql BEGIN ATOMIC SELECT " . $g->() . '; END' },
			1   => sub { "$sql AS \$\$ SELECT true WHERE " . $g->() . ' $$' },
			0.5 => sub {
				"$sql AS \$\$ SELECT "
				  . $x->()
				  . '; SELECT '
				  . $g->() . ' $$';
			},
			2 =>
			  sub { "$plpgsql AS \$\$ BEGIN RETURN " . $g->() . '; END $$' },
			1 => sub {
				"$plpgsql AS \$\$ DECLARE v boolean := "
				  . $g->()
				  . '; BEGIN RETURN v AND '
				  . $x->()
				  . '; END $$';
			},
			1 => sub {
				"$plpgsql AS \$\$ BEGIN IF ("
				  . $g->()
				  . ') THEN RETURN true; END IF; RETURN '
				  . $g->()
				  . '; END $$';
			},
			1 => sub {
				"$plpgsql AS \$\$ BEGIN IF ("
				  . $x->()
				  . ') THEN RETURN '
				  . $g->()
				  . '; ELSIF ('
				  . $x->()
				  . ') THEN RETURN false; ELSE RETURN '
				  . $g->()
				  . '; END IF; END $$';
			},
			1 => sub {
				"$plpgsql AS \$\$ BEGIN IF NOT ("
				  . $g->()
				  . ') THEN RETURN false; END IF; RETURN '
				  . pick('true', $g->())
				  . '; END $$';
			},
			1 => sub {
				"$plpgsql AS \$\$ DECLARE v boolean; BEGIN SELECT "
				  . $g->()
				  . ' INTO v; RETURN v; END $$';
			},
			1 => sub {
				"$plpgsql AS \$\$ DECLARE v boolean; BEGIN v := "
				  . $g->()
				  . '; IF v IS NULL THEN RETURN '
				  . pick('false', 'false', 'true')
				  . '; END IF; RETURN v; END $$';
			},
			1 => sub {
				"$plpgsql AS \$\$ BEGIN PERFORM 1 WHERE "
				  . $g->()
				  . '; RETURN FOUND; END $$';
			},
			1 => sub {
				"$plpgsql AS \$\$ BEGIN RETURN "
				  . $g->()
				  . '; EXCEPTION WHEN OTHERS THEN RETURN '
				  . pick('false', 'false', 'NULL', 'true')
				  . '; END $$';
			},
			0.5 => sub {
				"$plpgsql AS \$\$ DECLARE v boolean := false; BEGIN IF ("
				  . $x->()
				  . ') THEN v := '
				  . $g->()
				  . '; END IF; RETURN v; END $$';
			},
			0.5 => sub {
				"$plpgsql AS \$\$ DECLARE v boolean; BEGIN CASE WHEN ("
				  . $x->()
				  . ') THEN v := '
				  . $g->()
				  . '; ELSE v := false; END CASE; RETURN v; END $$';
			},
			0.3 => sub {
				"$plpgsql AS \$\$ DECLARE v boolean := true; BEGIN FOR i IN 1..2 LOOP v := v AND "
				  . $g->()
				  . '; END LOOP; RETURN v; END $$';
			},
		]);
	my $name = add_function(join(', ', map { "a_$_ $types{$_}" } @columns),
		'boolean', $body);

	return
	  "$scope->{prefix}$name("
	  . join(', ', map { $scope->{$_} } @columns) . ')';
}

# A condition for one policy: safe by intent, or whatever comes.
sub condition
{
	my ($scope, $intent) = @_;

	return $intent eq 'guarded'
	  ? guarded($scope, pick(0, 1, 1, 2, 2, 3))
	  : anything($scope, pick(0, 1, 1, 2, 2, 3));
}

1;
