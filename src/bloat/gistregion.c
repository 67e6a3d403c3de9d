/*-------------------------------------------------------------------------
 *
 * gistregion.c
 *	  Leaves of a GiST index, with all that is on them: all of them, or else
 *	  neighbouring ones.
 *
 * How a build splits pages goes by what lies close together: a thousand rows
 * of one day, a hundred of the same key.  Out of entries picked at random
 * from all over the index all that would be gone.  So whole regions of it are
 * read instead.
 *
 * When a page is split, the new one is linked between it and the one that
 * followed, and a build that sorts links each page to the one before.  Either
 * way the links lead from a leaf to others near by.  They are only followed
 * for that: if one leads astray, another region begins.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/gistbuild.h"
#include "bloat/model.h"
#include "miscadmin.h"

/* Pages that are read at most, whatever is on them. */
#define MAX_PAGES			1024

typedef struct Region
{
	OpsGistEntries *entries;
	double		share;			/* of entries of unknown fate that is wanted */
	double		found;			/* that are wanted */
	BlockNumber page[MAX_PAGES];	/* that were read */
	int			npages;
} Region;

static int	coprime_step(int count);
static BlockNumber read_leaf(OpsGistEntries *entries, BlockNumber block);
static void read_entries(OpsGistEntries *entries, Page page);
static double found_from(const Region *region, int first);
static bool is_read(const Region *region, BlockNumber block);

/*
 * Add entries of so many regions, until there are as many as wanted.
 *
 * They begin at some of these leaves, which are any; the first at that one.
 */
void
ops_gist_region(OpsGistEntries *entries, const BlockNumber *leaves,
				int nleaves, int first, int regions, double share, int wanted)
{
	Region		region = {
		.entries = entries,
		.share = share,
	};
	int			step = coprime_step(nleaves);
	int			most = Min(MAX_PAGES, entries->measure->last_sample);

	for (int i = 0; i < nleaves && region.found < wanted &&
		 !ops_gist_entries_full(entries); i++)
	{
		BlockNumber block = leaves[(first + (uint64) i * step) % nleaves];
		double		end = Min(region.found + (double) wanted / regions, wanted);

		while (region.found < end && region.npages < most &&
			   block < entries->measure->nblocks && !is_read(&region, block) &&
			   !ops_gist_entries_full(entries))
		{
			double		found = region.found;
			int			count = entries->count;

			CHECK_FOR_INTERRUPTS();
			region.page[region.npages++] = block;
			block = read_leaf(entries, block);
			region.found += found_from(&region, count);

			/* Pages of nulls come one after the other. */
			if (region.found == found)
				break;
		}
		entries->nregions++;
	}
}

/*
 * A stride that comes by each of so many and is far from the one before.
 */
static int
coprime_step(int count)
{
	int			step = (int) (count * 0.618);

	for (;; step++)
	{
		int			a = count;
		int			b = step;

		while (b != 0)
		{
			int			rest = a % b;

			a = b;
			b = rest;
		}
		if (a <= 1)
			return step;
	}
}

/*
 * Add all entries, unless they are too many, or on more pages than a sample
 * may have.
 */
bool
ops_gist_read_all(OpsGistEntries *entries)
{
	const OpsBloatMeasure *measure = entries->measure;
	BlockNumber nblocks = measure->nblocks;

	if (nblocks > measure->last_sample && !measure->exact)
		return false;
	for (BlockNumber block = 0; block < nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		if (ops_gist_entries_full(entries))
			return false;
		(void) read_leaf(entries, block);
	}
	return true;
}

/*
 * Take in a leaf; returns the next one, or none.
 */
static BlockNumber
read_leaf(OpsGistEntries *entries, BlockNumber block)
{
	const OpsBloatMeasure *measure = entries->measure;
	BlockNumber next = InvalidBlockNumber;
	Buffer		buffer;
	Page		page;

	buffer = ReadBufferExtended(measure->rel, MAIN_FORKNUM, block, RBM_NORMAL,
								measure->ring);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (ops_page_is_sound(page, sizeof(GISTPageOpaqueData)) &&
		GistPageGetOpaque(page)->gist_page_id == GIST_PAGE_ID &&
		GistPageIsLeaf(page) && !GistPageIsDeleted(page))
	{
		read_entries(entries, page);
		next = GistPageGetOpaque(page)->rightlink;
	}
	UnlockReleaseBuffer(buffer);
	return next;
}

static void
read_entries(OpsGistEntries *entries, Page page)
{
	OffsetNumber last = PageGetMaxOffsetNumber(page);

	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		Size		length;
		IndexTuple	item = ops_page_item(page, i, &length);

		if (item && !ItemIdIsDead(PageGetItemId(page, i)))
			ops_gist_entries_add(entries, item, length);
	}
	entries->npages++;
}

/*
 * Entries from that one on that are wanted.
 */
static double
found_from(const Region *region, int first)
{
	const OpsGistEntries *entries = region->entries;
	double		found = 0;

	for (int i = first; i < entries->count; i++)
		found += region->share == 1 ? 1 :
			Min(entries->entry[i].odds.odds * region->share, 1);
	return found;
}

static bool
is_read(const Region *region, BlockNumber block)
{
	for (int i = 0; i < region->npages; i++)
	{
		if (region->page[i] == block)
			return true;
	}
	return false;
}
