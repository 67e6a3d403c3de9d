/*-------------------------------------------------------------------------
 *
 * estimate.c
 *	  How many rows of a table its policy would delete.
 *
 * A small table is counted.  Of a large one as many blocks are read as there
 * are strata, one of each at random, and the sums are scaled up.  Rows of one
 * block are alike, so blocks are what is sampled and what varies, and since
 * old rows mostly lie together the variance is that between neighbours: the
 * squared differences of blocks that follow one another (Cochran, Sampling
 * Techniques, 8.11; Wolter, Introduction to Variance Estimation, 8.2).  It
 * counts a table that is cut in two, old and young, as hardly varying, and one
 * where old rows lie anywhere as it should.  Blocks are read by their number
 * and not by TABLESAMPLE, which does not tell how many of them were empty.
 *
 * The predicate is the policy's: it runs as its role, in the closed scope, in
 * what is a read-only transaction as long as it lasts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "cleanup/target.h"
#include "common/pg_prng.h"
#include "core/attempt.h"
#include "core/compat.h"
#include "core/relation.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/itemptr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* Up to here every block is read. */
#define SMALL_TABLE		1000

/* And of a larger table so many. */
#define SAMPLE_BLOCKS	400

/* Standard errors in half of a 95 % interval */
#define Z_95			1.96

/*
 * Strata that could hold another kind of block than the sampled one and yet
 * show none of it in 19 samples of 20: about 3, however many there are.
 */
#define UNSEEN_STRATA	3

/* What a row takes beside its columns: a line pointer and a header */
#define ROW_OVERHEAD	28

typedef struct Count
{
	double		total;
	double		rows;			/* that match */
	double		bytes;			/* of them */
} Count;

typedef struct Work
{
	const OpsTarget *target;
	bool		exact;
	OpsEstimate *estimate;
} Work;

static void estimate_target(void *arg);
static void set_local(const char *name, const char *value);
static void count_all(const OpsTarget *target, OpsEstimate *estimate);
static void read_blocks(const OpsTarget *target, OpsEstimate *estimate);
static void scale(const Count *counts, int n, BlockNumber blocks, OpsEstimate *estimate);
static Count count_block(SPIPlanPtr plan, BlockNumber block);
static Count read_count(void);
static char *count_query(const OpsTarget *target, const char *which);
static char *row_size(const OpsTarget *target);

/*
 * Estimate, or count if exact is wanted.
 *
 * Raises an error, 55P03, if a lock cannot be had at once.  Locks are given
 * back.
 */
void
ops_cleanup_estimate(const OpsTarget *target, bool exact,
					 OpsEstimate *estimate)
{
	Work		work = {.target = target,.exact = exact,.estimate = estimate};
	ErrorData  *error;

	memset(estimate, 0, sizeof(OpsEstimate));
	if (target->predicate == NULL)
		elog(ERROR, "target has no predicate");
	error = ops_glance(estimate_target, &work);
	if (error)
		ReThrowError(error);
}

static void
estimate_target(void *arg)
{
	const Work *work = arg;
	const OpsTarget *target = work->target;
	OpsScope	scope;
	int			holder;

	if (!ops_relation_try_lock(target->relid, &holder))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("table %s is locked", target->name),
				 holder != 0 ?
				 errdetail("Process %d has it locked or waits for its lock.", holder) : 0));

	ops_target_demand_name(target);
	ops_target_enter(&scope, target->run_as);

	/* The end of the subtransaction sets it back. */
	XactReadOnly = true;
	set_local("enable_tidscan", "on");
	set_local("jit", "off");
	if (!ops_target_overrides(target, "row_security"))
		set_local("row_security", "off");

	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	read_blocks(target, work->estimate);
	if (work->exact && !work->estimate->exact)
		count_all(target, work->estimate);
	SPI_finish();
	PopActiveSnapshot();
	ops_scope_leave(&scope);
}

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Count the rows of a large table.  How many of its pages they are on is left
 * as the sample has it.
 */
static void
count_all(const OpsTarget *target, OpsEstimate *estimate)
{
	Count		count;
	int			rc = SPI_execute(count_query(target, ""), true, 0);

	if (rc != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "count failed: %s", SPI_result_code_string(rc));
	count = read_count();
	estimate->rows = estimate->low = estimate->high = count.rows;
	estimate->total = count.total;
	estimate->bytes = count.bytes;
	estimate->exact = true;
}

/*
 * Read all blocks of a small table, or one block of each stratum.  The same
 * table gives the same blocks.
 */
static void
read_blocks(const OpsTarget *target, OpsEstimate *estimate)
{
	Oid			types[] = {TIDOID, TIDOID};
	char	   *sql = count_query(target, psprintf("WHERE %s.ctid >= $1 AND %s.ctid < $2",
												   target->alias, target->alias));
	SPIPlanPtr	plan = SPI_prepare(sql, lengthof(types), types);
	bool		small = target->blocks <= SMALL_TABLE;
	int			n = small ? target->blocks : SAMPLE_BLOCKS;
	double		width = (double) target->blocks / Max(n, 1);
	Count	   *counts = palloc(Max(n, 1) * sizeof(Count));
	pg_prng_state random;

	if (plan == NULL)
		elog(ERROR, "count failed: %s", SPI_result_code_string(SPI_result));
	pg_prng_seed(&random, ((uint64) target->relid << 32) | target->blocks);
	for (int i = 0; i < n; i++)
	{
		double		place = small ? i : (i + pg_prng_double(&random)) * width;

		CHECK_FOR_INTERRUPTS();
		counts[i] = count_block(plan, Min((BlockNumber) place,
										  target->blocks - 1));
	}
	scale(counts, n, target->blocks, estimate);
}

/*
 * From the sampled blocks to the table.
 */
static void
scale(const Count *counts, int n, BlockNumber blocks, OpsEstimate *estimate)
{
	double		factor = (double) blocks / Max(n, 1);
	double		seen = 0;
	double		most = 0;
	double		squares = 0;
	double		half;

	for (int i = 0; i < n; i++)
	{
		seen += counts[i].rows;
		estimate->total += factor * counts[i].total;
		estimate->bytes += factor * counts[i].bytes;
		estimate->pages += counts[i].rows > 0 ? factor : 0;
		most = Max(most, counts[i].total);
		if (i > 0)
			squares += pow(counts[i].rows - counts[i - 1].rows, 2);
	}
	estimate->rows = estimate->low = estimate->high = factor * seen;
	estimate->exact = n == blocks;
	if (estimate->exact)
		return;

	half = Z_95 * factor *
		sqrt(n * (1 - (double) n / blocks) * squares / (2 * (n - 1)));
	half = Max(half, UNSEEN_STRATA * factor * most);
	estimate->low = Max(estimate->rows - half, seen);
	estimate->high = Min(estimate->rows + half, blocks * most);
}

static Count
count_block(SPIPlanPtr plan, BlockNumber block)
{
	ItemPointerData first;
	ItemPointerData next;
	Datum		values[2];
	Count		count;
	int			rc;

	ItemPointerSet(&first, block, 0);
	ItemPointerSet(&next, block + 1, 0);
	values[0] = PointerGetDatum(&first);
	values[1] = PointerGetDatum(&next);
	rc = SPI_execute_plan(plan, values, NULL, true, 0);
	if (rc != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "count failed: %s", SPI_result_code_string(rc));
	count = read_count();
	SPI_freetuptable(SPI_tuptable);
	return count;
}

static Count
read_count(void)
{
	double		values[3];
	Count		count;

	for (int i = 0; i < 3; i++)
	{
		bool		isnull;
		Datum		datum = SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, i + 1, &isnull);

		values[i] = isnull ? 0 : DatumGetFloat8(datum);
	}
	count.total = values[0];
	count.rows = values[1];
	count.bytes = values[2];
	return count;
}

/*
 * Rows, those that match and their bytes.  The inner query is one that the
 * planner leaves alone, so that the predicate is computed once for a row.
 */
static char *
count_query(const OpsTarget *target, const char *which)
{
	return psprintf("SELECT pg_catalog.count(*)::pg_catalog.float8,"
					" pg_catalog.count(bytes)::pg_catalog.float8,"
					" pg_catalog.sum(bytes)::pg_catalog.float8"
					" FROM (SELECT CASE WHEN %s THEN %s END AS bytes"
					" FROM ONLY %s AS %s %s OFFSET 0) AS old",
					target->predicate, row_size(target), target->name,
					target->alias, which);
}

/*
 * SQL for the bytes of a row, its values out of line included, which are not
 * read for that.
 */
static char *
row_size(const OpsTarget *target)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%d::pg_catalog.int8", ROW_OVERHEAD);
	for (AttrNumber i = 1; i <= MaxHeapAttributeNumber; i++)
	{
		HeapTuple	tuple = SearchSysCache2(ATTNUM,
											ObjectIdGetDatum(target->relid),
											Int16GetDatum(i));
		Form_pg_attribute column;

		if (!HeapTupleIsValid(tuple))
			break;
		column = (Form_pg_attribute) GETSTRUCT(tuple);
		if (!column->attisdropped && column->attgenerated != 'v')
			appendStringInfo(&sql, " + COALESCE(pg_catalog.pg_column_size(%s.%s), 0)",
							 target->alias,
							 quote_identifier(NameStr(column->attname)));
		ReleaseSysCache(tuple);
	}
	return sql.data;
}
