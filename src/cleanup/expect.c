/*-------------------------------------------------------------------------
 *
 * expect.c
 *	  How long a cleanup will take, and how much WAL it will write.
 *
 * An expectation to plan by, no promise: the figures are those of one machine
 * with its data in memory, and disks, triggers and what else goes on make
 * their own.  Deleting leaves indexes alone, so a page costs the same however
 * many there are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "cleanup/plan.h"

/*
 * Deleting every row in batches of 64 pages took 0.003 ms a page and 0.00014
 * ms a row in memory and without fsync, 0.024 ms a page with it, and looking
 * at a page 0.002 ms with few rows on it, 0.009 ms with 80.
 */
#define MS_PER_PAGE			0.02
#define MS_PER_ROW			0.0002
#define MS_PER_SWEPT_PAGE	0.004
#define MS_PER_BATCH		0.5
#define MS_PER_PARTITION	10.0

/* What a trigger or a look into a referencing table adds to a row. */
#define MS_PER_TRIGGER		0.003

/* Beside the row itself: the record of its deletion, and of its commit. */
#define WAL_PER_ROW			54
#define WAL_PER_BATCH		300
#define WAL_PER_PARTITION	(64.0 * 1024)

/* What compression leaves of an image of a page */
#define COMPRESSED			0.6

static void expect_partition(OpsPlanned *planned);
static void expect_rows(OpsPlanned *planned);
static double expect_wal(const OpsPlanned *planned);

void
ops_plan_expect(OpsPlanned *planned)
{
	if (planned->estimate == NULL || planned->estimate->high == 0)
		return;
	if (planned->target->expired)
		expect_partition(planned);
	else
		expect_rows(planned);
}

static void
expect_partition(OpsPlanned *planned)
{
	planned->batches = 1;
	planned->ms = MS_PER_PARTITION;
	planned->wal_bytes = WAL_PER_PARTITION;
}

static void
expect_rows(OpsPlanned *planned)
{
	const OpsTarget *target = planned->target;
	const OpsEstimate *estimate = planned->estimate;
	int			fired = list_length(target->triggers) +
	list_length(target->references);
	double		work = estimate->pages * MS_PER_PAGE +
	estimate->rows * (MS_PER_ROW + fired * MS_PER_TRIGGER);

	if (!OidIsValid(target->index))
		work += target->blocks * MS_PER_SWEPT_PAGE;
	planned->batches = Max(ceil(work / target->policy->batch_ms), 1);
	planned->ms = work + planned->batches * MS_PER_BATCH;
	planned->wal_bytes = expect_wal(planned);
}

static double
expect_wal(const OpsPlanned *planned)
{
	const OpsEstimate *estimate = planned->estimate;
	double		bytes;

	if (planned->target->persistence != RELPERSISTENCE_PERMANENT)
		return planned->batches * WAL_PER_BATCH;
	bytes = estimate->rows * WAL_PER_ROW + planned->batches * WAL_PER_BATCH;
	if (fullPageWrites)
		bytes += estimate->pages * BLCKSZ *
			(wal_compression ? COMPRESSED : 1.0);
	return bytes;
}
