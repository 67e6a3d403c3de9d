/*-------------------------------------------------------------------------
 *
 * predicate.c
 *	  What a policy means, as SQL that anybody can try.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "cleanup/cleanup.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_retention_predicate);

/*
 * ops.retention_predicate(policy_name text, at timestamptz)
 * RETURNS TABLE (relation regclass, cutoff timestamptz, predicate text)
 *
 * For each table that a policy names, which rows would be old at that time.
 * Reads no row.  The caller needs the privileges of pg_monitor, which reads
 * policies anyway, or of the policy's role; errors are 42704 for the name and
 * those of ops_clock_set().
 */
Datum
ops_retention_predicate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const OpsRetention *policy;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	policy = ops_retention_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (!has_privs_of_role(GetUserId(), ROLE_PG_MONITOR))
		ops_retention_demand_right(policy);
	foreach(lc, ops_retention_tables(policy))
	{
		OpsTarget	target = {.policy = policy};
		Datum		values[3];
		bool		nulls[3] = {0};

		CHECK_FOR_INTERRUPTS();
		target.relid = target.root = lfirst_oid(lc);
		target.run_as = policy->run_as;
		target.now = PG_GETARG_TIMESTAMPTZ(1);
		ops_clock_set(&target);
		values[0] = ObjectIdGetDatum(target.relid);
		values[1] = TimestampTzGetDatum(target.cutoff);
		values[2] = CStringGetTextDatum(target.predicate);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
							 values, nulls);
	}
	return (Datum) 0;
}
