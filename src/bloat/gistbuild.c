/*-------------------------------------------------------------------------
 *
 * gistbuild.c
 *	  How a build that inserts row by row fills the leaves of a GiST index.
 *
 * Pages that split alike, and all at about the same time, are half full soon
 * after and full just before.  How full a build leaves them thus depends on
 * the number of rows as much as on the operator class and on the order in
 * which rows come; a constant would be off by a third.
 *
 * Therefore a small index is built in memory from entries of this one, in the
 * order of their rows, with the operator class's own functions.  It has as
 * many rows as the whole one, halved a number of times: then it is at the same
 * point between one splitting of all pages and the next.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/gistbuild.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Levels that an index can have; it would be corrupt if it had more. */
#define MAX_LEVELS			16

/* A tree in memory: downlinks lead to pages by their numbers. */
typedef struct Tree
{
	Relation	index;
	GISTSTATE  *state;
	MemoryContext pages;		/* what pages are allocated in */
	MemoryContext temporary;	/* emptied after each row */
	Page	   *page;
	int			npages;
	int			space;
	int			root;
	int			leaves;
	Size		freespace;		/* that is left on a page */
	int			path[MAX_LEVELS + 1];	/* pages from the root down */
	OffsetNumber downlink[MAX_LEVELS];	/* to the next of them */
} Tree;

static void play(Relation index, IndexTuple * rows, int nrows,
				 OpsGistBuilt *built);
static void begin_tree(Tree *tree, Relation index);
static int	add_page(Tree *tree, uint32 flags);
static void insert(Tree *tree, IndexTuple row);
static bool place(Tree *tree, int level, IndexTuple * items, int nitems,
				  OffsetNumber replaced);
static void split(Tree *tree, int level, IndexTuple * items, int nitems,
				  OffsetNumber replaced);

/*
 * Build an index of these rows.
 */
void
ops_gist_build(IndexTuple * rows, int nrows, Relation index, uint64 seed,
			   OpsGistBuilt *built)
{
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context;
	pg_prng_state random = pg_global_prng_state;

	built->fill = built->leaves = 0;
	if (nrows == 0)
		return;
	context = AllocSetContextCreate(before, "operations_runbook GiST build",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);

	/* Among pages that are as good, the server tosses a coin. */
	pg_prng_seed(&pg_global_prng_state, seed);
	PG_TRY();
	{
		play(index, rows, nrows, built);
	}
	PG_FINALLY();
	{
		pg_global_prng_state = random;
	}
	PG_END_TRY();

	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
}

static void
play(Relation index, IndexTuple * rows, int nrows, OpsGistBuilt *built)
{
	Tree		tree;
	double		bytes = 0;

	begin_tree(&tree, index);
	MemoryContextSwitchTo(tree.temporary);
	for (int i = 0; i < nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		insert(&tree, rows[i]);
		bytes += MAXALIGN(IndexTupleSize(rows[i])) + sizeof(ItemIdData);
		MemoryContextReset(tree.temporary);
	}
	built->leaves = tree.leaves;
	built->fill = bytes / (tree.leaves * GiSTPageSize);
}

static void
begin_tree(Tree *tree, Relation index)
{
	GiSTOptions *options = (GiSTOptions *) index->rd_options;
	int			fillfactor = options ? options->fillfactor :
	GIST_DEFAULT_FILLFACTOR;

	memset(tree, 0, sizeof(Tree));
	tree->index = index;
	tree->pages = CurrentMemoryContext;
	tree->temporary = AllocSetContextCreate(CurrentMemoryContext,
											"operations_runbook GiST row",
											ALLOCSET_DEFAULT_SIZES);
	tree->state = initGISTstate(index);
	tree->state->tempCxt = tree->temporary;
	tree->freespace = BLCKSZ * (100 - fillfactor) / 100;
	tree->space = 64;
	tree->page = palloc(tree->space * sizeof(Page));
	tree->root = add_page(tree, F_LEAF);
	tree->leaves = 1;
}

static int
add_page(Tree *tree, uint32 flags)
{
	MemoryContext before = MemoryContextSwitchTo(tree->pages);

	if (tree->npages == tree->space)
	{
		tree->space *= 2;
		tree->page = repalloc(tree->page, tree->space * sizeof(Page));
	}
	tree->page[tree->npages] = palloc(BLCKSZ);
	gistinitpage(tree->page[tree->npages], flags);
	MemoryContextSwitchTo(before);
	return tree->npages++;
}

/*
 * Go down to the leaf where a row fits best, widening the keys on the way.
 *
 * Where a wider key splits its page the way begins anew.
 */
static void
insert(Tree *tree, IndexTuple row)
{
	int			level = 0;

	tree->path[0] = tree->root;
	for (;;)
	{
		Page		page = tree->page[tree->path[level]];
		IndexTuple	downlink;
		IndexTuple	wider;
		OffsetNumber offset;
		bool		is_split = false;

		if (GistPageIsLeaf(page))
			break;
		if (level >= MAX_LEVELS - 1)
			elog(ERROR, "too many levels in index \"%s\"",
				 RelationGetRelationName(tree->index));
		offset = gistchoose(tree->index, page, row, tree->state);
		downlink = (IndexTuple) PageGetItem(page, PageGetItemId(page, offset));
		tree->downlink[level] = offset;
		tree->path[level + 1] = ItemPointerGetBlockNumber(&downlink->t_tid);
		wider = gistgetadjusted(tree->index, downlink, row, tree->state);
		if (wider)
		{
			wider->t_tid = downlink->t_tid;
			is_split = place(tree, level, &wider, 1, offset);
		}
		if (is_split)
		{
			level = 0;
			tree->path[0] = tree->root;
		}
		else
			level++;
	}
	place(tree, level, &row, 1, InvalidOffsetNumber);
}

/*
 * Put items on a page, in place of one that is there; true if that split it.
 */
static bool
place(Tree *tree, int level, IndexTuple * items, int nitems,
	  OffsetNumber replaced)
{
	Page		page = tree->page[tree->path[level]];

	if (gistnospace(page, items, nitems, replaced, tree->freespace))
	{
		split(tree, level, items, nitems, replaced);
		return true;
	}
	if (replaced == InvalidOffsetNumber)
		gistfillbuffer(page, items, nitems, InvalidOffsetNumber);
	else if (nitems == 1)
		PageIndexTupleOverwrite(page, replaced, (void *) items[0],
								IndexTupleSize(items[0]));
	else
	{
		PageIndexTupleDelete(page, replaced);
		gistfillbuffer(page, items, nitems, InvalidOffsetNumber);
	}
	return false;
}

/*
 * Let the operator class distribute a page's items, and these, over pages.
 */
static void
split(Tree *tree, int level, IndexTuple * items, int nitems,
	  OffsetNumber replaced)
{
	int			number = tree->path[level];
	Page		page = tree->page[number];
	uint32		flags = GistPageIsLeaf(page) ? F_LEAF : 0;
	int			count;
	IndexTuple *all = gistextractpage(page, &count);
	IndexTuple *downlinks = palloc((count + nitems) * sizeof(IndexTuple));
	int			ndownlinks = 0;

	if (replaced != InvalidOffsetNumber)
	{
		count--;
		memmove(all + replaced - 1, all + replaced,
				(count - replaced + 1) * sizeof(IndexTuple));
	}
	all = gistjoinvector(all, &count, items, nitems);
	for (SplitPageLayout * part = gistSplit(tree->index, page, all, count,
											tree->state);
		 part != NULL; part = part->next)
	{
		char	   *item = (char *) part->list;
		int			part_number = add_page(tree, flags);

		/* The first part takes the place of the page. */
		if (ndownlinks == 0)
		{
			tree->page[number] = tree->page[part_number];
			tree->npages--;
			part_number = number;
		}
		else if (flags & F_LEAF)
			tree->leaves++;
		for (int i = 0; i < part->block.num; i++)
		{
			IndexTuple	tuple = (IndexTuple) item;

			gistfillbuffer(tree->page[part_number], &tuple, 1,
						   i + FirstOffsetNumber);
			item += IndexTupleSize(tuple);
		}
		ItemPointerSetBlockNumber(&part->itup->t_tid, part_number);
		downlinks[ndownlinks++] = part->itup;
	}
	pfree(page);

	if (level > 0)
		place(tree, level - 1, downlinks, ndownlinks,
			  tree->downlink[level - 1]);
	else
	{
		tree->root = add_page(tree, 0);
		gistfillbuffer(tree->page[tree->root], downlinks, ndownlinks,
					   InvalidOffsetNumber);
	}
}
