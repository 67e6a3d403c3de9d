/*-------------------------------------------------------------------------
 *
 * record.c
 *	  What health and row security say, written down for later.
 *
 * The question is asked as the caller, who sees what he may see.  The answer
 * is written as the owner of the table, so that whoever may execute a
 * function here needs no right on the table, and can write nothing else into
 * it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "core/compat.h"
#include "core/query.h"
#include "core/relation.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_record_health);
PG_FUNCTION_INFO_V1(ops_record_audit);

/* Arguments of ops.health(): format, depth, only, budget. */
#define HEALTH_ARGUMENTS	4

/*
 * Findings are told apart by their ids; a waived one counts as not there.  One
 * with the same id and other words, because it got worse, is new, and the old
 * one is not gone.
 */
static const char *const keep_audit =
"WITH before AS MATERIALIZED ("
" SELECT h.recorded_at, h.findings FROM ops.audit_history h"
" ORDER BY h.recorded_at DESC LIMIT 1"
"), finding AS ("
" SELECT f.earlier, f.value ->> 'finding_id' AS id,"
"  f.value ->> 'severity' AS severity, f.value ? 'waived_until' AS waived,"
"  concat_ws(' ', f.value ->> 'severity', f.value ->> 'code',"
"   f.value ->> 'object', f.value ->> 'role_name', f.value ->> 'command') AS words"
" FROM (SELECT false AS earlier, n.value FROM jsonb_array_elements($1) n"
"  UNION ALL"
"  SELECT true, e.value FROM before b, jsonb_array_elements(b.findings) e) f"
"), open AS ("
" SELECT f.id, f.words, f.earlier FROM finding f WHERE NOT f.waived"
"), change AS ("
" SELECT ARRAY(SELECT n.words FROM open n WHERE NOT n.earlier"
"   AND NOT EXISTS (SELECT FROM open e"
"    WHERE e.earlier AND e.id = n.id AND e.words = n.words)"
"   ORDER BY n.words COLLATE \"C\") AS appeared,"
"  ARRAY(SELECT e.words FROM open e WHERE e.earlier"
"   AND NOT EXISTS (SELECT FROM open n WHERE NOT n.earlier AND n.id = e.id)"
"   ORDER BY e.words COLLATE \"C\") AS gone"
"), total AS ("
" SELECT count(*) FILTER (WHERE severity = 'P0' AND NOT waived) AS p0,"
"  count(*) FILTER (WHERE severity = 'P1' AND NOT waived) AS p1,"
"  count(*) FILTER (WHERE severity = 'P2' AND NOT waived) AS p2,"
"  count(*) FILTER (WHERE severity = 'P3' AND NOT waived) AS p3,"
"  count(*) FILTER (WHERE waived) AS waived"
" FROM finding WHERE NOT earlier"
") INSERT INTO ops.audit_history AS h (previous_at, p0, p1, p2, p3, waived,"
" appeared, gone, findings)"
" SELECT b.recorded_at, t.p0, t.p1, t.p2, t.p3, t.waived,"
"  CASE WHEN b.recorded_at IS NOT NULL THEN c.appeared END,"
"  CASE WHEN b.recorded_at IS NOT NULL THEN c.gone END, $1"
" FROM total t CROSS JOIN change c LEFT JOIN before b ON true"
" RETURNING h.recorded_at, h.previous_at, h.p0, h.p1, h.p2, h.p3, h.waived,"
" h.appeared, h.gone";

static Datum health_document(FunctionCallInfo fcinfo);
static Datum audit_findings(void);

/*
 * ops.record_health(depth text) RETURNS text
 *
 * Errors: those of ops.health() for a depth that there is not; 55P03 if
 * somebody has locked the table; 25006 on a standby and in a read-only
 * transaction.
 */
Datum
ops_record_health(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {JSONBOID};
	Datum		values[1];
	OpsQuery	query;
	char	   *status;
	Oid			relid;

	PreventCommandDuringRecovery("ops.record_health()");
	PreventCommandIfReadOnly("ops.record_health()");
	values[0] = health_document(fcinfo);
	relid = ops_own_relation_lock("health_history", RowExclusiveLock);
	ops_query_execute(&query, ops_relation_owner(relid),
					  "INSERT INTO ops.health_history AS h (status, latency_ms, document)"
					  " VALUES ($1 ->> 'status', ($1 ->> 'latency_ms')::float8, $1)"
					  " RETURNING h.status",
					  lengthof(types), types, values, NULL);
	status = MemoryContextStrdup(caller, ops_query_text(&query, 0, 1));
	ops_query_end(&query);
	PG_RETURN_TEXT_P(cstring_to_text(status));
}

/*
 * ops.record_audit() RETURNS SETOF record
 *
 * Errors: 42501 without the right to execute ops.rls_audit(); 55P03 if
 * somebody has locked the table; 25006 on a standby and in a read-only
 * transaction.
 */
Datum
ops_record_audit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[] = {JSONBOID};
	Datum		values[1];
	OpsQuery	query;
	Oid			relid;

	InitMaterializedSRF(fcinfo, 0);
	PreventCommandDuringRecovery("ops.record_audit()");
	PreventCommandIfReadOnly("ops.record_audit()");
	values[0] = audit_findings();
	relid = ops_own_relation_lock("audit_history", RowExclusiveLock);
	ops_query_execute(&query, ops_relation_owner(relid), keep_audit,
					  lengthof(types), types, values, NULL);
	tuplestore_puttuple(rsinfo->setResult, query.rows->vals[0]);
	ops_query_end(&query);
	return (Datum) 0;
}

/*
 * The document as the caller sees it.
 *
 * Not by a query, so that the right to execute this function is enough; who
 * has it may be told the status of the whole.
 */
static Datum
health_document(FunctionCallInfo fcinfo)
{
	Oid			types[HEALTH_ARGUMENTS] = {TEXTOID, TEXTOID, TEXTARRAYOID, INTERVALOID};
	List	   *name = list_make2(makeString("ops"), makeString("health"));

	LOCAL_FCINFO(health, HEALTH_ARGUMENTS);
	FmgrInfo	flinfo;

	fmgr_info(LookupFuncName(name, HEALTH_ARGUMENTS, types, false), &flinfo);
	InitFunctionCallInfoData(*health, &flinfo, HEALTH_ARGUMENTS, InvalidOid,
							 NULL, NULL);
	for (int i = 0; i < HEALTH_ARGUMENTS; i++)
		health->args[i].isnull = true;
	health->args[1] = fcinfo->args[0];
	return FunctionCallInvoke(health);
}

/*
 * What the caller is told by ops.rls_audit(), as one array.
 */
static Datum
audit_findings(void)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext own;
	OpsQuery	query;
	bool		isnull;
	Datum		findings;

	ops_query_run(&query, InvalidOid,
				  "SELECT coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(f))), '[]')"
				  " FROM ops.rls_audit() f");
	own = MemoryContextSwitchTo(caller);
	findings = SPI_getbinval(query.rows->vals[0], query.rows->tupdesc, 1,
							 &isnull);
	findings = PointerGetDatum(PG_DETOAST_DATUM_COPY(findings));
	MemoryContextSwitchTo(own);
	ops_query_end(&query);
	return findings;
}
