/*-------------------------------------------------------------------------
 *
 * collect.c
 *	  Measuring all that a report is about, and adding up partitions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/result.h"
#include "catalog/partition.h"
#include "common/pg_prng.h"
#include "core/guc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* Pages read of all partitions of a table together, and of each at least. */
#define PARTITION_SAMPLE	2000
#define PARTITION_MINIMUM	30

typedef struct Root
{
	Oid			oid;			/* hash key, first */
	int			nparts;
	double		size;
	OpsBloatResult *sum;
} Root;

static void split_budget(List *tables);
static HTAB *make_roots(void);
static void count_partition(HTAB *roots, OpsBloatResult *result);
static void share_budget(HTAB *roots, OpsBloatResult *result);
static List *add_table(List *results, HTAB *roots, OpsBloatTable *table);
static List *add_result(List *results, HTAB *roots, OpsBloatResult *result);
static void add_to_root(Root *root, const OpsBloatResult *result);
static void judge_sum(OpsBloatResult *sum);
static const char *relation_name(Oid relation);
static int	compare_results(const ListCell *a, const ListCell *b);
static double low_end(const OpsBloatResult *result);

/*
 * Measure what is asked for; rows by the space that is there for sure.
 */
List *
ops_bloat_collect(const OpsBloatRequest *request)
{
	List	   *tables = ops_bloat_list(request);
	List	   *results = NIL;
	HTAB	   *roots = make_roots();
	uint64		seed = ops_guc_bloat_seed;
	OpsBloatScene scene;
	HASH_SEQ_STATUS status;
	Root	   *root;
	ListCell   *lc;

	if (seed == 0)
		seed = pg_prng_uint64(&pg_global_prng_state);
	ops_bloat_scene(&scene);
	split_budget(tables);
	foreach(lc, tables)
	{
		CHECK_FOR_INTERRUPTS();
		if (request->until != 0 && GetCurrentTimestamp() > request->until)
			break;
		ops_bloat_measure_table(request, &scene, seed, lfirst(lc));
		results = add_table(results, roots, lfirst(lc));
	}
	hash_seq_init(&status, roots);
	while ((root = hash_seq_search(&status)) != NULL)
	{
		judge_sum(root->sum);
		results = lappend(results, root->sum);
	}
	hash_destroy(roots);
	list_sort(results, compare_results);
	return results;
}

/*
 * The partitions of one table share a budget, by their sizes: a thousand of
 * them are together no more uncertain than one table.
 */
static void
split_budget(List *tables)
{
	HTAB	   *roots = make_roots();
	ListCell   *lc;

	foreach(lc, tables)
	{
		OpsBloatTable *table = lfirst(lc);
		ListCell   *cell;

		count_partition(roots, table->table);
		foreach(cell, table->indexes)
			count_partition(roots, lfirst(cell));
	}
	foreach(lc, tables)
	{
		OpsBloatTable *table = lfirst(lc);
		ListCell   *cell;

		share_budget(roots, table->table);
		foreach(cell, table->indexes)
			share_budget(roots, lfirst(cell));
	}
	hash_destroy(roots);
}

static HTAB *
make_roots(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(Root)};

	control.hcxt = CurrentMemoryContext;
	return hash_create("operations_runbook roots", 64, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
count_partition(HTAB *roots, OpsBloatResult *result)
{
	List	   *ancestors;
	bool		found;
	Root	   *root;

	if (!result->is_partition)
		return;
	ancestors = get_partition_ancestors(result->relation);
	if (ancestors == NIL)
		return;
	result->root = llast_oid(ancestors);
	list_free(ancestors);
	root = hash_search(roots, &result->root, HASH_ENTER, &found);
	if (!found)
		memset((char *) root + sizeof(Oid), 0, sizeof(Root) - sizeof(Oid));
	root->nparts++;
	root->size += result->size;
}

static void
share_budget(HTAB *roots, OpsBloatResult *result)
{
	Root	   *root;
	double		share;

	if (!OidIsValid(result->root))
		return;
	root = hash_search(roots, &result->root, HASH_FIND, NULL);
	if (root == NULL || root->nparts * OPS_BLOAT_FIRST_SAMPLE <= PARTITION_SAMPLE)
		return;
	share = PARTITION_SAMPLE * result->size / Max(root->size, 1);
	result->measure.last_sample = (int) Min(Max(share, PARTITION_MINIMUM),
											OPS_BLOAT_LAST_SAMPLE);
	result->measure.first_sample = Min(result->measure.first_sample,
									   result->measure.last_sample);
}

static List *
add_table(List *results, HTAB *roots, OpsBloatTable *table)
{
	ListCell   *lc;

	results = add_result(results, roots, table->table);
	if (table->toast)
		results = add_result(results, roots, table->toast);
	foreach(lc, table->indexes)
		results = add_result(results, roots, lfirst(lc));
	foreach(lc, table->toast_indexes)
		results = add_result(results, roots, lfirst(lc));
	return results;
}

static List *
add_result(List *results, HTAB *roots, OpsBloatResult *result)
{
	bool		found;
	Root	   *root;

	if (result->helps || result->gone)
		return results;
	if (OidIsValid(result->root))
	{
		root = hash_search(roots, &result->root, HASH_ENTER, &found);
		if (!found)
		{
			root->sum = palloc0(sizeof(OpsBloatResult));
			root->sum->relation = result->root;
			root->sum->table = result->root;
			root->sum->kind_name = "partitioned";
			root->sum->measured = true;
			root->sum->measure.census = true;
		}
		add_to_root(root, result);
	}
	return lappend(results, result);
}

/*
 * Estimates add up; their errors, being independent, in quadrature.
 */
static void
add_to_root(Root *root, const OpsBloatResult *result)
{
	OpsBloatMeasure *sum = &root->sum->measure;
	const OpsBloatMeasure *one = &result->measure;
	double		half_width = (one->pages_high - one->pages_low) / 2;

	root->sum->nparts++;
	root->sum->size += result->size;
	if (result->verdict.action && strcmp(result->verdict.action, "none") != 0)
	{
		root->sum->nadvised++;
		if (root->sum->worst == NULL ||
			low_end(result) > low_end(root->sum->worst))
			root->sum->worst = result;
	}
	if (!result->measured)
	{
		root->sum->nmissing++;
		return;
	}
	sum->nblocks += one->nblocks;
	sum->sampled += one->sampled;
	sum->census &= one->census;
	sum->with_map |= one->with_map;
	sum->modelled |= one->modelled;
	sum->pages_after += one->pages_after;
	root->sum->variance += half_width * half_width;
	sum->pages_low = sum->pages_after - sqrt(root->sum->variance);
	sum->pages_high = sum->pages_after + sqrt(root->sum->variance);
	sum->truncatable += one->truncatable;
	for (int i = 0; i < NUM_TOTALS; i++)
		sum->total[i] += one->total[i];
}

static void
judge_sum(OpsBloatResult *sum)
{
	const OpsBloatMeasure *measure = &sum->measure;
	OpsBloatRollup rollup = {
		.partitions = sum->nparts - sum->nmissing,
		.advised = sum->nadvised,
		.size = sum->size,
		.reclaimable = ops_bloat_bytes(measure, measure->pages_after),
		.low = ops_bloat_bytes(measure, measure->pages_high),
		.high = ops_bloat_bytes(measure, measure->pages_low),
	};

	rollup.name = relation_name(sum->relation);
	if (sum->worst)
	{
		rollup.worst_name = sum->worst->facts.name;
		rollup.worst = &sum->worst->verdict;
	}
	ops_bloat_rollup_verdict(&rollup, &sum->verdict);
	if (sum->nmissing > 0)
		sum->note = psprintf(_("%d of %d could not be measured"),
							 sum->nmissing, sum->nparts);
}

/*
 * As SQL would write it; something even if it was dropped just now.
 */
static const char *
relation_name(Oid relation)
{
	char	   *name = get_rel_name(relation);
	char	   *schema = get_namespace_name(get_rel_namespace(relation));

	if (name == NULL || schema == NULL)
		return psprintf("%u", relation);
	return quote_qualified_identifier(schema, name);
}

/*
 * By the low end of what can be reclaimed, so that doubt jumps no queue.
 */
static int
compare_results(const ListCell *a, const ListCell *b)
{
	const OpsBloatResult *left = lfirst(a);
	const OpsBloatResult *right = lfirst(b);
	double		difference = low_end(right) - low_end(left);

	if (difference != 0)
		return difference > 0 ? 1 : -1;
	if (left->size != right->size)
		return left->size < right->size ? 1 : -1;
	return left->relation < right->relation ? -1 :
		left->relation > right->relation;
}

static double
low_end(const OpsBloatResult *result)
{
	return result->measured ?
		Max(result->measure.nblocks - result->measure.pages_high, 0) : 0;
}
