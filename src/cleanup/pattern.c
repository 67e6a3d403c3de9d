/*-------------------------------------------------------------------------
 *
 * pattern.c
 *	  Which tables a policy is about: one, or those that fit a pattern.
 *
 * A pattern is written as for psql's \d: parts without quotes are folded to
 * lower case, * stands for any characters and ? for one, and a dot parts the
 * schema from the name.  It outlives the search_path of who wrote it, so that
 * without a schema it fits tables of all schemas but the server's own.
 *
 * To delete rows runs code of the table's owner: triggers, rules, operators.
 * Whoever can create a table could lend its name to fit a pattern and have
 * code run as the policy's role.  So a pattern takes in tables only of owners
 * that have the privileges of this role anyway.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "cleanup/retention.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* A pattern, for LIKE. */
typedef struct Pattern
{
	StringInfoData schema;		/* empty: any but the server's own */
	StringInfoData name;
	bool		has_schema;
	bool		has_wildcard;
} Pattern;

static void read_pattern(const char *target, Pattern *pattern);
static void append_character(StringInfo part, const char *character,
							 bool literal);
static bool fits(const char *name, const StringInfoData *part);
static bool is_table(Form_pg_class class, const Pattern *pattern, Oid run_as);
static List *scan_tables(const Pattern *pattern, Oid run_as);
static List *parents_of(Oid relation);
static int	compare_names(const ListCell *a, const ListCell *b);

/*
 * Point a policy at what "target" names: a table, as regclass reads it, or a
 * pattern, if there is a * or ? outside of quotes.
 *
 * A table has to exist; whether a pattern fits any is asked later.  Takes no
 * lock.
 */
void
ops_retention_aim(OpsRetention *policy, const char *target)
{
	Pattern		pattern;

	read_pattern(target, &pattern);
	policy->pattern = pattern.has_wildcard ? pstrdup(target) : NULL;
	policy->relation = InvalidOid;
	if (pattern.has_wildcard)
		return;

	policy->relation =
		DatumGetObjectId(DirectFunctionCall1(regclassin,
											 CStringGetDatum(target)));
	if (get_rel_name(policy->relation) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", target)));
}

/*
 * The tables that a policy names, as oids, by schema and name: the one that
 * it is about, or those that fit its pattern now.
 *
 * A partition or child is left out where its parent is in the list.  Takes no
 * lock: a table can be gone when the caller comes to it.
 */
List *
ops_retention_tables(const OpsRetention *policy)
{
	Pattern		pattern;
	List	   *tables;
	List	   *roots = NIL;
	ListCell   *lc;

	if (policy->pattern == NULL)
		return list_make1_oid(policy->relation);

	read_pattern(policy->pattern, &pattern);
	tables = scan_tables(&pattern, policy->run_as);
	foreach(lc, tables)
	{
		if (!ops_retention_below(lfirst_oid(lc), tables))
			roots = lappend_oid(roots, lfirst_oid(lc));
	}
	list_sort(roots, compare_names);
	return roots;
}

/*
 * Turn a pattern into two for LIKE.
 */
static void
read_pattern(const char *target, Pattern *pattern)
{
	StringInfo	part = &pattern->name;
	bool		quoted = false;
	bool		too_long = false;

	initStringInfo(&pattern->schema);
	initStringInfo(&pattern->name);
	pattern->has_schema = false;
	pattern->has_wildcard = false;

	for (const char *p = target; *p; p += pg_mblen(p))
	{
		if (*p == '"')
		{
			if (quoted && p[1] == '"')
				append_character(part, p++, true);
			else
				quoted = !quoted;
		}
		else if (quoted)
			append_character(part, p, true);
		else if (*p == '*' || *p == '?')
		{
			appendStringInfoChar(part, *p == '*' ? '%' : '_');
			pattern->has_wildcard = true;
		}
		else if (*p == '.' && !pattern->has_schema)
		{
			appendStringInfoString(&pattern->schema, part->data);
			resetStringInfo(part);
			pattern->has_schema = true;
		}
		else if (*p == '.')
			too_long = true;
		else
			append_character(part, p, false);
	}
	if (!pattern->has_wildcard)
		return;					/* a name, for regclass to judge */
	if (too_long)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("pattern \"%s\" has too many dots", target),
				 errhint("Write schema.name, and names with dots in double quotes.")));
	if (quoted)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("pattern \"%s\" has an open quote", target)));
}

static void
append_character(StringInfo part, const char *character, bool literal)
{
	if (strchr("%_\\", *character))
		appendStringInfoChar(part, '\\');
	if (!literal && !IS_HIGHBIT_SET(*character))
		appendStringInfoChar(part, pg_tolower((unsigned char) *character));
	else
		appendBinaryStringInfo(part, character, pg_mblen(character));
}

static bool
fits(const char *name, const StringInfoData *part)
{
	return DatumGetBool(DirectFunctionCall2Coll(textlike, C_COLLATION_OID,
												CStringGetTextDatum(name),
												CStringGetTextDatum(part->data)));
}

/*
 * Whether it is a table that a pattern of this role takes in.
 */
static bool
is_table(Form_pg_class class, const Pattern *pattern, Oid run_as)
{
	const char *schema;

	if (class->relkind != RELKIND_RELATION &&
		class->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	if (class->relpersistence == RELPERSISTENCE_TEMP ||
		IsCatalogNamespace(class->relnamespace) ||
		IsToastNamespace(class->relnamespace))
		return false;
	if (OidIsValid(run_as) && !has_privs_of_role(class->relowner, run_as))
		return false;
	if (!fits(NameStr(class->relname), &pattern->name))
		return false;

	schema = get_namespace_name(class->relnamespace);
	if (schema == NULL)
		return false;
	if (pattern->has_schema)
		return fits(schema, &pattern->schema);
	return strcmp(schema, "information_schema") != 0 &&
		strcmp(schema, "ops") != 0;
}

static List *
scan_tables(const Pattern *pattern, Oid run_as)
{
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0,
										  NULL);
	List	   *tables = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class class = (Form_pg_class) GETSTRUCT(tuple);

		CHECK_FOR_INTERRUPTS();
		if (is_table(class, pattern, run_as))
			tables = lappend_oid(tables, class->oid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return tables;
}

/*
 * Whether one of a table's ancestors is in the list.
 */
bool
ops_retention_below(Oid relation, List *tables)
{
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, parents_of(relation))
	{
		if (list_member_oid(tables, lfirst_oid(lc)) ||
			ops_retention_below(lfirst_oid(lc), tables))
			return true;
	}
	return false;
}

static List *
parents_of(Oid relation)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	List	   *parents = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relation));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		parents = lappend_oid(parents,
							  ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return parents;
}

/*
 * Order by schema and name; what is gone comes last.
 */
static int
compare_names(const ListCell *a, const ListCell *b)
{
	const char *left = ops_retention_table_name(lfirst_oid(a));
	const char *right = ops_retention_table_name(lfirst_oid(b));

	if (left == NULL || right == NULL)
		return (left == NULL) - (right == NULL);
	return strcmp(left, right);
}

/*
 * Name of a table with its schema, quoted where needed; NULL if it is gone.
 */
const char *
ops_retention_table_name(Oid relation)
{
	const char *schema = get_namespace_name(get_rel_namespace(relation));
	const char *name = get_rel_name(relation);

	if (schema == NULL || name == NULL)
		return NULL;
	return quote_qualified_identifier(schema, name);
}
