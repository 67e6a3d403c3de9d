/*-------------------------------------------------------------------------
 *
 * gate.c
 *	  What each role's statements can reach, table by table.
 *
 * Each permissive policy is asked about by itself, together with all the
 * restrictive ones, since rows that any of them lets through come out.  One
 * question settles most of them: can a row that is not the asker's pass,
 * whoever the asker is and whatever else holds?  Only if the answer is yes,
 * narrower ones find out what it takes.
 *
 * A blind UPDATE or DELETE needs no SELECT policy, so each gate has to hold
 * by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "rls/gate.h"
#include "rls/tenancy.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

const OpsGate ops_gate_table[OPS_NUM_GATES] = {
	{"SELECT", ACL_SELECT_CHR, ACL_SELECT, false},
	{"INSERT", ACL_INSERT_CHR, ACL_INSERT, true},
	{"UPDATE", ACL_UPDATE_CHR, ACL_UPDATE, false},
	{"UPDATE", ACL_UPDATE_CHR, ACL_UPDATE, true},
	{"DELETE", ACL_DELETE_CHR, ACL_DELETE, false},
};

const char *const ops_verdict_name[] = {
	"denied", "proved", "unproved", "null_visible", "default_open", "open"
};

/* An answer of this table and role, to be given again. */
typedef struct Remembered
{
	const OpsFormula *formula;
	List	   *floors;
	Bitmapset  *keys;
	OpsOutcome	outcome;
} Remembered;

static void judge_table(OpsRlsAudit *audit, OpsRlsRelation *relation, MemoryContext scratch);
static void judge_role(OpsVisit *visit);
static void judge_gate(OpsVisit *visit, int number);
static Bitmapset *keys_of_gate(OpsVisit *visit, const OpsGate *gate);
static bool keys_stay(OpsVisit *visit, const OpsGate *gate);
static OpsOutcome ask_policy(OpsVisit *visit, OpsRlsPolicy *policy, const OpsFormula *formula, List *floors, Bitmapset *keys);
static bool equal_lists(List *a, List *b);
static OpsOutcome ask_keys(OpsVisit *visit, const OpsFormula *formula, List *floors, Bitmapset *keys);
static void narrow_down(OpsVisit *visit, OpsProblem *problem, OpsQuestion *question, OpsOutcome *outcome);
static OpsRlsCodeId code_of(const OpsAnswer *answer, bool always);
static const char *facts_text(const OpsAnswer *answer);
static void settle_codes(OpsVisit *visit, OpsGateVerdict *verdict);

/*
 * Judge every table of the audit's schemas.
 */
void
ops_rls_judge_tables(OpsRlsAudit *audit)
{
	MemoryContext scratch = AllocSetContextCreate(audit->context,
												  "operations_runbook table",
												  ALLOCSET_DEFAULT_SIZES);
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (relation->in_scope &&
			(relation->kind == RELKIND_RELATION ||
			 relation->kind == RELKIND_PARTITIONED_TABLE))
			judge_table(audit, relation, scratch);
	}
	MemoryContextDelete(scratch);
	ops_rls_judge_consistency(audit);
}

static void
judge_table(OpsRlsAudit *audit, OpsRlsRelation *relation,
			MemoryContext scratch)
{
	ListCell   *lc;

	ops_rls_performance_relation(audit, relation);
	if (relation->row_security)
	{
		ops_hygiene_policies(audit, relation);
		ops_hygiene_floors(audit, relation);
		ops_hygiene_silence(audit, relation);
	}
	foreach(lc, audit->roles)
	{
		OpsVisit	visit = {.audit = audit,.relation = relation,.role = lfirst(lc)};
		MemoryContext caller = MemoryContextSwitchTo(scratch);

		judge_role(&visit);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(scratch);
	}
	audit->table_findings = NIL;
}

static void
judge_role(OpsVisit *visit)
{
	for (int i = 0; i < OPS_NUM_GATES; i++)
	{
		const OpsGate *gate = &ops_gate_table[i];
		OpsGateVerdict verdict = {.relation = visit->relation,
		.role = visit->role,.gate = gate};

		visit->verdicts[i] = VERDICT_DENIED;
		if (!ops_visit_has_right(visit, gate))
			continue;
		if (!ops_rls_is_tenant_data(visit->relation))
			ops_verdict_row(visit->audit, &verdict, "not_applicable",
							visit->relation->is_public ?
							_("public on purpose") : _("no column is known to name a tenant"));
		else if (!visit->relation->row_security)
			ops_verdict_row(visit->audit, &verdict, "open",
							_("row security is off"));
		else if (ops_rls_exempt(visit->audit, visit->role->oid,
								visit->relation))
			ops_verdict_row(visit->audit, &verdict, "open",
							_("policies do not bind this role"));
		else
			judge_gate(visit, i);
	}
	if (visit->relation->row_security &&
		!ops_rls_is_tenant_data(visit->relation) &&
		!visit->relation->is_public)
		ops_hygiene_unowned(visit);
}

/*
 * Whether the role may run the gate's command at all.
 */
bool
ops_visit_has_right(OpsVisit *visit, const OpsGate *gate)
{
	return ops_rls_any_column_rights(visit->audit, visit->role,
									 visit->relation, gate->right) != 0;
}

static void
judge_gate(OpsVisit *visit, int number)
{
	const OpsGate *gate = &ops_gate_table[number];
	OpsRlsRelation *relation = visit->relation;
	OpsGateVerdict verdict;

	verdict = ops_visit_ask(visit, gate, keys_of_gate(visit, gate));
	if (verdict.verdict > VERDICT_PROVED && gate->check &&
		keys_stay(visit, gate))
		verdict.verdict = VERDICT_PROVED;
	if (verdict.verdict > VERDICT_PROVED && !gate->check &&
		relation->links && relation->tenant_keys && !relation->all_keys)
	{
		OpsGateVerdict by_link = ops_visit_ask(visit, gate, relation->links);

		if (by_link.verdict < verdict.verdict)
			verdict = by_link;
	}

	if (number == 0)
		visit->visible_keys = verdict.verdict == VERDICT_PROVED ?
			verdict.keys : NULL;
	visit->verdicts[number] = verdict.verdict;
	settle_codes(visit, &verdict);
	ops_verdict_row(visit->audit, &verdict, NULL, NULL);
	ops_verdict_report(visit->audit, &verdict);
}

/*
 * The columns that a gate has to bind.  What SELECT shows by a tenant's key
 * cannot be written by a user's alone.
 */
static Bitmapset *
keys_of_gate(OpsVisit *visit, const OpsGate *gate)
{
	OpsRlsRelation *relation = visit->relation;
	Bitmapset  *tenants = bms_difference(relation->tenant_keys,
										 relation->user_keys);

	if (relation->tenant_keys == NULL)
		return relation->links;
	if (relation->all_keys || bms_is_empty(tenants) ||
		bms_equal(tenants, relation->tenant_keys))
		return relation->tenant_keys;
	if (gate->check && visit->visible_keys)
		return visit->visible_keys;
	/* The tenant's alone, if that is enough to prove it. */
	if (ops_visit_ask(visit, gate, tenants).verdict <= VERDICT_PROVED)
		return tenants;
	return gate->check && visit->visible_keys == NULL ? tenants :
		relation->tenant_keys;
}

/*
 * Whether the role cannot write the keys at all, so that a row stays with
 * its tenant; a row that it inserts has none.
 */
static bool
keys_stay(OpsVisit *visit, const OpsGate *gate)
{
	int			column = -1;

	while ((column = bms_next_member(visit->relation->tenant_keys, column)) >= 0)
	{
		if (ops_rls_column_right(visit->audit, visit->role, visit->relation,
								 column, gate->right))
			return false;
		if (gate->right == ACL_INSERT &&
			visit->relation->columns[column - 1].has_default)
			return false;
	}
	if (visit->relation->tenant_keys == NULL)
		return false;
	return gate->right == ACL_INSERT || visit->verdicts[2] <= VERDICT_PROVED;
}

/*
 * Ask about each permissive policy that applies; the worst of them counts.
 */
OpsGateVerdict
ops_visit_ask(OpsVisit *visit, const OpsGate *gate, Bitmapset *keys)
{
	OpsGateVerdict verdict = {.relation = visit->relation,
	.role = visit->role,.gate = gate};
	List	   *floors = NIL;
	ListCell   *lc;

	verdict.keys = keys;
	foreach(lc, visit->relation->policies)
	{
		OpsRlsPolicy *policy = lfirst(lc);
		const OpsFormula *formula;

		if (policy->permissive ||
			!ops_policy_applies(visit->audit, visit->role, InvalidOid, policy,
								gate->letter))
			continue;
		verdict.restrictive = lappend(verdict.restrictive, policy);
		formula = ops_gate_formula(policy, gate);
		if (formula)
			floors = lappend(floors, (void *) formula);
	}
	foreach(lc, visit->relation->policies)
	{
		OpsRlsPolicy *policy = lfirst(lc);
		OpsOutcome *outcome;

		if (!policy->permissive ||
			!ops_policy_applies(visit->audit, visit->role, InvalidOid, policy,
								gate->letter))
			continue;
		CHECK_FOR_INTERRUPTS();
		outcome = palloc(sizeof(OpsOutcome));
		*outcome = ask_policy(visit, policy, ops_gate_formula(policy, gate),
							  floors, keys);
		verdict.outcomes = lappend(verdict.outcomes, outcome);
		verdict.verdict = Max(verdict.verdict, outcome->verdict);
	}
	return verdict;
}

/*
 * The new row has to pass WITH CHECK or, without one, USING.
 */
const OpsFormula *
ops_gate_formula(const OpsRlsPolicy *policy, const OpsGate *gate)
{
	if (gate->check && policy->check)
		return policy->check;
	return policy->qual;
}

/*
 * What a policy and the floors let through; asked once for a formula, which
 * serves several gates.
 */
static OpsOutcome
ask_policy(OpsVisit *visit, OpsRlsPolicy *policy,
		   const OpsFormula *formula, List *floors, Bitmapset *keys)
{
	Remembered *memory;
	ListCell   *lc;

	foreach(lc, visit->remembered)
	{
		memory = lfirst(lc);
		if (memory->formula == formula && equal_lists(memory->floors, floors) &&
			bms_equal(memory->keys, keys))
		{
			memory->outcome.policy = policy;
			return memory->outcome;
		}
	}
	memory = palloc0(sizeof(Remembered));
	memory->formula = formula;
	memory->floors = floors;
	memory->keys = keys;
	if (visit->relation->all_keys)
	{
		int			column = -1;

		while ((column = bms_next_member(keys, column)) >= 0)
		{
			OpsOutcome	one = ask_keys(visit, formula, floors,
									   bms_make_singleton(column));

			if (one.verdict >= memory->outcome.verdict)
				memory->outcome = one;
		}
	}
	else
		memory->outcome = ask_keys(visit, formula, floors, keys);
	memory->outcome.policy = policy;
	visit->remembered = lappend(visit->remembered, memory);
	return memory->outcome;
}

static bool
equal_lists(List *a, List *b)
{
	ListCell   *one;
	ListCell   *other;

	if (list_length(a) != list_length(b))
		return false;
	forboth(one, a, other, b)
	{
		if (lfirst(one) != lfirst(other))
			return false;
	}
	return true;
}

static OpsOutcome
ask_keys(OpsVisit *visit, const OpsFormula *formula, List *floors,
		 Bitmapset *keys)
{
	OpsProblem *problem = ops_problem(visit->audit, visit->role);
	OpsOutcome	outcome = {0};
	OpsQuestion question = {0};
	OpsAnswer	answer;
	OpsGoal    *goal = NULL;
	ListCell   *lc;

	if (visit->relation->effect)
	{
		outcome.verdict = VERDICT_UNPROVED;
		outcome.code = POLICY_OPAQUE_FUNCTION;
		outcome.obstacle = visit->relation->effect;
		return outcome;
	}
	question.row = ops_problem_row(problem, visit->relation, InvalidOid);
	question.keys = keys;
	ops_problem_enter(problem, visit->relation->oid);
	if (formula)
		goal = ops_problem_formula(problem, formula, question.row);
	foreach(lc, floors)
		goal = ops_problem_and(problem, goal,
							   ops_problem_formula(problem, lfirst(lc),
												   question.row));
	if (goal == NULL)
		goal = ops_problem_formula(problem,
								   visit->audit->terms->true_formula,
								   question.row);
	question.goal = goal;

	outcome.recursion = ops_problem_recursion(problem);
	if (OidIsValid(outcome.recursion))
		return outcome;

	question.owner = OWNER_FOREIGN_OR_NOBODY;
	question.with_session = question.with_opaque = true;
	answer = ops_problem_ask(problem, &question);
	if (answer.possible)
	{
		narrow_down(visit, problem, &question, &outcome);
		return outcome;
	}

	outcome.verdict = VERDICT_PROVED;
	outcome.writable = ops_visit_find_writable(visit, answer.lookups, false);
	if (outcome.writable == NULL)
	{
		outcome.writable = ops_visit_find_writable(visit, answer.lookups, true);
		outcome.conditional = outcome.writable != NULL;
	}
	if (outcome.writable)
	{
		outcome.verdict = outcome.conditional ? VERDICT_UNPROVED : VERDICT_OPEN;
		outcome.code = POLICY_LOOKUP_WRITABLE;
		outcome.counterexample = psprintf(_("the role writes a row into %s that gives it any tenant"),
										  ops_rls_relation_name(outcome.writable->relation));
		if (outcome.conditional)
			outcome.obstacle = psprintf(_("whether the role can write %s"),
										ops_rls_relation_name(outcome.writable->relation));
		return outcome;
	}
	question.owner = OWNER_ANY;
	if (!ops_problem_ask(problem, &question).possible)
		outcome.verdict = VERDICT_DENIED;
	return outcome;
}

/*
 * Find out what it takes for a row of somebody else to pass.
 */
static void
narrow_down(OpsVisit *visit, OpsProblem *problem, OpsQuestion *question,
			OpsOutcome *outcome)
{
	OpsAnswer	answer;
	OpsQuestion own;

	/* A foreign row, to somebody who said who he is. */
	question->owner = OWNER_FOREIGN;
	question->identified = true;
	question->with_session = question->with_opaque = false;
	answer = ops_problem_ask(problem, question);
	if (!answer.possible)
	{
		/* The same, if the session says something else as well. */
		question->with_session = true;
		answer = ops_problem_ask(problem, question);
		if (answer.possible && !answer.gave_up)
		{
			/* Is that what everybody needs who uses the table at all? */
			own = *question;
			own.owner = OWNER_ANY;
			own.with_session = false;
			outcome->conditional = ops_problem_ask(problem, &own).possible;
		}
	}
	if (answer.possible && !answer.gave_up)
	{
		OpsQuestion never = *question;

		never.owner = OWNER_ANY;
		never.wanted = TRUTH_F | TRUTH_N | TRUTH_E;
		never.with_session = never.with_opaque = true;
		outcome->always = !ops_problem_ask(problem, &never).possible;
		outcome->by_setting = outcome->conditional && answer.by_setting;
		outcome->code = code_of(&answer, outcome->always);
		outcome->counterexample = facts_text(&answer);
		outcome->verdict = outcome->conditional ? VERDICT_UNPROVED : VERDICT_OPEN;
		outcome->obstacle = outcome->conditional ? outcome->counterexample : NULL;
		return;
	}

	/* To somebody who did not. */
	question->identified = false;
	question->with_session = false;
	answer = ops_problem_ask(problem, question);
	if (answer.possible && !answer.gave_up)
	{
		outcome->code = POLICY_DEFAULT_OPEN;
		outcome->counterexample = facts_text(&answer);
		outcome->verdict = VERDICT_DEFAULT_OPEN;
		return;
	}

	/* A row that is nobody's. */
	question->owner = OWNER_FOREIGN_OR_NOBODY;
	answer = ops_problem_ask(problem, question);
	if (answer.possible && !answer.gave_up)
	{
		outcome->code = POLICY_NULL_TENANT_VISIBLE;
		outcome->counterexample = facts_text(&answer);
		outcome->verdict = VERDICT_NULL_VISIBLE;
		return;
	}

	/* Only if something that nobody can look into lets it. */
	question->with_session = question->with_opaque = true;
	answer = ops_problem_ask(problem, question);
	outcome->code = POLICY_OPAQUE_FUNCTION;
	outcome->obstacle = answer.obstacle ? answer.obstacle : facts_text(&answer);
	outcome->verdict = VERDICT_UNPROVED;
}

static OpsRlsCodeId
code_of(const OpsAnswer *answer, bool always)
{
	if (answer->editable)
		return POLICY_TRUSTS_USER_METADATA;
	if (answer->pattern)
		return POLICY_PATTERN_MATCH_IDENTITY;
	if (answer->role_identity)
		return POLICY_ROLE_IDENTITY;
	if (answer->wrong_identity)
		return POLICY_WRONG_IDENTITY;
	if (answer->self_comparison)
		return POLICY_SELF_COMPARISON;
	if (answer->uncorrelated)
		return POLICY_UNCORRELATED_SUBQUERY;
	return always ? POLICY_ALWAYS_TRUE : POLICY_NOT_TENANT_BOUND;
}

static const char *
facts_text(const OpsAnswer *answer)
{
	StringInfoData text_of;
	ListCell   *lc;

	if (answer->facts == NIL)
		return _("any row");
	initStringInfo(&text_of);
	foreach(lc, answer->facts)
		appendStringInfo(&text_of, "%s%s", text_of.len > 0 ? "; " : "",
						 (char *) lfirst(lc));
	return text_of.data;
}

/*
 * Name the leak by what is wrong with the policies as a whole: one that opens
 * what another one closes, or a check that is weaker than what is shown.
 */
static void
settle_codes(OpsVisit *visit, OpsGateVerdict *verdict)
{
	/* What a statement of the same kind can see or find. */
	OpsVerdict	shown = visit->verdicts[verdict->gate->right == ACL_UPDATE ? 2 : 0];
	bool		some_bound = false;
	ListCell   *lc;

	foreach(lc, verdict->outcomes)
	{
		OpsOutcome *outcome = lfirst(lc);

		some_bound |= outcome->verdict == VERDICT_PROVED;
	}
	foreach(lc, verdict->outcomes)
	{
		OpsOutcome *outcome = lfirst(lc);
		const OpsRlsPolicy *policy = outcome->policy;

		if (outcome->verdict != VERDICT_OPEN)
			continue;
		if (outcome->code != POLICY_ALWAYS_TRUE &&
			outcome->code != POLICY_NOT_TENANT_BOUND &&
			outcome->code != POLICY_UNCORRELATED_SUBQUERY)
			continue;
		if (some_bound && outcome->code != POLICY_UNCORRELATED_SUBQUERY)
			outcome->code = PERMISSIVE_OR_WIDENING;
		else if (verdict->gate->check &&
				 (policy->check != NULL || policy->command == ACL_INSERT_CHR ||
				  shown <= VERDICT_PROVED))
			outcome->code = WRITE_CHECK_NOT_TENANT_BOUND;
	}
}
