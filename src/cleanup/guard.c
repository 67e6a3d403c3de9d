/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  What stands against deleting from a table.
 *
 * A guard is either about what cannot work, and then nothing helps but to
 * mend it, or about what is seldom meant, and then its name among the
 * overrides says that it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "cleanup/target.h"
#include "commands/extension.h"
#include "core/compat.h"
#include "core/relation.h"
#include "core/words.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rls.h"

/* From here on a table without an index is not just swept. */
#define LARGE_TABLE		((double) 1024 * 1024 * 1024)

/* Guards that can be overridden, in the order of the alphabet. */
static const char *const overridable[] = {
	"extension_table", "future_cutoff", "instead_rule", "keep_floor",
	"no_index", "row_cap", "row_security", "share", "slow_foreign_key",
	"untrusted_code",
};

typedef enum Force
{
	OVERRIDABLE,
	NEVER,
} Force;

static void guard_server(OpsTarget *target);
static bool guard_kind(OpsTarget *target);
static void guard_rights(OpsTarget *target);
static void guard_time(OpsTarget *target);
static void guard_rows(OpsTarget *target);
static void guard_references(OpsTarget *target);
static void guard_code(OpsTarget *target);
static bool is_trusted(const OpsTarget *target, Oid owner);
static void distrust(OpsTarget *target, Oid relid);
static void guard_archive(OpsTarget *target);
static void weigh_tree(List *targets, List *estimates, const OpsTarget *first);
static void weigh(OpsTarget *target, double rows, double total);
static void add(OpsTarget *target, Force force, const char *name,
				const char *message, const char *remedy);
static const char *mean_it(const char *name);

/*
 * Fill in the guards of a target that can be told without counting its rows.
 */
void
ops_cleanup_guards(OpsTarget *target)
{
	target->guards = NIL;
	guard_server(target);
	if (!guard_kind(target))
		return;
	guard_rights(target);
	guard_time(target);
	guard_archive(target);
	if (target->expired)
		return;
	guard_rows(target);
	guard_references(target);
	guard_code(target);
}

/*
 * The first guard that is not overridden, NULL if there is none.
 */
const OpsGuard *
ops_cleanup_stop(const OpsTarget *target)
{
	ListCell   *lc;

	foreach(lc, target->guards)
	{
		const OpsGuard *guard = lfirst(lc);

		if (!guard->overridden)
			return guard;
	}
	return NULL;
}

/*
 * Raise 22023 unless each is the name of a guard that can be overridden.
 */
void
ops_cleanup_check_overrides(List *names)
{
	StringInfoData known;
	ListCell   *lc;

	initStringInfo(&known);
	for (int i = 0; i < lengthof(overridable); i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", overridable[i]);
	foreach(lc, names)
	{
		bool		found = false;

		for (int i = 0; i < lengthof(overridable); i++)
			found |= strcmp(lfirst(lc), overridable[i]) == 0;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there is no guard \"%s\" that can be overridden",
							(char *) lfirst(lc)),
					 errhint("Guards that can be overridden are: %s.", known.data)));
	}
}

/*
 * Add the guards about how much would go of one table.
 */
void
ops_cleanup_weigh(OpsTarget *target, const OpsEstimate *estimate)
{
	weigh(target, estimate->rows, estimate->total);
}

/*
 * The same for all targets of a policy, with an OpsEstimate or NULL for each.
 *
 * What may go is a share of a table as people see it: a single partition can
 * well go completely.
 */
void
ops_cleanup_weigh_all(List *targets, List *estimates)
{
	List	   *roots = NIL;
	ListCell   *lc;

	foreach(lc, targets)
	{
		const OpsTarget *target = lfirst(lc);

		if (list_member_oid(roots, target->root))
			continue;
		roots = lappend_oid(roots, target->root);
		weigh_tree(targets, estimates, target);
	}
}

static void
weigh_tree(List *targets, List *estimates, const OpsTarget *first)
{
	double		rows = 0;
	double		total = 0;
	ListCell   *target;
	ListCell   *estimate;

	forboth(target, targets, estimate, estimates)
	{
		const OpsEstimate *part = lfirst(estimate);

		if (((OpsTarget *) lfirst(target))->root != first->root || part == NULL)
			continue;
		rows += part->rows;
		total += part->total;
	}
	forboth(target, targets, estimate, estimates)
	{
		const OpsEstimate *part = lfirst(estimate);

		if (((OpsTarget *) lfirst(target))->root == first->root &&
			part && part->rows > 0)
			weigh(lfirst(target), rows, total);
	}
}

static void
weigh(OpsTarget *target, double rows, double total)
{
	double		share = total > 0 ? 100.0 * rows / total : 0;
	const OpsRetention *policy = target->policy;

	if (share > policy->max_share)
		add(target, OVERRIDABLE, "share",
			psprintf(_("%.1f %% of the table's rows would go, and no more than %g %% may"),
					 share, policy->max_share),
			mean_it("share"));
	if (policy->row_cap > 0 && rows > policy->row_cap)
		add(target, OVERRIDABLE, "row_cap",
			psprintf(_("about %.0f rows of the table would go, and no more than %lld may"),
					 rows, (long long) policy->row_cap),
			mean_it("row_cap"));
}

static void
guard_server(OpsTarget *target)
{
	if (RecoveryInProgress())
		add(target, NEVER, "standby",
			_("this server is a standby, and nothing can be deleted here"),
			_("Run it on the primary."));
}

/*
 * What is no table that rows can be deleted from; false if so.
 */
static bool
guard_kind(OpsTarget *target)
{
	Oid			schema = get_rel_namespace(target->relid);
	Oid			extension;

	if (target->relid < FirstNormalObjectId || IsToastNamespace(schema) ||
		IsCatalogNamespace(schema))
	{
		add(target, NEVER, "system_table",
			_("it belongs to the server itself"),
			_("Take it out of the policy."));
		return false;
	}
	if (target->relkind == RELKIND_FOREIGN_TABLE)
	{
		add(target, NEVER, "foreign_table",
			_("it is a foreign table, and its rows are on another server"),
			_("Make the policy on the server that has the rows."));
		return false;
	}
	if (target->relkind != RELKIND_RELATION)
	{
		add(target, NEVER, "not_a_table",
			_("it is not a table"),
			_("Take it out of the policy, and name the table that has the rows."));
		return false;
	}
	if (target->persistence == RELPERSISTENCE_TEMP &&
		isOtherTempNamespace(schema))
	{
		add(target, NEVER, "other_temp",
			_("it is a temporary table of another session"),
			_("Take it out of the policy; it goes with its session."));
		return false;
	}
	extension = getExtensionOfObject(RelationRelationId, target->relid);
	if (OidIsValid(extension))
		add(target, OVERRIDABLE, "extension_table",
			psprintf(_("it belongs to the extension \"%s\""),
					 get_extension_name(extension)),
			mean_it("extension_table"));
	return true;
}

static void
guard_rights(OpsTarget *target)
{
	bool		missing = false;
	Oid			schema = get_rel_namespace(target->relid);
	char	   *role = GetUserNameFromId(target->run_as, true);
	char	   *schema_name = get_namespace_name(schema);

	if (role == NULL)
	{
		add(target, NEVER, "no_privilege",
			_("the role that it runs as does not exist any more"),
			_("Give the policy another role with run_as."));
		return;
	}
	if (pg_class_aclcheck_ext(target->relid, target->run_as, ACL_SELECT,
							  &missing) != ACLCHECK_OK ||
		pg_class_aclcheck_ext(target->relid, target->run_as, ACL_DELETE,
							  &missing) != ACLCHECK_OK)
		add(target, NEVER, "no_privilege",
			psprintf(_("role \"%s\" may not select from it and delete from it"), role),
			psprintf("GRANT SELECT, DELETE ON %s TO %s;", target->name,
					 quote_identifier(role)));
	else if (!isTempNamespace(schema) &&
			 !ops_compat_can_use_schema(schema, target->run_as))
		add(target, NEVER, "no_privilege",
			psprintf(_("role \"%s\" may not use its schema"), role),
			psprintf("GRANT USAGE ON SCHEMA %s TO %s;",
					 quote_identifier(schema_name ? schema_name : "?"),
					 quote_identifier(role)));
}

static void
guard_time(OpsTarget *target)
{
	const OpsRetention *policy = target->policy;

	if (target->problem)
		add(target, NEVER, "wrong_column",
			psprintf(_("the policy does not fit the table: %s"), target->problem),
			_("Change the policy's column, format or expressions to what the table has."));
	else if (target->predicate == NULL)
		add(target, NEVER, "locked",
			target->holder != 0 ?
			psprintf(_("process %d has it locked, and what the policy says of its rows could not be read"),
					 target->holder) :
			_("another process has it locked, and what the policy says of its rows could not be read"),
			_("Wait for that process to end, and try again."));
	else if (target->cutoff > target->now)
		add(target, OVERRIDABLE, "future_cutoff",
			psprintf(_("rows from before %s would go, which is in the future"),
					 timestamptz_to_str(target->cutoff)),
			_("Give an interval that is not negative, or override the guard future_cutoff."));

	if (policy->keep && policy->min_keep &&
		DatumGetBool(DirectFunctionCall2(interval_lt,
										 IntervalPGetDatum(policy->keep),
										 IntervalPGetDatum(policy->min_keep))))
		add(target, OVERRIDABLE, "keep_floor",
			psprintf(_("rows are kept for %s only, and no less than %s is allowed"),
					 DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(policy->keep))),
					 DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(policy->min_keep)))),
			_("Keep rows for longer, lower min_keep, or override the guard keep_floor."));
}

/*
 * What only matters where rows are deleted one by one.
 */
static void
guard_rows(OpsTarget *target)
{
	if (target->instead_rule)
		add(target, OVERRIDABLE, "instead_rule",
			_("a rule does something else INSTEAD of deleting"),
			mean_it("instead_rule"));
	if (check_enable_rls(target->relid, target->run_as, true) == RLS_ENABLED)
		add(target, OVERRIDABLE, "row_security",
			psprintf(_("row security can hide rows from role \"%s\", and they would stay"),
					 GetUserNameFromId(target->run_as, true)),
			_("Run the policy as the owner of the table or a role with BYPASSRLS, or override the guard row_security."));
	if (target->unidentified)
		add(target, NEVER, "replica_identity",
			_("its deletions are published, but it has no replica identity that would tell subscribers which rows go"),
			psprintf("ALTER TABLE %s REPLICA IDENTITY FULL;", target->name));
	if (!OidIsValid(target->index) && target->create_index &&
		(double) target->blocks * BLCKSZ > LARGE_TABLE)
		add(target, OVERRIDABLE, "no_index",
			psprintf(_("no index finds its old rows, and it has %s to read through"),
					 ops_bytes((double) target->blocks * BLCKSZ)),
			target->create_index);
}

static void
guard_references(OpsTarget *target)
{
	ListCell   *lc;

	foreach(lc, target->references)
	{
		const OpsReference *reference = lfirst(lc);
		char	   *schema = get_namespace_name(get_rel_namespace(reference->relation));
		char	   *name = get_rel_name(reference->relation);

		if (reference->indexed || !reference->large ||
			schema == NULL || name == NULL)
			continue;
		add(target, OVERRIDABLE, "slow_foreign_key",
			psprintf(_("each row that goes makes the server read all of %s, for no index leads with the columns of its foreign key \"%s\""),
					 quote_qualified_identifier(schema, name),
					 reference->constraint),
			reference->create_index);
		return;
	}
}

/*
 * Deleting runs triggers, and those AFTER it run with our rights whatever
 * table they are of: so of one that rows are deleted from by a cascade, too.
 * Who owns such a table could take the rights of a role that cleans up at
 * night.
 */
static void
guard_code(OpsTarget *target)
{
	ListCell   *lc;

	if (superuser_arg(target->run_as) && !superuser_arg(target->owner))
		distrust(target, target->relid);
	if (OidIsValid(target->policy->archive) &&
		!is_trusted(target, ops_relation_owner(target->policy->archive)))
		distrust(target, target->policy->archive);
	foreach(lc, target->references)
	{
		const OpsReference *reference = lfirst(lc);

		if (reference->action != FKCONSTR_ACTION_NOACTION &&
			reference->action != FKCONSTR_ACTION_RESTRICT &&
			!is_trusted(target, ops_relation_owner(reference->relation)))
			distrust(target, reference->relation);
	}
}

static bool
is_trusted(const OpsTarget *target, Oid owner)
{
	return !OidIsValid(owner) || has_privs_of_role(owner, target->run_as);
}

static void
distrust(OpsTarget *target, Oid relid)
{
	char	   *schema = get_namespace_name(get_rel_namespace(relid));
	char	   *name = get_rel_name(relid);
	Oid			owner = ops_relation_owner(relid);

	if (schema == NULL || name == NULL || !OidIsValid(owner))
		return;
	add(target, OVERRIDABLE, "untrusted_code",
		psprintf(_("triggers of table %s would run with the rights of role \"%s\", which its owner \"%s\" does not have"),
				 quote_qualified_identifier(schema, name),
				 GetUserNameFromId(target->run_as, false),
				 GetUserNameFromId(owner, false)),
		mean_it("untrusted_code"));
}

static void
guard_archive(OpsTarget *target)
{
	if (target->archive_problem)
		add(target, NEVER, "archive", target->archive_problem,
			_("Make the archive fit the table, by name and type of its columns, or give another one."));
}

static void
add(OpsTarget *target, Force force, const char *name, const char *message,
	const char *remedy)
{
	OpsGuard   *guard = palloc0(sizeof(OpsGuard));

	guard->name = name;
	guard->never = force == NEVER;
	guard->overridden = force == OVERRIDABLE && ops_target_overrides(target, name);
	guard->message = message;
	guard->remedy = remedy;
	target->guards = lappend(target->guards, guard);
}

bool
ops_target_overrides(const OpsTarget *target, const char *name)
{
	ListCell   *lc;

	foreach(lc, target->policy->overrides)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/*
 * How to override a guard, where there is nothing to mend.
 */
static const char *
mean_it(const char *name)
{
	return psprintf(_("If that is meant, add it to the overrides: overrides => '{%s}'."),
					name);
}
