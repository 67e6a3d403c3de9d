/*-------------------------------------------------------------------------
 *
 * reading.c
 *	  Policies into formulas, one after the other.
 *
 * The trees of a policy and whatever it took to read them are thrown away
 * policy by policy; formulas stay, and who is compared with whom.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/attempt.h"
#include "nodes/readfuncs.h"
#include "rls/routine.h"
#include "rls/tenancy.h"
#include "utils/memutils.h"

/* A policy with its trees as text. */
typedef struct PolicyText
{
	OpsRlsAudit *audit;
	OpsRlsRelation *relation;
	OpsRlsPolicy *policy;
	const char *qual;
	const char *check;
} PolicyText;

static void read_all(void *audit);
static void read_one(void *arg);
static void forget_formulas(OpsRlsAudit *audit);
static void take_carefully(OpsRlsAudit *audit, OpsRlsRelation *relation,
						   OpsRlsPolicy *policy, const char *qual,
						   const char *check);
static void take_policy(OpsRlsAudit *audit, OpsRlsRelation *relation,
						OpsRlsPolicy *policy, const char *qual,
						const char *check);
static void note_effect(OpsRlsAudit *audit, OpsRlsRelation *relation,
						Node *condition);
static OpsFormula *read_condition(OpsRlsAudit *audit,
								  OpsRlsRelation *relation,
								  OpsRlsPolicy *policy, Node *condition);

/*
 * Read all policies in one subtransaction.  If something that a policy names
 * goes away meanwhile, which can raise an error anywhere below, they are read
 * again with one for each, and those that fail cannot be looked into.
 */
void
ops_rls_read_formulas(OpsRlsAudit *audit)
{
	List	   *findings = list_copy(audit->findings);

	ops_formula_begin(audit);
	if (ops_attempt(read_all, audit) == NULL)
		return;

	audit->findings = findings;
	forget_formulas(audit);
	ops_formula_begin(audit);
	ops_rls_read_policies(audit, take_carefully);
}

static void
read_all(void *audit)
{
	ops_rls_read_policies(audit, take_policy);
}

static void
forget_formulas(OpsRlsAudit *audit)
{
	ListCell   *lc;

	audit->tenancy->bindings = NIL;
	audit->tenancy->links = NIL;
	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		ListCell   *cell;

		relation->candidates = relation->identified = NULL;
		foreach(cell, relation->policies)
		{
			OpsRlsPolicy *policy = lfirst(cell);

			policy->qual = policy->check = NULL;
		}
	}
}

static void
take_carefully(OpsRlsAudit *audit, OpsRlsRelation *relation,
			   OpsRlsPolicy *policy, const char *qual, const char *check)
{
	PolicyText	policy_text = {audit, relation, policy, qual, check};
	ErrorData  *error = ops_attempt(read_one, &policy_text);
	MemoryContext scratch;

	if (error == NULL)
		return;
	scratch = MemoryContextSwitchTo(audit->context);
	if (qual)
		policy->qual = ops_formula_free(pstrdup(error->message));
	if (check)
		policy->check = ops_formula_free(pstrdup(error->message));
	MemoryContextSwitchTo(scratch);
}

static void
read_one(void *arg)
{
	PolicyText *policy_text = arg;

	take_policy(policy_text->audit, policy_text->relation,
				policy_text->policy, policy_text->qual, policy_text->check);
}

static void
take_policy(OpsRlsAudit *audit, OpsRlsRelation *relation,
			OpsRlsPolicy *policy, const char *qual, const char *check)
{
	Node	   *qual_tree = qual ? stringToNode(qual) : NULL;
	Node	   *check_tree = check ? stringToNode(check) : NULL;

	policy->qual = read_condition(audit, relation, policy, qual_tree);
	policy->check = read_condition(audit, relation, policy, check_tree);
	if (relation->in_scope)
		ops_rls_performance_policy(audit, relation, policy, qual_tree,
								   check_tree);
}

/*
 * A condition that changes something as it is evaluated, such as a setting,
 * changes what the others of its table mean.
 */
static void
note_effect(OpsRlsAudit *audit, OpsRlsRelation *relation, Node *condition)
{
	const char *effect = ops_routine_side_effect(NULL, condition);

	if (effect)
		relation->effect = MemoryContextStrdup(audit->context, effect);
}

/*
 * The formula of a condition, in the audit's context.
 */
static OpsFormula *
read_condition(OpsRlsAudit *audit, OpsRlsRelation *relation,
			   OpsRlsPolicy *policy, Node *condition)
{
	OpsReading	reading = {0};
	OpsFormula *formula;
	List	   *copied = NIL;
	MemoryContext scratch;

	if (condition == NULL)
		return NULL;
	note_effect(audit, relation, condition);
	reading.audit = audit;
	formula = ops_condition(ops_level_policy(&reading, relation), condition);

	scratch = MemoryContextSwitchTo(audit->context);
	ops_tenancy_note_arguments(audit, relation, condition);
	ops_tenancy_note_bindings(audit, relation, policy, formula, reading.rows);
	formula = ops_formula_copy(audit, formula, &copied);
	MemoryContextSwitchTo(scratch);
	return formula;
}
