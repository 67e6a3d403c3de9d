/*-------------------------------------------------------------------------
 *
 * objects_views.c
 *	  Findings about views and materialized views.
 *
 * A view runs with the rights of its owner unless it is a security invoker;
 * then the tables below it are judged for the role itself, and what is left
 * to say here is about views below it that are none.  A materialized view holds what its owner saw when it was
 * last refreshed, whoever asks.
 *
 * Views are read from their rules; nothing they refer to is locked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rls/formula.h"
#include "rls/objects.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* The worst of what a view hands out to the roles that may use it. */
typedef struct Worst
{
	const OpsRlsExposure *unbound;
	const OpsRlsExposure *undecided;
	const OpsRlsExposure *filtered;
	OpsRlsRole *unbound_role;
	List	   *relations;		/* names of those without a bound */
} Worst;

static void judge_materialized_view(OpsObjects *objects,
									const OpsRlsRelation *view, Query *query,
									const OpsReachers *reachers);
static const OpsRlsRelation *any_tenant_data(OpsObjects *objects,
											 const OpsRlsRelation *view,
											 Query *query, OpsRlsRole *role);
static void judge_plain_view(OpsObjects *objects,
							 const OpsRlsRelation *view, Query *query,
							 const OpsReachers *reachers);
static void find_worst(OpsObjects *objects, const OpsRlsRelation *view,
					   Query *query, const OpsReachers *reachers,
					   Worst *worst);
static bool is_open_below(OpsObjects *objects, const OpsRlsRelation *view,
						  OpsRlsRole *role, const OpsRlsRelation *relation);
static const OpsRlsRelation *definer_of(OpsObjects *objects,
										const OpsRlsRelation *view,
										Query *query);
static OpsRlsFinding *report_view(OpsObjects *objects, OpsRlsCodeId code,
								  const OpsRlsRelation *view,
								  const OpsReachers *reachers);
static void report_bypass(OpsObjects *objects, const OpsRlsRelation *view,
						  Query *query, const OpsReachers *reachers,
						  const Worst *worst);
static void report_undecided(OpsObjects *objects, const OpsRlsRelation *view,
							 Query *query, const OpsReachers *reachers,
							 const Worst *worst);
static void report_no_barrier(OpsObjects *objects, const OpsRlsRelation *view,
							  const OpsReachers *reachers,
							  const Worst *worst);
static bool may_make_functions(OpsObjects *objects,
							   const OpsReachers *reachers);
static bool judge_unchecked_writes(OpsObjects *objects,
								   const OpsRlsRelation *view, Query *query);
static bool shows_key(const OpsRlsRelation *relation, const Query *query,
					  int varno);
static bool has_check_option(const OpsRlsRelation *view);
static bool has_triggers(OpsObjects *objects, const OpsRlsRelation *view);
static void report_unreadable(OpsObjects *objects,
							  const OpsRlsRelation *view);
static bool is_number(Oid type);
static bool is_plain_group(Oid type);

/*
 * Judge a view or materialized view.
 */
void
ops_objects_judge_view(OpsObjects *objects, const OpsRlsRelation *view)
{
	OpsReachers reachers = {0};
	Query	   *query;

	if (view->is_public)
		return;
	ops_reachers_find(objects, &reachers, view, OPS_ROW_RIGHTS);
	if (reachers.roles == NIL)
		return;
	query = ops_rls_view_query(objects->audit, view->oid);
	if (query == NULL)
		report_unreadable(objects, view);
	else if (view->kind == RELKIND_MATVIEW)
		judge_materialized_view(objects, view, query, &reachers);
	else
		judge_plain_view(objects, view, query, &reachers);
	list_free(reachers.roles);
}

/*
 * A stored query.  What it filters by was true for whoever refreshed it.
 */
static void
judge_materialized_view(OpsObjects *objects, const OpsRlsRelation *view,
						Query *query, const OpsReachers *reachers)
{
	OpsRlsRole *first = ops_reachers_first(reachers);
	const OpsRlsRelation *source = any_tenant_data(objects, view, query,
												   first);
	OpsRlsFinding *finding;
	const char *grantees;

	if (source == NULL)
		return;
	finding = report_view(objects, MATERIALIZED_VIEW_EXPOSED, view, reachers);
	finding->probe = ops_objects_probe(first, view);
	grantees = ops_reachers_grantees(objects->audit, reachers, view->acl,
									 OPS_ROW_RIGHTS);
	if (grantees)
		finding->remediation = psprintf("REVOKE ALL ON %s FROM %s;",
										finding->object, grantees);
	ops_rls_evidence(finding, "reads", "%s", ops_rls_relation_name(source));
	if (ops_objects_only_counts(query))
	{
		finding->severity = OPS_P3;
		finding->message = psprintf(_("%s shows totals over the rows of all tenants of %s, and no row of them"),
									finding->object,
									ops_rls_relation_name(source));
		return;
	}
	finding->counterexample = _("any session, any row");
	finding->message = psprintf(_("%s stores rows of %s of all tenants and is reachable; materialized views cannot have row security"),
								finding->object,
								ops_rls_relation_name(source));
}

/*
 * A relation with tenant data that a query reads, or NULL.
 */
static const OpsRlsRelation *
any_tenant_data(OpsObjects *objects, const OpsRlsRelation *view,
				Query *query, OpsRlsRole *role)
{
	List	   *exposures = ops_rls_query_exposures(objects->audit, query,
													view->owner, role);
	ListCell   *lc;

	foreach(lc, exposures)
	{
		const OpsRlsExposure *exposure = lfirst(lc);

		if (exposure->relation && !exposure->relation->is_public)
			return exposure->relation;
	}
	return ops_rls_is_tenant_data(view) ? view : NULL;
}

/*
 * A view that reads tables, or views below it, as their owners.
 */
static void
judge_plain_view(OpsObjects *objects, const OpsRlsRelation *view,
				 Query *query, const OpsReachers *reachers)
{
	Worst		worst = {0};

	find_worst(objects, view, query, reachers, &worst);
	if (worst.unbound)
		report_bypass(objects, view, query, reachers, &worst);
	else if (worst.undecided)
		report_undecided(objects, view, query, reachers, &worst);
	else if (worst.filtered && !view->security_invoker)
	{
		if (judge_unchecked_writes(objects, view, query))
			return;
		if (!view->security_barrier && query->limitCount == NULL &&
			query->limitOffset == NULL)
			report_no_barrier(objects, view, reachers, &worst);
	}
}

/*
 * Ask on behalf of the roles what comes out.  Only what the owner sees past
 * the policies counts: a weak policy is reported with its table.
 */
static void
find_worst(OpsObjects *objects, const OpsRlsRelation *view, Query *query,
		   const OpsReachers *reachers, Worst *worst)
{
	int			asked = 0;
	ListCell   *lc;

	foreach(lc, reachers->roles)
	{
		OpsRlsRole *role = lfirst(lc);
		List	   *exposures;
		ListCell   *cell;

		if (reachers->reachable && !role->reachable)
			continue;
		if (worst->unbound || asked++ >= OPS_MAX_ROLES_ASKED)
			break;
		exposures = ops_rls_query_exposures(objects->audit, query,
											view->security_invoker ?
											InvalidOid : view->owner, role);
		foreach(cell, exposures)
		{
			const OpsRlsExposure *exposure = lfirst(cell);

			if (!exposure->exempt || exposure->relation->is_public ||
				is_open_below(objects, view, role, exposure->relation))
				continue;
			if (exposure->bound == OPS_RLS_UNBOUND)
			{
				worst->unbound = exposure;
				worst->unbound_role = role;
				worst->relations =
					list_append_unique_ptr(worst->relations,
										   exposure->relation);
			}
			else if (exposure->bound == OPS_RLS_UNDECIDED)
				worst->undecided = exposure;
			else if (exposure->bound == OPS_RLS_BOUND_BY_QUERY)
				worst->filtered = exposure;
		}
	}
}

/*
 * Whether the role reads all of the table below by its own right; then the
 * table is what is reported.
 */
static bool
is_open_below(OpsObjects *objects, const OpsRlsRelation *view,
			  OpsRlsRole *role, const OpsRlsRelation *relation)
{
	if (view->security_invoker)
		return ops_rls_exempt(objects->audit, role->oid, relation);
	return !relation->row_security &&
		ops_rls_rights(objects->audit, role, relation, ACL_SELECT) != 0;
}

/*
 * The view that brings in an owner's rights: the view itself, or the first
 * below it that is no security invoker.
 */
static const OpsRlsRelation *
definer_of(OpsObjects *objects, const OpsRlsRelation *view, Query *query)
{
	ListCell   *lc;

	check_stack_depth();
	if (!view->security_invoker || query == NULL)
		return view;
	foreach(lc, query->rtable)
	{
		RangeTblEntry *entry = lfirst(lc);
		const OpsRlsRelation *below = NULL;

		if (OidIsValid(entry->relid) && entry->relid != view->oid)
			below = ops_rls_relation(objects->audit, entry->relid);
		if (below == NULL || below->kind != RELKIND_VIEW)
			continue;
		below = definer_of(objects, below,
						   ops_rls_view_query(objects->audit, below->oid));
		if (!below->security_invoker)
			return below;
	}
	return view;
}

/*
 * A finding with what is the same for all about views.
 */
static OpsRlsFinding *
report_view(OpsObjects *objects, OpsRlsCodeId code,
			const OpsRlsRelation *view, const OpsReachers *reachers)
{
	OpsRlsFinding *finding = ops_rls_report(objects->audit, code, view);
	OpsRlsRole *first = ops_reachers_first(reachers);
	AclMode		rights = ops_objects_row_rights(objects->audit, first, view,
												OPS_ROW_RIGHTS);

	finding->verdict = "open";
	finding->command = rights & ACL_SELECT ? "SELECT" :
		ops_objects_right_names(rights);
	finding->reach = ops_rls_reach(objects->audit, first, view,
								   rights & ACL_SELECT ? ACL_SELECT : rights);
	ops_reachers_describe(reachers, finding);
	ops_rls_evidence(finding, "owner", "%s",
					 ops_objects_role_name(objects->audit, view->owner));
	ops_rls_evidence(finding, "rights", "%s", ops_objects_right_names(rights));
	return finding;
}

static void
report_bypass(OpsObjects *objects, const OpsRlsRelation *view, Query *query,
			  const OpsReachers *reachers, const Worst *worst)
{
	OpsRlsFinding *finding = report_view(objects, VIEW_BYPASSES_RLS, view,
										 reachers);
	const OpsRlsRelation *definer = definer_of(objects, view, query);
	const char *owner = ops_objects_role_name(objects->audit, definer->owner);
	const char *relation = ops_rls_relation_name(worst->unbound->relation);
	ListCell   *lc;

	finding->remediation = psprintf("ALTER VIEW %s SET (security_invoker = true);",
									ops_rls_relation_name(definer));
	finding->probe = ops_objects_probe(worst->unbound_role, view);
	foreach(lc, worst->relations)
		ops_rls_evidence(finding, "reads", "%s",
						 ops_rls_relation_name(lfirst(lc)));
	if (ops_objects_only_counts(query))
	{
		finding->severity = OPS_P3;
		finding->message = psprintf(_("%s shows totals over the rows of all tenants of %s, and no row of them"),
									finding->object, relation);
		return;
	}
	finding->counterexample = _("any session, any row");
	finding->message = psprintf(_("%s reads %s as %s, whom no policy binds, and does not filter by who asks"),
								finding->object, relation, owner);
}

static void
report_undecided(OpsObjects *objects, const OpsRlsRelation *view,
				 Query *query, const OpsReachers *reachers,
				 const Worst *worst)
{
	OpsRlsFinding *finding = report_view(objects, VIEW_BYPASSES_RLS, view,
										 reachers);
	const OpsRlsRelation *definer = definer_of(objects, view, query);
	const char *owner = ops_objects_role_name(objects->audit, definer->owner);
	const char *relation = ops_rls_relation_name(worst->undecided->relation);

	if (finding->severity < OPS_P2)
		finding->severity = ops_objects_only_counts(query) ? OPS_P3 : OPS_P2;
	finding->verdict = "unproved";
	finding->remediation = psprintf("ALTER VIEW %s SET (security_invoker = true);",
									ops_rls_relation_name(definer));
	if (worst->undecided->obstacle)
	{
		finding->message = psprintf(_("%s reads %s as %s, whom no policy binds, and its filter cannot be proved past %s"),
									finding->object, relation, owner,
									worst->undecided->obstacle);
		ops_rls_evidence(finding, "obstacle", "%s",
						 worst->undecided->obstacle);
	}
	else
		finding->message = psprintf(_("%s reads %s as %s, whom no policy binds, and its filter cannot be proved"),
									finding->object, relation, owner);
}

/*
 * The filter is there, but a cheap function in the caller's WHERE clause can
 * be put below it and see the rows that it would have removed.
 */
static void
report_no_barrier(OpsObjects *objects, const OpsRlsRelation *view,
				  const OpsReachers *reachers, const Worst *worst)
{
	OpsRlsFinding *finding;

	finding = report_view(objects, VIEW_WITHOUT_SECURITY_BARRIER, view,
						  reachers);
	finding->remediation = psprintf("ALTER VIEW %s SET (security_barrier = true);",
									finding->object);
	finding->message = psprintf(_("%s filters the rows of %s itself, but without a security barrier the caller's functions can run below the filter"),
								finding->object,
								ops_rls_relation_name(worst->filtered->relation));
	ops_rls_evidence(finding, "reads", "%s",
					 ops_rls_relation_name(worst->filtered->relation));
	if (!may_make_functions(objects, reachers))
	{
		finding->severity = OPS_P3;
		ops_rls_evidence(finding, "can_create_functions", "false");
	}
}

static bool
may_make_functions(OpsObjects *objects, const OpsReachers *reachers)
{
	ListCell   *lc;

	foreach(lc, reachers->roles)
	{
		const OpsMaker *maker = ops_objects_maker(objects, lfirst(lc));

		if (maker->in_schema || maker->schemas || maker->temporary)
			return true;
	}
	return false;
}

/*
 * Rows written through a view that filters are not held to its filter unless
 * it has a check option.
 */
static bool
judge_unchecked_writes(OpsObjects *objects, const OpsRlsRelation *view,
					   Query *query)
{
	const OpsRlsAudit *audit = objects->audit;
	OpsReachers writers = {0};
	const OpsRlsRelation *base;
	OpsRlsFinding *finding;
	RangeTblRef *from;
	AclMode		rights;

	ops_reachers_find(objects, &writers, view, ACL_INSERT | ACL_UPDATE);
	if (writers.roles == NIL ||
		view_query_is_auto_updatable(query, true) != NULL ||
		has_check_option(view) || has_triggers(objects, view))
		return false;
	from = linitial_node(RangeTblRef, query->jointree->fromlist);
	base = ops_rls_relation(audit, rt_fetch(from->rtindex, query->rtable)->relid);

	/* A view below has its own options; only tables are certain. */
	if (base == NULL || base->kind == RELKIND_VIEW ||
		!ops_objects_holds_tenants(base) ||
		!ops_rls_exempt(audit, view->owner, base) ||
		!shows_key(base, query, from->rtindex))
		return false;

	finding = report_view(objects, VIEW_BYPASSES_RLS, view, &writers);
	rights = ops_objects_row_rights(audit, ops_reachers_first(&writers), view,
									ACL_INSERT | ACL_UPDATE);
	finding->command = rights & ACL_INSERT ? "INSERT" : "UPDATE";
	finding->gate = "check";
	finding->counterexample = _("any session, a row with another tenant's key");
	finding->message = psprintf(_("rows can be written through %s into another tenant of %s: its filter does not hold for new rows, and no policy binds %s"),
								finding->object, ops_rls_relation_name(base),
								ops_objects_role_name(audit, view->owner));
	finding->remediation = psprintf("ALTER VIEW %s SET (check_option = 'cascaded');",
									finding->object);
	ops_rls_evidence(finding, "writes", "%s", ops_rls_relation_name(base));
	return true;
}

/*
 * Whether the view has a column through which the tenant's key is written.
 */
static bool
shows_key(const OpsRlsRelation *relation, const Query *query, int varno)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst(lc);
		Var		   *var = (Var *) entry->expr;

		if (!entry->resjunk && IsA(entry->expr, Var) &&
			var->varno == varno && var->varattno > 0 &&
			(bms_is_member(var->varattno, relation->tenant_keys) ||
			 bms_is_member(var->varattno, relation->links)))
			return true;
	}
	return false;
}

static bool
has_check_option(const OpsRlsRelation *view)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(view->oid));
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	if (!heap_attisnull(tuple, Anum_pg_class_reloptions, NULL))
	{
		Relation	catalog = table_open(RelationRelationId, AccessShareLock);
		ViewOptions *options;

		options = (ViewOptions *) extractRelOptions(tuple,
													RelationGetDescr(catalog),
													NULL);
		found = options &&
			options->check_option != VIEW_OPTION_CHECK_OPTION_NOT_SET;
		table_close(catalog, AccessShareLock);
	}
	ReleaseSysCache(tuple);
	return found;
}

/*
 * Whether somebody else's code takes the place of writing through the view.
 */
static bool
has_triggers(OpsObjects *objects, const OpsRlsRelation *view)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(view->oid));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true,
							  objects->audit->snapshot, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

static void
report_unreadable(OpsObjects *objects, const OpsRlsRelation *view)
{
	OpsRlsFinding *finding = ops_rls_report(objects->audit, NOT_VISIBLE, view);

	finding->verdict = "unproved";
	finding->message = psprintf(_("the definition of %s could not be read, so nothing is known of what it shows"),
								finding->object);
}

/*
 * Whether a query shows numbers computed from many rows, and nothing that
 * tells one of these rows from another.
 */
bool
ops_objects_only_counts(const Query *query)
{
	ListCell   *lc;

	if (!query->hasAggs || query->setOperations || query->groupingSets != NIL)
		return false;
	foreach(lc, query->groupClause)
	{
		SortGroupClause *group = lfirst(lc);
		ListCell   *cell;

		foreach(cell, query->targetList)
		{
			TargetEntry *entry = lfirst(cell);

			if (entry->ressortgroupref == group->tleSortGroupRef &&
				!is_plain_group(exprType((Node *) entry->expr)))
				return false;
		}
	}
	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst(lc);
		Oid			type = exprType((Node *) entry->expr);

		if (!entry->resjunk && !is_number(type) &&
			!(entry->ressortgroupref != 0 && is_plain_group(type)))
			return false;
		if (!entry->resjunk && entry->ressortgroupref != 0 && is_number(type))
			return false;
	}
	return true;
}

static bool
is_number(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT4OID:
		case INT8OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
		default:
			return false;
	}
}

/*
 * Types of which many rows have the same value: days and kinds, no names.
 */
static bool
is_plain_group(Oid type)
{
	return type == BOOLOID || type == DATEOID || type == TIMESTAMPOID ||
		type == TIMESTAMPTZOID || get_typtype(type) == TYPTYPE_ENUM;
}
