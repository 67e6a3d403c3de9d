/*-------------------------------------------------------------------------
 *
 * maps.c
 *	  What the free space map and the visibility map say of pages.
 *
 * Both are small: the free space map has a byte for each page of the
 * relation, the visibility map two bits.  They may be wrong in any way, so
 * nothing is taken from them as it stands: estimate.c asks the sampled pages
 * what an entry of the map is worth, and pages to be given back are looked
 * at.
 *
 * The maps are read by leaf of the free space map, 4,069 pages of the
 * relation, and one leaf is kept: callers ask for pages in ascending order,
 * and a relation of up to 31 MB has one leaf anyway.  The leaves are read
 * where they lie; GetRecordedFreeSpace() pins a buffer for each page of the
 * relation instead.  A leaf that does not exist says that no space is known.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/visibilitymapdefs.h"
#include "bloat/maps.h"
#include "storage/smgr.h"

/* As freespace.c and visibilitymap.c lay their pages out */
#define MAP_LEVELS			(SlotsPerFSMPage >= 1626 ? 3 : 4)
#define VISIBLE_BYTES		(BLCKSZ - MAXALIGN(SizeOfPageHeaderData))
#define PAGES_PER_BYTE		(BITS_PER_BYTE / BITS_PER_HEAPBLOCK)
#define PAGES_PER_VISIBLE	((BlockNumber) VISIBLE_BYTES * PAGES_PER_BYTE)

/* One leaf's pages lie on two pages of the visibility map at most. */
#define LEAF_BYTES			(SlotsPerFSMPage / PAGES_PER_BYTE + 2)

static BlockNumber
fork_pages(Relation rel, ForkNumber fork)
{
	if (!smgrexists(RelationGetSmgr(rel), fork))
		return 0;
	return smgrnblocks(RelationGetSmgr(rel), fork);
}

OpsMaps *
ops_bloat_maps_open(OpsBloatMeasure *measure, BlockNumber first)
{
	BlockNumber space_pages = fork_pages(measure->rel, FSM_FORKNUM);
	BlockNumber visible_pages = 0;
	OpsMaps    *maps;

	if (measure->rel == measure->heap)
		visible_pages = fork_pages(measure->rel, VISIBILITYMAP_FORKNUM);
	if (space_pages == 0 && visible_pages == 0)
		return NULL;

	maps = palloc(sizeof(OpsMaps));
	maps->rel = measure->rel;
	maps->ring = measure->ring;
	maps->first = first;
	maps->end = measure->nblocks;
	maps->space_pages = space_pages;
	maps->visible_pages = visible_pages;
	maps->leaf = InvalidBlockNumber;
	return maps;
}

/*
 * Block of the free space map that holds a leaf: before it stand the leaves
 * up to it and, for each higher level, the pages that are begun.
 */
static BlockNumber
leaf_address(BlockNumber leaf)
{
	BlockNumber pages = 0;

	for (int level = 0; level < MAP_LEVELS; level++)
	{
		pages += leaf + 1;
		leaf /= SlotsPerFSMPage;
	}
	return pages - 1;
}

/*
 * Copy some bytes of a map's page.  The server reads its maps in the same
 * way: a page that is damaged counts as empty.
 */
static void
copy_map(OpsMaps *maps, ForkNumber fork, BlockNumber block, Size offset,
		 Size length, uint8 *target)
{
	Buffer		buffer;
	Page		page;

	CHECK_FOR_INTERRUPTS();
	buffer = ReadBufferExtended(maps->rel, fork, block, RBM_ZERO_ON_ERROR,
								maps->ring);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (PageIsNew(page))
		memset(target, 0, length);
	else
		memcpy(target, PageGetContents(page) + offset, length);
	UnlockReleaseBuffer(buffer);
}

static void
load_space(OpsMaps *maps, BlockNumber leaf)
{
	BlockNumber address = leaf_address(leaf);

	if (address >= maps->space_pages)
		memset(maps->space, 0, sizeof(maps->space));
	else
		copy_map(maps, FSM_FORKNUM, address,
				 offsetof(FSMPageData, fp_nodes) + NonLeafNodesPerPage,
				 sizeof(maps->space), maps->space);
}

/*
 * Spread the bits of count pages from start on over one byte each.
 */
static void
load_visible(OpsMaps *maps, BlockNumber start, int count)
{
	uint8		bytes[LEAF_BYTES];
	int			done = 0;

	while (done < count)
	{
		BlockNumber block = start + done;
		BlockNumber address = block / PAGES_PER_VISIBLE;
		BlockNumber slot = block % PAGES_PER_VISIBLE;
		int			shift = slot % PAGES_PER_BYTE;
		int			here = Min(count - done, PAGES_PER_VISIBLE - slot);

		if (address >= maps->visible_pages)
		{
			memset(maps->visible + done, 0, count - done);
			return;
		}
		copy_map(maps, VISIBILITYMAP_FORKNUM, address, slot / PAGES_PER_BYTE,
				 (shift + here - 1) / PAGES_PER_BYTE + 1, bytes);
		for (int i = 0; i < here; i++)
		{
			int			pair = shift + i;
			uint8		bits = bytes[pair / PAGES_PER_BYTE] >>
			pair % PAGES_PER_BYTE * BITS_PER_HEAPBLOCK;

			maps->visible[done + i] = (bits & VISIBILITYMAP_ALL_VISIBLE) != 0;
		}
		done += here;
	}
}

static void
load_leaf(OpsMaps *maps, BlockNumber leaf)
{
	BlockNumber start = leaf * SlotsPerFSMPage;

	if (maps->leaf == leaf)
		return;
	maps->leaf = InvalidBlockNumber;
	load_space(maps, leaf);
	load_visible(maps, start, Min(SlotsPerFSMPage, maps->end - start));
	maps->leaf = leaf;
}

OpsMapEntry
ops_bloat_maps_entry(OpsMaps *maps, BlockNumber block)
{
	OpsMapEntry entry;

	load_leaf(maps, block / SlotsPerFSMPage);
	entry.space = maps->space[block % SlotsPerFSMPage];
	entry.visible = maps->visible[block % SlotsPerFSMPage];
	return entry;
}

/*
 * Add up what the leaf that is kept says of the relation's pages.
 */
static void
add_leaf(const OpsMaps *maps, OpsMapSum *sum)
{
	BlockNumber start = maps->leaf * SlotsPerFSMPage;
	int			from = maps->first > start ? maps->first - start : 0;
	int			to = Min(SlotsPerFSMPage, maps->end - start);
	uint32		visible = 0;
	uint32		space = 0;
	uint32		visible_space = 0;

	for (int i = from; i < to; i++)
	{
		visible += maps->visible[i];
		space += maps->space[i];
		visible_space += maps->space[i] * maps->visible[i];
	}
	sum->pages[0] += to - from - (double) visible;
	sum->pages[1] += visible;
	sum->space[0] += space - visible_space;
	sum->space[1] += visible_space;
}

bool
ops_bloat_maps_whole(OpsMaps *maps, BlockNumber leaves, OpsMapSum *sum)
{
	BlockNumber count = (maps->end - 1) / SlotsPerFSMPage + 1;

	if (count > leaves)
		return false;
	memset(sum, 0, sizeof(OpsMapSum));
	for (BlockNumber leaf = 0; leaf < count; leaf++)
	{
		load_leaf(maps, leaf);
		add_leaf(maps, sum);
	}
	return true;
}

OpsMapSum
ops_bloat_maps_around(OpsMaps *maps, BlockNumber block)
{
	OpsMapSum	sum = {0};

	load_leaf(maps, block / SlotsPerFSMPage);
	add_leaf(maps, &sum);
	return sum;
}

/*
 * Whether all of those are all visible, and empty.
 */
bool
ops_bloat_maps_all_empty(OpsMaps *maps, BlockNumber block)
{
	OpsMapSum	sum = ops_bloat_maps_around(maps, block);

	return sum.pages[0] == 0 && sum.space[1] == sum.pages[1] * OPS_MAP_EMPTY;
}

BlockNumber
ops_bloat_maps_leaf_start(BlockNumber block)
{
	return block - block % SlotsPerFSMPage;
}
