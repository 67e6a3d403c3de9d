/*-------------------------------------------------------------------------
 *
 * verdict.c
 *	  Verdicts as rows: of the matrix, and of the audit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/readfuncs.h"
#include "rls/deparse.h"
#include "rls/gate.h"
#include "rls/identity.h"
#include "rls/tenancy.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

static void report_outcome(OpsRlsAudit *audit, const OpsGateVerdict *verdict,
						   const OpsOutcome *outcome);
static void report_recursion(OpsRlsAudit *audit,
							 const OpsGateVerdict *verdict,
							 const OpsOutcome *outcome);
static void report_denial(OpsRlsAudit *audit, const OpsGateVerdict *verdict,
						  const OpsOutcome *outcome);
static const char *message_of(const OpsGateVerdict *verdict,
							  const OpsOutcome *outcome);
static const char *remediation_of(OpsRlsAudit *audit,
								  const OpsGateVerdict *verdict,
								  const OpsOutcome *outcome);
static OpsIdentity *usual_identity(OpsRlsAudit *audit, Oid type, bool user);
static const char *probe_of(const OpsGateVerdict *verdict);
static const char *policy_predicate(OpsRlsAudit *audit,
									const OpsRlsRelation *relation,
									OpsRlsPolicy *policy, bool check);
static const char *read_predicate(OpsRlsAudit *audit,
								  const OpsRlsRelation *relation,
								  const OpsRlsPolicy *policy, bool check);
static const char *gate_predicate(OpsRlsAudit *audit,
								  const OpsGateVerdict *verdict,
								  OpsRlsPolicy *policy);
static List *key_names(const OpsRlsRelation *relation, const Bitmapset *keys);
static List *policy_names(const OpsGateVerdict *verdict);

/*
 * A row of the matrix.  The word stands in for a verdict that nothing had to
 * be asked for.
 */
void
ops_verdict_row(OpsRlsAudit *audit, const OpsGateVerdict *verdict,
				const char *word, const char *obstacle)
{
	OpsRlsVerdict *row;
	MemoryContext caller;
	ListCell   *lc;

	if (!audit->want_matrix)
		return;
	caller = MemoryContextSwitchTo(audit->context);
	row = palloc0(sizeof(OpsRlsVerdict));
	row->schema_name = verdict->relation->schema_name;
	row->relation = verdict->relation->name;
	row->role_name = verdict->role->names;
	row->command = verdict->gate->command;
	row->gate = verdict->gate->check ? "check" : "using";
	row->verdict = word ? word : ops_verdict_name[verdict->verdict];
	row->obstacle = obstacle;
	row->tenant_key = key_names(verdict->relation,
								verdict->keys ? verdict->keys :
								verdict->relation->tenant_keys);
	row->policies = policy_names(verdict);
	row->reach = ops_rls_reach(audit, verdict->role, verdict->relation,
							   verdict->gate->right);
	foreach(lc, verdict->outcomes)
	{
		OpsOutcome *outcome = lfirst(lc);

		if (outcome->verdict != verdict->verdict)
			continue;
		if (outcome->obstacle && row->obstacle == NULL)
			row->obstacle = pstrdup(outcome->obstacle);
		if (outcome->counterexample && row->counterexample == NULL)
			row->counterexample = pstrdup(outcome->counterexample);
		if (row->predicate == NULL)
			row->predicate = gate_predicate(audit, verdict, outcome->policy);
	}
	audit->matrix = lappend(audit->matrix, row);
	MemoryContextSwitchTo(caller);
}

/*
 * Findings of a gate: one for each policy that lets too much through.
 */
void
ops_verdict_report(OpsRlsAudit *audit, const OpsGateVerdict *verdict)
{
	MemoryContext caller = MemoryContextSwitchTo(audit->context);
	ListCell   *lc;

	foreach(lc, verdict->outcomes)
	{
		const OpsOutcome *outcome = lfirst(lc);

		if (OidIsValid(outcome->recursion))
			report_recursion(audit, verdict, outcome);
		else if (outcome->verdict == VERDICT_DENIED &&
				 verdict->restrictive == NIL)
			report_denial(audit, verdict, outcome);
		else if (outcome->verdict > VERDICT_PROVED &&
				 verdict->verdict > VERDICT_PROVED)
			report_outcome(audit, verdict, outcome);
	}
	MemoryContextSwitchTo(caller);
}

static void
report_outcome(OpsRlsAudit *audit, const OpsGateVerdict *verdict,
			   const OpsOutcome *outcome)
{
	bool		found;
	OpsRlsFinding *finding = ops_verdict_find(audit, outcome->code,
											  verdict->relation,
											  outcome->policy, verdict->role,
											  verdict->gate, &found);

	if (found)
		return;
	if (outcome->conditional ||
		(outcome->obstacle && strcmp(outcome->obstacle, OPS_LOSSY_CAST) == 0))
	{
		finding->severity = outcome->by_setting ? OPS_P1 : OPS_P3;
		finding->unreachable = false;
	}
	finding->verdict = ops_verdict_name[outcome->verdict];
	finding->counterexample = outcome->counterexample ?
		pstrdup(outcome->counterexample) : NULL;
	finding->message = message_of(verdict, outcome);
	finding->predicate = gate_predicate(audit, verdict, outcome->policy);
	finding->remediation = remediation_of(audit, verdict, outcome);
	finding->probe = probe_of(verdict);
	if (outcome->obstacle)
		ops_rls_evidence(finding, "obstacle", "%s", outcome->obstacle);
	if (outcome->writable)
		ops_rls_evidence(finding, "lookup", "%s",
						 ops_rls_relation_name(outcome->writable->relation));
}

static void
report_recursion(OpsRlsAudit *audit, const OpsGateVerdict *verdict,
				 const OpsOutcome *outcome)
{
	bool		found;
	OpsRlsRelation *other = ops_rls_relation(audit, outcome->recursion);
	OpsRlsFinding *finding = ops_verdict_find(audit, POLICY_RECURSION,
											  verdict->relation,
											  outcome->policy, verdict->role,
											  NULL, &found);

	if (found)
		return;
	finding->verdict = "denied";
	finding->message = psprintf(_("policy %s reads %s, whose policies come back to it: every statement fails"),
								quote_identifier(outcome->policy->name),
								other ? ops_rls_relation_name(other) : "?");
	finding->remediation = "-- read the other table in a SECURITY DEFINER function that is owned by its owner and has SET search_path = ''";
}

static void
report_denial(OpsRlsAudit *audit, const OpsGateVerdict *verdict,
			  const OpsOutcome *outcome)
{
	bool		found;
	OpsRlsFinding *finding = ops_verdict_find(audit, POLICY_DENIES_ALL,
											  verdict->relation,
											  outcome->policy, verdict->role,
											  NULL, &found);

	if (found)
		return;
	finding->verdict = "denied";
	finding->message = psprintf(_("policy %s is true of no row of %s"),
								quote_identifier(outcome->policy->name),
								ops_rls_relation_name(verdict->relation));
	finding->remediation = psprintf("DROP POLICY %s ON %s;",
									quote_identifier(outcome->policy->name),
									ops_rls_relation_name(verdict->relation));
}

/*
 * The finding of this table about a policy and a gate, for one more role.
 */
OpsRlsFinding *
ops_verdict_find(OpsRlsAudit *audit, OpsRlsCodeId code,
				 OpsRlsRelation *relation, const OpsRlsPolicy *policy,
				 const OpsRlsRole *role, const OpsGate *gate, bool *found)
{
	MemoryContext caller = MemoryContextSwitchTo(audit->context);
	OpsRlsFinding *finding = NULL;
	const char *gate_name = gate == NULL ? NULL :
	gate->check ? "check" : "using";
	const char *command = gate ? gate->command : NULL;
	ListCell   *lc;

	foreach(lc, audit->table_findings)
	{
		OpsRlsFinding *other = lfirst(lc);

		if (other->code == code && other->command == command &&
			(policy == NULL || linitial(other->policies) == policy->name) &&
			(gate_name == NULL || strcmp(other->gate, gate_name) == 0))
			finding = other;
	}
	*found = finding != NULL;
	if (finding)
	{
		if (strcmp(finding->role_name, role->names) != 0)
			finding->role_name = psprintf("%s, %s", finding->role_name,
										  role->names);
		if (role->reachable && finding->unreachable)
		{
			finding->unreachable = false;
			finding->severity = ops_rls_code_table[code].severity;
		}
	}
	else
	{
		finding = ops_rls_report(audit, code, relation);
		finding->role_name = role->names;
		finding->command = command;
		finding->gate = gate_name;
		if (policy)
			finding->policies = list_make1((void *) policy->name);
		if (gate)
			finding->reach = ops_rls_reach(audit, role, relation, gate->right);
		finding->unreachable = !role->reachable;
		if (finding->unreachable)
			finding->severity = OPS_P3;
		audit->table_findings = lappend(audit->table_findings, finding);
	}
	MemoryContextSwitchTo(caller);
	return finding;
}

static const char *
message_of(const OpsGateVerdict *verdict, const OpsOutcome *outcome)
{
	const char *policy = quote_identifier(outcome->policy->name);
	const char *relation = ops_rls_relation_name(verdict->relation);
	const char *command = verdict->gate->command;

	if (outcome->conditional)
		return psprintf(_("policy %s lets %s on %s past the tenant when %s"),
						policy, command, relation, outcome->counterexample);
	switch (outcome->code)
	{
		case POLICY_OPAQUE_FUNCTION:
			return psprintf(_("policy %s on %s cannot be proved for %s: %s stopped the proof"),
							policy, relation, command, outcome->obstacle);
		case POLICY_DEFAULT_OPEN:
			return psprintf(_("policy %s lets %s on %s reach rows of every tenant when nobody said who he is: %s"),
							policy, command, relation, outcome->counterexample);
		case POLICY_NULL_TENANT_VISIBLE:
			if (verdict->gate->check)
				return psprintf(_("policy %s lets %s write rows without a tenant into %s: %s"),
								policy, command, relation,
								outcome->counterexample);
			return psprintf(_("policy %s lets %s on %s reach rows without a tenant: %s"),
							policy, command, relation, outcome->counterexample);
		case POLICY_LOOKUP_WRITABLE:
			return psprintf(_("policy %s on %s trusts %s, which the same role can write"),
							policy, relation,
							ops_rls_relation_name(outcome->writable->relation));
		default:
			if (verdict->gate->check)
				return psprintf(_("policy %s lets %s write rows of other tenants into %s: %s"),
								policy, command, relation,
								outcome->counterexample);
			return psprintf(_("policy %s lets %s reach rows of other tenants in %s: %s"),
							policy, command, relation,
							outcome->counterexample);
	}
}

/*
 * SQL that closes the gate.
 */
static const char *
remediation_of(OpsRlsAudit *audit, const OpsGateVerdict *verdict,
			   const OpsOutcome *outcome)
{
	const char *policy = quote_identifier(outcome->policy->name);
	const char *relation = ops_rls_relation_name(verdict->relation);
	const char *binding = ops_verdict_binding(audit, verdict->relation,
											  verdict->keys);

	if (outcome->writable)
		return psprintf("REVOKE INSERT, UPDATE ON %s FROM %s;",
						ops_rls_relation_name(outcome->writable->relation),
						quote_identifier(verdict->role->name));
	if (outcome->code == PERMISSIVE_OR_WIDENING)
		return psprintf("DROP POLICY %s ON %s;", policy, relation);
	if (outcome->code == POLICY_NULL_TENANT_VISIBLE && verdict->keys)
	{
		List	   *names = key_names(verdict->relation, verdict->keys);

		if (names != NIL)
			return psprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;",
							relation, quote_identifier(linitial(names)));
	}
	if (verdict->gate->check)
		return psprintf("ALTER POLICY %s ON %s WITH CHECK (%s);", policy,
						relation, binding);
	return psprintf("ALTER POLICY %s ON %s USING (%s);", policy, relation,
					binding);
}

/*
 * The condition that binds a table's key to what sessions say.
 */
const char *
ops_verdict_binding(OpsRlsAudit *audit, const OpsRlsRelation *relation,
					const Bitmapset *keys)
{
	int			column = bms_next_member(keys, -1);
	OpsIdentity *best;

	if (column <= 0 || relation->columns[column - 1].name == NULL)
		return "false";
	best = usual_identity(audit, relation->columns[column - 1].type,
						  bms_is_member(column, relation->user_keys));
	if (best)
		return psprintf("%s = (SELECT %s)",
						quote_identifier(relation->columns[column - 1].name),
						best->key);
	return psprintf("%s = (SELECT nullif(current_setting('app.tenant_id', true), '')::%s)",
					quote_identifier(relation->columns[column - 1].name),
					format_type_be(relation->columns[column - 1].type));
}

/*
 * What most keys of a type are compared with; found out once.
 */
static OpsIdentity *
usual_identity(OpsRlsAudit *audit, Oid type, bool user)
{
	OpsUsual   *usual;
	int			uses = -1;
	ListCell   *lc;

	foreach(lc, audit->tenancy->usual)
	{
		usual = lfirst(lc);
		if (usual->type == type && usual->user == user)
			return usual->identity;
	}
	usual = MemoryContextAllocZero(audit->context, sizeof(OpsUsual));
	usual->type = type;
	usual->user = user;
	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		OpsSource  *source = linitial(binding->identity->sources);

		if (!source->trusted || source->user_editable ||
			source->is_user != user || source->uses <= uses ||
			binding->relation->columns[binding->column - 1].type != type)
			continue;
		usual->identity = binding->identity;
		uses = source->uses;
	}
	audit->tenancy->usual = lappend(audit->tenancy->usual, usual);
	return usual->identity;
}

static const char *
probe_of(const OpsGateVerdict *verdict)
{
	List	   *names = key_names(verdict->relation, verdict->keys);

	if (names == NIL)
		return NULL;
	return psprintf("BEGIN READ ONLY; SET LOCAL ROLE %s; SELECT DISTINCT %s FROM %s LIMIT 10; ROLLBACK;",
					quote_identifier(verdict->role->name),
					quote_identifier(linitial(names)),
					ops_rls_relation_name(verdict->relation));
}

/*
 * What is asked of a row: one permissive policy and every restrictive one.
 */
static const char *
gate_predicate(OpsRlsAudit *audit, const OpsGateVerdict *verdict,
			   OpsRlsPolicy *policy)
{
	StringInfoData predicate;
	const char *one;
	ListCell   *lc;

	if (!audit->with_proofs)
		return NULL;
	one = policy_predicate(audit, verdict->relation, policy,
						   verdict->gate->check);
	if (one == NULL)
		return NULL;
	initStringInfo(&predicate);
	appendStringInfoString(&predicate, one);
	foreach(lc, verdict->restrictive)
	{
		one = policy_predicate(audit, verdict->relation, lfirst(lc),
							   verdict->gate->check);
		if (one)
			appendStringInfo(&predicate, " AND %s", one);
	}
	return predicate.data;
}

/*
 * A policy's condition as SQL; NULL if it cannot be had.  Looked up once.
 */
static const char *
policy_predicate(OpsRlsAudit *audit, const OpsRlsRelation *relation,
				 OpsRlsPolicy *policy, bool check)
{
	const char **known;
	bool	   *asked;
	MemoryContext scratch;
	MemoryContext caller;
	const char *predicate;

	check = check && policy->check != NULL;
	known = check ? &policy->check_text : &policy->qual_text;
	asked = check ? &policy->check_asked : &policy->qual_asked;
	if (*asked)
		return *known;

	scratch = AllocSetContextCreate(audit->context,
									"operations_runbook predicate",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(scratch);
	predicate = read_predicate(audit, relation, policy, check);
	MemoryContextSwitchTo(audit->context);
	*asked = true;
	*known = predicate ? pstrdup(predicate) : NULL;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return *known;
}

static const char *
read_predicate(OpsRlsAudit *audit, const OpsRlsRelation *relation,
			   const OpsRlsPolicy *policy, bool check)
{
	Relation	catalog = table_open(PolicyRelationId, AccessShareLock);
	const char *predicate = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_policy_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(policy->oid));
	scan = systable_beginscan(catalog, PolicyOidIndexId, true,
							  audit->snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		tree = heap_getattr(tuple, check ?
										Anum_pg_policy_polwithcheck :
										Anum_pg_policy_polqual,
										RelationGetDescr(catalog), &isnull);

		if (!isnull)
			predicate = ops_rls_deparse(relation,
										stringToNode(TextDatumGetCString(tree)));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return predicate;
}

static List *
key_names(const OpsRlsRelation *relation, const Bitmapset *keys)
{
	List	   *names = NIL;
	int			column = -1;

	while ((column = bms_next_member(keys, column)) >= 0)
	{
		if (relation->columns[column - 1].name)
			names = lappend(names, (void *) relation->columns[column - 1].name);
	}
	return names;
}

static List *
policy_names(const OpsGateVerdict *verdict)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, verdict->outcomes)
		names = lappend(names, (void *) ((OpsOutcome *) lfirst(lc))->policy->name);
	foreach(lc, verdict->restrictive)
		names = lappend(names, (void *) ((OpsRlsPolicy *) lfirst(lc))->name);
	return names;
}
