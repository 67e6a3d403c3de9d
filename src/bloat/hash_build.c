/*-------------------------------------------------------------------------
 *
 * hash_build.c
 *	  Buckets and overflow pages that a build of a hash index makes.
 *
 * A build makes as many buckets as the table's estimated number of rows asks
 * for, in steps that grow with the index, and adds buckets if the estimate
 * was too low.  Each bucket has one page; the file has the pages of a whole
 * step, those of buckets that are not in use yet, too.
 *
 * How many entries fall into a bucket is a matter of chance: codes come as a
 * Poisson process, each with as many entries as have that code.  While the
 * number of buckets is no power of two, some have been split already and the
 * others get twice as many entries.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/hash.h"
#include "bloat/hash_build.h"
#include "port/pg_bitutils.h"

/* One entry: a code and a heap pointer, aligned, and its line pointer. */
#define ENTRY_SIZE \
	((int) (MAXALIGN(sizeof(IndexTupleData)) + MAXALIGN(sizeof(uint32)) + \
			sizeof(ItemIdData)))

#define FEWEST_PER_BUCKET 10
#define MOST_BUCKETS 0x40000000

/* Overflow pages that one page of the bitmap stands for. */
#define BITMAP_BITS ((BLCKSZ / 2) * 8.0)

/* Entries in a bucket from which on its tail is taken for a normal one. */
#define MOST_COUNTED 4000

/* Stages of a growing index at which its overflow pages are counted. */
#define STAGES 24

static double overflow_pages(const OpsHashBuild *build, double entries,
							 double buckets);
static double light_overflow(const OpsHashBuild *build, double rate);
static double counted_overflow(const OpsHashBuild *build, double rate,
							   double seen, int most);
static double normal_overflow(double mean, double deviation);

int
ops_hash_page_entries(void)
{
	return (BLCKSZ - SizeOfPageHeaderData -
			MAXALIGN(sizeof(HashPageOpaqueData))) / ENTRY_SIZE;
}

void
ops_hash_build_init(OpsHashBuild *build, Relation rel, double rows)
{
	memset(build, 0, sizeof(*build));
	build->per_bucket = Max(HashGetTargetPageUsage(rel) / ENTRY_SIZE,
							FEWEST_PER_BUCKET);
	ops_hash_build_resize(build, rows);
}

void
ops_hash_build_resize(OpsHashBuild *build, double rows)
{
	double		wanted = rows / build->per_bucket;

	if (wanted <= 2)
		build->buckets = 2;
	else if (wanted >= MOST_BUCKETS)
		build->buckets = MOST_BUCKETS;
	else
		build->buckets =
			_hash_get_totalbuckets(_hash_spareindex((uint32) wanted));
}

double
ops_hash_bucket_overflow(double entries, double dead)
{
	int			room = ops_hash_page_entries();

	if (entries <= room)
		return 0;
	if (dead <= 0)
		return ceil(entries / room) - 1;
	return normal_overflow(entries * (1 - dead),
						   sqrt(entries * dead * (1 - dead)));
}

double
ops_hash_build_buckets(const OpsHashBuild *build, double entries)
{
	double		wanted = ceil(entries / build->per_bucket);

	return Min(Max(wanted, build->buckets), MOST_BUCKETS);
}

/*
 * Overflow pages that a split makes free stay in the file, so a build that
 * adds buckets ends with as many as it had at its worst.
 */
double
ops_hash_build_pages(const OpsHashBuild *build, double entries)
{
	double		buckets = ops_hash_build_buckets(build, entries);
	double		most = 0;

	for (int stage = 0; stage <= STAGES; stage++)
	{
		double		now = build->buckets +
		floor((buckets - build->buckets) * stage / STAGES);

		most = Max(most, overflow_pages(build,
										Min(entries, now * build->per_bucket),
										now));
		if (buckets == build->buckets)
			break;
	}
	return ops_hash_build_file(buckets, most);
}

double
ops_hash_build_file(double buckets, double overflow)
{
	double		bitmaps = 1 + floor(overflow / (BITMAP_BITS - 1));

	return 1 + _hash_get_totalbuckets(_hash_spareindex((uint32) buckets)) +
		overflow + bitmaps;
}

/*
 * Buckets from which one was split this time, and that one, get entries at
 * half the rate of the others.
 */
static double
overflow_pages(const OpsHashBuild *build, double entries, double buckets)
{
	double		seen = build->crowded;
	double		low = (double) (1U << pg_leftmost_one_pos32((uint32) buckets));
	double		split = 2 * (buckets - low);
	double		crowded;
	double		light;
	double		pages;

	for (int n = 1; n <= HASH_MANY_EQUAL; n++)
		seen += build->entries[n];
	if (seen == 0 || entries <= 0)
		return 0;

	crowded = entries * build->crowded / seen;
	light = entries - crowded;
	pages = (buckets - split) * light_overflow(build, light / low);
	if (split > 0)
		pages += split * light_overflow(build, light / (2 * low));

	/* The last page of a crowd is half full, but shared with the others. */
	if (crowded > 0)
		pages += Max(crowded / ops_hash_page_entries() +
					 build->crowds * (light / buckets /
									  ops_hash_page_entries() - 0.5), 0);
	return pages;
}

/*
 * Overflow pages of a bucket which gets entries at this rate, on average.
 */
static double
light_overflow(const OpsHashBuild *build, double rate)
{
	double		seen = 0;
	double		codes = 0;
	double		square = 0;
	int			most = 0;

	for (int n = 1; n <= HASH_MANY_EQUAL; n++)
	{
		if (build->entries[n] == 0)
			continue;
		seen += build->entries[n];
		codes += build->entries[n] / n;
		square += build->entries[n] * n;
		most = n;
	}
	if (seen == 0 || rate <= 0)
		return 0;

	/* The chance that there is no entry at all has to be a number. */
	if (rate * codes / seen < 600 &&
		rate + 10 * sqrt(rate * square / seen) < MOST_COUNTED)
		return counted_overflow(build, rate, seen, most);
	return normal_overflow(rate, sqrt(rate * square / seen));
}

/*
 * Panjer's recursion: the chance of each number of entries follows from those
 * of the smaller ones.
 */
static double
counted_overflow(const OpsHashBuild *build, double rate, double seen,
				 int most)
{
	int			room = ops_hash_page_entries();
	double	   *chance = palloc(MOST_COUNTED * sizeof(double));
	double		codes = 0;
	double		pages = 0;

	for (int n = 1; n <= most; n++)
		codes += build->entries[n] / n;
	chance[0] = exp(-rate * codes / seen);

	for (int i = 1; i < MOST_COUNTED; i++)
	{
		double		sum = 0;

		for (int n = 1; n <= Min(most, i); n++)
			sum += build->entries[n] * chance[i - n];
		chance[i] = sum * rate / seen / i;
		pages += chance[i] * ((i - 1) / room);
		if (i > rate && chance[i] < 1e-12)
			break;
	}
	pfree(chance);
	return pages;
}

static double
normal_overflow(double mean, double deviation)
{
	int			room = ops_hash_page_entries();
	double		pages = 0;
	double		limit = room;

	while (limit < mean + 5 * deviation)
	{
		/* Far below the mean there is nothing left to chance. */
		if (limit < mean - 5 * deviation)
		{
			double		sure = floor((mean - 5 * deviation - limit) / room);

			pages += sure;
			limit += sure * room;
		}
		pages += 0.5 * erfc((limit + 0.5 - mean) / (deviation * sqrt(2)));
		limit += room;
	}
	return pages;
}
