/*-------------------------------------------------------------------------
 *
 * performance_table.c
 *	  What is slow about the policies of a table, taken together.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "rls/performance_report.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/regproc.h"

/* The commands that policies are for. */
typedef struct PolicyCommand
{
	char		command;
	AclMode		right;
	const char *name;
} PolicyCommand;

static const PolicyCommand commands[] = {
	{ACL_SELECT_CHR, ACL_SELECT, "SELECT"},
	{ACL_INSERT_CHR, ACL_INSERT, "INSERT"},
	{ACL_UPDATE_CHR, ACL_UPDATE, "UPDATE"},
	{ACL_DELETE_CHR, ACL_DELETE, "DELETE"},
};

static AclMode rights_under_policies(OpsRlsAudit *audit,
									 const OpsRlsRole *role,
									 const OpsRlsRelation *relation);
static bool applies(const OpsRlsAudit *audit, const OpsRlsRole *role,
					const OpsRlsPolicy *policy);
static void report_to_public(OpsRlsAudit *audit,
							 const OpsRlsRelation *relation);
static char *name_list(List *names);
static char *grantee_list(OpsRlsAudit *audit, const OpsRlsRelation *relation);
static bool append_grantees(OpsRlsAudit *audit, const OpsRlsRelation *relation,
							const Acl *acl, List **seen, StringInfo list);
static void report_multiple(OpsRlsAudit *audit,
							const OpsRlsRelation *relation, int place);
static List *permissive_for(const OpsRlsRelation *relation, char command);

/*
 * Whether the statements of some audited role meet a policy.
 */
bool
ops_rls_policy_is_met(OpsRlsAudit *audit, const OpsRlsRelation *relation,
					  const OpsRlsPolicy *policy)
{
	ListCell   *lc;

	foreach(lc, audit->roles)
	{
		const OpsRlsRole *role = lfirst(lc);
		AclMode		rights;

		if (!applies(audit, role, policy))
			continue;
		rights = rights_under_policies(audit, role, relation);
		if (policy->command == '*' && rights != 0)
			return true;
		for (int i = 0; i < lengthof(commands); i++)
		{
			if (commands[i].command == policy->command &&
				(rights & commands[i].right))
				return true;
		}
	}
	return false;
}

static AclMode
rights_under_policies(OpsRlsAudit *audit, const OpsRlsRole *role,
					  const OpsRlsRelation *relation)
{
	AclMode		wanted = ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE;
	AclMode		rights;

	if (ops_rls_exempt(audit, role->oid, relation))
		return 0;
	rights = ops_rls_rights(audit, role, relation, wanted);
	if ((rights & wanted) != wanted)
		rights |= ops_rls_any_column_rights(audit, role, relation,
											wanted & ~ACL_DELETE);
	return rights & wanted;
}

static bool
applies(const OpsRlsAudit *audit, const OpsRlsRole *role,
		const OpsRlsPolicy *policy)
{
	for (int i = 0; i < policy->nroles; i++)
	{
		if (policy->roles[i] == InvalidOid ||
			ops_rls_inherits(audit, role, policy->roles[i]))
			return true;
	}
	return false;
}

bool
ops_rls_policy_is_to_public(const OpsRlsPolicy *policy)
{
	return policy->nroles == 1 && policy->roles[0] == InvalidOid;
}

/*
 * The command's name; NULL stands for all.
 */
const char *
ops_rls_command_name(char command)
{
	for (int i = 0; i < lengthof(commands); i++)
	{
		if (commands[i].command == command)
			return commands[i].name;
	}
	return NULL;
}

/*
 * A user-defined function as ALTER FUNCTION wants it, NULL if it is gone or
 * the server's own.
 */
char *
ops_rls_signature(Oid function)
{
	if (function < FirstNormalObjectId)
		return NULL;
	return format_procedure_extended(function,
									 FORMAT_PROC_INVALID_AS_NULL |
									 FORMAT_PROC_FORCE_QUALIFY);
}

/*
 * Report what concerns all policies of a table.
 */
void
ops_rls_performance_relation(OpsRlsAudit *audit, OpsRlsRelation *relation)
{
	if (!relation->in_scope)
		return;
	ops_rls_report_unserved(audit, relation);
	if (!relation->row_security || relation->policies == NIL)
		return;
	report_to_public(audit, relation);
	if (list_length(relation->policies) > 1)
	{
		for (int i = 0; i < lengthof(commands); i++)
			report_multiple(audit, relation, i);
	}
}

/*
 * Permissive policies without TO, in one finding; a restrictive one is a
 * floor for everybody, and better so.
 */
static void
report_to_public(OpsRlsAudit *audit, const OpsRlsRelation *relation)
{
	List	   *policies = NIL;
	OpsRlsFinding *finding;
	StringInfoData remedy;
	char	   *grantees;
	ListCell   *lc;

	foreach(lc, relation->policies)
	{
		OpsRlsPolicy *policy = lfirst(lc);

		if (policy->permissive && ops_rls_policy_is_to_public(policy))
			policies = lappend(policies, unconstify(char *, policy->name));
	}
	if (policies == NIL)
		return;
	foreach(lc, audit->roles)
	{
		if (rights_under_policies(audit, lfirst(lc), relation) != 0)
			break;
	}
	if (lc == NULL)
		return;

	finding = ops_rls_report(audit, PERF_POLICY_TO_PUBLIC, relation);
	finding->policies = policies;
	finding->message = psprintf(_("policies without TO (%s) are evaluated for every role"),
								name_list(policies));
	grantees = grantee_list(audit, relation);
	if (grantees == NULL)
		return;
	initStringInfo(&remedy);
	foreach(lc, policies)
		appendStringInfo(&remedy, "%sALTER POLICY %s ON %s TO %s;",
						 remedy.len > 0 ? " " : "",
						 quote_identifier(lfirst(lc)),
						 ops_rls_relation_name(relation), grantees);
	finding->remediation = remedy.data;
}

static char *
name_list(List *names)
{
	StringInfoData list;
	ListCell   *lc;

	initStringInfo(&list);
	foreach(lc, names)
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
						 quote_identifier(lfirst(lc)));
	return list.data;
}

/*
 * The roles that the table is granted to; NULL if that is everybody, or none.
 */
static char *
grantee_list(OpsRlsAudit *audit, const OpsRlsRelation *relation)
{
	StringInfoData list;
	List	   *seen = NIL;

	initStringInfo(&list);
	if (!append_grantees(audit, relation, relation->acl, &seen, &list))
		return NULL;
	for (int i = 0; i < relation->ncolumns; i++)
	{
		if (!append_grantees(audit, relation, relation->columns[i].acl, &seen,
							 &list))
			return NULL;
	}
	return list.len > 0 ? list.data : NULL;
}

static bool
append_grantees(OpsRlsAudit *audit, const OpsRlsRelation *relation,
				const Acl *acl, List **seen, StringInfo list)
{
	const AclItem *items;

	if (acl == NULL)
		return true;
	items = ACL_DAT(acl);
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		Oid			grantee = items[i].ai_grantee;
		const OpsRlsRole *role;

		if (grantee == ACL_ID_PUBLIC)
			return false;
		if (list_member_oid(*seen, grantee) ||
			ops_rls_exempt(audit, grantee, relation))
			continue;
		role = ops_rls_role(audit, grantee);
		if (role == NULL)
			continue;
		*seen = lappend_oid(*seen, grantee);
		appendStringInfo(list, "%s%s", list->len > 0 ? ", " : "",
						 quote_identifier(role->name));
	}
	return true;
}

/*
 * Permissive policies that all apply to one role's statements of one kind.
 */
static void
report_multiple(OpsRlsAudit *audit, const OpsRlsRelation *relation, int place)
{
	List	   *candidates = permissive_for(relation, commands[place].command);
	Bitmapset  *several = NULL;
	StringInfoData names;
	OpsRlsFinding *finding;
	int			member = -1;
	ListCell   *lc;

	if (list_length(candidates) < 2)
		return;
	initStringInfo(&names);
	foreach(lc, audit->roles)
	{
		const OpsRlsRole *role = lfirst(lc);
		Bitmapset  *met = NULL;
		ListCell   *candidate;

		CHECK_FOR_INTERRUPTS();
		foreach(candidate, candidates)
		{
			if (applies(audit, role, lfirst(candidate)))
				met = bms_add_member(met, foreach_current_index(candidate));
		}
		if (bms_membership(met) != BMS_MULTIPLE ||
			(rights_under_policies(audit, role, relation) &
			 commands[place].right) == 0)
			continue;
		several = bms_add_members(several, met);
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 role->names);
	}
	if (several == NULL)
		return;

	finding = ops_rls_report(audit, PERF_MULTIPLE_PERMISSIVE_POLICIES,
							 relation);
	while ((member = bms_next_member(several, member)) >= 0)
		finding->policies = lappend(finding->policies,
									unconstify(char *, ((OpsRlsPolicy *) list_nth(candidates, member))->name));
	finding->command = commands[place].name;
	finding->message = psprintf(_("permissive policies (%s) are all evaluated for each %s of %s; one policy with OR, or one for each role, does with less"),
								name_list(finding->policies),
								commands[place].name, names.data);
	ops_rls_evidence(finding, "roles", "%s", names.data);
}

static List *
permissive_for(const OpsRlsRelation *relation, char command)
{
	List	   *policies = NIL;
	ListCell   *lc;

	foreach(lc, relation->policies)
	{
		OpsRlsPolicy *policy = lfirst(lc);

		if (policy->permissive &&
			(policy->command == '*' || policy->command == command))
			policies = lappend(policies, policy);
	}
	return policies;
}
