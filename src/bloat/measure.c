/*-------------------------------------------------------------------------
 *
 * measure.c
 *	  Opening what is measured, without getting in anybody's way.
 *
 * A lock that is not to be had at once, an error on a page: each becomes a
 * note in the row of the relation it concerns.  Locks are given back as soon
 * as a relation has been looked at, so that a report over thousands of them
 * does not fill the lock table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/relation.h"
#include "access/visibilitymap.h"
#include "access/xlog.h"
#include "bloat/result.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "core/attempt.h"
#include "core/guc.h"
#include "core/relation.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Pages of a table that a hundred of its visibility map speak for: 24 GB */
#define MOST_MAPPED ((BlockNumber) 3 << 20)

/*
 * A model is off by more than the sample, which thus need not be as good:
 * half-widths, in those that are asked for.
 */
#define MODEL_TARGET 2

/* One relation that is measured. */
typedef struct Job
{
	const OpsBloatRequest *request;
	const OpsBloatScene *scene;
	OpsBloatResult *result;
	bool		wants_roots;	/* it has indexes that are measured */
	bool		only_dead;		/* of the table only its dead rows matter */
	struct OpsHeapRoots *roots; /* of the table, for its indexes */
	struct OpsToastValues *values;	/* likewise, for its TOAST table */
	uint64		seed;
	MemoryContext keep;			/* of what is in the result */
} Job;

static bool measures_toast(const OpsBloatTable *table);
static void measure_one(Job *job, OpsBloatResult *result);
static bool only_btrees(List *indexes);
static void read_more(OpsBloatMeasure *measure, List *indexes);
static bool all_visible(Relation table);
static void measure_indexes(Job *job, List *indexes);
static void do_job(void *arg);
static Relation open_relation(Job *job, Oid relation);
static void close_relation(Relation rel);
static bool classify(Job *job, Relation rel);
static void look(Job *job, Relation rel, Relation heap);
static void keep_details(OpsBloatMeasure *measure);
static void judge_table(const OpsBloatScene *scene, OpsBloatTable *table);
static void judge(const OpsBloatScene *scene, OpsBloatResult *result, int64 family_reclaimable);
static int64 reclaimable(const OpsBloatResult *result);
static int64 reclaimable_of(List *results);

/*
 * Measure a table, its TOAST table and the indexes of both, and say what to
 * do about each.  Results are kept in the current memory context.
 */
void
ops_bloat_measure_table(const OpsBloatRequest *request,
						const OpsBloatScene *scene, uint64 seed,
						OpsBloatTable *table)
{
	Job			job = {.request = request,.scene = scene,.seed = seed};
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "operations_runbook bloat",
												  ALLOCSET_DEFAULT_SIZES);

	job.keep = MemoryContextSwitchTo(scratch);
	job.wants_roots = table->indexes != NIL;
	job.only_dead = table->table->helps && !measures_toast(table) &&
		only_btrees(table->indexes);
	read_more(&table->table->measure, table->indexes);
	if (!table->table->helps || job.wants_roots || measures_toast(table))
		measure_one(&job, table->table);
	measure_indexes(&job, table->indexes);

	job.roots = NULL;
	job.only_dead = false;
	job.wants_roots = table->toast_indexes != NIL;
	if (measures_toast(table))
		measure_one(&job, table->toast);
	measure_indexes(&job, table->toast_indexes);

	MemoryContextSwitchTo(job.keep);
	MemoryContextDelete(scratch);
	judge_table(scene, table);
}

static bool
measures_toast(const OpsBloatTable *table)
{
	return table->toast &&
		(!table->toast->helps || table->toast_indexes != NIL);
}

/*
 * Of a table that others need to know all the same they want more than this.
 */
static bool
only_btrees(List *indexes)
{
	ListCell   *lc;

	foreach(lc, indexes)
	{
		if (((OpsBloatResult *) lfirst(lc))->kind != BLOAT_BTREE)
			return false;
	}
	return true;
}

/*
 * A model goes by single entries, so by more rows than a B-tree does.  Where a
 * build can be played, it has to be known which of them are dead; no more pages
 * are read for that than a sample may have, which takes less time than the play.
 */
static void
read_more(OpsBloatMeasure *measure, List *indexes)
{
	int			sample = Min(OPS_BLOAT_MODEL_SAMPLE, measure->last_sample);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		OpsBloatKind kind = ((OpsBloatResult *) lfirst(lc))->kind;

		if (ops_bloat_is_modelled(kind))
			measure->first_sample = Max(measure->first_sample, sample);
		if (kind == BLOAT_GIST || kind == BLOAT_SPGIST)
			measure->all_roots = measure->last_sample;
	}
}

/*
 * Whether how full a build leaves its pages is a matter of a model.
 */
bool
ops_bloat_is_modelled(OpsBloatKind kind)
{
	return kind == BLOAT_GIN || kind == BLOAT_GIST || kind == BLOAT_SPGIST;
}

/*
 * Whether the visibility map says that no row is dead; not asked if it is
 * long.
 */
static bool
all_visible(Relation table)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(table);
	BlockNumber visible;

	if (nblocks > MOST_MAPPED)
		return false;
	visibilitymap_count(table, &visible, NULL);
	return visible >= nblocks;
}

static void
measure_indexes(Job *job, List *indexes)
{
	ListCell   *lc;

	foreach(lc, indexes)
		measure_one(job, lfirst(lc));
}

static void
measure_one(Job *job, OpsBloatResult *result)
{
	ErrorData  *error;

	if (result->note)
		return;
	CHECK_FOR_INTERRUPTS();
	job->result = result;
	error = ops_attempt(do_job, job);
	if (error)
	{
		MemoryContext scratch = MemoryContextSwitchTo(job->keep);

		result->measured = false;
		result->note = psprintf(_("unreadable: %s"), error->message);
		MemoryContextSwitchTo(scratch);
	}
}

static void
do_job(void *arg)
{
	Job		   *job = arg;
	OpsBloatResult *result = job->result;
	Relation	heap = open_relation(job, result->table);
	Relation	rel;

	if (heap == NULL)
		return;
	rel = result->relation == result->table ? heap :
		open_relation(job, result->relation);
	if (rel && classify(job, rel) &&
		!(rel == heap && job->only_dead && all_visible(rel)))
		look(job, rel, heap);
	if (rel && rel != heap)
		close_relation(rel);
	close_relation(heap);
}

/*
 * Open a relation if its lock is to be had at once and it is still there;
 * else note what is in the way.
 */
static Relation
open_relation(Job *job, Oid relation)
{
	int			holder;
	Relation	rel;

	if (!ops_relation_try_lock(relation, &holder))
	{
		MemoryContext scratch = MemoryContextSwitchTo(job->keep);

		job->result->note = holder != 0 ?
			psprintf(_("locked by process %d"), holder) :
			_("locked by a prepared transaction, or just now");
		MemoryContextSwitchTo(scratch);
		return NULL;
	}
	rel = try_relation_open(relation, NoLock);
	if (rel == NULL)
	{
		ops_relation_unlock(relation);
		job->result->gone = true;
	}
	return rel;
}

static void
close_relation(Relation rel)
{
	relation_close(rel, AccessShareLock);
}

/*
 * What kind of relation it is; false, with a note, if there is no way to
 * measure it here.
 */
static bool
classify(Job *job, Relation rel)
{
	OpsBloatResult *result = job->result;

	result->kind_name = ops_bloat_kind(rel->rd_rel, &result->kind);
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED &&
		RecoveryInProgress())
		result->note = _("unlogged: has no contents on a standby");
	else if (RELATION_IS_OTHER_TEMP(rel))
		result->note = _("temporary table of another session");
	else if (result->kind_name == NULL)
		result->note = rel->rd_rel->relkind == RELKIND_INDEX ?
			_("index access method not supported") :
			_("table access method not supported");
	else if (rel->rd_rel->relkind == RELKIND_INDEX &&
			 !rel->rd_index->indisvalid)
		result->note = _("not a valid index: REINDEX or DROP INDEX CONCURRENTLY");
	return result->note == NULL;
}

/*
 * The kind of a relation and its name, or NULL for one that is not known.
 */
const char *
ops_bloat_kind(Form_pg_class form, OpsBloatKind *kind)
{
	static const struct
	{
		char		relkind;
		Oid			am;
		OpsBloatKind kind;
		const char *name;
	}			kinds[] = {
		{RELKIND_RELATION, HEAP_TABLE_AM_OID, BLOAT_HEAP, "heap"},
		{RELKIND_MATVIEW, HEAP_TABLE_AM_OID, BLOAT_HEAP, "matview"},
		{RELKIND_TOASTVALUE, HEAP_TABLE_AM_OID, BLOAT_TOAST, "toast"},
		{RELKIND_INDEX, BTREE_AM_OID, BLOAT_BTREE, "btree"},
		{RELKIND_INDEX, HASH_AM_OID, BLOAT_HASH, "hash"},
		{RELKIND_INDEX, GIN_AM_OID, BLOAT_GIN, "gin"},
		{RELKIND_INDEX, GIST_AM_OID, BLOAT_GIST, "gist"},
		{RELKIND_INDEX, SPGIST_AM_OID, BLOAT_SPGIST, "spgist"},
		{RELKIND_INDEX, BRIN_AM_OID, BLOAT_BRIN, "brin"},
	};

	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (form->relkind == kinds[i].relkind && form->relam == kinds[i].am)
		{
			*kind = kinds[i].kind;
			return kinds[i].name;
		}
	}
	return NULL;
}

/*
 * Read pages and draw the conclusion.
 */
static void
look(Job *job, Relation rel, Relation heap)
{
	static void (*const measures[]) (OpsBloatMeasure *) = {
		[BLOAT_HEAP] = ops_bloat_heap,
		[BLOAT_TOAST] = ops_bloat_heap,
		[BLOAT_BTREE] = ops_bloat_btree,
		[BLOAT_HASH] = ops_bloat_hash,
		[BLOAT_GIN] = ops_bloat_gin,
		[BLOAT_GIST] = ops_bloat_gist,
		[BLOAT_SPGIST] = ops_bloat_spgist,
		[BLOAT_BRIN] = ops_bloat_brin,
	};
	OpsBloatResult *result = job->result;
	OpsBloatMeasure *measure = &result->measure;
	bool		is_index = rel->rd_rel->relkind == RELKIND_INDEX;
	MemoryContext scratch;

	measure->rel = rel;
	measure->heap = is_index ? heap : rel;
	measure->kind = result->kind;
	measure->nblocks = RelationGetNumberOfBlocks(rel);
	measure->ring = GetAccessStrategy(BAS_BULKREAD);
	measure->wants_roots = !is_index && job->wants_roots;
	measure->only_roots = !is_index && job->only_dead;
	measure->roots = is_index ? job->roots : NULL;
	measure->values = result->kind == BLOAT_TOAST ? job->values : NULL;
	measure->horizon = ops_bloat_horizon(job->scene, heap);
	measure->target = job->request->target *
		(ops_bloat_is_modelled(result->kind) ? MODEL_TARGET : 1);
	measure->exact = job->request->exact;
	measure->seed = ops_bloat_seed(job->seed, RelationGetRelid(rel));
	result->size = (int64) measure->nblocks * BLCKSZ;

	measures[result->kind] (measure);
	if (!is_index)
		job->roots = measure->roots;
	if (result->kind == BLOAT_HEAP)
		job->values = measure->values;

	FreeAccessStrategy(measure->ring);
	measure->rel = measure->heap = NULL;
	measure->ring = NULL;
	measure->roots = NULL;
	measure->values = NULL;

	scratch = MemoryContextSwitchTo(job->keep);
	keep_details(measure);
	if (measure->note)
		result->note = pstrdup(measure->note);
	if (!result->helps)
		ops_bloat_facts(job->scene, rel, heap, &result->facts);
	MemoryContextSwitchTo(scratch);
	result->measured = true;
}

static void
keep_details(OpsBloatMeasure *measure)
{
	List	   *kept = NIL;
	ListCell   *lc;

	foreach(lc, measure->details)
	{
		OpsBloatDetail *detail = palloc(sizeof(OpsBloatDetail));

		*detail = *(OpsBloatDetail *) lfirst(lc);
		kept = lappend(kept, detail);
	}
	measure->details = kept;
}

/*
 * Verdicts wait for the whole table, since rewriting it rewrites everything.
 */
static void
judge_table(const OpsBloatScene *scene, OpsBloatTable *table)
{
	int64		toast = table->toast ? reclaimable(table->toast) +
	reclaimable_of(table->toast_indexes) : 0;
	int64		family = reclaimable(table->table) + toast +
	reclaimable_of(table->indexes);
	ListCell   *lc;

	judge(scene, table->table, family);
	if (table->toast)
		judge(scene, table->toast, family);
	foreach(lc, table->indexes)
		judge(scene, lfirst(lc), 0);
	foreach(lc, table->toast_indexes)
		judge(scene, lfirst(lc), 0);
}

static void
judge(const OpsBloatScene *scene, OpsBloatResult *result,
	  int64 family_reclaimable)
{
	if (!result->measured || result->helps)
		return;
	result->facts.family_reclaimable = family_reclaimable;
	ops_bloat_verdict(scene, &result->facts, &result->measure,
					  &result->verdict);
}

static int64
reclaimable_of(List *results)
{
	int64		sum = 0;
	ListCell   *lc;

	foreach(lc, results)
		sum += reclaimable(lfirst(lc));
	return sum;
}

static int64
reclaimable(const OpsBloatResult *result)
{
	return result->measured ? ops_bloat_bytes(&result->measure,
											  result->measure.pages_after) : 0;
}

/*
 * Bytes that are gained if so many pages are left; never negative.
 */
int64
ops_bloat_bytes(const OpsBloatMeasure *measure, double pages_left)
{
	double		gain = rint((measure->nblocks - pages_left) * BLCKSZ);

	return gain > 0 ? (int64) gain : 0;
}
