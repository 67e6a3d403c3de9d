/*-------------------------------------------------------------------------
 *
 * objects_functions.c
 *	  Findings about functions and procedures.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rls/formula.h"
#include "rls/objects.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static void read_triggers(OpsObjects *objects);
static void judge_routine(OpsObjects *objects, OpsRoutine *routine);
static void find_callers(OpsObjects *objects, const OpsRoutine *routine,
						 OpsReachers *reachers);
static bool can_call(const OpsRlsAudit *audit, const OpsRlsRole *role,
					 const OpsRoutine *routine);
static bool can_fire(const OpsRlsAudit *audit, const OpsRlsRole *role,
					 const OpsRoutine *routine);
static void find_readers(OpsObjects *objects, const OpsRoutine *routine,
						 OpsReachers *reachers);
static void judge_leakproof(OpsObjects *objects, OpsRoutine *routine,
							const OpsReachers *callers);
static bool is_truly_leakproof(OpsObjects *objects,
							   const OpsRoutine *routine);
static bool walk_leaks(Node *node, void *context);
static bool leaks(Oid function, void *context);
static void judge_immutable(OpsObjects *objects, OpsRoutine *routine);
static int	compare_uses(const ListCell *left, const ListCell *right);
static const char *what_it_reads(OpsObjects *objects, OpsRoutine *routine);
static void report_immutable(OpsObjects *objects, const OpsRoutine *routine,
							 const OpsRlsRelation *relation, List *policies,
							 const char *reads);

/*
 * Judge the functions of the wanted schemas.
 */
void
ops_objects_judge_routines(OpsObjects *objects)
{
	ListCell   *lc;

	if (!objects->has_tenant_data)
		return;
	read_triggers(objects);
	foreach(lc, objects->routine_list)
	{
		OpsRoutine *routine = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (routine->in_scope && !routine->member)
			judge_routine(objects, routine);
	}
}

/*
 * Find the tables whose triggers call functions that run as their owners.
 */
static void
read_triggers(OpsObjects *objects)
{
	bool		wanted = false;
	Relation	catalog;
	SysScanDesc scan;
	HeapTuple	tuple;
	ListCell   *lc;

	foreach(lc, objects->routine_list)
	{
		OpsRoutine *routine = lfirst(lc);

		wanted |= routine->definer && routine->result == TRIGGEROID;
	}
	if (!wanted)
		return;
	catalog = table_open(TriggerRelationId, AccessShareLock);
	scan = systable_beginscan(catalog, InvalidOid, false,
							  objects->audit->snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
		OpsRoutine *routine;
		OpsRlsRelation *relation;

		CHECK_FOR_INTERRUPTS();
		if (form->tgisinternal || form->tgenabled == TRIGGER_DISABLED)
			continue;
		routine = hash_search(objects->routines, &form->tgfoid, HASH_FIND,
							  NULL);
		relation = ops_rls_relation(objects->audit, form->tgrelid);
		if (routine && relation)
			routine->tables = list_append_unique_ptr(routine->tables,
													 relation);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
judge_routine(OpsObjects *objects, OpsRoutine *routine)
{
	OpsReachers callers = {0};
	OpsReachers readers = {0};

	find_callers(objects, routine, &callers);
	if (routine->leakproof)
		judge_leakproof(objects, routine, &callers);
	if (routine->uses != NIL && routine->volatility == PROVOLATILE_IMMUTABLE)
		judge_immutable(objects, routine);

	if (routine->definer && callers.roles != NIL && !routine->compiled)
	{
		ops_objects_judge_definer(objects, routine, &callers);
		ops_objects_judge_path(objects, routine, &callers);
	}
	else if (routine->uses != NIL)
	{
		find_readers(objects, routine, &readers);
		if (readers.roles != NIL)
			ops_objects_judge_path(objects, routine, &readers);
		list_free(readers.roles);
	}
	list_free(callers.roles);
}

/*
 * The roles that can call a function, or make a trigger call it.
 */
static void
find_callers(OpsObjects *objects, const OpsRoutine *routine,
			 OpsReachers *reachers)
{
	const OpsRlsAudit *audit = objects->audit;
	ListCell   *lc;

	foreach(lc, audit->roles)
	{
		OpsRlsRole *role = lfirst(lc);

		if (!ops_objects_binds(role))
			continue;
		if (routine->result == TRIGGEROID ?
			can_fire(audit, role, routine) : can_call(audit, role, routine))
			ops_reachers_add(reachers, role);
	}
}

static bool
can_call(const OpsRlsAudit *audit, const OpsRlsRole *role,
		 const OpsRoutine *routine)
{
	if (routine->result == EVENT_TRIGGEROID)
		return false;
	return (routine->acl == NULL ||
			ops_rls_acl_rights(audit, role, routine->acl, routine->owner,
							   ACL_EXECUTE) != 0) &&
		ops_rls_uses_schema(audit, role, routine->schema);
}

static bool
can_fire(const OpsRlsAudit *audit, const OpsRlsRole *role,
		 const OpsRoutine *routine)
{
	ListCell   *lc;

	foreach(lc, routine->tables)
	{
		if (ops_objects_row_rights(audit, role, lfirst(lc),
								   ACL_INSERT | ACL_UPDATE | ACL_DELETE) != 0)
			return true;
	}
	return false;
}

/*
 * The roles on whose behalf policies call a function.
 */
static void
find_readers(OpsObjects *objects, const OpsRoutine *routine,
			 OpsReachers *reachers)
{
	ListCell   *lc;

	foreach(lc, objects->audit->roles)
	{
		OpsRlsRole *role = lfirst(lc);
		ListCell   *cell;

		if (!ops_objects_binds(role))
			continue;
		foreach(cell, routine->uses)
		{
			const OpsPolicyUse *use = lfirst(cell);

			if (!use->relation->row_security ||
				ops_objects_row_rights(objects->audit, role, use->relation,
									   OPS_ROW_RIGHTS) == 0)
				continue;
			ops_reachers_add(reachers, role);
			break;
		}
	}
}

/*
 * A finding about a function.
 */
OpsRlsFinding *
ops_objects_report_routine(OpsObjects *objects, OpsRlsCodeId code,
						   const OpsRoutine *routine,
						   const OpsReachers *reachers)
{
	OpsRlsFinding *finding;
	OpsRlsRole *first;

	finding = ops_rls_report_object(objects->audit, code,
									routine->kind == PROKIND_PROCEDURE ?
									"procedure" : "function",
									routine->schema_name, routine->name,
									routine->signature);
	finding->verdict = "open";
	if (reachers->roles != NIL)
	{
		first = ops_reachers_first(reachers);
		finding->reach = ops_objects_acl_reach(objects->audit, first,
											   routine->acl, routine->owner,
											   ACL_EXECUTE);
		ops_reachers_describe(reachers, finding);
	}
	ops_rls_evidence(finding, "owner", "%s",
					 ops_objects_role_name(objects->audit, routine->owner));
	return finding;
}

/*
 * A function that somebody said gives nothing away.
 *
 * The server runs such functions before policies.  One that is made of the
 * server's own leakproof functions keeps the promise.
 */
static void
judge_leakproof(OpsObjects *objects, OpsRoutine *routine,
				const OpsReachers *callers)
{
	OpsRlsFinding *finding;

	if ((callers->roles == NIL && !routine->used) ||
		!objects->has_protected_data ||
		is_truly_leakproof(objects, routine))
		return;
	finding = ops_objects_report_routine(objects, LEAKPROOF_USER_FUNCTION,
										 routine, callers);
	finding->message = psprintf(_("%s is marked LEAKPROOF, so it may be given rows before policies and security barriers have removed any"),
								routine->signature);
	finding->remediation = psprintf("ALTER FUNCTION %s NOT LEAKPROOF;",
									routine->signature);
	finding->probe = psprintf("SELECT proleakproof FROM pg_proc WHERE oid = %s::regprocedure;",
							  quote_literal_cstr(routine->signature));
}

static bool
is_truly_leakproof(OpsObjects *objects, const OpsRoutine *routine)
{
	OpsFunction *function;

	if (routine->compiled)
		return false;
	function = ops_rls_function(objects->audit, routine->oid);
	ops_rls_read_body(objects->audit, function);
	if (function->query == NULL || function->query->rtable != NIL)
		return false;
	return !query_tree_walker(function->query, walk_leaks, NULL, 0);
}

static bool
walk_leaks(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, leaks, context))
		return true;
	switch (nodeTag(node))
	{
		case T_SubLink:
		case T_Query:
		case T_MinMaxExpr:
		case T_CoerceToDomain:
		case T_SubscriptingRef:
			return true;
		default:
			return expression_tree_walker(node, walk_leaks, context);
	}
}

static bool
leaks(Oid function, void *context)
{
	return function >= FirstGenbkiObjectId || !get_func_leakproof(function);
}

/*
 * A function whose value the server may keep while the session's changes.
 * One row for each table whose policies rely on it.
 */
static void
judge_immutable(OpsObjects *objects, OpsRoutine *routine)
{
	const char *reads = what_it_reads(objects, routine);
	const OpsRlsRelation *relation = NULL;
	List	   *policies = NIL;
	ListCell   *lc;

	if (reads == NULL)
		return;
	list_sort(routine->uses, compare_uses);
	foreach(lc, routine->uses)
	{
		const OpsPolicyUse *use = lfirst(lc);

		if (relation && use->relation != relation)
		{
			report_immutable(objects, routine, relation, policies, reads);
			policies = NIL;
		}
		relation = use->relation;
		policies = lappend(policies, unconstify(char *, use->policy->name));
	}
	if (relation)
		report_immutable(objects, routine, relation, policies, reads);
}

/*
 * Those of a table together, its policies by name.
 */
static int
compare_uses(const ListCell *left, const ListCell *right)
{
	const OpsPolicyUse *a = lfirst(left);
	const OpsPolicyUse *b = lfirst(right);

	if (a->relation->oid != b->relation->oid)
		return a->relation->oid < b->relation->oid ? -1 : 1;
	return strcmp(a->policy->name, b->policy->name);
}

/*
 * What an IMMUTABLE function reads and must not, NULL if nothing.
 */
static const char *
what_it_reads(OpsObjects *objects, OpsRoutine *routine)
{
	ListCell   *lc;

	if (ops_objects_reads_session(objects, routine))
		return _("the session");
	foreach(lc, ops_objects_callees(objects, routine))
	{
		const OpsBodyFacts *facts = ops_objects_facts(objects, lfirst(lc));

		if (facts->reads != NIL)
			return ops_rls_relation_name(linitial(facts->reads));
	}
	return NULL;
}

static void
report_immutable(OpsObjects *objects, const OpsRoutine *routine,
				 const OpsRlsRelation *relation, List *policies,
				 const char *reads)
{
	OpsReachers reachers = {0};
	OpsRlsFinding *finding;

	if (!relation->in_scope)
		return;
	ops_reachers_find(objects, &reachers, relation, OPS_ROW_RIGHTS);
	finding = ops_rls_report(objects->audit, POLICY_IMMUTABLE_SESSION_FUNCTION,
							 relation);
	finding->policies = policies;
	finding->message = psprintf(_("policies of %s rely on %s, which is marked IMMUTABLE but reads %s: a cached plan keeps its first value"),
								finding->object, routine->signature, reads);
	finding->remediation = psprintf("ALTER FUNCTION %s STABLE;",
									routine->signature);
	finding->probe = psprintf("SELECT provolatile FROM pg_proc WHERE oid = %s::regprocedure;",
							  quote_literal_cstr(routine->signature));
	ops_rls_evidence(finding, "function", "%s", routine->signature);
	ops_rls_evidence(finding, "reads", "%s", reads);
	if (reachers.roles == NIL)
		finding->severity = OPS_P3;
	else
	{
		OpsRlsRole *first = ops_reachers_first(&reachers);

		finding->verdict = "open";
		finding->reach = ops_rls_reach(objects->audit, first, relation,
									   ops_objects_row_rights(objects->audit,
															  first, relation,
															  OPS_ROW_RIGHTS));
		if (!reachers.reachable)
			finding->severity = OPS_P3;
	}
}
