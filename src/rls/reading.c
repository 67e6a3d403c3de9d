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

#include "nodes/readfuncs.h"
#include "rls/tenancy.h"
#include "utils/memutils.h"

static void take_policy(OpsRlsAudit *audit, OpsRlsRelation *relation,
						OpsRlsPolicy *policy, const char *qual,
						const char *check);
static OpsFormula *read_condition(OpsRlsAudit *audit,
								  OpsRlsRelation *relation,
								  OpsRlsPolicy *policy, Node *condition);

void
ops_rls_read_formulas(OpsRlsAudit *audit)
{
	ops_formula_begin(audit);
	ops_rls_read_policies(audit, take_policy);
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
	reading.audit = audit;
	formula = ops_condition(ops_level_policy(&reading, relation), condition);

	scratch = MemoryContextSwitchTo(audit->context);
	ops_tenancy_note_arguments(audit, relation, condition);
	ops_tenancy_note_bindings(audit, relation, policy, formula, reading.rows);
	formula = ops_formula_copy(audit, formula, &copied);
	MemoryContextSwitchTo(scratch);
	return formula;
}
