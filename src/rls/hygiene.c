/*-------------------------------------------------------------------------
 *
 * hygiene.c
 *	  Policies that say nothing, or deny everything, and tables of which
 *	  nobody knows whose rows they hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "rls/gate.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Pairs of parts of two formulas that are worth a comparison. */
#define MAX_COMPARED 10000

static bool has_roles_of(const OpsRlsPolicy *a, const OpsRlsPolicy *b);
static bool says_the_same(const OpsRlsPolicy *a, const OpsRlsPolicy *b);
static bool covers(const OpsRlsPolicy *policy, const OpsFormula *formula, const OpsFormula *other);
static bool implies(const OpsFormula *premise, const OpsFormula *conclusion);
static bool is_always_true(OpsRlsAudit *audit, const OpsRlsRole *role, OpsRlsRelation *relation, const OpsFormula *formula);
static void report_unowned(OpsVisit *visit, const OpsGate *gate, const OpsRlsPolicy *policy);

/*
 * Policies that say the same twice, and those that let nothing through.
 */
void
ops_hygiene_policies(OpsRlsAudit *audit, OpsRlsRelation *relation)
{
	for (int i = 0; i < list_length(relation->policies); i++)
	{
		OpsRlsPolicy *policy = list_nth(relation->policies, i);

		for (int j = 0; j < list_length(relation->policies); j++)
		{
			OpsRlsPolicy *other = list_nth(relation->policies, j);
			OpsRlsFinding *finding;

			/* Of two that are alike, the later one is too much. */
			if (i == j || !says_the_same(other, policy) ||
				(j > i && says_the_same(policy, other)))
				continue;
			finding = ops_rls_report(audit, POLICY_REDUNDANT, relation);
			finding->policies = list_make2((void *) other->name,
										   (void *) policy->name);
			finding->message = psprintf(_("policy %s says nothing that policy %s does not say"),
										quote_identifier(policy->name),
										quote_identifier(other->name));
			finding->remediation = psprintf("DROP POLICY %s ON %s;",
											quote_identifier(policy->name),
											ops_rls_relation_name(relation));
			break;
		}
	}
}

static bool
has_roles_of(const OpsRlsPolicy *a, const OpsRlsPolicy *b)
{
	for (int i = 0; i < b->nroles; i++)
	{
		bool		found = false;

		for (int j = 0; j < a->nroles; j++)
			found |= a->roles[j] == b->roles[i] || a->roles[j] == InvalidOid;
		if (!found)
			return false;
	}
	return true;
}

/*
 * Whether one policy says all that another one says.
 */
static bool
says_the_same(const OpsRlsPolicy *a, const OpsRlsPolicy *b)
{
	const OpsFormula *a_check = a->check ? a->check : a->qual;
	const OpsFormula *b_check = b->check ? b->check : b->qual;

	return a->permissive == b->permissive &&
		(a->command == b->command || a->command == '*') &&
		has_roles_of(a, b) &&
		(b->qual == NULL || covers(a, a->qual, b->qual)) &&
		(b->command == ACL_SELECT_CHR || b->command == ACL_DELETE_CHR ||
		 covers(a, a_check, b_check));
}

/*
 * Whether the other formula adds nothing to a policy's: no row to a
 * permissive one, no restriction to a restrictive one.
 */
static bool
covers(const OpsRlsPolicy *policy, const OpsFormula *formula,
	   const OpsFormula *other)
{
	if (formula == NULL || other == NULL)
		return false;
	return policy->permissive ? implies(other, formula) :
		implies(formula, other);
}

/*
 * Whether one formula is seen to imply another by its form alone.
 */
static bool
implies(const OpsFormula *premise, const OpsFormula *conclusion)
{
	bool		found = false;

	check_stack_depth();
	if (ops_formula_equal(premise, conclusion))
		return true;
	if ((int64) premise->size * conclusion->size > MAX_COMPARED)
		return false;
	if (premise->kind == FORMULA_OR)
	{
		for (int i = 0; i < premise->nargs; i++)
		{
			if (!implies(premise->args[i], conclusion))
				return false;
		}
		return premise->nargs > 0;
	}
	if (conclusion->kind == FORMULA_AND)
	{
		for (int i = 0; i < conclusion->nargs; i++)
		{
			if (!implies(premise, conclusion->args[i]))
				return false;
		}
		return conclusion->nargs > 0;
	}
	if (premise->kind == FORMULA_AND)
	{
		for (int i = 0; i < premise->nargs && !found; i++)
			found = implies(premise->args[i], conclusion);
	}
	if (conclusion->kind == FORMULA_OR)
	{
		for (int i = 0; i < conclusion->nargs && !found; i++)
			found = implies(premise, conclusion->args[i]);
	}
	return found;
}

/*
 * Restrictive policies that restrict nothing.
 */
void
ops_hygiene_floors(OpsRlsAudit *audit, OpsRlsRelation *relation)
{
	ListCell   *lc;

	foreach(lc, relation->policies)
	{
		OpsRlsPolicy *policy = lfirst(lc);
		OpsRlsFinding *finding;
		ListCell   *cell;
		bool		noop = false;

		if (policy->permissive)
			continue;
		foreach(cell, audit->roles)
		{
			const OpsRlsRole *role = lfirst(cell);

			if (!ops_policy_applies(audit, role, InvalidOid, policy,
									policy->command))
				continue;
			noop = is_always_true(audit, role, relation, policy->qual) &&
				is_always_true(audit, role, relation, policy->check);
			break;
		}
		if (!noop)
			continue;
		finding = ops_rls_report(audit, RESTRICTIVE_POLICY_NOOP, relation);
		finding->policies = list_make1((void *) policy->name);
		finding->message = psprintf(_("restrictive policy %s is true of every row and so restricts nothing"),
									quote_identifier(policy->name));
		finding->remediation = psprintf("ALTER POLICY %s ON %s USING (%s);",
										quote_identifier(policy->name),
										ops_rls_relation_name(relation),
										ops_verdict_binding(audit, relation, relation->tenant_keys));
	}
}

static bool
is_always_true(OpsRlsAudit *audit, const OpsRlsRole *role,
			   OpsRlsRelation *relation, const OpsFormula *formula)
{
	OpsProblem *problem;
	OpsQuestion question = {0};
	MemoryContext scratch;
	MemoryContext caller;
	bool		always;

	if (formula == NULL)
		return true;
	scratch = AllocSetContextCreate(audit->context,
									"operations_runbook floor",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(scratch);
	problem = ops_problem(audit, role);
	question.row = ops_problem_row(problem, relation, InvalidOid);
	ops_problem_enter(problem, relation->oid);
	question.goal = ops_problem_formula(problem, formula, question.row);
	question.owner = OWNER_ANY;
	question.wanted = TRUTH_F | TRUTH_N | TRUTH_E;
	question.with_session = question.with_opaque = true;
	always = !ops_problem_ask(problem, &question).possible;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return always;
}

/*
 * Row security that denies everything, by accident.
 */
void
ops_hygiene_silence(OpsRlsAudit *audit, OpsRlsRelation *relation)
{
	bool		permissive = false;
	bool		granted = false;
	OpsRlsFinding *finding = NULL;
	ListCell   *lc;

	foreach(lc, relation->policies)
		permissive |= ((OpsRlsPolicy *) lfirst(lc))->permissive;
	if (permissive)
		return;
	foreach(lc, audit->roles)
	{
		const OpsRlsRole *role = lfirst(lc);
		bool		found;

		if (!ops_rls_any_column_rights(audit, role, relation,
									   ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE) ||
			ops_rls_exempt(audit, role->oid, relation))
			continue;
		granted |= role->reachable;
		finding = ops_verdict_find(audit,
								   relation->policies == NIL ?
								   RLS_ENABLED_NO_POLICY : RESTRICTIVE_ONLY,
								   relation, NULL, role, NULL, &found);
	}
	if (finding == NULL && relation->policies == NIL)
		finding = ops_rls_report(audit, RLS_ENABLED_NO_POLICY, relation);
	if (finding == NULL)
		return;
	if (!granted)
		finding->severity = OPS_P3;
	finding->verdict = "denied";
	finding->message = relation->policies == NIL ?
		psprintf(_("row security of %s is on and there is no policy, so every row is denied"),
				 ops_rls_relation_name(relation)) :
		psprintf(_("all policies of %s are restrictive, so every row is denied"),
				 ops_rls_relation_name(relation));
	finding->remediation = psprintf("CREATE POLICY tenant_isolation ON %s USING (%s);",
									ops_rls_relation_name(relation),
									ops_verdict_binding(audit, relation, relation->tenant_keys));
}

/*
 * A table of which nobody knows whose rows it holds: that everybody may read
 * it can be meant, that everybody may change it hardly is.
 */
void
ops_hygiene_unowned(OpsVisit *visit)
{
	OpsRlsRelation *relation = visit->relation;

	if (ops_rls_exempt(visit->audit, visit->role->oid, relation))
		return;
	for (int i = 0; i < OPS_NUM_GATES; i++)
	{
		const OpsGate *gate = &ops_gate_table[i];
		OpsGateVerdict verdict;
		ListCell   *lc;

		if (!ops_visit_has_right(visit, gate))
			continue;
		verdict = ops_visit_ask(visit, gate, NULL);
		foreach(lc, verdict.outcomes)
		{
			OpsOutcome *outcome = lfirst(lc);

			if (outcome->verdict == VERDICT_OPEN && outcome->always)
				report_unowned(visit, gate, outcome->policy);
		}
	}
}

static void
report_unowned(OpsVisit *visit, const OpsGate *gate, const OpsRlsPolicy *policy)
{
	OpsRlsRelation *relation = visit->relation;
	MemoryContext caller = MemoryContextSwitchTo(visit->audit->context);
	bool		found;
	OpsRlsFinding *finding = ops_verdict_find(visit->audit,
											  POLICY_ALWAYS_TRUE, relation,
											  policy, visit->role, gate,
											  &found);

	if (!found)
	{
		finding->unreachable = false;
		finding->severity = gate->right == ACL_SELECT ? OPS_P3 : OPS_P1;
		finding->verdict = "open";
		finding->message = psprintf(_("policy %s is true of every row of %s; no column of it is known to name a tenant, so this may be meant"),
									quote_identifier(policy->name),
									ops_rls_relation_name(relation));
		finding->remediation = psprintf("INSERT INTO ops.tenancy (kind, relation, reason) VALUES ('public', %s, 'why');",
										quote_literal_cstr(ops_rls_relation_name(relation)));
	}
	MemoryContextSwitchTo(caller);
}
