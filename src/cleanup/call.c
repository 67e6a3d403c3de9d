/*-------------------------------------------------------------------------
 *
 * call.c
 *	  The policy that the arguments of one call make.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "cleanup/cleanup.h"
#include "utils/lsyscache.h"

/*
 * As if a policy had been made for this call, by its caller: expressions are
 * checked and the caller must have the privileges of the role that it runs
 * as.  Raises 22004 for what is missing.
 */
OpsRetention *
ops_retention_of_call(Oid relation, const char *time_column,
					  const Interval *keep, const char *condition,
					  const char *hold, const char *time_format, Oid archive,
					  List *overrides)
{
	OpsRetention *policy = ops_retention_defaults();

	if (time_column == NULL || keep == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("time_column and keep must be given along with target"),
				 errhint("Name the column that tells the age of a row, and how long rows are kept.")));
	if (get_rel_name(relation) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	ops_cleanup_check_overrides(overrides);

	policy->relation = relation;
	policy->time_column = time_column;
	policy->time_format = time_format;
	policy->keep = palloc(sizeof(Interval));
	*policy->keep = *keep;
	policy->archive = archive;
	policy->overrides = overrides;
	policy->run_as = ops_retention_default_role(relation);
	ops_retention_demand_right(policy);
	if (condition)
		policy->condition = ops_expression_check(relation, condition, BOOLOID,
												 "condition");
	if (hold)
		policy->hold = ops_expression_check(relation, hold, BOOLOID, "hold");
	return policy;
}
