/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  Deletes the old rows of some pages.
 *
 * One statement for each run of pages, of a plan that is kept between
 * commits, so that triggers, foreign keys, row security, rules and replica
 * identities hold as they do for anybody's DELETE; it gives its pages as a
 * range of ctid, and the server reads just these.  All of it runs as the
 * policy's role, restricted.
 *
 * Locks are waited for no longer than ROW_LOCK_WAIT.  Pages where that was
 * too short are tried again with SKIP LOCKED; that costs a second WAL record
 * for each row, so it is not done before it has to be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "cleanup/job.h"
#include "cleanup/target.h"
#include "core/attempt.h"
#include "core/compat.h"
#include "core/relation.h"
#include "core/scope.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/itemptr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/resowner.h"

/* Others wait for what we have deleted so far while we wait for them. */
#define ROW_LOCK_WAIT	"10ms"

typedef enum PlanKind
{
	PLAN_RANGE,					/* $1 <= ctid < $2 */
	PLAN_LIMITED,				/* and not more than $3 rows */
	PLAN_UNLOCKED,				/* and those that nobody has locked */
	PLAN_LEFT,					/* reads what is still there */
} PlanKind;

#define NUM_PLANS	(PLAN_LEFT + 1)

struct OpsDeleter
{
	const OpsTarget *target;
	SPIPlanPtr	plan[NUM_PLANS];
	bool		simple;			/* no sub-select in the predicate */
	TransactionId xid;			/* of the last batch, while it is open */
	MemoryContextCallback callback;
};

/* What an attempt works on. */
typedef struct Attempt
{
	OpsDeleter *deleter;
	OpsBatch   *batch;
	PlanKind	kind;
	BlockNumber block;			/* of ops_list_left() */
	OpsLeft    *rows;
	ItemPointer row;			/* of ops_delete_row() */
	int64		deleted;
} Attempt;

static void free_plans(void *arg);
static bool may_lock(const OpsTarget *target);
static ErrorData *attempt(OpsDeleter *deleter, OpsBatch *batch, PlanKind kind);
static int	count_pages(const OpsBatch *batch);
static void delete_runs(void *arg);
static void prepare_to_delete(OpsDeleter *deleter, PlanKind kind,
							  OpsScope *scope);
static void enter(const OpsDeleter *deleter, OpsScope *scope);
static void demand_same_table(const OpsTarget *target);
static bool is_named(Oid relid, const char *name);
static int	count_triggers(Oid relid);
static int64 delete_run(Attempt *work, const OpsBlockRun *run, int64 limit);
static int64 delete_between(OpsDeleter *deleter, PlanKind kind,
							ItemPointer from, ItemPointer to, int64 limit);
static int64 count_kept(OpsDeleter *deleter, const OpsBlockRun *run);
static void note_left(Attempt *work, const OpsBlockRun *run);
static ItemPointer tuple_id(uint64 row);
static void list_left(void *arg);
static void delete_row(void *arg);
static void execute_on(OpsDeleter *deleter, PlanKind kind,
					   const OpsBlockRun *run, int64 limit);
static void set_range(const OpsBlockRun *run, ItemPointer from,
					  ItemPointer to);
static void execute(OpsDeleter *deleter, PlanKind kind, ItemPointer from,
					ItemPointer to, int64 limit);
static void plan_ahead(OpsDeleter *deleter, PlanKind kind);
static SPIPlanPtr prepared(OpsDeleter *deleter, PlanKind kind);
static char *statement(const OpsTarget *target, PlanKind kind);
static char *with_archive(const OpsTarget *target, char *deletion);

/*
 * What deletes rows of the target, in the current memory context, which has
 * to outlive all batches; the kept plans go with it.
 */
OpsDeleter *
ops_deleter_create(const OpsTarget *target)
{
	OpsDeleter *deleter = palloc0(sizeof(OpsDeleter));

	deleter->target = target;
	deleter->simple = strcasestr(target->predicate, "select") == NULL;
	deleter->callback.func = free_plans;
	deleter->callback.arg = deleter;
	MemoryContextRegisterResetCallback(CurrentMemoryContext,
									   &deleter->callback);
	return deleter;
}

static void
free_plans(void *arg)
{
	OpsDeleter *deleter = arg;

	for (int i = 0; i < NUM_PLANS; i++)
	{
		if (deleter->plan[i])
			(void) SPI_freeplan(deleter->plan[i]);
	}
}

/*
 * Delete the old rows of the batch's pages.
 */
ErrorData *
ops_delete(OpsDeleter *deleter, OpsBatch *batch)
{
	return attempt(deleter, batch,
				   batch->max_rows < 0 ? PLAN_RANGE : PLAN_LIMITED);
}

/*
 * The same, but leave rows that others have locked, and say on which pages
 * any stayed.
 *
 * A role that may not lock rows, which takes the right to update some column,
 * cannot tell which these are, and gets the error again.
 */
ErrorData *
ops_delete_unlocked(OpsDeleter *deleter, OpsBatch *batch)
{
	if (!may_lock(deleter->target))
		return ops_delete(deleter, batch);
	return attempt(deleter, batch, PLAN_UNLOCKED);
}

/*
 * The old rows that a page still has, in the current memory context.
 */
ErrorData *
ops_list_left(OpsDeleter *deleter, BlockNumber block, OpsLeft *left)
{
	Attempt		work = {.deleter = deleter,.block = block,.rows = left};

	left->nrows = 0;
	left->rows = palloc(MaxHeapTuplesPerPage * sizeof(ItemPointerData));
	return ops_attempt(list_left, &work);
}

/*
 * Delete one of them, if it is still old.
 */
ErrorData *
ops_delete_row(OpsDeleter *deleter, ItemPointer row, int64 *deleted)
{
	Attempt		work = {.deleter = deleter,.row = row};
	ErrorData  *error;

	deleter->xid = InvalidTransactionId;
	error = ops_attempt(delete_row, &work);
	*deleted = error ? 0 : work.deleted;
	return error;
}

/*
 * Errors that mean no more than that somebody else was there first.
 */
bool
ops_is_lock_error(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
		error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED ||
		error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE;
}

/*
 * How many processes wait for the open batch to end.
 */
int
ops_delete_waiters(const OpsDeleter *deleter)
{
	LOCKTAG		tag;

	if (!TransactionIdIsValid(deleter->xid))
		return 0;
	SET_LOCKTAG_TRANSACTION(tag, deleter->xid);

	/* Our own request is one of them. */
	return Max(LockWaiterCount(&tag) - 1, 0);
}

static bool
may_lock(const OpsTarget *target)
{
	return pg_class_aclcheck(target->relid, target->run_as,
							 ACL_UPDATE) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(target->relid, target->run_as, ACL_UPDATE,
								  ACLMASK_ANY) == ACLCHECK_OK;
}

static ErrorData *
attempt(OpsDeleter *deleter, OpsBatch *batch, PlanKind kind)
{
	Attempt		work = {.deleter = deleter,.batch = batch,.kind = kind};
	ErrorData  *error;

	batch->deleted = 0;
	batch->kept = 0;
	batch->nleft = 0;
	if (kind == PLAN_UNLOCKED)
		batch->left = palloc(count_pages(batch) * sizeof(BlockNumber));
	deleter->xid = InvalidTransactionId;
	error = ops_attempt(delete_runs, &work);
	if (error)
	{
		batch->deleted = 0;
		batch->kept = 0;
		batch->nleft = 0;
		deleter->xid = InvalidTransactionId;
	}
	return error;
}

/*
 * Pages of the runs, those in the gaps between included.
 */
static int
count_pages(const OpsBatch *batch)
{
	int			pages = 0;

	for (int i = 0; i < batch->nruns; i++)
		pages += batch->runs[i].last - batch->runs[i].first + 1;
	return pages;
}

static void
delete_runs(void *arg)
{
	Attempt    *work = arg;
	OpsBatch   *batch = work->batch;
	OpsScope	scope;

	prepare_to_delete(work->deleter, work->kind, &scope);
	for (int i = 0; i < batch->nruns; i++)
	{
		int64		limit = -1;

		CHECK_FOR_INTERRUPTS();
		if (batch->max_rows >= 0)
		{
			limit = batch->max_rows - batch->deleted;
			if (limit == 0)
				break;
		}
		batch->deleted += delete_run(work, &batch->runs[i], limit);
		if (work->kind == PLAN_UNLOCKED)
			note_left(work, &batch->runs[i]);
		else if (work->kind == PLAN_RANGE && work->deleter->target->triggers)
			batch->kept += count_kept(work->deleter, &batch->runs[i]);
	}
	ops_scope_leave(&scope);
	work->deleter->xid = GetCurrentTransactionIdIfAny();
}

static void
prepare_to_delete(OpsDeleter *deleter, PlanKind kind, OpsScope *scope)
{
	enter(deleter, scope);
	demand_same_table(deleter->target);
	plan_ahead(deleter, kind);
	if (kind == PLAN_UNLOCKED || deleter->target->triggers)
		plan_ahead(deleter, PLAN_LEFT);
	if (deleter->target->has_deferrable)
	{
		/*
		 * Deferred triggers would fire as whoever commits.  A batch is one
		 * statement a run of pages, so they can as well fire at its end.
		 */
		if (SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0) < 0)
			elog(ERROR, "constraints could not be made immediate");
	}
}

/*
 * The scope that the policy's SQL runs in.
 */
static void
enter(const OpsDeleter *deleter, OpsScope *scope)
{
	ops_scope_enter(scope, deleter->target->run_as);
	ops_scope_set("lock_timeout", ROW_LOCK_WAIT);
	ops_scope_set("jit", "off");
}

/*
 * Between two commits anybody can have dropped or renamed the table and made
 * another of its name, to which the policy says nothing, or have let it be
 * referred to, by a table whose triggers no guard has looked at.
 */
static void
demand_same_table(const OpsTarget *target)
{
	int			holder;

	if (!ops_relation_try_lock_mode(target->relid, RowExclusiveLock, &holder))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("table %s is locked by process %d", target->name, holder)));
	if (ops_relation_owner(target->relid) != target->owner ||
		!is_named(target->relid, target->name) ||
		get_rel_relkind(target->relid) != target->relkind)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s was dropped, renamed or given to another role while its old rows were deleted",
						target->name)));
	if (target->archive_name && !is_named(target->policy->archive, target->archive_name))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("archive %s was dropped or renamed while old rows of table %s were deleted",
						target->archive_name, target->name)));
	if (count_triggers(target->relid) != target->ntriggers)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("triggers or foreign keys of table %s changed while its old rows were deleted",
						target->name),
				 errhint("The next run looks at them anew.")));
}

/*
 * Whether a relation is there and is called so.
 */
static bool
is_named(Oid relid, const char *name)
{
	char	   *relation = get_rel_name(relid);
	char	   *schema = get_namespace_name_or_temp(get_rel_namespace(relid));

	return relation && schema &&
		strcmp(quote_qualified_identifier(schema, relation), name) == 0;
}

static int
count_triggers(Oid relid)
{
	Relation	table = relation_open(relid, NoLock);
	int			count = table->trigdesc ? table->trigdesc->numtriggers : 0;

	relation_close(table, NoLock);
	return count;
}

static int64
delete_run(Attempt *work, const OpsBlockRun *run, int64 limit)
{
	ItemPointerData from;
	ItemPointerData to;

	set_range(run, &from, &to);
	return delete_between(work->deleter, work->kind, &from, &to, limit);
}

static int64
delete_between(OpsDeleter *deleter, PlanKind kind, ItemPointer from,
			   ItemPointer to, int64 limit)
{
	int64		gone;
	bool		isnull;

	execute(deleter, kind, from, to, limit);
	if (deleter->target->archive_name == NULL)
		return (int64) SPI_processed;

	/* A trigger or a rule of the archive can have turned rows away. */
	gone = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
	if (gone != DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
											SPI_tuptable->tupdesc, 2, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION),
				 errmsg("archive %s did not take all rows of table %s",
						deleter->target->archive_name, deleter->target->name),
				 errhint("Look for triggers and rules of the archive that turn rows away.")));
	SPI_freetuptable(SPI_tuptable);
	return gone;
}

/*
 * Old rows that are still there though no lock was in the way: a trigger said
 * that they stay, and would say so again.
 */
static int64
count_kept(OpsDeleter *deleter, const OpsBlockRun *run)
{
	int64		kept;

	execute_on(deleter, PLAN_LEFT, run, -1);
	kept = (int64) SPI_processed;
	SPI_freetuptable(SPI_tuptable);
	return kept;
}

/*
 * Remember the pages of a run that still have old rows, each once, whatever
 * the order in which the plan found the rows.
 */
static void
note_left(Attempt *work, const OpsBlockRun *run)
{
	OpsBatch   *batch = work->batch;
	int			pages = run->last - run->first + 1;
	bool	   *has_rows = palloc0(pages * sizeof(bool));

	execute_on(work->deleter, PLAN_LEFT, run, -1);
	for (uint64 i = 0; i < SPI_processed; i++)
		has_rows[ItemPointerGetBlockNumber(tuple_id(i)) - run->first] = true;
	SPI_freetuptable(SPI_tuptable);
	for (int i = 0; i < pages; i++)
	{
		if (has_rows[i])
			batch->left[batch->nleft++] = run->first + i;
	}
	pfree(has_rows);
}

static ItemPointer
tuple_id(uint64 row)
{
	bool		isnull;

	return (ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[row],
													   SPI_tuptable->tupdesc,
													   1, &isnull));
}

static void
list_left(void *arg)
{
	Attempt    *work = arg;
	OpsBlockRun page = {work->block, work->block};
	OpsScope	scope;

	enter(work->deleter, &scope);
	demand_same_table(work->deleter->target);
	plan_ahead(work->deleter, PLAN_LEFT);
	execute_on(work->deleter, PLAN_LEFT, &page, -1);
	for (uint64 i = 0; i < SPI_processed; i++)
		work->rows->rows[work->rows->nrows++] = *tuple_id(i);
	SPI_freetuptable(SPI_tuptable);
	ops_scope_leave(&scope);
}

static void
delete_row(void *arg)
{
	Attempt    *work = arg;
	OpsScope	scope;

	prepare_to_delete(work->deleter, PLAN_RANGE, &scope);
	work->deleted = delete_between(work->deleter, PLAN_RANGE, work->row,
								   work->row, -1);
	ops_scope_leave(&scope);
	work->deleter->xid = GetCurrentTransactionIdIfAny();
}

static void
execute_on(OpsDeleter *deleter, PlanKind kind, const OpsBlockRun *run,
		   int64 limit)
{
	ItemPointerData from;
	ItemPointerData to;

	set_range(run, &from, &to);
	execute(deleter, kind, &from, &to, limit);
}

/*
 * The first and the last place of a row on the pages.
 */
static void
set_range(const OpsBlockRun *run, ItemPointer from, ItemPointer to)
{
	ItemPointerSet(from, run->first, FirstOffsetNumber);
	ItemPointerSet(to, run->last, MaxOffsetNumber);
}

static void
execute(OpsDeleter *deleter, PlanKind kind, ItemPointer from, ItemPointer to,
		int64 limit)
{
	Datum		values[3];
	int			rc;

	values[0] = PointerGetDatum(from);
	values[1] = PointerGetDatum(to);
	values[2] = Int64GetDatum(limit);
	rc = SPI_execute_plan(prepared(deleter, kind), values,
						  limit < 0 ? "  n" : "   ", false, 0);
	if (rc < 0)
		elog(ERROR, "old rows could not be deleted: %s",
			 SPI_result_code_string(rc));
}

/*
 * Have a plan made, or made again, under settings that are for this statement
 * alone and not for what triggers do when it runs.
 *
 * Row security that hides rows, of the table or of one that a condition reads,
 * raises an error instead of keeping rows or, worse, holds secret.  There are
 * pages to read and no index to ask: one that looks cheap would be read again
 * in each batch, with all its dead entries.
 */
static void
plan_ahead(OpsDeleter *deleter, PlanKind kind)
{
	int			level = NewGUCNestLevel();
	CachedPlan *plan;

	if (!ops_target_overrides(deleter->target, "row_security"))
		ops_scope_set("row_security", "off");
	if (deleter->simple)
	{
		ops_scope_set("enable_indexscan", "off");
		ops_scope_set("enable_indexonlyscan", "off");
		ops_scope_set("enable_bitmapscan", "off");
	}
	plan = SPI_plan_get_cached_plan(prepared(deleter, kind));
	if (plan)
		ReleaseCachedPlan(plan, CurrentResourceOwner);
	AtEOXact_GUC(false, level);
}

/*
 * A plan, kept for the next batches.
 */
static SPIPlanPtr
prepared(OpsDeleter *deleter, PlanKind kind)
{
	Oid			types[] = {TIDOID, TIDOID, INT8OID};
	SPIPlanPtr	plan;

	if (deleter->plan[kind])
		return deleter->plan[kind];
	plan = SPI_prepare_cursor(statement(deleter->target, kind),
							  lengthof(types), types,
							  CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "could not prepare a query: %s",
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	deleter->plan[kind] = plan;
	return plan;
}

/*
 * The predicate stands in the outer statement, too: a row that was changed
 * meanwhile is judged again, as it is now, when it is locked.
 */
static char *
statement(const OpsTarget *target, PlanKind kind)
{
	const char *pages = "ctid >= $1 AND ctid <= $2";

	switch (kind)
	{
		case PLAN_RANGE:
			return with_archive(target,
								psprintf("DELETE FROM ONLY %s AS %s WHERE %s AND (%s)",
										 target->name, target->alias, pages,
										 target->predicate));
		case PLAN_LIMITED:
		case PLAN_UNLOCKED:
			return with_archive(target,
								psprintf("DELETE FROM ONLY %s AS %s WHERE ctid = ANY (ARRAY("
										 "SELECT ctid FROM ONLY %s AS %s WHERE %s AND (%s)"
										 " LIMIT $3%s)) AND (%s)",
										 target->name, target->alias,
										 target->name, target->alias, pages,
										 target->predicate,
										 kind == PLAN_UNLOCKED ? " FOR UPDATE SKIP LOCKED" : "",
										 target->predicate));
		case PLAN_LEFT:
			break;
	}
	return psprintf("SELECT ctid FROM ONLY %s AS %s WHERE %s AND (%s)",
					target->name, target->alias, pages, target->predicate);
}

/*
 * What goes is written to the archive by the same statement.
 */
static char *
with_archive(const OpsTarget *target, char *deletion)
{
	if (target->archive_name == NULL)
		return deletion;
	return psprintf("WITH gone AS (%s RETURNING %s),"
					" kept AS (INSERT INTO %s (%s) SELECT %s FROM gone RETURNING 1)"
					" SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM kept)",
					deletion, target->archive_columns, target->archive_name,
					target->archive_columns, target->archive_columns);
}
