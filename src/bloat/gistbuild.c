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
 * Therefore an index is built in memory from entries of this one, in the order
 * of their rows, with the operator class's own functions.  If it would be too
 * large it has as many rows as the whole one, halved a number of times: then it
 * is at the same point between one splitting of all pages and the next.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/gistbuild.h"
#include "bloat/gistchoose.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Levels that an index can have; it would be corrupt if it had more. */
#define MAX_LEVELS			16

/* A page in memory: downlinks lead to others by their numbers. */
typedef struct TreePage
{
	Page		page;
	OpsGistKeys *keys;			/* of downlinks, NULL: a leaf */
} TreePage;

typedef struct Tree
{
	Relation	index;
	GISTSTATE  *state;
	OpsGistChooser *chooser;
	MemoryContext pages;		/* what pages are allocated in */
	MemoryContext temporary;	/* emptied after each row */
	TreePage   *node;
	int			nnodes;
	int			space;
	int			root;
	int			leaves;
	Size		freespace;		/* that is left on a page */
	int			path[MAX_LEVELS + 1];	/* pages from the root down */
	OffsetNumber downlink[MAX_LEVELS];	/* to the next of them */
} Tree;

static void play(Relation index, IndexTuple * rows, int nrows, uint64 seed,
				 OpsGistBuilt *built);
static void begin_tree(Tree *tree, Relation index, uint64 seed);
static int	add_node(Tree *tree, bool is_leaf);
static void insert(Tree *tree, IndexTuple row);
static bool place(Tree *tree, int level, IndexTuple * items, int nitems,
				  OffsetNumber replaced);
static void put(Tree *tree, TreePage *node, IndexTuple * items, int nitems,
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

	built->fill = built->leaves = 0;
	if (nrows == 0)
		return;
	context = AllocSetContextCreate(before, "operations_runbook GiST build",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	play(index, rows, nrows, seed, built);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
}

static void
play(Relation index, IndexTuple * rows, int nrows, uint64 seed,
	 OpsGistBuilt *built)
{
	Tree		tree;
	double		bytes = 0;

	begin_tree(&tree, index, seed);
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
begin_tree(Tree *tree, Relation index, uint64 seed)
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
	tree->chooser = ops_gist_chooser_create(index, tree->state, seed);
	tree->freespace = BLCKSZ * (100 - fillfactor) / 100;
	tree->space = 64;
	tree->node = palloc(tree->space * sizeof(TreePage));
	tree->root = add_node(tree, true);
	tree->leaves = 1;
}

static int
add_node(Tree *tree, bool is_leaf)
{
	MemoryContext before = MemoryContextSwitchTo(tree->pages);
	TreePage   *node;

	if (tree->nnodes == tree->space)
	{
		tree->space *= 2;
		tree->node = repalloc(tree->node, tree->space * sizeof(TreePage));
	}
	node = &tree->node[tree->nnodes];
	node->page = palloc(BLCKSZ);
	gistinitpage(node->page, is_leaf ? F_LEAF : 0);
	node->keys = is_leaf ? NULL : ops_gist_keys_create(tree->chooser);
	MemoryContextSwitchTo(before);
	return tree->nnodes++;
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

	ops_gist_chooser_take(tree->chooser, row);
	tree->path[0] = tree->root;
	for (;;)
	{
		TreePage   *node = &tree->node[tree->path[level]];
		IndexTuple	downlink;
		IndexTuple	wider;
		OffsetNumber offset;
		bool		is_split = false;

		if (node->keys == NULL)
			break;
		if (level >= MAX_LEVELS - 1)
			elog(ERROR, "too many levels in index \"%s\"",
				 RelationGetRelationName(tree->index));
		offset = ops_gist_choose(tree->chooser, node->keys);
		downlink = (IndexTuple) PageGetItem(node->page,
											PageGetItemId(node->page, offset));
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
	TreePage   *node = &tree->node[tree->path[level]];

	if (gistnospace(node->page, items, nitems, replaced, tree->freespace))
	{
		split(tree, level, items, nitems, replaced);
		return true;
	}
	put(tree, node, items, nitems, replaced);
	return false;
}

/*
 * The same where there is room for them.
 */
static void
put(Tree *tree, TreePage *node, IndexTuple * items, int nitems,
	OffsetNumber replaced)
{
	if (replaced != InvalidOffsetNumber && nitems == 1)
	{
		PageIndexTupleOverwrite(node->page, replaced, (void *) items[0],
								IndexTupleSize(items[0]));
		ops_gist_keys_replace(tree->chooser, node->keys, replaced, items[0]);
		return;
	}
	if (replaced != InvalidOffsetNumber)
	{
		PageIndexTupleDelete(node->page, replaced);
		ops_gist_keys_delete(tree->chooser, node->keys, replaced);
	}
	gistfillbuffer(node->page, items, nitems, InvalidOffsetNumber);
	for (int i = 0; node->keys && i < nitems; i++)
		ops_gist_keys_add(tree->chooser, node->keys, items[i]);
}

/*
 * Let the operator class distribute a page's items, and these, over pages.
 */
static void
split(Tree *tree, int level, IndexTuple * items, int nitems,
	  OffsetNumber replaced)
{
	int			number = tree->path[level];
	TreePage	old = tree->node[number];
	int			count;
	IndexTuple *all = gistextractpage(old.page, &count);
	IndexTuple *downlinks = palloc((count + nitems) * sizeof(IndexTuple));
	int			ndownlinks = 0;

	if (replaced != InvalidOffsetNumber)
	{
		count--;
		memmove(all + replaced - 1, all + replaced,
				(count - replaced + 1) * sizeof(IndexTuple));
	}
	all = gistjoinvector(all, &count, items, nitems);
	for (SplitPageLayout * part = gistSplit(tree->index, old.page, all, count,
											tree->state);
		 part != NULL; part = part->next)
	{
		char	   *item = (char *) part->list;
		int			part_number = add_node(tree, old.keys == NULL);

		/* The first part takes the place of the page. */
		if (ndownlinks == 0)
		{
			tree->node[number] = tree->node[part_number];
			tree->nnodes--;
			part_number = number;
		}
		else if (old.keys == NULL)
			tree->leaves++;
		for (int i = 0; i < part->block.num; i++)
		{
			IndexTuple	tuple = (IndexTuple) item;

			put(tree, &tree->node[part_number], &tuple, 1,
				InvalidOffsetNumber);
			item += IndexTupleSize(tuple);
		}
		ItemPointerSetBlockNumber(&part->itup->t_tid, part_number);
		downlinks[ndownlinks++] = part->itup;
	}
	pfree(old.page);
	if (old.keys)
		ops_gist_keys_free(tree->chooser, old.keys);

	if (level > 0)
		place(tree, level - 1, downlinks, ndownlinks,
			  tree->downlink[level - 1]);
	else
	{
		tree->root = add_node(tree, false);
		put(tree, &tree->node[tree->root], downlinks, ndownlinks,
			InvalidOffsetNumber);
	}
}
