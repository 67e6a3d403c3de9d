/*-------------------------------------------------------------------------
 *
 * spgbuild.c
 *	  How a build fills the leaves of an SP-GiST index.
 *
 * A leaf that overflows is split by what the operator class says, into as
 * many parts as there happen to be, and these go where there is room.  How
 * full that leaves the pages goes by the values and by their number.
 *
 * Therefore the leaves of a small index are laid out from entries of the
 * sample, in the order of their rows.  It has as many rows as the whole one,
 * halved a number of times.  Only sizes of pages are kept, and the tree.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/spgist.h"
#include "bloat/spgbuild.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/datum.h"
#include "utils/memutils.h"

/* Entries that are played: the price goes by these. */
#define MAX_PLAYED			12288
#define MAX_PLAYED_IF_LARGE	6144
#define LARGE				(30 * 1024 * 1024 / BLCKSZ)

/* Nodes of a tuple whose values are all the same. */
#define ALIKE_NODES			8

/* A list of fewer entries moves as it is. */
#define SHORT_LIST			64

/* Values that differ are told apart long before so many levels. */
#define MAX_LEVELS			1000

/* A leaf page: bytes, and placeholders where entries were moved away. */
typedef struct LeafPage
{
	int			free;
	int			placeholders;
	int			entries;
} LeafPage;

/* A node of the tree: entries on one page, or an inner tuple. */
typedef struct SpgNode
{
	bool		is_inner;

	int			page;
	int			nentries;
	int			space;
	SpGistLeafTuple *entry;

	bool		has_prefix;
	bool		all_the_same;
	Datum		prefix;
	int			nnodes;
	Datum	   *labels;
	struct SpgNode **node;		/* NULL: nothing there yet */
} SpgNode;

typedef struct Tree
{
	Relation	index;
	SpGistCache *cache;
	FmgrInfo   *choose;
	FmgrInfo   *picksplit;
	MemoryContext lasting;
	MemoryContext temporary;	/* emptied after each row */
	LeafPage   *page;
	int			npages;
	int			space;
	int			last_page;		/* that was put something on, -1: none */
	int			last_free;		/* what was free there when it was */
	int			reserve;		/* that is left free on a page */
	SpgNode		root;
	bool		failed;			/* the operator class wants the unexpected */
} Tree;

/* The root is a leaf until it overflows; as a page it is not counted. */
#define ROOT_PAGE			0

static void play(Tree *tree, SpGistLeafTuple *rows, int nrows,
				 OpsSpgBuilt *built);
static void begin_tree(Tree *tree, Relation index, SpGistCache *cache);
static int	new_page(Tree *tree);
static int	page_with_room(Tree *tree, int bytes);
static void used_page(Tree *tree, int page);
static int	room(const LeafPage *page);
static void put_entry(LeafPage *page, SpGistLeafTuple entry);
static void remove_entry(LeafPage *page, SpGistLeafTuple entry);
static Datum value_of(const Tree *tree, SpGistLeafTuple entry);
static void insert(Tree *tree, SpGistLeafTuple row);
static SpgNode *descend(Tree *tree, SpgNode *inner, SpGistLeafTuple row,
						int *level, SpgNode **fresh);
static void widen(Tree *tree, SpgNode *inner, const spgChooseOut * out);
static bool add_to_list(Tree *tree, SpgNode *list, SpGistLeafTuple row,
						int level);
static void append(Tree *tree, SpgNode *list, SpGistLeafTuple row);
static void move_list(Tree *tree, SpgNode *list, int bytes);
static bool split_list(Tree *tree, SpgNode *list, SpGistLeafTuple row,
					   int level);
static bool all_alike(const spgPickSplitIn * in, spgPickSplitOut * out,
					  bool too_long, bool *with_row);
static int	choose_pages(const int *bytes, const spgPickSplitOut * out,
						 int here, int there, bool *goes);
static void make_inner(Tree *tree, SpgNode *node, const spgPickSplitOut * out);

#define ENTRY_BYTES(entry)	((int) ((entry)->size + sizeof(ItemIdData)))
#define PLACEHOLDER_BYTES	((int) SGDTSIZE)
#define PAGE_BYTES			((int) SPGIST_PAGE_CAPACITY)

/*
 * Build an index of so many rows, halved until there are enough entries.
 */
void
ops_spg_build(const OpsSpgEntries *entries, Relation index, double rows,
			  uint64 seed, OpsSpgBuilt *built)
{
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context;
	pg_prng_state random = pg_global_prng_state;
	SpGistLeafTuple *played;
	Tree		tree;
	int			nplayed;
	int			limit = Min(entries->count,
							RelationGetNumberOfBlocks(index) >= LARGE ?
							MAX_PLAYED_IF_LARGE : MAX_PLAYED);

	memset(built, 0, sizeof(OpsSpgBuilt));
	if (entries->cache == NULL || limit == 0)
		return;
	while (rows > limit)
	{
		rows /= 2;
		built->halvings++;
	}

	context = AllocSetContextCreate(before, "operations_runbook SP-GiST build",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	played = ops_spg_entries_pick(entries, rows / entries->count, &nplayed);

	/* Values that are all the same go to any of their nodes. */
	pg_prng_seed(&pg_global_prng_state, seed);
	PG_TRY();
	{
		begin_tree(&tree, index, entries->cache);
		play(&tree, played, nplayed, built);
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
play(Tree *tree, SpGistLeafTuple *rows, int nrows, OpsSpgBuilt *built)
{
	double		bytes = 0;

	MemoryContextSwitchTo(tree->temporary);
	for (int i = 0; i < nrows && !tree->failed; i++)
	{
		CHECK_FOR_INTERRUPTS();
		insert(tree, rows[i]);
		bytes += ENTRY_BYTES(rows[i]);
		MemoryContextReset(tree->temporary);
	}
	for (int i = ROOT_PAGE + 1; i < tree->npages; i++)
		built->leaves += tree->page[i].entries > 0;
	if (!tree->failed && built->leaves > 0)
		built->fill = bytes / (built->leaves * PAGE_BYTES);
}

static void
begin_tree(Tree *tree, Relation index, SpGistCache *cache)
{
	memset(tree, 0, sizeof(Tree));
	tree->index = index;
	tree->cache = cache;
	tree->choose = index_getprocinfo(index, 1, SPGIST_CHOOSE_PROC);
	tree->picksplit = index_getprocinfo(index, 1, SPGIST_PICKSPLIT_PROC);
	tree->lasting = CurrentMemoryContext;
	tree->temporary = AllocSetContextCreate(CurrentMemoryContext,
											"operations_runbook SP-GiST row",
											ALLOCSET_DEFAULT_SIZES);
	tree->space = 64;
	tree->page = palloc(tree->space * sizeof(LeafPage));
	tree->last_page = -1;
	tree->reserve = SpGistGetTargetPageFreeSpace(index);
	tree->root.page = new_page(tree);
}

static int
new_page(Tree *tree)
{
	if (tree->npages == tree->space)
	{
		tree->space *= 2;
		tree->page = repalloc(tree->page, tree->space * sizeof(LeafPage));
	}
	memset(&tree->page[tree->npages], 0, sizeof(LeafPage));
	tree->page[tree->npages].free = PAGE_BYTES;
	return tree->npages++;
}

/*
 * The page that was used last, if it has so much room and a reserve beyond;
 * else a new one.
 */
static int
page_with_room(Tree *tree, int bytes)
{
	int			needed = Min(bytes + tree->reserve, PAGE_BYTES);

	if (tree->last_page >= 0 && tree->last_free >= needed &&
		tree->page[tree->last_page].free >= needed)
	{
		tree->last_free = tree->page[tree->last_page].free - needed;
		return tree->last_page;
	}
	return new_page(tree);
}

/*
 * Remember a page if it has more room than the one that is remembered.
 */
static void
used_page(Tree *tree, int page)
{
	if (page == ROOT_PAGE)
		return;
	if (tree->last_page < 0 || tree->last_page == page ||
		tree->last_free < tree->page[page].free)
	{
		tree->last_page = page;
		tree->last_free = tree->page[page].free;
	}
}

static int
room(const LeafPage *page)
{
	return page->free + (page->placeholders > 0 ?
						 PLACEHOLDER_BYTES + (int) sizeof(ItemIdData) : 0);
}

static void
put_entry(LeafPage *page, SpGistLeafTuple entry)
{
	if (page->placeholders > 0 &&
		page->free + PLACEHOLDER_BYTES >= (int) entry->size)
	{
		page->placeholders--;
		page->free += PLACEHOLDER_BYTES - (int) entry->size;
	}
	else
		page->free -= ENTRY_BYTES(entry);
	page->entries++;
}

static void
remove_entry(LeafPage *page, SpGistLeafTuple entry)
{
	page->free += (int) entry->size - PLACEHOLDER_BYTES;
	page->placeholders++;
	page->entries--;
}

static Datum
value_of(const Tree *tree, SpGistLeafTuple entry)
{
	return fetch_att(SGLTDATAPTR(entry), tree->cache->attLeafType.attbyval,
					 tree->cache->attLeafType.attlen);
}

/*
 * Go down to where a row belongs, and put it there.
 */
static void
insert(Tree *tree, SpGistLeafTuple row)
{
	SpgNode    *node = &tree->root;
	int			level = 0;

	for (int i = 0; i < MAX_LEVELS && node && !tree->failed; i++)
	{
		SpgNode    *fresh = NULL;

		if (!node->is_inner && add_to_list(tree, node, row, level))
			return;
		node = descend(tree, node, row, &level, &fresh);
		if (fresh)
		{
			fresh->page = page_with_room(tree, ENTRY_BYTES(row));
			put_entry(&tree->page[fresh->page], row);
			append(tree, fresh, row);
			used_page(tree, fresh->page);
			return;
		}
	}
	tree->failed = true;
}

/*
 * The node below an inner one where a row belongs; fresh if nothing was there.
 */
static SpgNode *
descend(Tree *tree, SpgNode *inner, SpGistLeafTuple row, int *level,
		SpgNode **fresh)
{
	spgChooseIn in = {
		.datum = value_of(tree, row),
		.leafDatum = value_of(tree, row),
		.level = *level,
		.allTheSame = inner->all_the_same,
		.hasPrefix = inner->has_prefix,
		.prefixDatum = inner->prefix,
		.nNodes = inner->nnodes,
		.nodeLabels = inner->labels,
	};
	spgChooseOut out = {0};
	int			number;

	FunctionCall2Coll(tree->choose, tree->index->rd_indcollation[0],
					  PointerGetDatum(&in), PointerGetDatum(&out));
	if (out.resultType == spgSplitTuple)
	{
		widen(tree, inner, &out);
		return inner;
	}
	if (out.resultType != spgMatchNode)
	{
		tree->failed = true;
		return inner;
	}
	number = out.result.matchNode.nodeN;
	if (inner->all_the_same)
		number = (int) (pg_prng_uint64(&pg_global_prng_state) % inner->nnodes);
	if (number < 0 || number >= inner->nnodes)
		elog(ERROR, "inconsistent result of SPGiST choose function");
	*level += out.result.matchNode.levelAdd;
	if (inner->node[number] == NULL)
	{
		*fresh = MemoryContextAllocZero(tree->lasting, sizeof(SpgNode));
		inner->node[number] = *fresh;
	}
	return inner->node[number];
}

/*
 * Put an inner tuple in front of one whose prefix is too long for a row.
 */
static void
widen(Tree *tree, SpgNode *inner, const spgChooseOut * out)
{
	const SpGistTypeDesc *type = &tree->cache->attPrefixType;
	MemoryContext before = MemoryContextSwitchTo(tree->lasting);
	SpgNode    *below = palloc(sizeof(SpgNode));

	*below = *inner;
	below->has_prefix = out->result.splitTuple.postfixHasPrefix;
	if (below->has_prefix)
		below->prefix = datumCopy(out->result.splitTuple.postfixPrefixDatum,
								  type->attbyval, type->attlen);
	inner->has_prefix = out->result.splitTuple.prefixHasPrefix;
	if (inner->has_prefix)
		inner->prefix = datumCopy(out->result.splitTuple.prefixPrefixDatum,
								  type->attbyval, type->attlen);
	inner->all_the_same = false;
	inner->nnodes = out->result.splitTuple.prefixNNodes;
	inner->labels = NULL;
	inner->node = palloc0(inner->nnodes * sizeof(SpgNode *));
	inner->node[out->result.splitTuple.childNodeN] = below;
	tree->failed = out->result.splitTuple.prefixNodeLabels != NULL;
	MemoryContextSwitchTo(before);
}

/*
 * Add a row to the entries of a node; false if that became an inner one and
 * the row is still to be put below.
 */
static bool
add_to_list(Tree *tree, SpgNode *list, SpGistLeafTuple row, int level)
{
	int			bytes = 0;

	if (ENTRY_BYTES(row) <= room(&tree->page[list->page]))
	{
		put_entry(&tree->page[list->page], row);
		append(tree, list, row);
		used_page(tree, list->page);
		return true;
	}
	for (int i = 0; i < list->nentries; i++)
		bytes += ENTRY_BYTES(list->entry[i]);
	if (list->page == ROOT_PAGE || bytes >= PAGE_BYTES / 2 ||
		list->nentries >= SHORT_LIST || bytes + ENTRY_BYTES(row) > PAGE_BYTES)
		return split_list(tree, list, row, level);
	move_list(tree, list, bytes + ENTRY_BYTES(row));
	put_entry(&tree->page[list->page], row);
	append(tree, list, row);
	used_page(tree, list->page);
	return true;
}

static void
append(Tree *tree, SpgNode *list, SpGistLeafTuple row)
{
	if (list->nentries == list->space)
	{
		list->space = Max(list->space * 2, 8);
		list->entry = list->entry ?
			repalloc(list->entry, list->space * sizeof(SpGistLeafTuple)) :
			MemoryContextAlloc(tree->lasting,
							   list->space * sizeof(SpGistLeafTuple));
	}
	list->entry[list->nentries++] = row;
}

static void
move_list(Tree *tree, SpgNode *list, int bytes)
{
	int			page = page_with_room(tree, bytes);

	for (int i = 0; i < list->nentries; i++)
	{
		remove_entry(&tree->page[list->page], list->entry[i]);
		put_entry(&tree->page[page], list->entry[i]);
	}
	list->page = page;
}

/*
 * Make an inner node of a list and a row; false if the row did not find room
 * in that.
 */
static bool
split_list(Tree *tree, SpgNode *list, SpGistLeafTuple row, int level)
{
	LeafPage   *page = &tree->page[list->page];
	int			count = list->nentries + 1;
	spgPickSplitIn in = {.nTuples = count,.level = level};
	spgPickSplitOut out = {0};
	bool		with_row;
	int			total = 0;
	int			here = 0;
	int			there = -1;
	int		   *bytes;
	bool	   *goes;

	append(tree, list, row);
	in.datums = palloc(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		in.datums[i] = value_of(tree, list->entry[i]);
		total += ENTRY_BYTES(list->entry[i]);
	}
	FunctionCall2Coll(tree->picksplit, tree->index->rd_indcollation[0],
					  PointerGetDatum(&in), PointerGetDatum(&out));
	list->all_the_same = all_alike(&in, &out, total > PAGE_BYTES, &with_row);

	/* What is free where they are, once they are gone. */
	if (list->page != ROOT_PAGE)
		here = page->free;
	for (int i = 0; i < count - 1 && list->page != ROOT_PAGE; i++)
		here += (int) list->entry[i]->size - PLACEHOLDER_BYTES;

	bytes = palloc0(out.nNodes * sizeof(int));
	goes = palloc0(out.nNodes * sizeof(bool));
	for (int i = 0; i < count; i++)
	{
		if (out.mapTuplesToNodes[i] < 0 ||
			out.mapTuplesToNodes[i] >= out.nNodes)
			elog(ERROR, "inconsistent result of SPGiST picksplit function");
		if (i < count - 1 || with_row)
			bytes[out.mapTuplesToNodes[i]] += ENTRY_BYTES(list->entry[i]);
	}
	if (!with_row)
		total -= ENTRY_BYTES(row);
	if (total > here)
	{
		there = page_with_room(tree, Min(total, PAGE_BYTES));
		page = &tree->page[list->page];
		if (choose_pages(bytes, &out, here, tree->page[there].free, goes) < 0 &&
			with_row)
		{
			with_row = false;
			bytes[out.mapTuplesToNodes[count - 1]] -= ENTRY_BYTES(row);
			choose_pages(bytes, &out, here, tree->page[there].free, goes);
		}
	}

	/* A page that held nothing else starts anew. */
	for (int i = 0; i < count - 1; i++)
		remove_entry(page, list->entry[i]);
	if (page->entries == 0)
	{
		page->free = PAGE_BYTES;
		page->placeholders = 0;
	}

	make_inner(tree, list, &out);
	for (int i = 0; i < count - (with_row ? 0 : 1); i++)
	{
		int			number = out.mapTuplesToNodes[i];
		SpgNode    *node = list->node[number];

		if (node == NULL)
		{
			node = MemoryContextAllocZero(tree->lasting, sizeof(SpgNode));
			node->page = goes[number] ? there : list->page;
			list->node[number] = node;
		}
		put_entry(&tree->page[node->page], list->entry[i]);
		append(tree, node, list->entry[i]);
	}
	if (there >= 0)
		used_page(tree, there);
	used_page(tree, list->page);
	pfree(list->entry);
	return with_row;
}

/*
 * Whether all values are of one node; then they are dealt out to some.
 */
static bool
all_alike(const spgPickSplitIn * in, spgPickSplitOut * out, bool too_long,
		  bool *with_row)
{
	int			count = too_long ? in->nTuples - 1 : in->nTuples;
	int			node = out->mapTuplesToNodes[0];

	*with_row = true;
	if (in->nTuples <= 1)
		return false;
	for (int i = 1; i < count; i++)
	{
		if (out->mapTuplesToNodes[i] != node)
			return false;
	}
	*with_row = !too_long || out->mapTuplesToNodes[in->nTuples - 1] == node;
	out->nNodes = ALIKE_NODES;
	for (int i = 0; i < in->nTuples; i++)
		out->mapTuplesToNodes[i] = i % ALIKE_NODES;
	return true;
}

/*
 * Which nodes go to another page, as those do for which there is no room
 * here; negative if there is none there, either.
 */
static int
choose_pages(const int *bytes, const spgPickSplitOut * out, int here,
			 int there, bool *goes)
{
	for (int i = 0; i < out->nNodes; i++)
	{
		goes[i] = bytes[i] > here;
		if (goes[i])
			there -= bytes[i];
		else
			here -= bytes[i];
	}
	return there;
}

static void
make_inner(Tree *tree, SpgNode *node, const spgPickSplitOut * out)
{
	MemoryContext before = MemoryContextSwitchTo(tree->lasting);

	node->is_inner = true;
	node->has_prefix = out->hasPrefix;
	if (out->hasPrefix)
		node->prefix = datumCopy(out->prefixDatum,
								 tree->cache->attPrefixType.attbyval,
								 tree->cache->attPrefixType.attlen);
	node->nnodes = out->nNodes;
	node->node = palloc0(out->nNodes * sizeof(SpgNode *));
	if (out->nodeLabels != NULL)
		tree->failed = true;
	MemoryContextSwitchTo(before);
}
