/*-------------------------------------------------------------------------
 *
 * audit.c
 *	  An audit from end to end, and the functions that return its results.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rls/formula.h"
#include "rls/rls.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_rls_audit);
PG_FUNCTION_INFO_V1(ops_rls_matrix);

/* Arguments of ops.rls_audit(); ops.rls_matrix() lacks the last. */
enum
{
	ARGUMENT_ROLES,
	ARGUMENT_SCHEMAS,
	ARGUMENT_IDENTITIES,
	ARGUMENT_TENANT_COLUMNS,
	ARGUMENT_WITH_PROOFS
};

/* Columns of a row of ops.rls_matrix(). */
enum
{
	COLUMN_SCHEMA_NAME,
	COLUMN_RELATION,
	COLUMN_ROLE_NAME,
	COLUMN_COMMAND,
	COLUMN_GATE,
	COLUMN_VERDICT,
	COLUMN_TENANT_KEY,
	COLUMN_OBSTACLE,
	COLUMN_COUNTEREXAMPLE,
	COLUMN_PREDICATE,
	COLUMN_POLICY,
	COLUMN_REACH,
	NUM_COLUMNS
};

static OpsRlsAudit *begin_audit(FunctionCallInfo fcinfo);
static void end_audit(OpsRlsAudit *audit, MemoryContext caller);
static List *wanted_roles(FunctionCallInfo fcinfo);
static List *wanted_schemas(FunctionCallInfo fcinfo);
static void report_locked_relations(OpsRlsAudit *audit);
static void report_locked(OpsRlsAudit *audit, const OpsRlsRelation *relation,
						  int holder);
static int	compare_verdicts(const ListCell *left, const ListCell *right);
static int	command_order(const char *command);
static void return_verdict(const OpsRlsVerdict *verdict,
						   ReturnSetInfo *rsinfo);

/*
 * ops.rls_audit(roles regrole[], schemas text[], identities text[],
 *				 tenant_columns text[], with_proofs boolean)
 *
 * Returns one row for each way past row security and for each thing that
 * slows it down, the worst first.  A null or empty argument stands for what
 * ops.tenancy declares and, where that is silent, for what the audit finds
 * out by itself.  Without proofs the predicate is null.
 *
 * Reads the catalogs as of one moment and locks no relation but these and our
 * own; a relation that somebody holds ACCESS EXCLUSIVE is judged by its last
 * committed state, and a row says so.  Calls no function of the audited
 * schemas.  Writes nothing, so it works in a read-only transaction and on a
 * standby.
 *
 * Needs EXECUTE and no other privilege: grants and policies are no secrets,
 * and no user's row is read.
 *
 * Raises undefined_schema for a schema and undefined_object for a role that
 * does not exist.
 */
Datum
ops_rls_audit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	OpsRlsAudit *audit;

	InitMaterializedSRF(fcinfo, 0);
	audit = begin_audit(fcinfo);
	audit->with_proofs = PG_ARGISNULL(ARGUMENT_WITH_PROOFS) ||
		PG_GETARG_BOOL(ARGUMENT_WITH_PROOFS);

	ops_rls_run(audit);
	ops_rls_return_findings(audit, rsinfo);

	end_audit(audit, caller);
	return (Datum) 0;
}

/*
 * ops.rls_matrix(roles regrole[], schemas text[], identities text[],
 *				  tenant_columns text[])
 *
 * Returns one row for each table with tenant data, role, command and gate
 * that the role can come to, with the verdict, also where nothing is wrong.
 * Arguments, locks, privileges and errors are those of ops.rls_audit().
 */
Datum
ops_rls_matrix(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	OpsRlsAudit *audit;
	MemoryContext scratch;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	audit = begin_audit(fcinfo);
	audit->with_proofs = true;
	audit->want_matrix = true;

	ops_rls_run(audit);
	list_sort(audit->matrix, compare_verdicts);
	scratch = AllocSetContextCreate(audit->context, "operations_runbook row",
									ALLOCSET_DEFAULT_SIZES);
	foreach(lc, audit->matrix)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(scratch);
		return_verdict(lfirst(lc), rsinfo);
		MemoryContextReset(scratch);
	}

	end_audit(audit, caller);
	return (Datum) 0;
}

/*
 * The whole audit.  What it finds lies in audit->findings, settled, and in
 * audit->matrix if that was asked for.
 */
void
ops_rls_run(OpsRlsAudit *audit)
{
	audit->context = CurrentMemoryContext;
	audit->snapshot = RegisterSnapshot(GetLatestSnapshot());

	ops_rls_read_tenancy(audit);
	ops_rls_snapshot(audit);
	ops_rls_find_roles(audit);
	ops_rls_performance_begin(audit);
	ops_rls_read_formulas(audit);
	ops_rls_find_tenancy(audit);
	ops_rls_judge_tables(audit);
	ops_rls_judge_objects(audit);
	ops_rls_judge_server(audit);
	report_locked_relations(audit);
	ops_rls_settle_findings(audit);

	UnregisterSnapshot(audit->snapshot);
	audit->snapshot = NULL;
}

/*
 * An audit of what the arguments ask for, in a context of its own, which is
 * the current one from here on.
 */
static OpsRlsAudit *
begin_audit(FunctionCallInfo fcinfo)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "operations_runbook audit",
												  ALLOCSET_DEFAULT_SIZES);
	OpsRlsAudit *audit;

	MemoryContextSwitchTo(context);
	audit = palloc0(sizeof(OpsRlsAudit));
	audit->context = context;
	audit->roles_wanted = wanted_roles(fcinfo);
	audit->schemas_wanted = wanted_schemas(fcinfo);
	audit->identities_wanted = ops_argument_texts(fcinfo, ARGUMENT_IDENTITIES);
	audit->columns_wanted = ops_argument_texts(fcinfo,
											   ARGUMENT_TENANT_COLUMNS);
	return audit;
}

static void
end_audit(OpsRlsAudit *audit, MemoryContext caller)
{
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(audit->context);
}

static List *
wanted_roles(FunctionCallInfo fcinfo)
{
	List	   *roles = NIL;
	Datum	   *oids;
	bool	   *isnull;
	int			count;

	if (PG_ARGISNULL(ARGUMENT_ROLES))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARGUMENT_ROLES), REGROLEOID,
					  sizeof(Oid), true, TYPALIGN_INT, &oids, &isnull, &count);
	for (int i = 0; i < count; i++)
	{
		Oid			role = DatumGetObjectId(oids[i]);

		if (isnull[i])
			continue;
		if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("role with OID %u does not exist", role),
					 errhint("PUBLIC is not a role; its rights are every role's.")));
		roles = list_append_unique_oid(roles, role);
	}
	return roles;
}

static List *
wanted_schemas(FunctionCallInfo fcinfo)
{
	List	   *schemas = ops_argument_texts(fcinfo, ARGUMENT_SCHEMAS);
	ListCell   *lc;

	foreach(lc, schemas)
	{
		const char *name = lfirst(lc);

		if (!OidIsValid(get_namespace_oid(name, true)))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_SCHEMA),
					 errmsg("schema \"%s\" does not exist", name),
					 errhint("Name schemas without quotes, exactly as pg_namespace.nspname has them.")));
	}
	return schemas;
}

/*
 * Report relations that somebody holds exclusively: what was read of them may
 * be about to change.
 *
 * One look at the lock table, all its partitions locked for a moment.
 */
static void
report_locked_relations(OpsRlsAudit *audit)
{
	LockData   *data = GetLockStatusData();

	for (int i = 0; i < data->nelements; i++)
	{
		const LockInstanceData *lock = &data->locks[i];
		const OpsRlsRelation *relation;

		if (lock->locktag.locktag_type != LOCKTAG_RELATION ||
			lock->locktag.locktag_field1 != MyDatabaseId ||
			(lock->holdMask & LOCKBIT_ON(AccessExclusiveLock)) == 0 ||
			lock->pid == MyProcPid)
			continue;
		relation = ops_rls_relation(audit, lock->locktag.locktag_field2);
		if (relation)
			report_locked(audit, relation, lock->pid);
	}
}

/*
 * The holder is 0 for a prepared transaction.
 */
static void
report_locked(OpsRlsAudit *audit, const OpsRlsRelation *relation, int holder)
{
	OpsRlsFinding *finding = ops_rls_report(audit, RELATION_LOCKED, relation);

	finding->verdict = "not_applicable";
	if (holder != 0)
		finding->message = psprintf(_("process %d holds %s exclusively; the audit speaks of its last committed state"),
									holder, finding->object);
	else
		finding->message = psprintf(_("a prepared transaction holds %s exclusively; the audit speaks of its last committed state"),
									finding->object);
	ops_rls_evidence(finding, "pid", "%d", holder);
	ops_rls_evidence(finding, "lock", "AccessExclusiveLock");
}

static int
compare_verdicts(const ListCell *left, const ListCell *right)
{
	const OpsRlsVerdict *a = lfirst(left);
	const OpsRlsVerdict *b = lfirst(right);
	int			order = strcmp(a->schema_name, b->schema_name);

	if (order == 0)
		order = strcmp(a->relation, b->relation);
	if (order == 0)
		order = strcmp(a->role_name, b->role_name);
	if (order == 0)
		order = command_order(a->command) - command_order(b->command);

	/* "using" before "check", as a statement meets them */
	return order != 0 ? order : strcmp(b->gate ? b->gate : "",
									   a->gate ? a->gate : "");
}

static int
command_order(const char *command)
{
	static const char *const commands[] = {
		"SELECT", "INSERT", "UPDATE", "DELETE",
	};

	for (int i = 0; i < lengthof(commands); i++)
	{
		if (strcmp(command, commands[i]) == 0)
			return i;
	}
	return lengthof(commands);
}

static void
return_verdict(const OpsRlsVerdict *verdict, ReturnSetInfo *rsinfo)
{
	Datum		values[NUM_COLUMNS];
	bool		nulls[NUM_COLUMNS];

#define TEXT(column, string) \
	ops_report_text(&values[COLUMN_##column], &nulls[COLUMN_##column], string)
#define TEXTS(column, strings) \
	ops_report_texts(&values[COLUMN_##column], &nulls[COLUMN_##column], strings)

	TEXT(SCHEMA_NAME, verdict->schema_name);
	TEXT(RELATION, verdict->relation);
	TEXT(ROLE_NAME, verdict->role_name);
	TEXT(COMMAND, verdict->command);
	TEXT(GATE, verdict->gate);
	TEXT(VERDICT, verdict->verdict);
	TEXTS(TENANT_KEY, verdict->tenant_key);
	TEXT(OBSTACLE, verdict->obstacle);
	TEXT(COUNTEREXAMPLE, verdict->counterexample);
	TEXT(PREDICATE, verdict->predicate);
	TEXTS(POLICY, verdict->policies);
	TEXT(REACH, verdict->reach);
#undef TEXT
#undef TEXTS

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}
