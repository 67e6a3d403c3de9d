/*-------------------------------------------------------------------------
 *
 * sample.c
 *	  Chooses pages of a relation, reads them, and scales up what they hold.
 *
 * The relation is cut into strata of equal width, and one page of each is
 * read, at random.  If that does not tell enough, each stratum is cut in two
 * and one page is read of the half that has none: pages read before are still
 * what a sample of that size would have taken, so none is read twice.  Where
 * bloat is clustered that beats pages taken at random from the whole, and
 * unlike every k-th page it does not fall in step with anything.
 *
 * When half of the pages are read and that is not enough, so are the others.
 * A small relation is read completely at once, in order; then only sums are
 * kept.
 *
 * The pages are read through a ring, in ascending order, each under a share
 * lock, and nothing is written, hint bits included.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/estimate.h"
#include "bloat/maps.h"

/* A relation of so many pages is small. */
#define SMALL			128

/* An index adds an error of its own to that of the rows it points to. */
#define ROOTS_TARGET	0.75

/* Standard errors of a standard error, times the root of the pages read */
#define CAUTION			2.0

#define CACHE_LINE		64

/* Bytes of a page up to where its line pointers end, mostly */
#define SKIMMED			1024

/* Leaves of the free space map that are always read: 8 GB of pages */
#define MAP_LEAVES		256

typedef struct Sampler
{
	OpsBloatMeasure *measure;
	OpsPageReader reader;
	void	   *state;
	BlockNumber first;
	BlockNumber pages;			/* of the relation, from first on */
	uint64		random;
	OpsMaps    *maps;
	OpsSample	sample;
	double		sum[NUM_TOTALS];	/* of all pages that were read */

	/* where the reading of this round is */
	int			position;		/* in the sample */
	BlockNumber next;			/* in a census */
} Sampler;

/*
 * The splitmix64 generator of Steele, Lea and Flood.  That of the server
 * changes with its versions, and tests want to see the same pages.
 */
static uint64
mix(uint64 value)
{
	value = (value ^ (value >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static BlockNumber
random_below(Sampler *sampler, BlockNumber limit)
{
	sampler->random += UINT64CONST(0x9e3779b97f4a7c15);
	return (BlockNumber) (mix(sampler->random) % limit);
}

uint64
ops_bloat_seed(uint64 seed, Oid relation)
{
	return mix(seed + mix(relation + UINT64CONST(0x9e3779b97f4a7c15)));
}

/*
 * A page that nothing was ever put on, or what is left of a crash.
 */
static void
read_new_page(double *totals)
{
	totals[TOTAL_FREE_BYTES] = BLCKSZ;
	totals[TOTAL_UNUSED_PAGES] = 1;
}

/*
 * Readers trust the header of a page, so it must hold.  Checksums, if there
 * are any, were verified when the page came in, but they do not know what was
 * wrong before it was written.
 */
void
ops_bloat_check_header(Relation rel, BlockNumber block, Page page)
{
	PageHeader	header = (PageHeader) page;

	if (header->pd_lower < SizeOfPageHeaderData ||
		header->pd_lower > header->pd_upper ||
		header->pd_upper > header->pd_special ||
		header->pd_special > BLCKSZ ||
		header->pd_special != MAXALIGN(header->pd_special) ||
		PageGetPageSize(page) != BLCKSZ)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("block %u of relation \"%s\" has an invalid page header",
						block, RelationGetRelationName(rel)),
				 errhint("Check the relation with pg_amcheck, and the storage below it.")));
}

static void
read_page(Sampler *sampler, Buffer buffer, double *totals)
{
	OpsBloatMeasure *measure = sampler->measure;
	BlockNumber block = BufferGetBlockNumber(buffer);
	Page		page;

	memset(totals, 0, NUM_TOTALS * sizeof(double));
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (PageIsNew(page))
		read_new_page(totals);
	else
	{
		ops_bloat_check_header(measure->rel, block, page);
		sampler->reader(measure, sampler->state, block, page, totals);
	}
	UnlockReleaseBuffer(buffer);

	measure->sampled++;
	for (int i = 0; i < NUM_TOTALS; i++)
		sampler->sum[i] += totals[i];
}

/*
 * The next buffer, whose content is on its way to the processor's cache while
 * the page before it is read: rows and entries lie about at random.
 */
static Buffer
next_buffer(const Sampler *sampler, OpsBlockStream *blocks)
{
	Buffer		buffer = ops_compat_next_buffer(blocks);

	if (buffer != InvalidBuffer)
	{
		const char *page = BufferGetPage(buffer);
		int			wanted = sampler->measure->skims ? SKIMMED : BLCKSZ;

		for (int offset = 0; offset < wanted; offset += CACHE_LINE)
			__builtin_prefetch(page + offset);
		__builtin_prefetch(page + BLCKSZ - CACHE_LINE);
	}
	return buffer;
}

/*
 * The next page of the sample that is not read yet; OpsNextBlock.
 */
static BlockNumber
next_sampled(void *state)
{
	Sampler    *sampler = state;

	while (sampler->position < sampler->sample.count)
	{
		OpsSampledPage *page = &sampler->sample.page[sampler->position++];

		if (!page->is_read)
			return page->block;
	}
	return InvalidBlockNumber;
}

/*
 * The next page that is not of the sample; OpsNextBlock.
 */
static BlockNumber
next_other(void *state)
{
	Sampler    *sampler = state;

	while (sampler->next < sampler->measure->nblocks)
	{
		BlockNumber block = sampler->next++;

		if (sampler->position >= sampler->sample.count ||
			sampler->sample.page[sampler->position].block != block)
			return block;
		sampler->position++;
	}
	return InvalidBlockNumber;
}

/*
 * Read the pages of the sample that are not read yet.
 */
static void
read_sample(Sampler *sampler)
{
	OpsBlockStream *blocks;
	OpsSampledPage *page = sampler->sample.page;
	Buffer		buffer;

	sampler->position = 0;
	blocks = ops_compat_begin_blocks(sampler->measure->rel,
									 sampler->measure->ring,
									 next_sampled, sampler);
	buffer = next_buffer(sampler, blocks);
	while (buffer != InvalidBuffer)
	{
		Buffer		next = next_buffer(sampler, blocks);

		CHECK_FOR_INTERRUPTS();
		while (page->is_read)
			page++;
		Assert(page->block == BufferGetBlockNumber(buffer));
		read_page(sampler, buffer, page->total);
		page->is_read = true;
		buffer = next;
	}
	ops_compat_end_blocks(blocks);
}

/*
 * Read whatever is not of the sample, and conclude from all pages.
 */
static void
read_rest(Sampler *sampler)
{
	OpsBloatMeasure *measure = sampler->measure;
	OpsBlockStream *blocks;
	Buffer		buffer;
	double		totals[NUM_TOTALS];

	sampler->position = 0;
	sampler->next = sampler->first;
	blocks = ops_compat_begin_blocks(measure->rel, measure->ring, next_other,
									 sampler);
	buffer = next_buffer(sampler, blocks);
	while (buffer != InvalidBuffer)
	{
		Buffer		next = next_buffer(sampler, blocks);

		CHECK_FOR_INTERRUPTS();
		read_page(sampler, buffer, totals);
		buffer = next;
	}
	ops_compat_end_blocks(blocks);

	memcpy(measure->total, sampler->sum, sizeof(measure->total));
	measure->need_error = 0;
	measure->roots_error = 0;
	measure->dead_roots_error = 0;
	measure->with_map = false;
	measure->census = true;
}

/*
 * Where a stratum begins.  Each stratum of twice as many is half of one.
 */
static BlockNumber
stratum_start(const Sampler *sampler, int stratum, int count)
{
	return sampler->first +
		(BlockNumber) ((uint64) sampler->pages * stratum / count);
}

static void
set_page(Sampler *sampler, int stratum)
{
	OpsSample  *sample = &sampler->sample;
	OpsSampledPage *page = &sample->page[stratum];
	BlockNumber start = stratum_start(sampler, stratum, sample->count);
	BlockNumber end = stratum_start(sampler, stratum + 1, sample->count);

	if (!page->is_read)
		page->block = start + random_below(sampler, end - start);
	page->stratum = end - start;
}

/*
 * Twice as many strata; a page that was read stays in its half.
 */
static void
double_sample(Sampler *sampler)
{
	OpsSample  *sample = &sampler->sample;
	OpsSampledPage *old = sample->page;
	int			old_count = sample->count;

	sample->count = old_count * 2;
	sample->page = palloc0(sample->count * sizeof(OpsSampledPage));
	for (int i = 0; i < old_count; i++)
	{
		BlockNumber middle = stratum_start(sampler, i * 2 + 1, sample->count);
		int			half = old[i].block < middle ? 0 : 1;

		sample->page[i * 2 + half] = old[i];
	}
	pfree(old);
	for (int i = 0; i < sample->count; i++)
		set_page(sampler, i);
}

/*
 * Let the pages that are as many as is known stand for the mean of the others:
 * then it does not matter how many of them the sample has.
 */
static void
level_inner_pages(Sampler *sampler)
{
	OpsSample  *sample = &sampler->sample;
	double		sum[NUM_TOTALS] = {0};
	int			others = 0;

	if (sampler->measure->inner_pages <= 0)
		return;
	for (int i = 0; i < sample->count; i++)
	{
		if (sample->page[i].total[TOTAL_INNER_PAGES] > 0)
			continue;
		others++;
		for (int j = 0; j < NUM_TOTALS; j++)
			sum[j] += sample->page[i].total[j];
	}
	for (int i = 0; i < sample->count && others > 0; i++)
	{
		double	   *total = sample->page[i].total;

		if (total[TOTAL_INNER_PAGES] == 0)
			continue;
		for (int j = 0; j < NUM_TOTALS; j++)
			total[j] = sum[j] / others;
		total[TOTAL_INNER_PAGES] = 1;
	}
}

/*
 * Look up what the maps say of the sample's pages.
 */
static void
read_maps(Sampler *sampler)
{
	OpsSample  *sample = &sampler->sample;

	if (sampler->maps == NULL)
		return;
	sample->has_maps = true;
	if (!sample->is_whole)
		sample->is_whole = ops_bloat_maps_whole(sampler->maps,
												Max(MAP_LEAVES, sample->count),
												&sample->whole);
	for (int i = 0; i < sample->count; i++)
	{
		OpsSampledPage *page = &sample->page[i];

		page->entry = ops_bloat_maps_entry(sampler->maps, page->block);
		if (!sample->is_whole)
			page->around = ops_bloat_maps_around(sampler->maps, page->block);
	}
}

/*
 * An error that is itself known from a sample: to stop as soon as it happens
 * to be small would be to believe it when it is too small.
 */
static double
cautious_error(const Sampler *sampler, double error, bool with_map)
{
	double		caution = with_map ? 2 * CAUTION : CAUTION;

	return error * (1 + caution / sqrt(sampler->sample.count));
}

/*
 * Whether the interval is as narrow as wanted.
 */
static bool
is_need_known(const Sampler *sampler)
{
	OpsBloatMeasure *measure = sampler->measure;
	OpsEstimate need = ops_bloat_estimate(&sampler->sample, TOTAL_NEED);
	double		count = sampler->sample.count;
	double		pages = sampler->pages;
	double		error = cautious_error(sampler, need.error, need.with_map);
	double		below;
	double		above;

	if (measure->only_roots)
		return true;
	if (measure->error_share)
		error *= measure->error_share(sampler->state);
	if (measure->own_error)
		error = hypot(error, need.value * measure->own_error(sampler->state));
	below = ops_bloat_half_width(error, need.value, count, pages);
	above = ops_bloat_half_width(error, Max(pages - need.value, 0), count,
								 pages);
	return (below + above) / 2 <= measure->target * measure->nblocks;
}

/*
 * Standard error of the share of roots that is dead.  The visibility map may
 * tell where the dead ones are; then their number is known better.
 */
static double
share_of_roots_error(const OpsSample *sample)
{
	OpsEstimate live = ops_bloat_estimate(sample, TOTAL_LIVE_ROOTS);
	OpsEstimate dead = ops_bloat_estimate(sample, TOTAL_DEAD_ROOTS);
	double		all = live.value + dead.value;
	double		plain = ops_bloat_share_error(sample, TOTAL_DEAD_ROOTS,
											  TOTAL_LIVE_ROOTS);

	if (all <= 0)
		return 0;
	return Min(plain, (dead.error * live.value + live.error * dead.value) /
			   (all * all));
}

/*
 * Whether the share of index entries that lead to no row is known as well.
 */
static bool
are_roots_known(const Sampler *sampler)
{
	double		error;

	if (!sampler->measure->wants_roots || sampler->sum[TOTAL_DEAD_ROOTS] == 0)
		return true;
	error = cautious_error(sampler, share_of_roots_error(&sampler->sample),
						   false);
	return ops_bloat_half_width(error, 0, sampler->sample.count, 0) <=
		ROOTS_TARGET * sampler->measure->target;
}

/*
 * Whether indexes want to know which rows are dead, one by one.
 */
static bool
is_every_root_wanted(const Sampler *sampler)
{
	return sampler->pages <= sampler->measure->all_roots &&
		sampler->sum[TOTAL_DEAD_ROOTS] > 0;
}

/*
 * Extend the sample until it tells enough, or is as large as it may be.
 * False if the other pages have to be read, too.
 */
static bool
extend_sample(Sampler *sampler)
{
	OpsBloatMeasure *measure = sampler->measure;
	OpsSample  *sample = &sampler->sample;

	for (;;)
	{
		read_sample(sampler);
		if (is_every_root_wanted(sampler))
			return false;
		level_inner_pages(sampler);
		read_maps(sampler);
		if (is_need_known(sampler) && are_roots_known(sampler))
			return true;
		if (sample->count > measure->last_sample / 2)
			return true;
		if (sample->count > sampler->pages / 2)
			return false;
		double_sample(sampler);
	}
}

static void
sample_pages(Sampler *sampler)
{
	OpsBloatMeasure *measure = sampler->measure;
	OpsSample  *sample = &sampler->sample;
	double		others;			/* share of the pages */

	sample->count = measure->first_sample;
	sample->page = palloc0(sample->count * sizeof(OpsSampledPage));
	for (int i = 0; i < sample->count; i++)
		set_page(sampler, i);
	sampler->maps = ops_bloat_maps_open(measure, sampler->first);

	if (!extend_sample(sampler))
	{
		read_rest(sampler);
		return;
	}
	others = 1 - Min(measure->inner_pages / sampler->pages, 1);
	for (int i = 0; i < NUM_TOTALS; i++)
	{
		OpsEstimate estimate = ops_bloat_estimate(sample, i);

		measure->total[i] = estimate.value * others;
		if (i == TOTAL_NEED)
		{
			measure->need_error = estimate.error * others;
			measure->with_map = estimate.with_map;
		}
		if (i == TOTAL_LIVE_ROOTS)
			measure->roots_error = estimate.error;
	}
	measure->dead_roots_error = share_of_roots_error(sample);
}

void
ops_bloat_sample(OpsBloatMeasure *measure, BlockNumber first,
				 OpsPageReader reader, void *state)
{
	Sampler		sampler = {
		.measure = measure,
		.reader = reader,
		.state = state,
		.first = first,
		.random = measure->seed,
	};

	if (first < measure->nblocks)
		sampler.pages = measure->nblocks - first;
	measure->sampled = 0;
	measure->census = false;
	measure->in_order = measure->exact ||
		sampler.pages <= Max(measure->first_sample,
							 Min(measure->last_sample,
								 Max(measure->small, SMALL)));
	if (measure->in_order)
		read_rest(&sampler);
	else
		sample_pages(&sampler);
}
