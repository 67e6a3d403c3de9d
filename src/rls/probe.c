/*-------------------------------------------------------------------------
 *
 * probe.c
 *	  ops.rls_probe(): looking, as the role, what row security lets through.
 *
 * A probe is one read-only query that runs as the role, in a subtransaction
 * that is always rolled back, as a security-restricted operation, for a
 * limited time and without waiting for locks.  What the role's query runs
 * (policies, views, functions) runs with the role's rights, never with the
 * caller's; and the caller has to be one who can SET ROLE to it anyway.
 *
 * A setting of one's own (app.tenant_id) is null until a session first sets
 * it and '' after that has been rolled back, never null again.  So all probes
 * with unset settings come first, and a second call in the same session
 * cannot repeat them.  That is the one thing a call leaves behind, as SET
 * LOCAL does; whatever functions do that no rollback undoes (connections to
 * other servers, advisory locks of the session) is the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "core/json.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rls/probe.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_rls_probe);

#define PROBE_COLUMNS	12

/* How long one probe may take. */
#define PROBE_MS	1000

static const char *const state_name[] = {"A", "B", "empty", "unset"};

typedef struct Probe
{
	OpsProbeTarget *target;
	const OpsRlsRole *role;
	const OpsRlsVerdict *verdict;	/* NULL: the prover says nothing of it */
	OpsProbeAnswer answers[OPS_PROBE_STATES];
} Probe;

typedef struct Probing
{
	OpsProbePlan plan;
	List	   *roles;			/* OpsRlsRole: those the caller can become */
	List	   *probes;
	int			left_out;		/* relations beyond the limit */
	/* the step at hand */
	OpsProbeTarget *target;
	Probe	   *probe;
	OpsProbeState state;
	OpsProbeAnswer *answer;
} Probing;

typedef void (*Step) (Probing *probing);

static void read_arguments(FunctionCallInfo fcinfo, Probing *probing);
static void choose_roles(Probing *probing, ReturnSetInfo *rsinfo);
static void choose_probes(Probing *probing, int max_relations);
static OpsProbeTarget *choose_target(Probing *probing,
									 OpsRlsRelation *relation);
static bool is_probed(const OpsRlsRelation *relation);
static const OpsRlsVerdict *find_verdict(const OpsRlsAudit *audit,
										 const OpsRlsRelation *relation,
										 const OpsRlsRole *role);
static ErrorData *attempt(Probing *probing, Step step);
static void on_timeout(void);
static void find_persons(Probing *probing);
static void run_state(Probing *probing, OpsProbeState state);
static const char *refusal(const Probing *probing);
static void ask(Probing *probing);
static void judge_error(Probing *probing, const ErrorData *edata);
static bool has_identity(const Probing *probing);
static void judge(Probing *probing);
static const char *leak_message(const Probing *probing);
static bool believes_users(const Probing *probing);
static void put_probes(const Probing *probing, ReturnSetInfo *rsinfo);
static void put_answer(const Probing *probing, const Probe *probe,
					   OpsProbeState state, ReturnSetInfo *rsinfo);
static Jsonb *details(const Probing *probing, const OpsProbeAnswer *answer);
static void put_note(ReturnSetInfo *rsinfo, const char *role,
					 const char *message, const char *remedy);

static TimeoutId probe_timeout = MAX_TIMEOUTS;
static volatile sig_atomic_t probe_timed_out = false;

/*
 * ops.rls_probe(roles regrole[], schemas text[], identities text[],
 *				 tenant_columns text[], tenants text[], max_relations int)
 * RETURNS SETOF record
 *
 * A row for each relation with tenants' rows, each role that may read it, and
 * each of four sessions: of two tenants, with settings empty, and unset.
 *
 * Locks: AccessShareLock on what is read, for the time of reading, and on a
 * relation only if that can be had at once.
 * Privileges: whoever may execute it; probes only roles that the caller can
 * SET ROLE to, and reads tenants only where the caller may read all rows.
 */
Datum
ops_rls_probe(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			max_relations = PG_ARGISNULL(5) ? 200 : PG_GETARG_INT32(5);
	OpsRlsAudit audit = {.with_proofs = true,.want_matrix = true};
	Probing		probing = {.plan = {.audit = &audit}};
	MemoryContext context;
	MemoryContext caller;

	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext,
									"operations_runbook probe",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);

	read_arguments(fcinfo, &probing);
	ops_rls_run(&audit);
	MemoryContextSwitchTo(context);
	ops_probe_plan(&probing.plan);
	choose_roles(&probing, rsinfo);
	choose_probes(&probing, max_relations);

	run_state(&probing, PROBE_UNSET);
	run_state(&probing, PROBE_AS_A);
	run_state(&probing, PROBE_AS_B);
	if (probing.plan.roots != NIL)
		run_state(&probing, PROBE_EMPTY);
	put_probes(&probing, rsinfo);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}

static void
read_arguments(FunctionCallInfo fcinfo, Probing *probing)
{
	OpsRlsAudit *audit = probing->plan.audit;

	if (!PG_ARGISNULL(0))
	{
		Datum	   *roles;
		bool	   *isnull;
		int			nroles;

		deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), REGROLEOID, sizeof(Oid),
						  true, TYPALIGN_INT, &roles, &isnull, &nroles);
		for (int i = 0; i < nroles; i++)
		{
			if (!isnull[i])
				audit->roles_wanted = lappend_oid(audit->roles_wanted,
												  DatumGetObjectId(roles[i]));
		}
	}
	audit->schemas_wanted = ops_argument_texts(fcinfo, 1);
	audit->identities_wanted = ops_argument_texts(fcinfo, 2);
	audit->columns_wanted = ops_argument_texts(fcinfo, 3);
	probing->plan.tenants = ops_argument_texts(fcinfo, 4);
	if (!PG_ARGISNULL(4) &&
		(list_length(probing->plan.tenants) != 2 ||
		 strcmp(linitial(probing->plan.tenants),
				lsecond(probing->plan.tenants)) == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"tenants\" must name two different tenants"),
				 errhint("Leave it out to have two tenants found.")));
}

/*
 * Those of the roles that the caller can become; say so of the others.
 */
static void
choose_roles(Probing *probing, ReturnSetInfo *rsinfo)
{
	ListCell   *lc;

	foreach(lc, probing->plan.audit->roles)
	{
		OpsRlsRole *role = (OpsRlsRole *) lfirst(lc);

		if (ops_compat_can_set_role(GetUserId(), role->oid))
			probing->roles = lappend(probing->roles, role);
		else
			put_note(rsinfo, role->names,
					 _("you cannot become this role, so nothing was probed as it"),
					 psprintf("GRANT %s TO %s;", quote_identifier(role->name),
							  quote_identifier(GetUserNameFromId(GetUserId(), false))));
	}
}

/*
 * The relations, and for each the roles that may read it.
 */
static void
choose_probes(Probing *probing, int max_relations)
{
	OpsRlsAudit *audit = probing->plan.audit;
	int			nrelations = 0;
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = (OpsRlsRelation *) lfirst(lc);
		OpsProbeTarget *target = NULL;
		ListCell   *role_cell;

		CHECK_FOR_INTERRUPTS();
		if (!is_probed(relation))
			continue;
		foreach(role_cell, probing->roles)
		{
			OpsRlsRole *role = (OpsRlsRole *) lfirst(role_cell);
			Probe	   *probe;

			if (ops_rls_any_column_rights(audit, role, relation, ACL_SELECT) == 0)
				continue;
			if (target == NULL)
			{
				target = choose_target(probing, relation);
				if (target == NULL)
					break;
				if (++nrelations > max_relations)
				{
					probing->left_out++;
					break;
				}
			}
			probe = palloc0(sizeof(Probe));
			probe->target = target;
			probe->role = role;
			probe->verdict = find_verdict(audit, relation, role);
			probing->probes = lappend(probing->probes, probe);
		}
		if (target == NULL || nrelations > max_relations)
			continue;

		probing->target = target;
		if (target->obstacle)
			continue;
		if (relation->kind == RELKIND_FOREIGN_TABLE)
			target->obstacle = _("foreign tables are not probed: reading them reaches another server");
		else
		{
			ErrorData  *edata = attempt(probing, find_persons);

			if (edata)
				target->obstacle = edata->message;
		}
	}
}

/*
 * How to probe a relation; NULL if it is of no interest.
 */
static OpsProbeTarget *
choose_target(Probing *probing, OpsRlsRelation *relation)
{
	OpsProbeTarget *target = ops_probe_target(&probing->plan, relation);

	if (target == NULL && ops_rls_is_tenant_data(relation))
	{
		target = palloc0(sizeof(OpsProbeTarget));
		target->relation = relation;
		target->obstacle = _("it takes more than one step from its rows to their tenant");
	}
	return target;
}

static bool
is_probed(const OpsRlsRelation *relation)
{
	return relation->in_scope && !relation->is_public;
}

/*
 * What the prover says of the role's SELECT; NULL if nothing.
 */
static const OpsRlsVerdict *
find_verdict(const OpsRlsAudit *audit, const OpsRlsRelation *relation,
			 const OpsRlsRole *role)
{
	ListCell   *lc;

	foreach(lc, audit->matrix)
	{
		const OpsRlsVerdict *verdict = (const OpsRlsVerdict *) lfirst(lc);

		if (strcmp(verdict->relation, relation->name) == 0 &&
			strcmp(verdict->schema_name, relation->schema_name) == 0 &&
			strcmp(verdict->command, "SELECT") == 0 &&
			verdict->role_name &&
			(strcmp(verdict->role_name, role->names) == 0 ||
			 strcmp(verdict->role_name, role->name) == 0))
			return verdict;
	}
	return NULL;
}

/*
 * Run a step in a subtransaction that is rolled back in any case, and within
 * its time; return its error, or NULL.
 *
 * Class 57 is thrown on (cancel, timeout, shutdown): it belongs to the
 * server.  Only our own timeout does not.
 */
static ErrorData *
attempt(Probing *probing, Step step)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile edata = NULL;

	if (probe_timeout == MAX_TIMEOUTS)
		probe_timeout = RegisterTimeout(USER_TIMEOUT, on_timeout);

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	probe_timed_out = false;
	PG_TRY();
	{
		enable_timeout_after(probe_timeout, PROBE_MS);
		step(probing);
		disable_timeout(probe_timeout, false);

		/* If it was over just now, it is here that it shows. */
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		disable_timeout(probe_timeout, false);
		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		FlushErrorState();

		/* Not to cancel what comes next, if it was over while failing. */
		if (probe_timed_out && edata->sqlerrcode != ERRCODE_QUERY_CANCELED)
			QueryCancelPending = false;
	}
	PG_END_TRY();

	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (edata && edata->sqlerrcode == ERRCODE_QUERY_CANCELED && probe_timed_out)
		edata->message = psprintf(_("it took longer than %d ms"), PROBE_MS);
	else if (edata &&
			 ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
		ReThrowError(edata);
	return edata;
}

/*
 * Cancel the query, as if somebody had asked for it.  In a signal handler.
 */
static void
on_timeout(void)
{
	probe_timed_out = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

static void
ask(Probing *probing)
{
	ops_probe_ask(&probing->plan, probing->target, probing->probe->role,
				  probing->state, probing->answer);
}

static void
find_persons(Probing *probing)
{
	ops_probe_find_persons(&probing->plan, probing->target);
}

/*
 * Probe all with the settings in one state.
 */
static void
run_state(Probing *probing, OpsProbeState state)
{
	ListCell   *lc;

	foreach(lc, probing->probes)
	{
		Probe	   *probe = (Probe *) lfirst(lc);
		OpsProbeAnswer *answer = &probe->answers[state];
		ErrorData  *edata;

		CHECK_FOR_INTERRUPTS();
		probing->probe = probe;
		probing->target = probe->target;
		probing->state = state;
		probing->answer = answer;

		answer->message = refusal(probing);
		if (answer->message)
		{
			answer->outcome = probe->target->locked ? "locked" : "not_testable";
			continue;
		}
		if (state == PROBE_UNSET && probing->plan.unset_obstacle)
		{
			bool		proved = probe->verdict &&
			strcmp(probe->verdict->verdict, "proved") == 0;

			answer->outcome = proved ? "covered_by_proof" : "not_testable";
			answer->message = psprintf(proved ?
									   _("setting \"%s\" has been set before in this session and can never be unset again; the proof holds for that as well") :
									   _("setting \"%s\" has been set before in this session and can never be unset again"),
									   probing->plan.unset_obstacle);
			answer->remedy = proved ? NULL :
				_("Call ops.rls_probe() first thing in a new session.");
			continue;
		}

		edata = attempt(probing, ask);
		if (edata)
			judge_error(probing, edata);
		else if (answer->looked)
			judge(probing);
	}
}

/*
 * Why the probe at hand cannot be made, or NULL.
 */
static const char *
refusal(const Probing *probing)
{
	const Probe *probe = probing->probe;
	const OpsProbeTarget *target = probe->target;

	if (target->obstacle)
		return target->obstacle;
	for (int i = 0; i < target->nkeys; i++)
	{
		if (!ops_rls_column_right(probing->plan.audit, probe->role,
								  target->relation, target->columns[i],
								  ACL_SELECT))
			return psprintf(_("the role may not read column \"%s\", which tells tenants apart"),
							target->relation->columns[target->columns[i] - 1].name);
	}
	if (target->by_role && probing->state == PROBE_AS_B)
		return _("the role itself is the tenant, so it cannot be another one");
	return NULL;
}

/*
 * A query that fails shows nothing.  That is as it should be without a right
 * or, for a policy that cannot read the identity, without an identity.
 */
static void
judge_error(Probing *probing, const ErrorData *edata)
{
	OpsProbeAnswer *answer = probing->answer;
	bool		without_identity = probing->state == PROBE_EMPTY ||
	probing->state == PROBE_UNSET;
	int			category = ERRCODE_TO_CATEGORY(edata->sqlerrcode);

	answer->looked = false;
	if (answer->statement == NULL)
	{
		answer->outcome = "not_testable";
		answer->message = edata->message;
		return;
	}
	answer->sqlstate = pstrdup(unpack_sql_state(edata->sqlerrcode));
	if (edata->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
	{
		answer->outcome = "locked";
		answer->message = psprintf(_("something that it reads is locked: %s"),
								   edata->message);
		answer->remedy = _("Call ops.rls_probe() again when the lock is gone.");
		return;
	}
	answer->outcome = edata->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE ||
		(without_identity &&
		 (category == ERRCODE_DATA_EXCEPTION ||
		  category == MAKE_SQLSTATE('P', '0', '0', '0', '0') ||
		  edata->sqlerrcode == ERRCODE_UNDEFINED_OBJECT)) ?
		"denied" : "failed";
	answer->message = psprintf(_("the query fails, so it shows nothing: %s"),
							   edata->message);
	if (!has_identity(probing))
		answer->outcome = "not_testable";
}

/*
 * Whether the person's session says anything, where that is what it is about.
 */
static bool
has_identity(const Probing *probing)
{
	const OpsProbeTarget *target = probing->target;
	const OpsProbePerson *person;

	if (probing->state != PROBE_AS_A && probing->state != PROBE_AS_B)
		return true;
	if (target->by_role)
		return true;
	person = &target->person[probing->state];
	for (int i = 0; i < probing->plan.audit->terms->nsources; i++)
	{
		if (person->values[i])
			return true;
	}
	return false;
}

static void
judge(Probing *probing)
{
	const Probe *probe = probing->probe;
	OpsProbeAnswer *answer = probing->answer;
	const char *verdict = probe->verdict ? probe->verdict->verdict : NULL;
	bool		without_identity = probing->state == PROBE_EMPTY ||
	probing->state == PROBE_UNSET;

	if (answer->foreign || answer->ownerless)
	{
		answer->outcome = "leaks";
		answer->contradicts = verdict &&
			(strcmp(verdict, "proved") == 0 || strcmp(verdict, "denied") == 0);
		answer->message = leak_message(probing);
		answer->remedy = answer->contradicts ?
			_("Report it, with the policies of the table and what ops.rls_matrix() says of it.") :
			psprintf("SELECT severity, code, message, remediation FROM ops.rls_audit(schemas => ARRAY[%s]) WHERE object_name = %s;",
					 quote_literal_cstr(probe->target->relation->schema_name),
					 quote_literal_cstr(probe->target->relation->name));
	}
	else if (without_identity)
	{
		answer->outcome = "isolated";
		answer->message = _("nothing is visible to a session without an identity");
	}
	else if (answer->own)
	{
		answer->contradicts = verdict && strcmp(verdict, "denied") == 0;
		answer->outcome = "isolated";
		answer->message = answer->contradicts ?
			_("P0 proof_contradicted: the prover says that no row is visible, yet the role sees rows of its tenant") :
			_("the tenant's own rows are visible, and no others");
	}
	else if (!has_identity(probing) && !answer->own &&
			 probing->target->relation->policies != NIL)
	{
		answer->outcome = "not_testable";
		answer->message = _("nothing is visible, but neither is it known what a session of the tenant says about itself");
	}
	else
	{
		answer->outcome = "denied";
		answer->message = _("nothing is visible, not even the tenant's own rows, which is no proof of isolation");
	}
}

static const char *
leak_message(const Probing *probing)
{
	const OpsProbeAnswer *answer = probing->answer;
	const OpsRlsVerdict *verdict = probing->probe->verdict;

	if (answer->contradicts && answer->foreign)
		return _("P0 proof_contradicted: rows of other tenants are visible, which the prover says cannot be; do not trust the proof");
	if (answer->contradicts)
		return _("P0 proof_contradicted: rows without a tenant are visible, which the prover says cannot be; do not trust the proof");
	if (!answer->foreign)
		return _("rows that belong to no tenant are visible");
	if (believes_users(probing))
		return _("P0: rows of other tenants are visible to whoever names another tenant in a claim that users edit themselves");
	if (verdict && verdict->verdict &&
		strcmp(verdict->verdict, "unproved") == 0)
		return _("P0: rows of other tenants are visible; what could not be proved is not so");
	if (probing->state == PROBE_EMPTY || probing->state == PROBE_UNSET)
		return _("P0: tenants' rows are visible to a session without an identity");
	return _("P0: rows of other tenants are visible");
}

/*
 * Whether the rows could come from what the session says of itself in a claim
 * that users edit.
 */
static bool
believes_users(const Probing *probing)
{
	const OpsProbeTarget *target = probing->target;
	ListCell   *lc;

	if (probing->state != PROBE_AS_A && probing->state != PROBE_AS_B)
		return false;
	foreach(lc, probing->plan.bindings)
	{
		const OpsProbeBinding *binding = (const OpsProbeBinding *) lfirst(lc);

		if (binding->relation == target->relation &&
			binding->column == target->columns[0] &&
			binding->source->user_editable)
			return true;
	}
	return false;
}

/*
 * A row for each probe, and one for what did not fit.
 */
static void
put_probes(const Probing *probing, ReturnSetInfo *rsinfo)
{
	ListCell   *lc;

	foreach(lc, probing->probes)
	{
		const Probe *probe = (const Probe *) lfirst(lc);

		for (OpsProbeState state = PROBE_AS_A; state <= PROBE_UNSET; state++)
		{
			if (probe->answers[state].outcome)
				put_answer(probing, probe, state, rsinfo);
		}
	}
	if (probing->left_out > 0)
		put_note(rsinfo, NULL,
				 psprintf(ngettext("%d more relation was not probed",
								   "%d more relations were not probed",
								   probing->left_out), probing->left_out),
				 _("Raise max_relations, or probe schema by schema."));
}

static void
put_answer(const Probing *probing, const Probe *probe, OpsProbeState state,
		   ReturnSetInfo *rsinfo)
{
	const OpsProbeAnswer *answer = &probe->answers[state];
	Datum		values[PROBE_COLUMNS] = {0};
	bool		nulls[PROBE_COLUMNS] = {0};
	bool		has_person = state == PROBE_AS_A || state == PROBE_AS_B;

	ops_report_text(&values[0], &nulls[0], probe->target->relation->schema_name);
	ops_report_text(&values[1], &nulls[1], probe->target->relation->name);
	ops_report_text(&values[2], &nulls[2], probe->role->names);
	ops_report_text(&values[3], &nulls[3], state_name[state]);
	ops_report_text(&values[4], &nulls[4], answer->outcome);
	values[5] = BoolGetDatum(answer->own);
	nulls[5] = !answer->looked || !has_person;
	values[6] = BoolGetDatum(answer->foreign);
	nulls[6] = !answer->looked;
	ops_report_text(&values[7], &nulls[7],
					probe->verdict ? probe->verdict->verdict : NULL);
	values[8] = BoolGetDatum(answer->contradicts);
	ops_report_text(&values[9], &nulls[9], answer->message);
	ops_report_text(&values[10], &nulls[10], answer->remedy);
	values[11] = JsonbPGetDatum(details(probing, answer));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static Jsonb *
details(const Probing *probing, const OpsProbeAnswer *answer)
{
	OpsJsonbState state = {0};
	ListCell   *lc;

	ops_json_begin_object(&state, NULL);
	if (answer->looked)
		ops_json_bool(&state, "rows_without_tenant", answer->ownerless);
	if (answer->statement)
		ops_json_text(&state, "statement", answer->statement);
	if (answer->sqlstate)
		ops_json_text(&state, "sqlstate", answer->sqlstate);
	ops_json_begin_array(&state, "settings");
	foreach(lc, probing->plan.roots)
		ops_json_text(&state, NULL, ((const OpsSource *) lfirst(lc))->name);
	ops_json_end_array(&state);
	ops_json_end_object(&state);
	return ops_json_finish(&state);
}

/*
 * A row about something else than a relation.
 */
static void
put_note(ReturnSetInfo *rsinfo, const char *role, const char *message,
		 const char *remedy)
{
	Datum		values[PROBE_COLUMNS] = {0};
	bool		nulls[PROBE_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	ops_report_text(&values[2], &nulls[2], role);
	ops_report_text(&values[4], &nulls[4], "not_testable");
	values[8] = BoolGetDatum(false);
	nulls[8] = false;
	ops_report_text(&values[9], &nulls[9], message);
	ops_report_text(&values[10], &nulls[10], remedy);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}
