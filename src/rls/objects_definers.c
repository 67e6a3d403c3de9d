/*-------------------------------------------------------------------------
 *
 * objects_definers.c
 *	  Functions that run as their owner, past policies that do not bind it.
 *
 * A body that is a query is proved like a view.  Of any other body only the
 * words are known: which tables it touches, and whether it asks at all who
 * the session is.  A body that never asks cannot tell tenants apart; of one
 * that does, nothing is claimed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "rls/formula.h"
#include "rls/objects.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Tenant data that a body touches as an owner whom no policy binds. */
typedef struct Touched
{
	const OpsRlsRelation *read;
	const OpsRlsRelation *inserted;
	const OpsRlsRelation *changed;
	bool		is_dynamic;
	bool		decides;
} Touched;

/* What is known of the rows that a body hands out. */
typedef enum QueryJudgement
{
	QUERY_UNREADABLE,			/* the body is no query */
	QUERY_BOUND,				/* none that policies would hide */
	QUERY_REPORTED,
} QueryJudgement;

static QueryJudgement judge_query(OpsObjects *objects, OpsRoutine *routine,
								  const OpsReachers *callers);
static void judge_exposure(OpsObjects *objects, OpsRoutine *routine,
						   const OpsReachers *callers,
						   const OpsRlsExposure *exposure, OpsRlsRole *role);
static void judge_words(OpsObjects *objects, OpsRoutine *routine,
						const OpsReachers *callers, const Touched *touched);
static bool enrols_anybody(const OpsRoutine *routine, const Touched *touched);
static void judge_trigger(OpsObjects *objects, OpsRoutine *routine,
						  const OpsReachers *callers, const Touched *touched);
static void find_touched(OpsObjects *objects, OpsRoutine *routine,
						 const OpsReachers *callers, Touched *touched);
static const OpsRlsRelation *first_exempt(OpsObjects *objects,
										  const OpsReachers *callers,
										  Oid owner, List *relations,
										  const OpsRlsRelation *found);
static bool is_open_below(OpsObjects *objects, const OpsReachers *callers,
						  const OpsRlsRelation *relation);
static bool sees_past_policies(OpsObjects *objects, Oid owner);
static bool tells_little(OpsObjects *objects, const OpsRoutine *routine);
static bool is_policy_lookup(const OpsRoutine *routine);
static bool fires_unprotected(const OpsRoutine *routine);
static bool fills_data(const OpsRoutine *routine, const OpsBodyFacts *facts);
static bool is_key(const OpsRlsRelation *relation, const char *column);
static OpsRlsFinding *report_definer(OpsObjects *objects,
									 const OpsRoutine *routine,
									 const OpsReachers *callers,
									 const OpsRlsRelation *relation);
static const char *closing_command(const OpsRoutine *routine);

/*
 * Judge a function that runs as its owner.
 */
void
ops_objects_judge_definer(OpsObjects *objects, OpsRoutine *routine,
						  const OpsReachers *callers)
{
	Touched		touched = {0};

	find_touched(objects, routine, callers, &touched);
	if (routine->result == TRIGGEROID)
		judge_trigger(objects, routine, callers, &touched);
	else if (ops_objects_facts(objects, routine)->is_dynamic)
		judge_words(objects, routine, callers, &touched);
	else
	{
		switch (judge_query(objects, routine, callers))
		{
			case QUERY_BOUND:
				if (touched.inserted || touched.changed)
					judge_words(objects, routine, callers, &touched);
				break;
			case QUERY_REPORTED:
				break;
			case QUERY_UNREADABLE:
				judge_words(objects, routine, callers, &touched);
				break;
		}
	}
}

/*
 * Ask what a body hands out that is a query.
 */
static QueryJudgement
judge_query(OpsObjects *objects, OpsRoutine *routine,
			const OpsReachers *callers)
{
	const OpsRlsExposure *worst = NULL;
	OpsRlsRole *worst_role = NULL;
	int			asked = 0;
	ListCell   *lc;

	foreach(lc, callers->roles)
	{
		OpsRlsRole *role = lfirst(lc);
		const char *obstacle = NULL;
		List	   *exposures;
		ListCell   *cell;

		if (callers->reachable && !role->reachable)
			continue;
		if (asked++ >= OPS_MAX_ROLES_ASKED)
			break;
		exposures = ops_rls_function_exposures(objects->audit, routine->oid,
											   role, &obstacle);
		if (exposures == NIL && obstacle)
			return QUERY_UNREADABLE;
		foreach(cell, exposures)
		{
			const OpsRlsExposure *exposure = lfirst(cell);

			if (!exposure->exempt || exposure->relation->is_public ||
				is_open_below(objects, callers, exposure->relation))
				continue;
			if (exposure->bound == OPS_RLS_UNBOUND ||
				(exposure->bound == OPS_RLS_UNDECIDED && worst == NULL))
			{
				worst = exposure;
				worst_role = role;
			}
		}
		if (worst && worst->bound == OPS_RLS_UNBOUND)
			break;
	}
	if (worst == NULL)
		return QUERY_BOUND;
	judge_exposure(objects, routine, callers, worst, worst_role);
	return QUERY_REPORTED;
}

static void
judge_exposure(OpsObjects *objects, OpsRoutine *routine,
			   const OpsReachers *callers, const OpsRlsExposure *exposure,
			   OpsRlsRole *role)
{
	OpsRlsFinding *finding = report_definer(objects, routine, callers,
											exposure->relation);
	const char *relation = ops_rls_relation_name(exposure->relation);
	const char *owner = ops_objects_role_name(objects->audit, routine->owner);

	if (exposure->bound == OPS_RLS_UNBOUND)
	{
		finding->counterexample = psprintf(_("any session of %s, any row"),
										   role->name);
		finding->message = psprintf(_("%s reads %s as %s, whom no policy binds, and does not filter by who asks"),
									routine->signature, relation, owner);
	}
	else
	{
		finding->severity = Max(finding->severity, OPS_P2);
		finding->verdict = "unproved";
		finding->message = psprintf(_("%s reads %s as %s, whom no policy binds, and its filter cannot be proved past %s"),
									routine->signature, relation, owner,
									exposure->obstacle ? exposure->obstacle :
									routine->signature);
		if (exposure->obstacle)
			ops_rls_evidence(finding, "obstacle", "%s", exposure->obstacle);
	}
	if (tells_little(objects, routine))
	{
		finding->severity = OPS_P3;
		finding->counterexample = NULL;
		ops_rls_evidence(finding, "result", "%s",
						 "no row, only a total or a truth value");
	}
	else if (is_policy_lookup(routine))
	{
		finding->severity = OPS_P3;
		ops_rls_evidence(finding, "judged_with", "%s",
						 "the policies that use it");
	}
}

/*
 * A body of which only the words are known.
 */
static void
judge_words(OpsObjects *objects, OpsRoutine *routine,
			const OpsReachers *callers, const Touched *touched)
{
	const OpsRlsRelation *relation;
	OpsRlsFinding *finding;
	const char *owner = ops_objects_role_name(objects->audit, routine->owner);
	bool		writes;

	writes = touched->changed || (touched->inserted && routine->nargs > 0);
	relation = touched->changed ? touched->changed :
		touched->inserted ? touched->inserted : touched->read;
	if (relation == NULL)
	{
		if (!touched->is_dynamic || routine->nargs == 0 ||
			ops_objects_reads_session(objects, routine) ||
			!sees_past_policies(objects, routine->owner))
			return;
		finding = report_definer(objects, routine, callers, NULL);
		finding->severity = Max(finding->severity, OPS_P2);
		finding->verdict = "unproved";
		finding->message = psprintf(_("%s builds statements and runs them as %s, whom no policy binds; what they touch cannot be told"),
									routine->signature, owner);
		return;
	}

	finding = report_definer(objects, routine, callers, relation);
	if (enrols_anybody(routine, touched))
	{
		finding->counterexample = _("a session that passes another tenant's key");
		finding->message = psprintf(_("%s writes what its caller passes into %s as %s, unchecked, and policies go by what that says"),
									routine->signature,
									ops_rls_relation_name(relation), owner);
	}
	else if (ops_objects_reads_session(objects, routine))
	{
		finding->severity = OPS_P3;
		finding->verdict = "unproved";
		finding->message = psprintf(_("%s touches %s as %s, whom no policy binds; it asks who the session is, but that this keeps tenants apart cannot be proved"),
									routine->signature,
									ops_rls_relation_name(relation), owner);
	}
	else if (writes)
	{
		finding->counterexample = _("any session, any row");
		finding->message = psprintf(_("%s writes %s as %s, whom no policy binds, and never asks who the session is"),
									routine->signature,
									ops_rls_relation_name(relation), owner);
	}
	else if (touched->read && !tells_little(objects, routine))
	{
		finding->counterexample = _("any session, any row");
		finding->message = psprintf(_("%s reads %s as %s, whom no policy binds, and never asks who the session is"),
									routine->signature,
									ops_rls_relation_name(touched->read), owner);
	}
	else
	{
		finding->severity = OPS_P3;
		finding->verdict = "unproved";
		finding->message = psprintf(_("%s touches %s as %s, whom no policy binds, but hands out no row of it"),
									routine->signature,
									ops_rls_relation_name(relation), owner);
	}
}

/*
 * Whether a body puts its arguments into a table that says who belongs where,
 * and asks nothing before it does.
 */
static bool
enrols_anybody(const OpsRoutine *routine, const Touched *touched)
{
	return touched->inserted && touched->inserted->is_trusted &&
		touched->read == NULL && !touched->decides && routine->nargs > 0;
}

/*
 * A trigger's function.
 *
 * What it copies from a row that policies let pass belongs to the session's
 * own tenant, so most of what such functions do is harmless.  It is not where
 * the row comes from a table that nothing protects, or where values of other
 * rows are put into NEW, which the session reads back.
 */
static void
judge_trigger(OpsObjects *objects, OpsRoutine *routine,
			  const OpsReachers *callers, const Touched *touched)
{
	const OpsBodyFacts *facts = ops_objects_facts(objects, routine);
	const OpsRlsRelation *relation;
	OpsRlsFinding *finding;
	const char *owner = ops_objects_role_name(objects->audit, routine->owner);

	relation = touched->changed ? touched->changed :
		touched->inserted ? touched->inserted : touched->read;
	if (relation == NULL || ops_objects_reads_session(objects, routine))
		return;

	finding = report_definer(objects, routine, callers, relation);
	finding->reach = ops_rls_relation_name(linitial(routine->tables));
	ops_rls_evidence(finding, "trigger_on", "%s", finding->reach);
	if (touched->read && fills_data(routine, facts))
	{
		finding->counterexample = _("a row that refers to another tenant's row");
		finding->message = psprintf(_("the trigger function %s reads %s as %s, whom no policy binds, and puts what it finds into the new row"),
									routine->signature,
									ops_rls_relation_name(touched->read), owner);
	}
	else if ((touched->inserted || touched->changed) && facts->uses_new &&
			 fires_unprotected(routine))
	{
		finding->counterexample = _("a row with another tenant's key");
		finding->message = psprintf(_("the trigger function %s writes rows of a table without row security into %s as %s, whom no policy binds"),
									routine->signature,
									ops_rls_relation_name(relation), owner);
	}
	else
	{
		finding->severity = OPS_P3;
		finding->verdict = "unproved";
		finding->message = psprintf(_("the trigger function %s touches %s as %s, whom no policy binds; that it stays within the row's tenant cannot be proved"),
									routine->signature,
									ops_rls_relation_name(relation), owner);
	}
}

/*
 * Find the tenant data that a body, and what it calls, touches with the rights
 * of an owner whom no policy binds.
 */
static void
find_touched(OpsObjects *objects, OpsRoutine *routine,
			 const OpsReachers *callers, Touched *touched)
{
	List	   *callees = ops_objects_callees(objects, routine);
	ListCell   *lc;

	foreach(lc, callees)
	{
		OpsRoutine *callee = lfirst(lc);
		const OpsBodyFacts *facts = ops_objects_facts(objects, callee);
		Oid			owner = callee->definer ? callee->owner : routine->owner;

		touched->is_dynamic |= facts->is_dynamic;
		/* What takes no argument says who the session is. */
		touched->decides |= facts->decides &&
			(callee == routine || callee->nargs > 0);
		touched->read = first_exempt(objects, callers, owner, facts->reads,
									 touched->read);
		touched->inserted = first_exempt(objects, callers, owner, facts->inserts,
										 touched->inserted);
		touched->changed = first_exempt(objects, callers, owner, facts->changes,
										touched->changed);
	}
	list_free(callees);
}

static const OpsRlsRelation *
first_exempt(OpsObjects *objects, const OpsReachers *callers, Oid owner,
			 List *relations, const OpsRlsRelation *found)
{
	ListCell   *lc;

	if (found)
		return found;
	foreach(lc, relations)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (ops_objects_holds_tenants(relation) &&
			ops_rls_exempt(objects->audit, owner, relation) &&
			!is_open_below(objects, callers, relation))
			return relation;
	}
	return NULL;
}

/*
 * Whether the table is unprotected and the callers come to it anyway; then it
 * is the table that is reported.
 */
static bool
is_open_below(OpsObjects *objects, const OpsReachers *callers,
			  const OpsRlsRelation *relation)
{
	ListCell   *lc;

	if (relation->row_security)
		return false;
	foreach(lc, callers->roles)
	{
		if (ops_rls_rights(objects->audit, lfirst(lc), relation,
						   OPS_ROW_RIGHTS) == 0)
			return false;
	}
	return true;
}

/*
 * Whether there is protected tenant data that an owner sees all of.
 */
static bool
sees_past_policies(OpsObjects *objects, Oid owner)
{
	ListCell   *lc;

	foreach(lc, objects->audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (relation->row_security && ops_rls_is_tenant_data(relation) &&
			ops_rls_exempt(objects->audit, owner, relation))
			return true;
	}
	return false;
}

/*
 * Whether what comes back is no row of a table: nothing, yes or no, a total.
 */
static bool
tells_little(OpsObjects *objects, const OpsRoutine *routine)
{
	const OpsFunction *function;

	if (!routine->returns_set &&
		(routine->result == BOOLOID || routine->result == VOIDOID))
		return true;
	if (routine->kind == PROKIND_PROCEDURE)
		return true;

	/* By its arguments a caller chooses whose rows are counted. */
	if (routine->nargs > 0)
		return false;
	function = ops_rls_function(objects->audit, routine->oid);
	/* A total of whatever tenant the caller names is that tenant's. */
	return routine->nargs == 0 && function->query &&
		ops_objects_only_counts(function->query);
}

/*
 * Whether a function looks up keys for policies.  If it finds too many, the
 * tables that these policies are on are reported.
 */
static bool
is_policy_lookup(const OpsRoutine *routine)
{
	return routine->uses != NIL && routine->result != RECORDOID &&
		get_typtype(routine->result) != TYPTYPE_COMPOSITE;
}

static bool
fires_unprotected(const OpsRoutine *routine)
{
	ListCell   *lc;

	foreach(lc, routine->tables)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (!relation->row_security && relation->kind != RELKIND_VIEW)
			return true;
	}
	return false;
}

/*
 * Whether values that were read get into columns other than the tenant's key.
 * A wrong key does no harm: policies look at it after the trigger.
 */
static bool
fills_data(const OpsRoutine *routine, const OpsBodyFacts *facts)
{
	ListCell   *lc;

	foreach(lc, facts->fills)
	{
		ListCell   *cell;

		foreach(cell, routine->tables)
		{
			if (!is_key(lfirst(cell), lfirst(lc)))
				return true;
		}
	}
	return false;
}

static bool
is_key(const OpsRlsRelation *relation, const char *column)
{
	for (int i = 0; i < relation->ncolumns; i++)
	{
		if (relation->columns[i].name &&
			strcmp(relation->columns[i].name, column) == 0)
			return bms_is_member(i + 1, relation->tenant_keys) ||
				bms_is_member(i + 1, relation->links);
	}
	return false;
}

static OpsRlsFinding *
report_definer(OpsObjects *objects, const OpsRoutine *routine,
			   const OpsReachers *callers, const OpsRlsRelation *relation)
{
	OpsRlsFinding *finding;

	finding = ops_objects_report_routine(objects,
										 SECURITY_DEFINER_BYPASSES_RLS,
										 routine, callers);
	finding->remediation = closing_command(routine);
	if (relation)
		ops_rls_evidence(finding, "touches", "%s",
						 ops_rls_relation_name(relation));
	finding->probe = psprintf("SELECT prosecdef, proowner::regrole, proacl FROM pg_proc WHERE oid = %s::regprocedure;",
							  quote_literal_cstr(routine->signature));
	return finding;
}

static const char *
closing_command(const OpsRoutine *routine)
{
	if (routine->kind == PROKIND_PROCEDURE)
		return psprintf("ALTER PROCEDURE %s SECURITY INVOKER;",
						routine->signature);
	return psprintf("ALTER FUNCTION %s SECURITY INVOKER;",
					routine->signature);
}
