/*-------------------------------------------------------------------------
 *
 * gintrees.c
 *	  Posting trees of a GIN index, one by one.
 *
 * Most trees are small: a page, or two and a root above.  What becomes of
 * these without their dead rows goes by the page, and so their sizes have to
 * be known and not only their sum.  From the entries of the sample some are
 * looked up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/gin_private.h"
#include "bloat/ginpages.h"
#include "miscadmin.h"

/* Trees that are looked up, and leaves of each. */
#define MAX_TREES			96
#define MAX_LEAVES			6

static bool read_tree(const OpsGinReading *state, BlockNumber root,
					  OpsGinTree *tree);
static int	read_page(const OpsGinReading *state, BlockNumber block,
					  double *bytes, BlockNumber *children);

/*
 * Remember a tree that an entry leads to.
 */
void
ops_gin_saw_tree(OpsGinReading *state, BlockNumber root)
{
	int			kept = 0;

	if (state->trees_seen++ % state->tree_stride != 0)
		return;
	if (state->nroots == GIN_MAX_ROOTS)
	{
		for (int i = 0; i < state->nroots; i += 2)
			state->root[kept++] = state->root[i];
		state->nroots = kept;
		state->tree_stride *= 2;
	}
	state->root[state->nroots++] = root;
}

/*
 * Look up some of the trees that were seen.
 */
void
ops_gin_read_trees(OpsGinReading *state)
{
	int			wanted = Min(state->nroots, MAX_TREES);

	state->trees = palloc(Max(wanted, 1) * sizeof(OpsGinTree));
	for (int i = 0; i < wanted; i++)
	{
		BlockNumber root = state->root[(int64) i * state->nroots / wanted];

		if (read_tree(state, root, &state->trees[state->ntrees]))
			state->ntrees++;
	}
}

static bool
read_tree(const OpsGinReading *state, BlockNumber root, OpsGinTree *tree)
{
	BlockNumber children[MAX_LEAVES];
	int			nchildren;

	memset(tree, 0, sizeof(OpsGinTree));
	nchildren = read_page(state, root, &tree->bytes, children);
	if (nchildren > MAX_LEAVES)
		tree->is_large = true;
	for (int i = 0; i < nchildren && !tree->is_large; i++)
	{
		/* What has further levels is not small. */
		if (read_page(state, children[i], &tree->bytes, NULL) != 0)
			return false;
	}
	return nchildren >= 0;
}

/*
 * Add up the bytes of a leaf, or list the pages below an inner page; returns
 * their number, if that is not too many to be listed, or less than 0 if the
 * page makes no sense.
 */
static int
read_page(const OpsGinReading *state, BlockNumber block, double *bytes,
		  BlockNumber *children)
{
	const OpsBloatMeasure *measure = state->model.measure;
	int			nchildren = -1;
	Buffer		buffer;
	Page		page;

	if (block >= measure->nblocks)
		return -1;
	CHECK_FOR_INTERRUPTS();
	buffer = ReadBufferExtended(measure->rel, MAIN_FORKNUM, block, RBM_NORMAL,
								measure->ring);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (!ops_page_is_sound(page, sizeof(GinPageOpaqueData)) ||
		GinPageIsDeleted(page) || !GinPageIsData(page))
		;
	else if (!GinPageIsLeaf(page))
	{
		nchildren = GinPageGetOpaque(page)->maxoff;
		for (int i = 0; children && nchildren <= MAX_LEAVES && i < nchildren;
			 i++)
			children[i] = PostingItemGetBlockNumber(GinDataPageGetPostingItem(page,
																			  i + 1));
	}
	else
	{
		int			used = ops_gin_leaf_bytes(page);

		nchildren = used < 0 ? -1 : 0;
		*bytes += used;
	}
	UnlockReleaseBuffer(buffer);
	return nchildren;
}

/*
 * Bytes of the rows on a leaf, less than 0 if they make no sense; what they
 * would take compressed if they are not.
 */
int
ops_gin_leaf_bytes(Page page)
{
	if (GinPageIsCompressed(page))
		return (int) ((PageHeader) page)->pd_lower -
			(int) (MAXALIGN(SizeOfPageHeaderData) +
				   MAXALIGN(sizeof(ItemPointerData)));
	return 2 * Min(GinPageGetOpaque(page)->maxoff,
				   GIN_TREE_ROOM / sizeof(ItemPointerData));
}
