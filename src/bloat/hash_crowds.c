/*-------------------------------------------------------------------------
 *
 * hash_crowds.c
 *	  Codes of a hash index that many entries have.
 *
 * Entries of one code share a bucket, however many there are, and its
 * overflow pages.  Some of these hold few of them, in a chain from which
 * entries were deleted perhaps all do.  So runs of a code are put together
 * from all pages that were read: how many entries it has follows from the
 * share of pages these are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/hash_crowds.h"

/* Runs are kept that are as long, and no more of them; 8 bytes each. */
#define FEWEST		8
#define MOST_RUNS	131072
#define MOST_STRIDE	65536

static void thin_out(OpsHashCrowds *crowds);
static int	compare_codes(const OpsHashRun *a, const OpsHashRun *b);
static double entries_of_code(const OpsHashRun *run, int count,
							  double share);
static void settle_crowd(const OpsHashCrowds *crowds, const OpsHashRun *run,
						 int count, OpsHashBuild *build);

#define ST_SORT sort_runs
#define ST_ELEMENT_TYPE OpsHashRun
#define ST_COMPARE(a, b) compare_codes(a, b)
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

void
ops_hash_crowds_init(OpsHashCrowds *crowds)
{
	memset(crowds, 0, sizeof(OpsHashCrowds));
	crowds->stride = 1;
	crowds->space = 256;
	crowds->run = palloc(crowds->space * sizeof(OpsHashRun));
}

void
ops_hash_crowds_add(OpsHashCrowds *crowds, uint32 code, uint32 entries)
{
	if (entries < FEWEST)
		return;
	crowds->entries += entries;
	if (code % crowds->stride != 0)
		return;
	if (crowds->count == MOST_RUNS && crowds->stride < MOST_STRIDE)
	{
		thin_out(crowds);
		if (code % crowds->stride != 0)
			return;
	}
	if (crowds->count == crowds->space)
	{
		crowds->space *= 2;
		crowds->run = repalloc(crowds->run,
							   crowds->space * sizeof(OpsHashRun));
	}
	crowds->run[crowds->count++] =
		(OpsHashRun)
	{
		.code = code,.entries = entries
	};
}

static void
thin_out(OpsHashCrowds *crowds)
{
	int			kept = 0;

	crowds->stride *= 2;
	for (int i = 0; i < crowds->count; i++)
	{
		if (crowds->run[i].code % crowds->stride == 0)
			crowds->run[kept++] = crowds->run[i];
	}
	crowds->count = kept;
}

void
ops_hash_crowds_settle(OpsHashCrowds *crowds, OpsHashBuild *build,
					   double share)
{
	const OpsHashRun *run = crowds->run;
	const OpsHashRun *end = run + crowds->count;

	sort_runs(crowds->run, crowds->count);
	build->crowds = 0;
	while (run < end)
	{
		int			count = 1;
		double		entries;

		while (run + count < end && run[count].code == run->code)
			count++;
		entries = entries_of_code(run, count, share);
		if (entries > HASH_MANY_EQUAL)
		{
			double		pages = Max(entries / ops_hash_page_entries(), 1);

			settle_crowd(crowds, run, count, build);

			/* Of those with few pages others were missed. */
			build->crowds += crowds->stride / (1 - pow(1 - share, pages));
		}
		run += count;
	}
}

static int
compare_codes(const OpsHashRun *a, const OpsHashRun *b)
{
	return (a->code > b->code) - (a->code < b->code);
}

/*
 * Those of one page are all there are, as far as one can tell.
 */
static double
entries_of_code(const OpsHashRun *run, int count, double share)
{
	double		entries = 0;

	for (int i = 0; i < count; i++)
		entries += run[i].entries;
	return count > 1 ? entries / share : entries;
}

/*
 * Short runs of a crowd count to it as well.
 */
static void
settle_crowd(const OpsHashCrowds *crowds, const OpsHashRun *run, int count,
			 OpsHashBuild *build)
{
	for (int i = 0; i < count; i++)
	{
		uint32		n = run[i].entries;
		double		entries;

		if (n > HASH_MANY_EQUAL)
			continue;
		entries = Min((double) n * crowds->stride, build->entries[n]);
		build->entries[n] -= entries;
		build->crowded += entries;
	}
}
