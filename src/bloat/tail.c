/*-------------------------------------------------------------------------
 *
 * tail.c
 *	  Pages at the end of a table that a plain VACUUM gives back.
 *
 * VACUUM cuts off the pages after the last one that holds anything, so a
 * single row spoils the rest.  That is no matter for sampling: the pages are
 * followed from the end backwards.  Those that the maps call both empty and
 * all visible are trusted, apart from a few that are looked at: an insert
 * takes the second mark away at once, though it leaves the first.  Others are
 * read, up to a limit, as many might have to be.  What lies before the
 * limit is not claimed: better too little than too much.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/maps.h"
#include "bloat/visible.h"

/*
 * Of the pages that the maps do not vouch for, read so many, more than VACUUM
 * wants to see,
 */
#define READ_PAGES			1024

/* and so many of the others */
#define CHECK_PAGES			16

/* VACUUM does not bother for less than both of these. */
#define VACUUM_PAGES		1000
#define VACUUM_FRACTION		16

typedef struct Tail
{
	OpsBloatMeasure *measure;
	OpsMaps    *maps;
	OpsVisibility visibility;
	BlockNumber start;			/* from here on, all pages can go */
	BlockNumber reads;			/* that are left */
} Tail;

/*
 * Whether VACUUM can remove whatever a line pointer leads to.
 */
static bool
item_goes(Tail *tail, Page page, ItemId item)
{
	HeapTupleHeader tuple;

	if (!ItemIdIsNormal(item))
		return true;
	if (ItemIdGetLength(item) < SizeofHeapTupleHeader ||
		ItemIdGetOffset(item) < ((PageHeader) page)->pd_upper ||
		ItemIdGetOffset(item) + ItemIdGetLength(item) > BLCKSZ)
		return false;
	tuple = (HeapTupleHeader) PageGetItem(page, item);
	return ops_visibility_fate(&tail->visibility, tuple) == FATE_DEAD;
}

static bool
content_goes(Tail *tail, Page page)
{
	PageHeader	header = (PageHeader) page;
	OffsetNumber last;

	if (PageIsNew(page))
		return true;
	if (header->pd_lower < SizeOfPageHeaderData ||
		header->pd_lower > header->pd_upper || header->pd_upper > BLCKSZ)
		return false;
	last = PageGetMaxOffsetNumber(page);
	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		if (!item_goes(tail, page, PageGetItemId(page, i)))
			return false;
	}
	return true;
}

static bool
page_goes(Tail *tail, BlockNumber block)
{
	Buffer		buffer;
	bool		goes;

	CHECK_FOR_INTERRUPTS();
	buffer = ReadBufferExtended(tail->measure->rel, MAIN_FORKNUM, block,
								RBM_NORMAL, tail->measure->ring);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	goes = content_goes(tail, BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	return goes;
}

/*
 * Read one more page of the tail, if that is still allowed.
 */
static bool
extend_by_reading(Tail *tail)
{
	if (tail->reads == 0 || !page_goes(tail, tail->start - 1))
		return false;
	tail->reads--;
	tail->start--;
	return true;
}

/*
 * Add what the maps call empty before the tail, by the leaf if they can.
 */
static bool
extend_by_maps(Tail *tail)
{
	BlockNumber block = tail->start - 1;
	OpsMapEntry entry;

	if (tail->maps == NULL)
		return false;
	entry = ops_bloat_maps_entry(tail->maps, block);
	if (!entry.visible || entry.space != OPS_MAP_EMPTY)
		return false;
	tail->start = ops_bloat_maps_all_empty(tail->maps, block) ?
		ops_bloat_maps_leaf_start(block) : block;
	return true;
}

/*
 * Look at some pages of the tail, which begins after the last of them that
 * has to stay.
 */
static void
check_tail(Tail *tail)
{
	BlockNumber end = tail->measure->nblocks;
	BlockNumber start = tail->start;

	for (int i = 0; i < CHECK_PAGES; i++)
	{
		BlockNumber block = start +
		(BlockNumber) ((uint64) (end - start) * i / CHECK_PAGES);

		if (block >= tail->start && !page_goes(tail, block))
			tail->start = block + 1;
	}
}

BlockNumber
ops_bloat_truncatable(OpsBloatMeasure *measure)
{
	BlockNumber nblocks = measure->nblocks;
	Tail		tail = {.measure = measure,.start = nblocks};

	if (nblocks == 0 ||
		(measure->kind != BLOAT_HEAP && measure->kind != BLOAT_TOAST))
		return 0;
	tail.reads = measure->exact ? nblocks : READ_PAGES;
	ops_visibility_begin(&tail.visibility, measure->horizon);

	/* Most tables end here, without a look at the maps. */
	if (!extend_by_reading(&tail))
		return 0;
	tail.maps = ops_bloat_maps_open(measure, 0);
	while (tail.start > 0 &&
		   (extend_by_maps(&tail) || extend_by_reading(&tail)))
		CHECK_FOR_INTERRUPTS();
	check_tail(&tail);

	if (nblocks - tail.start < VACUUM_PAGES &&
		nblocks - tail.start < nblocks / VACUUM_FRACTION)
		return 0;
	return nblocks - tail.start;
}
