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

/* A table as one role sees it. */
typedef struct Visit
{
	OpsRlsAudit *audit;
	OpsRlsRelation *relation;
	const OpsRlsRole *role;
	List	   *remembered;
	Bitmapset  *visible_keys;	/* that decide what SELECT shows */
	OpsVerdict	verdicts[OPS_NUM_GATES];
} Visit;

static void judge_table(OpsRlsAudit *audit, OpsRlsRelation *relation,
						MemoryContext scratch);
static void judge_role(Visit *visit);
static bool has_right(Visit *visit, const OpsGate *gate);
static void judge_gate(Visit *visit, int number);
static OpsGateVerdict ask_gate(Visit *visit, const OpsGate *gate,
							   Bitmapset *keys);
static bool keys_stay(Visit *visit, const OpsGate *gate);
static Bitmapset *keys_of_gate(Visit *visit, const OpsGate *gate);
static const OpsFormula *gate_formula(const OpsRlsPolicy *policy,
									  const OpsGate *gate);
static OpsOutcome ask_policy(Visit *visit, const OpsRlsPolicy *policy,
							 const OpsFormula *formula, List *floors,
							 Bitmapset *keys);
static bool equal_lists(List *a, List *b);
static OpsOutcome ask_keys(Visit *visit, const OpsFormula *formula,
						   List *floors, Bitmapset *keys);
static void narrow_down(Visit *visit, OpsProblem *problem,
						OpsQuestion *question, OpsOutcome *outcome);
static OpsRlsCodeId code_of(const OpsAnswer *answer, bool always);
static const char *facts_text(const OpsAnswer *answer);
static OpsLookup *find_writable(Visit *visit, List *lookups, bool anything);
static bool lookup_is_writable(Visit *visit, OpsLookup *lookup,
							   bool anything);
static bool can_write(Visit *visit, OpsRlsRelation *relation,
					  AttrNumber column, AclMode right);
static bool gate_opens(Visit *visit, OpsRlsRelation *relation,
					   Bitmapset *keys, const OpsGate *gate, bool anything);
static bool policy_opens(Visit *visit, OpsRlsRelation *relation,
						 OpsRlsPolicy *policy, Bitmapset *keys,
						 const OpsGate *gate, bool anything);
static bool is_unique(const OpsRlsRelation *relation, AttrNumber column);
static void settle_codes(Visit *visit, OpsGateVerdict *verdict);
static bool says_the_same(const OpsRlsPolicy *a, const OpsRlsPolicy *b);
static bool has_roles_of(const OpsRlsPolicy *a, const OpsRlsPolicy *b);
static bool is_always_true(OpsRlsAudit *audit, const OpsRlsRole *role,
						   OpsRlsRelation *relation,
						   const OpsFormula *formula);
static void judge_floors(OpsRlsAudit *audit, OpsRlsRelation *relation);
static void judge_policies(OpsRlsAudit *audit, OpsRlsRelation *relation);
static void judge_silence(OpsRlsAudit *audit, OpsRlsRelation *relation);
static void judge_unowned(Visit *visit);
static void report_unowned(Visit *visit, const OpsGate *gate,
						   const OpsRlsPolicy *policy);

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
		judge_policies(audit, relation);
		judge_floors(audit, relation);
		judge_silence(audit, relation);
	}
	foreach(lc, audit->roles)
	{
		Visit		visit = {.audit = audit,.relation = relation,.role = lfirst(lc)};
		MemoryContext caller = MemoryContextSwitchTo(scratch);

		judge_role(&visit);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(scratch);
	}
	audit->table_findings = NIL;
}

static void
judge_role(Visit *visit)
{
	for (int i = 0; i < OPS_NUM_GATES; i++)
	{
		const OpsGate *gate = &ops_gate_table[i];
		OpsGateVerdict verdict = {.relation = visit->relation,
		.role = visit->role,.gate = gate};

		visit->verdicts[i] = VERDICT_DENIED;
		if (!has_right(visit, gate))
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
		judge_unowned(visit);
}

/*
 * Whether the role may run the gate's command at all.
 */
static bool
has_right(Visit *visit, const OpsGate *gate)
{
	if (gate->right == ACL_DELETE)
		return ops_rls_rights(visit->audit, visit->role, visit->relation,
							  ACL_DELETE) != 0;
	return ops_rls_any_column_rights(visit->audit, visit->role,
									 visit->relation, gate->right) != 0;
}

static void
judge_gate(Visit *visit, int number)
{
	const OpsGate *gate = &ops_gate_table[number];
	OpsRlsRelation *relation = visit->relation;
	OpsGateVerdict verdict;

	verdict = ask_gate(visit, gate, keys_of_gate(visit, gate));
	if (verdict.verdict > VERDICT_PROVED && gate->check &&
		keys_stay(visit, gate))
		verdict.verdict = VERDICT_PROVED;
	if (verdict.verdict > VERDICT_PROVED && !gate->check &&
		relation->links && relation->tenant_keys && !relation->all_keys)
	{
		OpsGateVerdict by_link = ask_gate(visit, gate, relation->links);

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
keys_of_gate(Visit *visit, const OpsGate *gate)
{
	OpsRlsRelation *relation = visit->relation;
	Bitmapset  *tenants = bms_difference(relation->tenant_keys,
										 relation->user_keys);

	if (relation->tenant_keys == NULL)
		return relation->links;
	if (relation->all_keys || tenants == NULL ||
		bms_equal(tenants, relation->tenant_keys))
		return relation->tenant_keys;
	if (gate->check && visit->visible_keys)
		return visit->visible_keys;
	/* The tenant's alone, if that is enough to prove it. */
	if (ask_gate(visit, gate, tenants).verdict <= VERDICT_PROVED)
		return tenants;
	return gate->check && visit->visible_keys == NULL ? tenants :
		relation->tenant_keys;
}

/*
 * Whether the role cannot write the keys at all, so that a row stays with
 * its tenant; a row that it inserts has none.
 */
static bool
keys_stay(Visit *visit, const OpsGate *gate)
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
static OpsGateVerdict
ask_gate(Visit *visit, const OpsGate *gate, Bitmapset *keys)
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
		formula = gate_formula(policy, gate);
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
		*outcome = ask_policy(visit, policy, gate_formula(policy, gate),
							  floors, keys);
		verdict.outcomes = lappend(verdict.outcomes, outcome);
		verdict.verdict = Max(verdict.verdict, outcome->verdict);
	}
	return verdict;
}

/*
 * The new row has to pass WITH CHECK or, without one, USING.
 */
static const OpsFormula *
gate_formula(const OpsRlsPolicy *policy, const OpsGate *gate)
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
ask_policy(Visit *visit, const OpsRlsPolicy *policy,
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
ask_keys(Visit *visit, const OpsFormula *formula, List *floors,
		 Bitmapset *keys)
{
	OpsProblem *problem = ops_problem(visit->audit, visit->role);
	OpsOutcome	outcome = {0};
	OpsQuestion question = {0};
	OpsAnswer	answer;
	OpsGoal    *goal = NULL;
	ListCell   *lc;

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
	outcome.writable = find_writable(visit, answer.lookups, false);
	if (outcome.writable == NULL)
	{
		outcome.writable = find_writable(visit, answer.lookups, true);
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
narrow_down(Visit *visit, OpsProblem *problem, OpsQuestion *question,
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
 * A lookup that the role can write so as to give itself a tenant.
 */
static OpsLookup *
find_writable(Visit *visit, List *lookups, bool anything)
{
	ListCell   *lc;

	foreach(lc, lookups)
	{
		if (lookup_is_writable(visit, lfirst(lc), anything))
			return lfirst(lc);
	}
	return NULL;
}

/*
 * Whether the role can enrol itself: write a row of its own that names a
 * foreign tenant, or make a foreign row its own.
 */
static bool
lookup_is_writable(Visit *visit, OpsLookup *lookup, bool anything)
{
	OpsRlsRelation *relation = lookup->relation;
	Bitmapset  *link = bms_make_singleton(lookup->link);
	int			column = -1;

	if (!is_unique(relation, lookup->link))
	{
		if (can_write(visit, relation, lookup->link, ACL_INSERT) &&
			gate_opens(visit, relation, link, &ops_gate_table[1], anything))
			return true;
		if (can_write(visit, relation, lookup->link, ACL_UPDATE) &&
			gate_opens(visit, relation, link, &ops_gate_table[3], anything))
			return true;
	}
	while ((column = bms_next_member(lookup->own, column)) >= 0)
	{
		if (can_write(visit, relation, column, ACL_UPDATE) &&
			gate_opens(visit, relation, lookup->own, &ops_gate_table[2],
					   anything))
			return true;
	}
	return false;
}

static bool
can_write(Visit *visit, OpsRlsRelation *relation, AttrNumber column,
		  AclMode right)
{
	return ops_rls_column_right(visit->audit, visit->role, relation, column,
								right);
}

/*
 * Whether a row whose keys are foreign passes a gate of a lookup.
 */
static bool
gate_opens(Visit *visit, OpsRlsRelation *relation, Bitmapset *keys,
		   const OpsGate *gate, bool anything)
{
	ListCell   *lc;

	if (ops_policies_exempt(visit->audit, visit->role, InvalidOid, relation))
		return true;
	foreach(lc, relation->policies)
	{
		OpsRlsPolicy *policy = lfirst(lc);

		if (policy->permissive &&
			ops_policy_applies(visit->audit, visit->role, InvalidOid, policy,
							   gate->letter) &&
			policy_opens(visit, relation, policy, keys, gate, anything))
			return true;
	}
	return false;
}

static bool
policy_opens(Visit *visit, OpsRlsRelation *relation, OpsRlsPolicy *policy,
			 Bitmapset *keys, const OpsGate *gate, bool anything)
{
	OpsProblem *problem = ops_problem(visit->audit, visit->role);
	const OpsFormula *formula = gate_formula(policy, gate);
	OpsQuestion question = {0};
	ListCell   *lc;

	question.row = ops_problem_row(problem, relation, InvalidOid);
	question.keys = keys;
	question.owner = OWNER_FOREIGN;
	question.any_identity = true;
	question.identified = !anything;
	question.with_session = question.with_opaque = anything;
	ops_problem_enter(problem, relation->oid);
	question.goal = ops_problem_formula(problem,
										formula ? formula : visit->audit->terms->true_formula,
										question.row);
	foreach(lc, relation->policies)
	{
		OpsRlsPolicy *floor = lfirst(lc);

		if (!floor->permissive && gate_formula(floor, gate) &&
			ops_policy_applies(visit->audit, visit->role, InvalidOid, floor,
							   gate->letter))
			question.goal = ops_problem_and(problem, question.goal,
											ops_problem_formula(problem, gate_formula(floor, gate), question.row));
	}
	if (OidIsValid(ops_problem_recursion(problem)))
		return false;
	return ops_problem_ask(problem, &question).possible;
}

static bool
is_unique(const OpsRlsRelation *relation, AttrNumber column)
{
	ListCell   *lc;

	foreach(lc, relation->unique_keys)
	{
		if (bms_membership(lfirst(lc)) == BMS_SINGLETON &&
			bms_is_member(column, lfirst(lc)))
			return true;
	}
	return false;
}

/*
 * Name the leak by what is wrong with the policies as a whole: one that opens
 * what another one closes, or a check that is weaker than what is shown.
 */
static void
settle_codes(Visit *visit, OpsGateVerdict *verdict)
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

/*
 * Policies that say the same twice, and those that let nothing through.
 */
static void
judge_policies(OpsRlsAudit *audit, OpsRlsRelation *relation)
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
		(b->qual == NULL || (a->qual && ops_formula_equal(a->qual, b->qual))) &&
		(b->command == ACL_SELECT_CHR || b->command == ACL_DELETE_CHR ||
		 (a_check && b_check && ops_formula_equal(a_check, b_check)));
}

/*
 * Restrictive policies that restrict nothing.
 */
static void
judge_floors(OpsRlsAudit *audit, OpsRlsRelation *relation)
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

	if (formula == NULL)
		return true;
	problem = ops_problem(audit, role);
	question.row = ops_problem_row(problem, relation, InvalidOid);
	ops_problem_enter(problem, relation->oid);
	question.goal = ops_problem_formula(problem, formula, question.row);
	question.owner = OWNER_ANY;
	question.wanted = TRUTH_F | TRUTH_N | TRUTH_E;
	question.with_session = question.with_opaque = true;
	return !ops_problem_ask(problem, &question).possible;
}

/*
 * Row security that denies everything, by accident.
 */
static void
judge_silence(OpsRlsAudit *audit, OpsRlsRelation *relation)
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
static void
judge_unowned(Visit *visit)
{
	OpsRlsRelation *relation = visit->relation;

	if (ops_rls_exempt(visit->audit, visit->role->oid, relation))
		return;
	for (int i = 0; i < OPS_NUM_GATES; i++)
	{
		const OpsGate *gate = &ops_gate_table[i];
		OpsGateVerdict verdict;
		ListCell   *lc;

		if (!has_right(visit, gate))
			continue;
		verdict = ask_gate(visit, gate, NULL);
		foreach(lc, verdict.outcomes)
		{
			OpsOutcome *outcome = lfirst(lc);

			if (outcome->verdict == VERDICT_OPEN && outcome->always)
				report_unowned(visit, gate, outcome->policy);
		}
	}
}

static void
report_unowned(Visit *visit, const OpsGate *gate, const OpsRlsPolicy *policy)
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
