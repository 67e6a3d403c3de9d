/*-------------------------------------------------------------------------
 *
 * hash.c
 *	  What a REINDEX of a hash index would give back.
 *
 * How many buckets there will be does not depend on what is in the index but
 * on how many rows the table is thought to have, so this asks the server.
 * The pages that are read tell how many of the entries are live, and how many
 * share a hash code: from that follow the overflow pages (hash_build.c).  If
 * all pages are read, the entries of each future bucket are counted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/hash.h"
#include "bloat/bloat.h"
#include "bloat/hash_build.h"
#include "bloat/hash_crowds.h"
#include "bloat/pointers.h"
#include "optimizer/plancat.h"
#include "port/pg_bitutils.h"
#include "utils/rel.h"

#define TOTAL_KEPT		TOTAL_OWN_1 /* entries not known to be dead */

/* Buckets that are counted one by one; 4 bytes each. */
#define MOST_COUNTED (1 << 22)

/* With so many entries for each row there are none without. */
#define NEARLY_ALL 0.99

/* Share of the entries that may be in crowds, and these do not matter. */
#define FEW_IN_CROWDS 0.02

typedef struct HashState
{
	OpsBloatMeasure *measure;
	OpsHashBuild build;
	OpsHashCrowds crowds;
	OpsBloatPointers pointers;
	double		seen;			/* entries of the pages that were read, */
	double		kept;			/* and those not known to be dead */

	/* of the metapage */
	double		entries;
	uint32		max_bucket;
	uint32		high_mask;
	uint32		low_mask;

	/* of the index after a REINDEX, if all pages are read */
	uint32	   *counts;
	uint32		new_max;
	uint32		new_high;
	uint32		new_low;
} HashState;

static void read_metapage(OpsBloatMeasure *measure, HashState *state);
static double table_rows(OpsBloatMeasure *measure);
static bool every_row(const OpsBloatMeasure *measure, const HashState *state);
static void prepare_counts(OpsBloatMeasure *measure, HashState *state);
static void read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block,
					  Page page, double *totals);
static void check_page(OpsBloatMeasure *measure, BlockNumber block,
					   Page page);
static void read_entries(OpsBloatMeasure *measure, HashState *state,
						 BlockNumber block, Page page, double *totals);
static void count_equal(HashState *state, uint32 code, int equal);
static bool left_behind(HashState *state, Bucket bucket, uint32 code);
static double lost_share(void *arg);
static bool is_counted(const HashState *state, double seen);
static double live_entries(OpsBloatMeasure *measure, HashState *state,
						   double dead);
static double counted_pages(HashState *state, double entries, double dead);
static void widen_to_counted_rows(OpsBloatMeasure *measure, HashState *state,
								  double entries, double margin);
static void conclude(OpsBloatMeasure *measure, HashState *state);
pg_noreturn static void corrupt_page(OpsBloatMeasure *measure,
									 BlockNumber block);

void
ops_bloat_hash(OpsBloatMeasure *measure)
{
	HashState  *state = palloc0(sizeof(HashState));

	state->measure = measure;
	measure->error_share = lost_share;
	read_metapage(measure, state);
	ops_hash_build_init(&state->build, measure->rel, table_rows(measure));
	ops_hash_crowds_init(&state->crowds);
	prepare_counts(measure, state);
	ops_bloat_pointers_init(&state->pointers, measure,
							every_row(measure, state));

	ops_bloat_sample(measure, HASH_METAPAGE + 1, read_page, state);
	conclude(measure, state);
}

static void
read_metapage(OpsBloatMeasure *measure, HashState *state)
{
	Buffer		buffer = ReadBufferExtended(measure->rel, MAIN_FORKNUM,
											HASH_METAPAGE, RBM_NORMAL,
											measure->ring);
	Page		page = BufferGetPage(buffer);
	HashMetaPage meta = HashPageGetMeta(page);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (PageIsNew(page) || meta->hashm_magic != HASH_MAGIC ||
		meta->hashm_version != HASH_VERSION)
		corrupt_page(measure, HASH_METAPAGE);
	state->entries = meta->hashm_ntuples;
	state->max_bucket = meta->hashm_maxbucket;
	state->high_mask = meta->hashm_highmask;
	state->low_mask = meta->hashm_lowmask;
	UnlockReleaseBuffer(buffer);
}

/*
 * What a build would take for the number of rows.
 */
static double
table_rows(OpsBloatMeasure *measure)
{
	BlockNumber pages;
	double		rows;
	double		visible;

	estimate_rel_size(measure->heap, NULL, &pages, &rows, &visible);
	return rows;
}

/*
 * There is no entry for a null; where there are as many entries as rows there
 * is none of these.
 */
static bool
every_row(const OpsBloatMeasure *measure, const HashState *state)
{
	AttrNumber	column = measure->rel->rd_index->indkey.values[0];

	if (RelationGetIndexPredicate(measure->rel) != NIL)
		return false;
	if (column > 0 && TupleDescAttr(RelationGetDescr(measure->heap),
									column - 1)->attnotnull)
		return true;
	return measure->roots &&
		state->entries >= NEARLY_ALL *
		(ops_bloat_live_roots(measure->roots) +
		 ops_bloat_dead_roots(measure->roots));
}

/*
 * Whether all pages will be read is for the sampler to know; the counts are
 * of use only then.
 */
static void
prepare_counts(OpsBloatMeasure *measure, HashState *state)
{
	double		buckets = ops_hash_build_buckets(&state->build,
												 state->entries);

	if (buckets > MOST_COUNTED ||
		(!measure->exact && measure->nblocks > 2 * measure->last_sample))
		return;
	state->counts = palloc0(buckets * sizeof(uint32));
	state->new_max = (uint32) buckets - 1;
	state->new_high = pg_nextpower2_32((uint32) buckets + 1) - 1;
	state->new_low = state->new_high >> 1;
}

static void
read_page(OpsBloatMeasure *measure, void *arg, BlockNumber block, Page page,
		  double *totals)
{
	HashPageOpaque opaque;

	if (PageIsNew(page))
	{
		totals[TOTAL_UNUSED_PAGES] = 1;
		totals[TOTAL_FREE_BYTES] = BLCKSZ;
		return;
	}
	check_page(measure, block, page);
	opaque = HashPageGetOpaque(page);
	switch (opaque->hasho_flag & LH_PAGE_TYPE)
	{
		case LH_BUCKET_PAGE:
		case LH_OVERFLOW_PAGE:
			read_entries(measure, arg, block, page, totals);
			break;
		case LH_UNUSED_PAGE:
			totals[TOTAL_UNUSED_PAGES] = 1;
			totals[TOTAL_FREE_BYTES] = BLCKSZ;
			break;
		default:
			break;				/* a bitmap */
	}
}

/*
 * The parts that are gone by to find the items.
 */
static void
check_page(OpsBloatMeasure *measure, BlockNumber block, Page page)
{
	PageHeader	header = (PageHeader) page;

	if (header->pd_special != BLCKSZ - MAXALIGN(sizeof(HashPageOpaqueData)) ||
		HashPageGetOpaque(page)->hasho_page_id != HASHO_PAGE_ID ||
		header->pd_lower < SizeOfPageHeaderData ||
		header->pd_lower > header->pd_upper ||
		header->pd_upper > header->pd_special)
		corrupt_page(measure, block);
}

/*
 * Entries are in the order of their codes, on each page.
 */
static void
read_entries(OpsBloatMeasure *measure, HashState *state, BlockNumber block,
			 Page page, double *totals)
{
	PageHeader	header = (PageHeader) page;
	HashPageOpaque opaque = HashPageGetOpaque(page);
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	double		seen = 0;
	double		kept = 0;
	int			equal = 0;
	uint32		equal_code = 0;

	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId		item = PageGetItemId(page, offset);
		IndexTuple	entry = (IndexTuple) ((char *) page +
										  ItemIdGetOffset(item));
		uint32		code;

		if (ItemIdGetOffset(item) < header->pd_upper ||
			ItemIdGetOffset(item) + ItemIdGetLength(item) >
			header->pd_special ||
			ItemIdGetOffset(item) != MAXALIGN(ItemIdGetOffset(item)) ||
			ItemIdGetLength(item) < sizeof(IndexTupleData) + sizeof(uint32))
			corrupt_page(measure, block);

		code = *(uint32 *) (entry + 1);
		if (left_behind(state, opaque->hasho_bucket, code))
			continue;
		seen++;
		if (ItemIdIsDead(item) ||
			ops_bloat_pointers_live(&state->pointers, &entry->t_tid, 1,
									NULL) == 0)
			continue;
		kept++;
		if (state->counts)
			state->counts[_hash_hashkey2bucket(code, state->new_max,
											   state->new_high,
											   state->new_low)]++;
		if (code != equal_code)
		{
			count_equal(state, equal_code, equal);
			equal_code = code;
			equal = 0;
		}
		equal++;
	}
	count_equal(state, equal_code, equal);
	state->seen += seen;
	state->kept += kept;

	totals[TOTAL_NEED] = kept / ops_hash_page_entries();
	totals[TOTAL_LIVE] = kept;
	totals[TOTAL_KEPT] = kept;
	totals[TOTAL_POINTERS] = seen;
	totals[TOTAL_DEAD_BYTES] = (seen - kept) *
		(header->pd_special - header->pd_upper) / Max(last, 1);
	totals[TOTAL_FREE_BYTES] = PageGetFreeSpace(page);
}

/*
 * Notes that so many entries of a page have this code.
 */
static void
count_equal(HashState *state, uint32 code, int equal)
{
	OpsHashBuild *build = &state->build;

	if (equal > HASH_MANY_EQUAL)
		build->crowded += equal;
	else
		build->entries[equal] += equal;
	ops_hash_crowds_add(&state->crowds, code, equal);
}

/*
 * Whether a split has copied an entry to another bucket and not yet removed
 * it here.  Of buckets made after the metapage was read nothing is known.
 */
static bool
left_behind(HashState *state, Bucket bucket, uint32 code)
{
	return bucket <= state->max_bucket &&
		_hash_hashkey2bucket(code, state->max_bucket, state->high_mask,
							 state->low_mask) > bucket;
}

/*
 * The metapage has the exact number of entries, so that of the pages that
 * were read only the share of live ones matters.
 *
 * Where many entries have one code it also matters how many such codes there
 * are, and that the pages have to tell.
 */
static double
lost_share(void *arg)
{
	const HashState *state = arg;
	double		pages = state->measure->nblocks - 1;

	if (state->seen <= 0 ||
		state->crowds.entries > FEW_IN_CROWDS * state->seen ||
		!is_counted(state, state->seen * pages / state->measure->sampled))
		return 1;
	return 1 - state->kept / state->seen;
}

/*
 * Whether the metapage agrees with so many.
 */
static bool
is_counted(const HashState *state, double seen)
{
	return fabs(seen - state->entries) <= 0.2 * seen;
}

static double
live_entries(OpsBloatMeasure *measure, HashState *state, double dead)
{
	double		seen = measure->total[TOTAL_POINTERS];
	double		kept = measure->total[TOTAL_KEPT] * (1 - dead);

	if (measure->census || seen <= 0 || !is_counted(state, seen))
		return kept;
	measure->need_error *= fabs(1 - kept / seen);
	return state->entries * kept / seen;
}

/*
 * Pages if each bucket was counted; negative if not, or if they are not the
 * buckets that there will be.
 */
static double
counted_pages(HashState *state, double entries, double dead)
{
	double		buckets = ops_hash_build_buckets(&state->build, entries);
	double		overflow = 0;

	if (state->counts == NULL || buckets != state->new_max + 1.0 ||
		buckets != state->build.buckets)
		return -1;
	for (uint32 bucket = 0; bucket <= state->new_max; bucket++)
		overflow += ops_hash_bucket_overflow(state->counts[bucket], dead);
	return ops_hash_build_file(buckets, overflow);
}

/*
 * Once the table's rows are counted anew, by an ANALYZE or by the REINDEX of
 * another of its indexes, a build makes as many buckets as that calls for.
 */
static void
widen_to_counted_rows(OpsBloatMeasure *measure, HashState *state,
					  double entries, double margin)
{
	OpsHashBuild other = state->build;
	double		pages;

	ops_hash_build_resize(&other, entries);
	if (other.buckets == state->build.buckets)
		return;
	pages = ops_hash_build_pages(&other, entries);
	measure->pages_low = Min(measure->pages_low, Max(pages - margin, 1));
	measure->pages_high = Max(measure->pages_high, pages + margin);
}

static void
conclude(OpsBloatMeasure *measure, HashState *state)
{
	double	   *total = measure->total;
	double		error;
	double		dead = ops_bloat_pointers_dead(&state->pointers,
											   total[TOTAL_KEPT], &error);
	double		entries = live_entries(measure, state, dead);
	double		spread = measure->need_error * ops_hash_page_entries() +
	error * total[TOTAL_KEPT];
	double		pages = -1;
	double		margin = 0.01 * measure->nblocks + 1;

	ops_hash_crowds_settle(&state->crowds, &state->build,
						   Min(measure->sampled / Max(measure->nblocks - 1.0, 1), 1));
	if (measure->census)
		pages = counted_pages(state, entries, dead);
	if (pages < 0)
	{
		pages = ops_hash_build_pages(&state->build, entries);
		measure->need_error = total[TOTAL_NEED] / pages / 2 *
			(ops_hash_build_pages(&state->build, entries + spread) -
			 ops_hash_build_pages(&state->build, Max(entries - spread, 0)));
		margin += 0.005 * measure->nblocks + 0.3 * state->build.crowds;
	}

	total[TOTAL_LIVE] = entries;
	if (total[TOTAL_POINTERS] > 0)
		measure->dead_entries = 1 - total[TOTAL_KEPT] * (1 - dead) /
			total[TOTAL_POINTERS];
	ops_bloat_detail(measure, "dead_entries_pct",
					 100 * measure->dead_entries, 1);
	ops_bloat_detail(measure, "deleted_pages", total[TOTAL_UNUSED_PAGES], 0);
	ops_bloat_conclude(measure, pages, margin);
	if (RelationGetIndexPredicate(measure->rel) == NIL)
		widen_to_counted_rows(measure, state, entries, margin);
}

static void
corrupt_page(OpsBloatMeasure *measure, BlockNumber block)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("page %u of index \"%s\" is corrupt", block,
					RelationGetRelationName(measure->rel))));
}
