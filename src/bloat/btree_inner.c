/*-------------------------------------------------------------------------
 *
 * btree_inner.c
 *	  How many pages of a B-tree are above its leaf pages.
 *
 * They are few, but of all pages the least like the others, so that a sample
 * that happens to meet one is taken for a sample of little worth.  Each page
 * says how many are below it, so their number need not be sampled: that of
 * the level above the leaf pages is on the one or few pages above that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "bloat/btree_inner.h"

/* Pages that are looked at of a level below the root; they are much alike. */
#define MOST_CHILDREN 16

typedef struct InnerPage
{
	uint32		level;			/* 0 is that of the leaf pages */
	int			children;
	int			nlisted;
	BlockNumber child[MOST_CHILDREN];	/* some, evenly spread */
} InnerPage;

static BlockNumber find_root(OpsBloatMeasure *measure);
static bool read_inner(OpsBloatMeasure *measure, BlockNumber block,
					   InnerPage *inner);
static bool copy_inner(Page page, InnerPage *inner);
static Page lock_page(OpsBloatMeasure *measure, BlockNumber block,
					  Buffer *buffer);
static bool is_sound(Page page);

/*
 * What is wrong with a page is for those to say who read it for its own sake.
 */
double
ops_btree_inner_pages(OpsBloatMeasure *measure)
{
	InnerPage	root;
	double		children = 0;

	if (!read_inner(measure, find_root(measure), &root))
		return 0;
	if (root.level == 1)
		return 1;
	if (root.level == 2)
		return 1 + root.children;
	if (root.level > 3 || root.nlisted == 0)
		return 0;

	for (int i = 0; i < root.nlisted; i++)
	{
		InnerPage	inner;

		if (!read_inner(measure, root.child[i], &inner))
			return 0;
		children += inner.children;
	}
	return 1 + root.children + root.children * children / root.nlisted;
}

static BlockNumber
find_root(OpsBloatMeasure *measure)
{
	BlockNumber root = P_NONE;
	Buffer		buffer;
	Page		page;

	if (measure->nblocks <= BTREE_METAPAGE)
		return P_NONE;
	page = lock_page(measure, BTREE_METAPAGE, &buffer);
	if (is_sound(page) && P_ISMETA(BTPageGetOpaque(page)))
		root = BTPageGetMeta(page)->btm_root;
	UnlockReleaseBuffer(buffer);
	return root;
}

static bool
read_inner(OpsBloatMeasure *measure, BlockNumber block, InnerPage *inner)
{
	Buffer		buffer;
	Page		page;
	bool		is_inner;

	if (block == P_NONE || block >= measure->nblocks)
		return false;
	page = lock_page(measure, block, &buffer);
	is_inner = is_sound(page) && copy_inner(page, inner);
	UnlockReleaseBuffer(buffer);
	return is_inner;
}

static bool
copy_inner(Page page, InnerPage *inner)
{
	BTPageOpaque opaque = BTPageGetOpaque(page);
	OffsetNumber first = P_FIRSTDATAKEY(opaque);
	OffsetNumber last = PageGetMaxOffsetNumber(page);

	if (P_ISLEAF(opaque) || P_IGNORE(opaque) || last < first)
		return false;
	inner->level = opaque->btpo_level;
	inner->children = last - first + 1;
	inner->nlisted = Min(inner->children, MOST_CHILDREN);
	for (int i = 0; i < inner->nlisted; i++)
	{
		ItemId		item = PageGetItemId(page, first +
										 inner->children * i / inner->nlisted);
		IndexTuple	entry;

		if (ItemIdGetOffset(item) < ((PageHeader) page)->pd_upper ||
			ItemIdGetOffset(item) + sizeof(IndexTupleData) >
			((PageHeader) page)->pd_special)
			return false;
		entry = (IndexTuple) PageGetItem(page, item);
		inner->child[i] = ItemPointerGetBlockNumberNoCheck(&entry->t_tid);
	}
	return true;
}

static Page
lock_page(OpsBloatMeasure *measure, BlockNumber block, Buffer *buffer)
{
	CHECK_FOR_INTERRUPTS();
	*buffer = ReadBufferExtended(measure->rel, MAIN_FORKNUM, block,
								 RBM_NORMAL, measure->ring);
	LockBuffer(*buffer, BUFFER_LOCK_SHARE);
	return BufferGetPage(*buffer);
}

static bool
is_sound(Page page)
{
	PageHeader	header = (PageHeader) page;

	return !PageIsNew(page) &&
		header->pd_special == BLCKSZ - MAXALIGN(sizeof(BTPageOpaqueData)) &&
		header->pd_lower >= SizeOfPageHeaderData &&
		header->pd_lower <= header->pd_upper &&
		header->pd_upper <= header->pd_special;
}
