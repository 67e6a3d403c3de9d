# RlsFixture.pm: what random policies are about: tables of tenants' rows, and
# lookup tables and views that conditions consult; also whose row is whose.
#
# Everything is SQL by object name, so that a reproduction can be put together
# from what it needs.
package RlsFixture;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use RlsPolicies qw(%KEYS %TENANTS);

our @EXPORT_OK = qw(roles drop_roles lookups shapes table_sql identities
  settings standing attacks @STATES);

# What a session can say about itself, in this order: nothing since it began,
# a tenant but never a user, nothing any more, and a tenant each.
our @STATES = qw(unset half empty A B);

my %tenant_of = (A => 'A', B => 'B', half => 'A');

# Everything that a session sets, by name.
sub settings
{
	my ($state) = @_;
	my %value;

	for my $kind (keys %KEYS)
	{
		my $tenant = $tenant_of{$state};
		next if $state eq 'half' && $kind =~ /^(org|user)$/;
		$value{ $KEYS{$kind}{setting} } =
		  $tenant ? $TENANTS{$kind}{$tenant} : '';
	}
	if ($tenant_of{$state})
	{
		$value{'request.jwt.claims'} = '{'
		  . join(', ',
			map  { qq("$KEYS{$_}{claim}": "$value{$KEYS{$_}{setting}}") }
			grep { $value{ $KEYS{$_}{setting} } } sort keys %KEYS)
		  . '}';
	}
	else
	{
		$value{'request.jwt.claims'} = '';
	}
	return \%value;
}

# What ops.rls_matrix() is told.
sub identities
{
	return (
		map { $KEYS{$_}{setting}, "request.jwt.claims.$KEYS{$_}{claim}" }
		sort keys %KEYS);
}

# Tenants whose rows a session may see: its own, and those its user is a
# member of.
my %may_see = (
	unset => {},
	empty => {},
	A     => { A => 1, C => 1 },
	B     => { B => 1 },
	half  => { A => 1 });
my %user_of = (A => 'A', B => 'B');

# Whether a row is a session's own, a foreign one or nobody's, and by which
# key: A, B, C, D, N for null, E for the empty string, and a second one where
# there are two.  The table's tenants tell; or else, if that is what was proved
# of it, its parent's tenant or its owner.
sub standing
{
	my ($shape, $id, $columns, $state) = @_;
	my $combination = $id % 100;
	my @standings;

	if ($columns =~ /owner_id|parent_id/ && $columns !~ /tenant_id/)
	{
		my $owner = (qw(A B N))[ $combination / 9 ];
		my $parent =
			$shape->{parents}
		  ? $shape->{keys}[ $id / 100 ]
		  : (qw(A B C N A N))[ $combination % 6 ];
		my $user = $user_of{$state};
		push @standings,
		  key_standing($owner, $state, { $user ? ($user => 1) : () })
		  if $columns =~ /owner_id/;
		push @standings, key_standing($parent, $state, $may_see{$state})
		  if $columns =~ /parent_id/;
	}
	else
	{
		my $key = $shape->{keys}[ $id / 100 ];
		push @standings, key_standing($key, $state, $may_see{$state});
	}
	for my $best (qw(own null foreign))
	{
		my ($found) = grep { $_->[0] eq $best } @standings;
		return @$found if $found;
	}
	die "row $id has no standing";
}

sub key_standing
{
	my ($key, $state, $own) = @_;
	my ($first, $second) = $key =~ /(.)(.)?/;

	return [ 'foreign', $key ]
	  if $first ne 'N'
	  && !$own->{$first}
	  && !($first eq 'E' && $state =~ /unset|empty/);
	return [ 'foreign', $key ]
	  if defined $second
	  && $second ne 'N'
	  && !$own->{$second}
	  && !($second eq 'E' && $state =~ /unset|empty|half/);
	return [ $key =~ /N/ ? 'null' : 'own', $key ];
}

sub roles
{
	return <<'SQL';
CREATE ROLE fuzz_owner;
CREATE ROLE fuzz_group;
CREATE ROLE fuzz_other;
CREATE ROLE fuzz_app IN ROLE fuzz_group;
SQL
}

sub drop_roles
{
	return join '',
	  map { "DROP ROLE IF EXISTS $_;\n" }
	  qw(fuzz_app fuzz_group fuzz_other fuzz_owner);
}

my $lookup_columns =
  'tenant_id text, tenant_uuid uuid, tenant_no int, tenant_code text, org_id text';

sub tenant_values
{
	my ($tenant) = @_;

	return join ', ',
	  map { $tenant eq 'N' ? 'NULL' : "'$TENANTS{$_}{$tenant}'" }
	  qw(text uuid int code org);
}

my $is_me   = "user_id = current_setting('app.user_id', true)";
my $is_mine = join ' AND ', map {
	"$KEYS{$_}{column} = nullif(current_setting('$KEYS{$_}{setting}', true), '')::$KEYS{$_}{type}"
} qw(text uuid int code org);

# Memberships: user_id NULL and tenants NULL among them, since columns that
# may be null will be.
sub members
{
	my ($schema, $name, $grant, @policies) = @_;
	my @rows = (
		[ 'ua',  'A' ],
		[ 'ua',  'C' ],
		[ 'ub',  'B' ],
		[ 'ud',  'B' ],
		[ 'ua',  'N' ],
		[ undef, 'B' ]);
	my $values = join ', ', map {
			'('
		  . (defined $_->[0] ? "'$_->[0]'" : 'NULL') . ', '
		  . tenant_values($_->[1])
		  . ", true, '"
		  . (($_->[0] || '') eq 'ub' ? 'admin' : 'member') . "')"
	} @rows;

	return lookup_table($schema, $name, $grant,
		"user_id text, $lookup_columns, active boolean, kind text",
		$values, @policies);
}

sub parents
{
	my ($schema, $name, $grant, @policies) = @_;
	my $id     = 0;
	my $values = join ', ', map {
		$id++;
		"($id, "
		  . tenant_values($_) . ', '
		  . ($id == 3 ? 'true' : 'false') . ')'
	} qw(A B C N A);

	return lookup_table($schema, $name, $grant,
		"id int PRIMARY KEY, $lookup_columns, open boolean",
		$values, @policies);
}

sub lookup_table
{
	my ($schema, $name, $grant, $columns, $values, @policies) = @_;
	my $sql =
		"CREATE TABLE $schema.$name ($columns);\n"
	  . "INSERT INTO $schema.$name VALUES $values;\n"
	  . "ALTER TABLE $schema.$name OWNER TO fuzz_owner;\n"
	  . "GRANT $grant ON $schema.$name TO fuzz_app;\n";
	my $number = 0;

	$sql .= "ALTER TABLE $schema.$name ENABLE ROW LEVEL SECURITY;\n"
	  if @policies;
	$sql .= "ALTER TABLE $schema.$name FORCE ROW LEVEL SECURITY;\n"
	  if $name =~ /forced/;
	for (@policies)
	{
		$number++;
		$sql .= "CREATE POLICY p$number ON $schema.$name $_;\n";
	}
	return [ $name, $sql ];
}

sub view
{
	my ($schema, $name, $options, $query) = @_;
	my $owner = $name =~ /own|forced/ ? 'fuzz_owner' : 'postgres';

	return [
		$name,
		"CREATE VIEW $schema.$name"
		  . ($options ? " WITH ($options)" : '')
		  . " AS $query;\n"
		  . (
			$owner eq 'fuzz_owner'
			? "GRANT USAGE ON SCHEMA $schema TO fuzz_owner;\nALTER VIEW $schema.$name OWNER TO fuzz_owner;\n"
			: '')
		  . "GRANT SELECT ON $schema.$name TO fuzz_app;\n"
	];
}

# Tables and views to look things up in, [name, SQL] each, in order.  m_rnd,
# m_wrnd and p_rnd have row security; each batch gives them policies.
sub lookups
{
	my ($schema) = @_;
	my $all = 'SELECT, INSERT, UPDATE, DELETE';

	return (
		members($schema, 'm_ro',  'SELECT'),
		members($schema, 'm_rls', 'SELECT', "USING ($is_me)"),
		members($schema, 'm_rnd', 'SELECT', "TO fuzz_other USING (true)"),
		members($schema, 'm_w',   $all),
		members(
			$schema, 'm_self',
			'SELECT, INSERT',
			"FOR SELECT USING ($is_me)",
			"FOR INSERT WITH CHECK ($is_me)"),
		members($schema, 'm_ten', $all,             "USING ($is_mine)"),
		members($schema, 'm_upd', 'SELECT, UPDATE', "USING ($is_me)"),
		members(
			$schema,
			'm_del',
			'SELECT, DELETE',
			"FOR SELECT USING (true)",
			"FOR DELETE USING ($is_me)"),
		members(
			$schema,                  'm_wrnd',
			'SELECT, INSERT, UPDATE', "FOR SELECT USING (true)"),
		parents($schema, 'p_ro',     'SELECT'),
		parents($schema, 'p_rls',    'SELECT', "USING ($is_mine)"),
		parents($schema, 'p_rnd',    'SELECT', "TO fuzz_other USING (true)"),
		parents($schema, 'p_w',      $all),
		parents($schema, 'p_wrls',   $all,     "USING ($is_mine)"),
		parents($schema, 'p_forced', 'SELECT', "USING ($is_mine)"),
		view($schema, 'v_mem', '', "SELECT * FROM $schema.m_ro WHERE $is_me"),
		view(
			$schema,            'v_mem_rls',
			'security_invoker', "SELECT * FROM $schema.m_rls"),
		view($schema, 'v_def', '', "SELECT * FROM $schema.p_rls"),
		view($schema, 'v_own', '', "SELECT * FROM $schema.p_rls"),
		view(
			$schema,            'v_inv',
			'security_invoker', "SELECT * FROM $schema.p_rls"),
		view(
			$schema,            'v_bar',
			'security_barrier', "SELECT * FROM $schema.p_ro WHERE $is_mine"),
		view(
			$schema,
			'v_filter',
			'',
			"SELECT * FROM $schema.p_rls WHERE tenant_id = current_setting('app.tenant_id', true)"
		),
		view($schema, 'v_forced', '', "SELECT * FROM $schema.p_forced"),);
}

# How the role might change what it is looked up in, a list of statements for
# each way; nothing for what it cannot write.
sub attacks
{
	my ($schema, $name) = @_;
	my $table = "$schema.$name";
	my $set   = sub {
		my ($tenant) = @_;
		my @columns = qw(text uuid int code org);
		return join ', ', map {
			"$KEYS{$_}{column} = "
			  . ($tenant eq 'N' ? 'NULL' : "'$TENANTS{$_}{$tenant}'")
		} @columns;
	};

	if ($name =~ /^m_(w|self|ten|upd|del|wrnd)$/)
	{
		my $who   = "current_setting('app.user_id', true)";
		my @enrol = map {
				"INSERT INTO $table VALUES ($who, "
			  . tenant_values($_)
			  . ", true, 'admin')"
		} qw(A B C N);
		my $become = "UPDATE $table SET user_id = $who, kind = 'admin'";
		return (
			[@enrol],
			[$become],
			[ @enrol, $become ],
			[ 'UPDATE ' . $table . ' SET ' . $set->('A') ],
			[ 'UPDATE ' . $table . ' SET ' . $set->('B') ],
			[ 'UPDATE ' . $table . ' SET ' . $set->('C') ],
			["DELETE FROM $table"]);
	}
	if ($name =~ /^p_(w|wrls)$/)
	{
		return (
			[ "UPDATE $table SET open = true, " . $set->('A') ],
			[ "UPDATE $table SET open = true, " . $set->('B') ],
			[ "UPDATE $table SET open = true, " . $set->('C') ],
			[ "UPDATE $table SET " . $set->('N') ],
			[
				map {
						"INSERT INTO $table VALUES ("
					  . (10 + ord) . ', '
					  . tenant_values($_)
					  . ', true)'
				} qw(A B C)
			],
			["DELETE FROM $table"]);
	}
	return;
}

# Tables that policies are made for: name, kind of key, whether it can be
# null, whether there is a second key, table of parents if there is no key.
# Their rows have every key with every combination of what else conditions
# ask for.
sub shapes
{
	my @shapes;
	my $add = sub {
		my ($count, %shape) = @_;
		for (1 .. $count)
		{
			push @shapes, { %shape, name => sprintf('t%02d', @shapes + 1) };
		}
	};

	$add->(11, kind => 'text', nullable => 1, keys => [qw(A B C D N E)]);
	$add->(10, kind => 'text', keys     => [qw(A B C E)]);
	$add->(7,  kind => 'uuid', nullable => 1, keys => [qw(A B C N)]);
	$add->(5,  kind => 'uuid', keys     => [qw(A B C)]);
	$add->(6,  kind => 'int',  nullable => 1, keys => [qw(A B C N)]);
	$add->(5,  kind => 'int',  keys     => [qw(A B C)]);
	$add->(2,  kind => 'code', keys     => [qw(A B C E)]);
	$add->(
		3,
		kind     => 'text',
		nullable => 1,
		org      => 1,
		keys     => [qw(AA AB BA BB AN NA CA)]);
	$add->(3, kind => 'text', org => 1, keys => [qw(AA AB BA BB AE CA)]);
	$add->(2, parents => $_, keys => [qw(A B C N A N)])
	  for qw(p_ro p_rls p_rnd p_wrls);
	return @shapes;
}

my $flags   = "(ARRAY[true, false, NULL])[1 + c % 3]";
my $numbers = "(ARRAY[1, 5, NULL])[1 + c / 3 % 3]";
my $owners  = "(ARRAY['ua', 'ub', NULL])[1 + c / 9]";

# SQL that makes a table of a shape, its rows, and the same rows aside.
# A row's number is its key's times 100 plus its combination's.
sub table_sql
{
	my ($schema, $shape) = @_;
	my $table = "$schema.$shape->{name}";
	my @keys  = @{ $shape->{keys} };
	my ($columns, @values);

	if ($shape->{parents})
	{
		$columns = "parent_id int REFERENCES $schema.$shape->{parents} (id)";
		@values =
		  map { $_ < 5 ? ($_ + 1) . '::int' : 'NULL::int' } 0 .. $#keys;
	}
	else
	{
		my $not_null = $shape->{nullable} ? '' : ' NOT NULL';
		my $type     = $KEYS{ $shape->{kind} }{type};

		$columns = "tenant_id $type$not_null, parent_id int";
		$columns .= ", org_id text$not_null" if $shape->{org};
		for (@keys)
		{
			my ($tenant, $org) = /(.)(.)?/;
			push @values,
				value($shape->{kind}, $tenant)
			  . ', (ARRAY[1, 2, 3, 4, 5, NULL])[1 + c % 6]'
			  . (defined $org ? ', ' . value('org', $org) : '');
		}
	}
	my $rows = join ' UNION ALL ', map {
		"SELECT ${_} * 100 + c, $owners, $flags, $numbers, (ARRAY['x', 'acme', 'bolt', NULL, 'ua'])[1 + c % 5], $values[$_] FROM generate_series(0, 26) c"
	} 0 .. $#keys;

	return <<"SQL";
CREATE TABLE $table (id int, owner_id text, flag boolean, n int, name text, $columns);
INSERT INTO $table $rows;
ALTER TABLE $table ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON $table TO fuzz_app;
SQL
}

sub value
{
	my ($kind, $tenant) = @_;

	return "NULL::$KEYS{$kind}{type}" if $tenant eq 'N';
	return "''"                       if $tenant eq 'E';
	return "'$TENANTS{$kind}{$tenant}'::$KEYS{$kind}{type}";
}

1;
