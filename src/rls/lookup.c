/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  Lookups that a proof trusts, and whether the role can write them.
 *
 * A membership table is trusted to say which tenants somebody belongs to.
 * Whoever can write a row of his own into it that names a foreign tenant, or
 * make a foreign row his own, belongs to any.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "parser/parsetree.h"
#include "rls/gate.h"

static bool lookup_is_writable(OpsVisit *visit, OpsLookup *lookup, bool anything);
static bool view_opens(OpsVisit *visit, OpsRlsRelation *relation);
static void list_views(OpsRlsAudit *audit);
static bool is_window(OpsRlsAudit *audit, const OpsRlsRelation *view,
					  const OpsRlsRelation *table);
static bool can_write(OpsVisit *visit, OpsRlsRelation *relation, AttrNumber column, AclMode right);
static bool gate_opens(OpsVisit *visit, OpsRlsRelation *relation, Bitmapset *keys, const OpsGate *gate, bool anything);
static bool policy_opens(OpsVisit *visit, OpsRlsRelation *relation, OpsRlsPolicy *policy, Bitmapset *keys, const OpsGate *gate, bool anything);

/*
 * A lookup that the role can write so as to give itself a tenant.
 */
OpsLookup *
ops_visit_find_writable(OpsVisit *visit, List *lookups, bool anything)
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
lookup_is_writable(OpsVisit *visit, OpsLookup *lookup, bool anything)
{
	OpsRlsRelation *relation = lookup->relation;
	Bitmapset  *link = bms_make_singleton(lookup->link);
	int			column = -1;

	relation->is_trusted = true;
	if (!ops_rls_is_own_id(relation, lookup->link))
	{
		if (can_write(visit, relation, lookup->link, ACL_INSERT) &&
			gate_opens(visit, relation, link, &ops_gate_table[1], anything))
			return true;
		if (can_write(visit, relation, lookup->link, ACL_UPDATE) &&
			gate_opens(visit, relation, link, &ops_gate_table[3], anything))
			return true;
	}
	if (view_opens(visit, relation))
		return true;
	while ((column = bms_next_member(lookup->own, column)) >= 0)
	{
		if (can_write(visit, relation, column, ACL_UPDATE) &&
			gate_opens(visit, relation, lookup->own, &ops_gate_table[2],
					   anything))
			return true;
	}
	return false;
}

/*
 * Whether a view that the role can write passes rows on to a lookup past the
 * lookup's policies.
 */
static bool
view_opens(OpsVisit *visit, OpsRlsRelation *relation)
{
	ListCell   *lc;

	list_views(visit->audit);
	foreach(lc, visit->audit->definer_views)
	{
		const OpsRlsRelation *view = lfirst(lc);

		if (ops_rls_any_column_rights(visit->audit, visit->role, view,
									  ACL_INSERT | ACL_UPDATE) &&
			ops_rls_exempt(visit->audit, view->owner, relation) &&
			is_window(visit->audit, view, relation))
			return true;
	}
	return false;
}

static void
list_views(OpsRlsAudit *audit)
{
	MemoryContext caller;
	ListCell   *lc;

	if (audit->views_listed)
		return;
	audit->views_listed = true;
	caller = MemoryContextSwitchTo(audit->context);
	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);

		if (relation->kind == RELKIND_VIEW && !relation->security_invoker)
			audit->definer_views = lappend(audit->definer_views, relation);
	}
	MemoryContextSwitchTo(caller);
}

/*
 * Whether a view shows one table, so that it can be written through.
 */
static bool
is_window(OpsRlsAudit *audit, const OpsRlsRelation *view,
		  const OpsRlsRelation *table)
{
	Query	   *query = ops_rls_view_query(audit, view->oid);
	RangeTblEntry *rte;

	if (query == NULL || query->hasAggs || query->setOperations ||
		query->groupClause || list_length(query->jointree->fromlist) != 1 ||
		!IsA(linitial(query->jointree->fromlist), RangeTblRef))
		return false;
	rte = rt_fetch(((RangeTblRef *) linitial(query->jointree->fromlist))->rtindex,
				   query->rtable);
	return rte->rtekind == RTE_RELATION && rte->relid == table->oid;
}

static bool
can_write(OpsVisit *visit, OpsRlsRelation *relation, AttrNumber column,
		  AclMode right)
{
	return ops_rls_column_right(visit->audit, visit->role, relation, column,
								right);
}

/*
 * Whether a row whose keys are foreign passes a gate of a lookup.
 */
static bool
gate_opens(OpsVisit *visit, OpsRlsRelation *relation, Bitmapset *keys,
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
policy_opens(OpsVisit *visit, OpsRlsRelation *relation, OpsRlsPolicy *policy,
			 Bitmapset *keys, const OpsGate *gate, bool anything)
{
	OpsProblem *problem = ops_problem(visit->audit, visit->role);
	const OpsFormula *formula = ops_gate_formula(policy, gate);
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

		if (!floor->permissive && ops_gate_formula(floor, gate) &&
			ops_policy_applies(visit->audit, visit->role, InvalidOid, floor,
							   gate->letter))
			question.goal = ops_problem_and(problem, question.goal,
											ops_problem_formula(problem, ops_gate_formula(floor, gate), question.row));
	}
	if (OidIsValid(ops_problem_recursion(problem)))
		return false;
	return ops_problem_ask(problem, &question).possible;
}
