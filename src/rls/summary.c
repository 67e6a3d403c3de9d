/*-------------------------------------------------------------------------
 *
 * summary.c
 *	  What an audit of row security came to, kept while nothing changes.
 *
 * A session keeps its last summary for an hour.  It drops it earlier when a
 * catalog changes that an audit reads, when a row of ops.tenancy or
 * ops.rls_waiver does, and when a waiver's time is over.  The server tells of
 * changed catalogs by invalidation messages; most of what an audit looks at
 * hangs on a relation and comes as one of that relation.  Large objects send
 * none, which is what the hour is for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "common/hashfn.h"
#include "core/compat.h"
#include "core/relation.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "rls/rls.h"
#include "rls/summary.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define MAX_AGE_SECONDS	3600

static void watch_catalogs(void);
static void on_syscache_change(Datum arg, int cacheid, uint32 hash);
static void on_relcache_change(Datum arg, Oid relid);
static void summarise(const OpsRlsAudit *audit, OpsRlsSummary *result);
static void count_finding(const OpsRlsFinding *finding,
						  OpsRlsSummary *result);
static bool is_named(const OpsRlsFinding *finding,
					 const OpsRlsSummary *result);
static const char *keep(const char *string);
static uint64 declarations(void);
static uint64 rows_of(const char *name);

/* Changes of catalogs that were heard of. */
static uint64 generation = 0;

static MemoryContext summary_context = NULL;
static OpsRlsSummary summary;
static bool summary_valid = false;
static uint64 summary_generation;
static uint64 summary_declarations;
static Oid	summary_user;

const OpsRlsSummary *
ops_rls_last_summary(TimestampTz now)
{
	if (!summary_valid || summary_generation != generation ||
		summary_user != GetUserId() ||
		now < summary.taken ||
		TimestampDifferenceExceeds(summary.taken, now, MAX_AGE_SECONDS * 1000) ||
		(summary.waived_until != 0 && summary.waived_until <= now) ||
		summary_declarations != declarations())
		return NULL;
	return &summary;
}

const OpsRlsSummary *
ops_rls_new_summary(TimestampTz now)
{
	OpsRlsAudit audit = {0};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;

	watch_catalogs();
	summary_valid = false;
	summary_generation = generation;
	summary_declarations = declarations();
	summary_user = GetUserId();

	context = AllocSetContextCreate(caller, "operations_runbook audit",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	ops_rls_run(&audit);

	memset(&summary, 0, sizeof(summary));
	summary.taken = now;
	MemoryContextReset(summary_context);
	summarise(&audit, &summary);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	summary_valid = true;
	return &summary;
}

/*
 * Listen, from the first summary on.
 */
static void
watch_catalogs(void)
{
	static const int caches[] = {
		RELOID, AUTHOID, AUTHMEMMEMROLE, NAMESPACEOID, PROCOID, OPEROID,
		DEFACLROLENSPOBJ, PUBLICATIONOID,
	};

	if (summary_context != NULL)
		return;
	summary_context = AllocSetContextCreate(TopMemoryContext,
											"operations_runbook summary of row security",
											ALLOCSET_SMALL_SIZES);
	for (int i = 0; i < lengthof(caches); i++)
		CacheRegisterSyscacheCallback(caches[i], on_syscache_change, (Datum) 0);
	CacheRegisterRelcacheCallback(on_relcache_change, (Datum) 0);
}

static void
on_syscache_change(Datum arg, int cacheid, uint32 hash)
{
	generation++;
}

static void
on_relcache_change(Datum arg, Oid relid)
{
	generation++;
}

static void
summarise(const OpsRlsAudit *audit, OpsRlsSummary *result)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		const OpsRlsRelation *relation = (const OpsRlsRelation *) lfirst(lc);

		if (relation->in_scope && ops_rls_is_tenant_data(relation))
			result->relations++;
	}
	foreach(lc, audit->findings)
		count_finding((const OpsRlsFinding *) lfirst(lc), result);
}

/*
 * The findings come worst first.
 */
static void
count_finding(const OpsRlsFinding *finding, OpsRlsSummary *result)
{
	OpsRlsSummaryItem *item;

	if (ops_rls_code_table[finding->code].performance)
		return;
	if (finding->waived_until != 0)
	{
		result->waived++;
		if (result->waived_until == 0 ||
			finding->waived_until < result->waived_until)
			result->waived_until = finding->waived_until;
		return;
	}
	result->count[finding->severity]++;
	if (finding->code == POLICY_OPAQUE_FUNCTION || finding->code == NOT_VISIBLE)
		result->unproved++;
	if (result->nworst == OPS_RLS_MAX_WORST || finding->severity > OPS_P1 ||
		is_named(finding, result))
		return;

	item = &result->worst[result->nworst++];
	item->severity = finding->severity;
	item->code = ops_rls_code_table[finding->code].name;
	item->schema_name = keep(finding->schema_name);
	item->object_name = keep(finding->object_name);
	item->object = keep(finding->object ? finding->object : _("the server"));
	item->role_name = keep(finding->role_name);
	item->remediation = keep(finding->remediation);
}

/*
 * Whether the same is named already, for another role or command.
 */
static bool
is_named(const OpsRlsFinding *finding, const OpsRlsSummary *result)
{
	const char *code = ops_rls_code_table[finding->code].name;

	for (int i = 0; i < result->nworst; i++)
	{
		const OpsRlsSummaryItem *item = &result->worst[i];

		if (item->code == code && finding->object &&
			strcmp(item->object, finding->object) == 0)
			return true;
	}
	return false;
}

static const char *
keep(const char *string)
{
	return string ? MemoryContextStrdup(summary_context, string) : NULL;
}

/*
 * Stands for the rows of ops.tenancy and ops.rls_waiver: another number,
 * other rows.
 */
static uint64
declarations(void)
{
	return rows_of("tenancy") * 31 + rows_of("rls_waiver");
}

static uint64
rows_of(const char *name)
{
	Oid			relid = ops_own_relation(name);
	Relation	table;
	Snapshot	snapshot;
	TableScanDesc scan;
	TupleTableSlot *slot;
	uint64		sum = 0;
	int			holder;

	if (!ops_relation_try_lock(relid, &holder))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("process %d holds ops.%s", holder, name)));
	table = relation_open(relid, NoLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = ops_compat_beginscan(table, snapshot);
	slot = table_slot_create(table, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber,
										   &isnull);

		/* A row version is told by its place and its inserter. */
		sum += hash_combine64(ItemPointerGetBlockNumber(&slot->tts_tid) *
							  MaxOffsetNumber +
							  ItemPointerGetOffsetNumber(&slot->tts_tid),
							  hash_bytes_uint32(DatumGetTransactionId(xmin)));
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	relation_close(table, AccessShareLock);
	return sum;
}
