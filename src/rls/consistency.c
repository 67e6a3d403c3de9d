/*-------------------------------------------------------------------------
 *
 * consistency.c
 *	  Policies that read another setting than their siblings.
 *
 * Where most policies compare a column with one source, and one policy
 * compares a column of that name with another source of the same kind, the
 * other one is a slip of the pen: usually nobody ever sets it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rls/tenancy.h"
#include "utils/builtins.h"

typedef struct SourceUse
{
	const char *column;
	const OpsSource *source;
	int			policies;
	OpsBinding *first;
} SourceUse;

static List *count_uses(OpsRlsAudit *audit);
static const SourceUse *usual(List *uses, const SourceUse *use);
static bool policy_reads(OpsRlsAudit *audit, const OpsRlsPolicy *policy,
						 const OpsSource *source);
static bool share_roles(const OpsRlsPolicy *a, const OpsRlsPolicy *b);
static void report(OpsRlsAudit *audit, const OpsBinding *binding,
				   const SourceUse *use, const SourceUse *other);

void
ops_rls_judge_consistency(OpsRlsAudit *audit)
{
	List	   *uses = count_uses(audit);
	ListCell   *lc;
	ListCell   *cell;

	foreach(lc, uses)
	{
		const SourceUse *use = lfirst(lc);
		const SourceUse *other = usual(uses, use);

		if (other == NULL)
			continue;
		foreach(cell, audit->tenancy->bindings)
		{
			const OpsBinding *binding = lfirst(cell);
			const OpsRlsRelation *relation = binding->relation;

			if (binding->direct && relation->in_scope &&
				linitial(binding->identity->sources) == use->source &&
				strcmp(relation->columns[binding->column - 1].name,
					   use->column) == 0 &&
				!policy_reads(audit, binding->policy, other->source) &&
				share_roles(binding->policy, other->first->policy))
				report(audit, binding, use, other);
		}
	}
}

/*
 * How many policies compare a column of some name with some source.
 */
static List *
count_uses(OpsRlsAudit *audit)
{
	List	   *uses = NIL;
	ListCell   *lc;

	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		const OpsSource *source = linitial(binding->identity->sources);
		const char *column = binding->relation->columns[binding->column - 1].name;
		SourceUse  *use = NULL;
		ListCell   *cell;

		if (!binding->direct || source->kind != SOURCE_SETTING)
			continue;
		foreach(cell, uses)
		{
			SourceUse  *known = lfirst(cell);

			if (known->source == source && strcmp(known->column, column) == 0)
				use = known;
		}
		if (use == NULL)
		{
			use = palloc0(sizeof(SourceUse));
			use->column = column;
			use->source = source;
			use->first = binding;
			uses = lappend(uses, use);
		}
		use->policies++;
	}
	return uses;
}

/*
 * The source that most policies compare such a column with, if it is another
 * one; NULL if there is none.
 */
static const SourceUse *
usual(List *uses, const SourceUse *use)
{
	const SourceUse *best = NULL;
	ListCell   *lc;

	foreach(lc, uses)
	{
		const SourceUse *other = lfirst(lc);

		if (other->source == use->source ||
			strcmp(other->column, use->column) != 0 ||
			other->source->is_user != use->source->is_user ||
			other->source->user_editable || use->source->user_editable ||
			(other->source->parent != NULL) != (use->source->parent != NULL) ||
			other->policies <= use->policies)
			continue;
		if (best == NULL || other->policies > best->policies)
			best = other;
	}
	return best;
}

/*
 * A policy that also reads the usual source knows what it does.
 */
static bool
policy_reads(OpsRlsAudit *audit, const OpsRlsPolicy *policy,
			 const OpsSource *source)
{
	ListCell   *lc;

	foreach(lc, audit->tenancy->bindings)
	{
		const OpsBinding *binding = lfirst(lc);

		if (binding->policy == policy &&
			list_member_ptr(binding->identity->sources, source))
			return true;
	}
	return false;
}

static bool
share_roles(const OpsRlsPolicy *a, const OpsRlsPolicy *b)
{
	for (int i = 0; i < a->nroles; i++)
	{
		for (int j = 0; j < b->nroles; j++)
		{
			if (a->roles[i] == b->roles[j] || a->roles[i] == InvalidOid ||
				b->roles[j] == InvalidOid)
				return true;
		}
	}
	return false;
}

static void
report(OpsRlsAudit *audit, const OpsBinding *binding, const SourceUse *use,
	   const SourceUse *other)
{
	OpsRlsFinding *finding = ops_rls_report(audit,
											POLICY_IDENTITY_INCONSISTENT,
											binding->relation);
	const char *policy = quote_identifier(binding->policy->name);

	finding->policies = list_make1((void *) binding->policy->name);
	finding->message = psprintf(_("policy %s compares %s with %s, other policies compare it with %s"),
								policy, use->column, use->source->name,
								other->source->name);
	finding->remediation = psprintf("ALTER POLICY %s ON %s %s (%s = (SELECT %s));",
									policy,
									ops_rls_relation_name(binding->relation),
									binding->policy->command == ACL_INSERT_CHR ?
									"WITH CHECK" : "USING",
									quote_identifier(use->column),
									other->first->identity->key);
	ops_rls_evidence(finding, "usual", "%s", other->source->name);
	ops_rls_evidence(finding, "usual_policies", "%d", other->policies);
}
