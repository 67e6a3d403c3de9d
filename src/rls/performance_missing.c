/*-------------------------------------------------------------------------
 *
 * performance_missing.c
 *	  Indexes that policies miss.
 *
 * A finding is about the table that lacks the index, and there is one for all
 * that it lacks, whichever tables' policies look it up.  Those tables get a
 * note, or the finding itself if nobody asked about the table that they look
 * up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "rls/deparse.h"
#include "rls/formula.h"
#include "rls/performance_report.h"
#include "utils/builtins.h"

#define MAX_USERS_NAMED	10

/* A lookup without index, and who does it. */
typedef struct SlowLookup
{
	OpsUnserved *unserved;
	List	   *policies;		/* OpsRlsPolicy of the table itself */
	List	   *users;			/* char *: the first policies of others */
	int			nusers;
} SlowLookup;

typedef struct SlowTable
{
	Oid			oid;			/* hash key, first */
	List	   *lookups;		/* SlowLookup */
} SlowTable;

static SlowTable *slow_table(OpsRlsAudit *audit, Oid oid);
static bool is_elsewhere(const OpsRlsRelation *relation,
						 const OpsUnserved *unserved);
static SlowLookup *slow_lookup(SlowTable *table, OpsUnserved *unserved);
static void report_kind(OpsRlsAudit *audit, const OpsRlsRelation *relation,
						const SlowTable *table, OpsRlsCodeId code);
static bool is_of_kind(const SlowLookup *lookup, OpsRlsCodeId code);
static bool has_longer(const SlowTable *table, const SlowLookup *lookup);
static bool is_covered(const OpsRlsRelation *relation,
					   const SlowTable *table, const SlowLookup *lookup);
static bool lacks_index(const SlowTable *table, const OpsRlsPolicy *policy,
						const OpsRlsRelation *of);
static void add_lookup(OpsRlsAudit *audit, OpsRlsFinding *finding,
					   const SlowLookup *lookup, StringInfo keys,
					   StringInfo users, StringInfo remedy);
static void append(StringInfo list, const char *item);
static char *index_key(const OpsUnserved *unserved);
static char *column_list(const OpsUnserved *unserved);

static SlowTable *
slow_table(OpsRlsAudit *audit, Oid oid)
{
	struct OpsPerformance *performance = audit->performance;
	SlowTable  *table;
	bool		found;

	if (performance->slow_tables == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(SlowTable);
		ctl.hcxt = audit->context;
		performance->slow_tables = hash_create("tables that lack indexes",
											   256, &ctl,
											   HASH_ELEM | HASH_BLOBS |
											   HASH_CONTEXT);
	}
	table = hash_search(performance->slow_tables, &oid, HASH_ENTER, &found);
	if (!found)
		table->lookups = NIL;
	return table;
}

/*
 * Keep the lookups of a policy that no index serves until the other policies
 * are known.
 */
void
ops_rls_note_unserved(OpsRlsAudit *audit, const OpsRlsRelation *relation,
					  const OpsRlsPolicy *policy, List *unserved)
{
	ListCell   *lc;

	foreach(lc, unserved)
	{
		OpsUnserved *one = lfirst(lc);
		SlowLookup *lookup = slow_lookup(slow_table(audit, relation->oid), one);

		lookup->policies = list_append_unique_ptr(lookup->policies,
												  unconstify(OpsRlsPolicy *, policy));
		if (!is_elsewhere(relation, one))
			continue;
		lookup = slow_lookup(slow_table(audit, one->table->oid), one);
		if (lookup->nusers++ < MAX_USERS_NAMED)
			lookup->users = lappend(lookup->users,
									psprintf("%s on %s",
											 quote_identifier(policy->name),
											 ops_rls_relation_name(relation)));
	}
}

/*
 * Whether another table lacks the index, which is going to be reported there.
 */
static bool
is_elsewhere(const OpsRlsRelation *relation, const OpsUnserved *unserved)
{
	return unserved->table != relation && unserved->table->in_scope &&
		(unserved->table->kind == RELKIND_RELATION ||
		 unserved->table->kind == RELKIND_PARTITIONED_TABLE);
}

static SlowLookup *
slow_lookup(SlowTable *table, OpsUnserved *unserved)
{
	SlowLookup *lookup;
	ListCell   *lc;

	foreach(lc, table->lookups)
	{
		lookup = lfirst(lc);
		if (ops_rls_same_unserved(lookup->unserved, unserved))
			return lookup;
	}
	lookup = palloc0(sizeof(SlowLookup));
	lookup->unserved = palloc(sizeof(OpsUnserved));
	*lookup->unserved = *unserved;
	lookup->unserved->columns = list_copy(unserved->columns);
	lookup->unserved->expression = copyObject(unserved->expression);
	table->lookups = lappend(table->lookups, lookup);
	return lookup;
}

/*
 * Report what was kept about a table.
 */
void
ops_rls_report_unserved(OpsRlsAudit *audit, const OpsRlsRelation *relation)
{
	const SlowTable *table;

	if (audit->performance->slow_tables == NULL)
		return;
	table = hash_search(audit->performance->slow_tables, &relation->oid,
						HASH_FIND, NULL);
	if (table == NULL)
		return;
	report_kind(audit, relation, table, PERF_POLICY_UNINDEXED_COLUMN);
	report_kind(audit, relation, table, PERF_POLICY_INDEX_DEFEATED);
}

static void
report_kind(OpsRlsAudit *audit, const OpsRlsRelation *relation,
			const SlowTable *table, OpsRlsCodeId code)
{
	OpsRlsFinding *finding = NULL;
	bool		covered = true;
	StringInfoData keys;
	StringInfoData users;
	StringInfoData remedy;
	ListCell   *lc;

	initStringInfo(&keys);
	initStringInfo(&users);
	initStringInfo(&remedy);
	foreach(lc, table->lookups)
	{
		const SlowLookup *lookup = lfirst(lc);

		if (!is_of_kind(lookup, code) || has_longer(table, lookup))
			continue;
		if (finding == NULL)
			finding = ops_rls_report(audit, code, relation);
		add_lookup(audit, finding, lookup, &keys, &users, &remedy);
		covered = covered && is_covered(relation, table, lookup);
	}
	if (finding == NULL)
		return;

	if (covered)
		finding->severity = OPS_P3;
	if (code == PERF_POLICY_UNINDEXED_COLUMN)
		finding->message = psprintf(_("no usable index leads with %s, by which policies look up rows"),
									keys.data);
	else
		finding->message = psprintf(_("policies look up rows by %s, which no index of the column serves"),
									keys.data);
	if (remedy.len > 0)
		finding->remediation = remedy.data;
	if (users.len > 0)
		ops_rls_evidence(finding, "looked_up_by", "%s", users.data);
}

static bool
is_of_kind(const SlowLookup *lookup, OpsRlsCodeId code)
{
	return (lookup->unserved->expression != NULL) ==
		(code == PERF_POLICY_INDEX_DEFEATED);
}

/*
 * Whether the index for another lookup would serve this one too.
 */
static bool
has_longer(const SlowTable *table, const SlowLookup *lookup)
{
	int			ncolumns = list_length(lookup->unserved->columns);
	ListCell   *lc;

	if (ncolumns == 0)
		return false;
	foreach(lc, table->lookups)
	{
		const OpsUnserved *other = ((SlowLookup *) lfirst(lc))->unserved;

		if (other->table == lookup->unserved->table &&
			list_length(other->columns) > ncolumns &&
			linitial_int(other->columns) == linitial_int(lookup->unserved->columns))
			return true;
	}
	return false;
}

/*
 * Whether the lack of an index does not matter much here: it is another
 * table's, or a restrictive policy that an index serves goes with each
 * permissive policy that lacks one.  It is taken to be served by one if it
 * does not lack one itself, and binds everybody.
 */
static bool
is_covered(const OpsRlsRelation *relation, const SlowTable *table,
		   const SlowLookup *lookup)
{
	ListCell   *lc;

	if (is_elsewhere(relation, lookup->unserved))
		return true;
	if (lookup->unserved->table != relation || lookup->nusers > 0)
		return false;
	foreach(lc, lookup->policies)
	{
		if (!((OpsRlsPolicy *) lfirst(lc))->permissive)
			return false;
	}
	foreach(lc, relation->policies)
	{
		const OpsRlsPolicy *policy = lfirst(lc);

		if (!policy->permissive && policy->command == '*' &&
			ops_rls_policy_is_to_public(policy) &&
			!lacks_index(table, policy, relation))
			return true;
	}
	return false;
}

static bool
lacks_index(const SlowTable *table, const OpsRlsPolicy *policy,
			const OpsRlsRelation *of)
{
	ListCell   *lc;

	foreach(lc, table->lookups)
	{
		const SlowLookup *lookup = lfirst(lc);

		if (lookup->unserved->table == of &&
			list_member_ptr(lookup->policies, policy))
			return true;
	}
	return false;
}

/*
 * Add one lookup to the finding about them all.
 */
static void
add_lookup(OpsRlsAudit *audit, OpsRlsFinding *finding,
		   const SlowLookup *lookup, StringInfo keys, StringInfo users,
		   StringInfo remedy)
{
	const OpsUnserved *unserved = lookup->unserved;
	const char *table = ops_rls_relation_name(unserved->table);
	char	   *key = index_key(unserved);
	ListCell   *lc;

	foreach(lc, lookup->policies)
	{
		const char *name = ((OpsRlsPolicy *) lfirst(lc))->name;

		if (!list_member_ptr(finding->policies, name))
			finding->policies = lappend(finding->policies,
										unconstify(char *, name));
	}
	foreach(lc, lookup->users)
		append(users, lfirst(lc));
	if (lookup->nusers > MAX_USERS_NAMED)
		append(users, "...");
	if (OidIsValid(unserved->helper))
		append(users, ops_rls_function(audit, unserved->helper)->name);

	append(keys, psprintf("%s (%s)", table, key ? key : "?"));

	/* What is not immutable cannot be indexed; the policy has to change. */
	if (key && (unserved->expression == NULL ||
				ops_tree_all_immutable(unserved->expression)))
		appendStringInfo(remedy, "%sCREATE INDEX %sON %s (%s);",
						 remedy->len > 0 ? "\n" : "",
						 unserved->table->kind == RELKIND_PARTITIONED_TABLE ?
						 "" : "CONCURRENTLY ", table, key);
}

static void
append(StringInfo list, const char *item)
{
	appendStringInfo(list, "%s%s", list->len > 0 ? ", " : "", item);
}

/*
 * What stands in the parentheses of CREATE INDEX; NULL if it cannot be had.
 */
static char *
index_key(const OpsUnserved *unserved)
{
	char	   *sql;

	if (unserved->expression == NULL)
		return column_list(unserved);
	sql = ops_rls_deparse(unserved->table,
						  ops_tree_shown_cast(unserved->expression));
	return sql ? psprintf("(%s)", sql) : NULL;
}

static char *
column_list(const OpsUnserved *unserved)
{
	StringInfoData list;
	ListCell   *lc;

	initStringInfo(&list);
	foreach(lc, unserved->columns)
	{
		int			column = lfirst_int(lc);

		if (column <= unserved->table->ncolumns &&
			unserved->table->columns[column - 1].name)
			append(&list, quote_identifier(unserved->table->columns[column - 1].name));
	}
	return list.data;
}
