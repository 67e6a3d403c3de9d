/*-------------------------------------------------------------------------
 *
 * spgbuild.c
 *	  How a build fills the leaves of an SP-GiST index.
 *
 * A leaf that overflows is split by what the operator class says, into as
 * many parts as there happen to be, and these go where there is room.  How
 * full that leaves the pages goes by the values and by their number.
 *
 * Therefore the leaves of a small index are laid out from entries of this
 * one, in the order of their rows.  It has as many rows as the whole one,
 * halved a number of times.  Only sizes of pages are kept, and the tree.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/spgist.h"
#include "bloat/spgbuild.h"
#include "bloat/spgpages.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/datum.h"
#include "utils/memutils.h"

/* Nodes of a tuple whose values are all the same. */
#define ALIKE_NODES			8

/*
 * Steps down that are taken in all.  Rows that come in the order of their
 * values make a tree that is so deep that fewer of them have to do.
 */
#define MAX_STEPS			1000000

/* A list of fewer entries moves as it is. */
#define SHORT_LIST			64

/* Values that differ are told apart long before so many levels. */
#define MAX_LEVELS			1000

/* An entry: what a leaf keeps of it gets shorter on the way down. */
typedef struct Row
{
	Datum		value;
	Datum		leaf;
	int			bytes;			/* of a leaf tuple, line pointer included */
} Row;

/* A node of the tree: entries on one page, or an inner tuple. */
typedef struct SpgNode
{
	bool		is_inner;

	int			page;
	int			nentries;
	int			space;
	Row		  **entry;

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
	bool		suffixes;		/* leaves keep what follows the way down */
	FmgrInfo   *choose;
	FmgrInfo   *picksplit;
	MemoryContext lasting;
	MemoryContext temporary;	/* emptied after each row */
	OpsSpgPages pages;
	double		inner_bytes;	/* of inner tuples */
	int			steps;			/* down from one to the next */
	SpgNode    *roots;			/* of each region */
	bool		failed;			/* the operator class wants the unexpected */
} Tree;

static void play(Tree *tree, const OpsSpgEntries *entries,
				 OpsSpgEntry **rows, int nrows,
				 OpsSpgBuilt *built);
static void begin_row(Tree *tree, Row *row, const OpsSpgEntry *entry,
					  int level);
static void shorten(Tree *tree, Row *row, Datum leaf);
static int	text_size(Datum value);
static int	bytes_of_text(Datum value);
static void begin_tree(Tree *tree, Relation index,
					   const OpsSpgEntries *entries);
static void insert(Tree *tree, Row *row, SpgNode *root, int level);
static SpgNode *descend(Tree *tree, SpgNode *inner, Row *row, int *level);
static void widen(Tree *tree, SpgNode *inner, const spgChooseOut * out);
static void add_node(Tree *tree, SpgNode *inner, const spgChooseOut * out);
static int	bytes_of_inner(const Tree *tree, const SpgNode *inner);
static Datum *copy_labels(const Datum *labels, int nlabels);
static bool add_to_list(Tree *tree, SpgNode *list, Row *row,
						int level);
static void append(Tree *tree, SpgNode *list, Row *row);
static void move_list(Tree *tree, SpgNode *list, int bytes);
static bool split_list(Tree *tree, SpgNode *list, Row *row,
					   int level);
static bool all_alike(const spgPickSplitIn * in, spgPickSplitOut * out,
					  bool too_long, bool *with_row);
static int	choose_pages(const int *bytes, const spgPickSplitOut * out,
						 int here, int there, bool *goes);
static void make_inner(Tree *tree, SpgNode *node, const spgPickSplitOut * out);

/*
 * Build an index of these rows.
 */
void
ops_spg_build(const OpsSpgEntries *entries, OpsSpgEntry **rows, int nrows,
			  Relation index, uint64 seed, OpsSpgBuilt *built)
{
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context;
	pg_prng_state random = pg_global_prng_state;
	Tree		tree;

	built->fill = built->leaves = 0;
	if (nrows == 0)
		return;
	context = AllocSetContextCreate(before, "operations_runbook SP-GiST build",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);

	/* Values that are all the same go to any of their nodes. */
	pg_prng_seed(&pg_global_prng_state, seed);
	PG_TRY();
	{
		begin_tree(&tree, index, entries);
		play(&tree, entries, rows, nrows, built);
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
play(Tree *tree, const OpsSpgEntries *entries, OpsSpgEntry **rows, int nrows,
	 OpsSpgBuilt *built)
{
	Row		   *played = palloc(nrows * sizeof(Row));
	double		before = 0;
	double		bytes = 0;
	int			count = 0;

	MemoryContextSwitchTo(tree->temporary);
	for (; count < nrows && !tree->failed && tree->steps < MAX_STEPS; count++)
	{
		CHECK_FOR_INTERRUPTS();
		begin_row(tree, &played[count], rows[count],
				  entries->region[rows[count]->odds.region].level);
		insert(tree, &played[count], &tree->roots[rows[count]->odds.region],
			   entries->region[rows[count]->odds.region].level);
		MemoryContextReset(tree->temporary);
	}
	for (int i = 0; i < count && !tree->failed; i++)
	{
		before += rows[i]->size + sizeof(ItemIdData);
		bytes += played[i].bytes;
	}
	for (int i = OPS_SPG_ROOT + 1; i < tree->pages.count; i++)
		built->leaves += tree->pages.page[i].entries > 0;

	built->fits_root = !tree->failed && built->leaves == 0;

	/* What the last page has left is for what comes next to this region. */
	if (tree->pages.last_page >= 0 && built->leaves > 1)
		built->leaves -= (double) tree->pages.page[tree->pages.last_page].free /
			OPS_SPG_PAGE;
	if (!tree->failed && built->leaves > 0)
	{
		built->fill = bytes / (built->leaves * OPS_SPG_PAGE);
		built->shrinks = bytes / before;
		built->inner_bytes = tree->inner_bytes / count;
		built->halvings += count < nrows;
	}
}

/*
 * A row as it comes to the root of its region.
 */
static void
begin_row(Tree *tree, Row *row, const OpsSpgEntry *entry, int level)
{
	row->value = row->leaf = entry->value;
	row->bytes = entry->size + sizeof(ItemIdData);
	if (tree->suffixes)
	{
		struct varlena *whole = (struct varlena *) DatumGetPointer(entry->value);
		int			length = Max((int) VARSIZE_ANY_EXHDR(whole) - level, 0);
		struct varlena *leaf = MemoryContextAlloc(tree->lasting,
												  VARHDRSZ + length);

		SET_VARSIZE(leaf, VARHDRSZ + length);
		memcpy(VARDATA(leaf), VARDATA_ANY(whole) + VARSIZE_ANY_EXHDR(whole) -
			   length, length);
		row->leaf = PointerGetDatum(leaf);
		row->bytes = bytes_of_text(row->leaf);
	}
}

/*
 * What a leaf keeps of a row from now on, which is no longer than before.
 */
static void
shorten(Tree *tree, Row *row, Datum leaf)
{
	if (!tree->suffixes)
		return;
	if (text_size(leaf) > text_size(row->leaf))
	{
		tree->failed = true;
		return;
	}
	memcpy(DatumGetPointer(row->leaf), DatumGetPointer(leaf),
		   text_size(leaf));
	row->bytes = bytes_of_text(row->leaf);
}

/*
 * Bytes of a value, header included.
 */
static int
text_size(Datum value)
{
	return VARSIZE_ANY(DatumGetPointer(value));
}

/*
 * Bytes of a leaf tuple with a text; a short one has a short header there.
 */
static int
bytes_of_text(Datum value)
{
	int			length = VARSIZE_ANY_EXHDR(DatumGetPointer(value));

	length += length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX ?
		VARHDRSZ_SHORT : VARHDRSZ;
	return Max(MAXALIGN(SGLTHDRSZ(false) + length), SGDTSIZE) +
		sizeof(ItemIdData);
}

static void
begin_tree(Tree *tree, Relation index, const OpsSpgEntries *entries)
{
	memset(tree, 0, sizeof(Tree));
	tree->index = index;
	tree->cache = entries->cache;
	tree->suffixes = entries->suffixes;
	tree->choose = index_getprocinfo(index, 1, SPGIST_CHOOSE_PROC);
	tree->picksplit = index_getprocinfo(index, 1, SPGIST_PICKSPLIT_PROC);
	tree->lasting = CurrentMemoryContext;
	tree->temporary = AllocSetContextCreate(CurrentMemoryContext,
											"operations_runbook SP-GiST row",
											ALLOCSET_DEFAULT_SIZES);
	ops_spg_pages_init(&tree->pages, SpGistGetTargetPageFreeSpace(index));
	tree->roots = palloc0(entries->nregions * sizeof(SpgNode));
	for (int i = 0; i < entries->nregions; i++)
		tree->roots[i].page = entries->region[i].whole ?
			OPS_SPG_ROOT : OPS_SPG_NOWHERE;
}

/*
 * Go down to where a row belongs, and put it there.
 */
static void
insert(Tree *tree, Row *row, SpgNode *root, int level)
{
	SpgNode    *node = root;

	for (int i = 0; i < MAX_LEVELS && !tree->failed; i++)
	{
		if (node->page == OPS_SPG_NOWHERE)
		{
			node->page = ops_spg_page_with_room(&tree->pages, row->bytes);
			ops_spg_put(&tree->pages.page[node->page], row->bytes);
			append(tree, node, row);
			ops_spg_used_page(&tree->pages, node->page);
			return;
		}
		if (!node->is_inner && add_to_list(tree, node, row, level))
			return;
		node = descend(tree, node, row, &level);
	}
	tree->failed = true;
}

/*
 * The node below an inner one where a row belongs.
 */
static SpgNode *
descend(Tree *tree, SpgNode *inner, Row *row, int *level)
{
	spgChooseIn in = {
		.datum = row->value,
		.leafDatum = row->leaf,
		.level = *level,
		.allTheSame = inner->all_the_same,
		.hasPrefix = inner->has_prefix,
		.prefixDatum = inner->prefix,
		.nNodes = inner->nnodes,
		.nodeLabels = inner->labels,
	};
	spgChooseOut out = {0};
	int			number;

	tree->steps++;
	FunctionCall2Coll(tree->choose, tree->index->rd_indcollation[0],
					  PointerGetDatum(&in), PointerGetDatum(&out));
	if (out.resultType == spgSplitTuple)
	{
		widen(tree, inner, &out);
		return inner;
	}
	if (out.resultType == spgAddNode)
	{
		add_node(tree, inner, &out);
		return inner;
	}
	number = out.result.matchNode.nodeN;
	if (inner->all_the_same)
		number = (int) (pg_prng_uint64(&pg_global_prng_state) % inner->nnodes);
	if (number < 0 || number >= inner->nnodes)
		elog(ERROR, "inconsistent result of SPGiST choose function");
	*level += out.result.matchNode.levelAdd;
	shorten(tree, row, out.result.matchNode.restDatum);
	if (inner->node[number] == NULL)
	{
		inner->node[number] = MemoryContextAllocZero(tree->lasting,
													 sizeof(SpgNode));
		inner->node[number]->page = OPS_SPG_NOWHERE;
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
	inner->labels = copy_labels(out->result.splitTuple.prefixNodeLabels,
								inner->nnodes);
	inner->node = palloc0(inner->nnodes * sizeof(SpgNode *));
	inner->node[out->result.splitTuple.childNodeN] = below;
	tree->inner_bytes += bytes_of_inner(tree, inner);
	MemoryContextSwitchTo(before);
}

/*
 * Add a node to an inner tuple, for a row with another label.
 */
static void
add_node(Tree *tree, SpgNode *inner, const spgChooseOut * out)
{
	MemoryContext before = MemoryContextSwitchTo(tree->lasting);
	int			number = out->result.addNode.nodeN;
	Datum	   *labels = palloc((inner->nnodes + 1) * sizeof(Datum));
	SpgNode   **node = palloc0((inner->nnodes + 1) * sizeof(SpgNode *));

	if (inner->labels == NULL || number < 0 || number > inner->nnodes)
		elog(ERROR, "inconsistent result of SPGiST choose function");
	for (int i = 0; i < inner->nnodes; i++)
	{
		labels[i < number ? i : i + 1] = inner->labels[i];
		node[i < number ? i : i + 1] = inner->node[i];
	}
	labels[number] = out->result.addNode.nodeLabel;
	inner->labels = labels;
	inner->node = node;
	inner->nnodes++;
	tree->inner_bytes += OPS_SPG_NODE(true);
	MemoryContextSwitchTo(before);
}

/*
 * Bytes of an inner tuple, line pointer included.
 */
static int
bytes_of_inner(const Tree *tree, const SpgNode *inner)
{
	const SpGistTypeDesc *type = &tree->cache->attPrefixType;
	int			prefix = 0;

	if (inner->has_prefix)
		prefix = type->attbyval ? sizeof(Datum) :
			type->attlen > 0 ? type->attlen : text_size(inner->prefix);
	return SGITHDRSZ + MAXALIGN(prefix) + sizeof(ItemIdData) +
		inner->nnodes * OPS_SPG_NODE(inner->labels != NULL);
}

/*
 * Labels, if there are any, go by value.
 */
static Datum *
copy_labels(const Datum *labels, int nlabels)
{
	Datum	   *copy;

	if (labels == NULL)
		return NULL;
	copy = palloc(nlabels * sizeof(Datum));
	memcpy(copy, labels, nlabels * sizeof(Datum));
	return copy;
}

/*
 * Add a row to the entries of a node; false if that became an inner one and
 * the row is still to be put below.
 */
static bool
add_to_list(Tree *tree, SpgNode *list, Row *row, int level)
{
	int			bytes = 0;

	if (row->bytes <= ops_spg_room(&tree->pages.page[list->page]))
	{
		ops_spg_put(&tree->pages.page[list->page], row->bytes);
		append(tree, list, row);
		ops_spg_used_page(&tree->pages, list->page);
		return true;
	}
	for (int i = 0; i < list->nentries; i++)
		bytes += list->entry[i]->bytes;
	if (list->page == OPS_SPG_ROOT || bytes >= OPS_SPG_PAGE / 2 ||
		list->nentries >= SHORT_LIST || bytes + row->bytes > OPS_SPG_PAGE)
		return split_list(tree, list, row, level);
	move_list(tree, list, bytes + row->bytes);
	ops_spg_put(&tree->pages.page[list->page], row->bytes);
	append(tree, list, row);
	ops_spg_used_page(&tree->pages, list->page);
	return true;
}

static void
append(Tree *tree, SpgNode *list, Row *row)
{
	if (list->nentries == list->space)
	{
		list->space = Max(list->space * 2, 8);
		list->entry = list->entry ?
			repalloc(list->entry, list->space * sizeof(Row *)) :
			MemoryContextAlloc(tree->lasting,
							   list->space * sizeof(Row *));
	}
	list->entry[list->nentries++] = row;
}

static void
move_list(Tree *tree, SpgNode *list, int bytes)
{
	int			page = ops_spg_page_with_room(&tree->pages, bytes);

	for (int i = 0; i < list->nentries; i++)
	{
		ops_spg_remove(&tree->pages.page[list->page], list->entry[i]->bytes);
		ops_spg_put(&tree->pages.page[page], list->entry[i]->bytes);
	}
	list->page = page;
}

/*
 * Make an inner node of a list and a row; false if the row did not find room
 * in that.
 */
static bool
split_list(Tree *tree, SpgNode *list, Row *row, int level)
{
	OpsSpgPage *page = &tree->pages.page[list->page];
	int			count = list->nentries + 1;
	spgPickSplitIn in = {.nTuples = count,.level = level};
	spgPickSplitOut out = {0};
	bool		with_row;
	int			total = 0;
	int			here = 0;
	int			there = -1;
	int		   *size;			/* of each entry, once it is below */
	int		   *bytes;			/* of each node */
	bool	   *goes;

	append(tree, list, row);
	in.datums = palloc(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
		in.datums[i] = list->entry[i]->leaf;
	FunctionCall2Coll(tree->picksplit, tree->index->rd_indcollation[0],
					  PointerGetDatum(&in), PointerGetDatum(&out));
	size = palloc(count * sizeof(int));
	for (int i = 0; i < count; i++)
	{
		size[i] = tree->suffixes ? bytes_of_text(out.leafTupleDatums[i]) :
			list->entry[i]->bytes;
		total += size[i];
	}
	list->all_the_same = all_alike(&in, &out, total > OPS_SPG_PAGE, &with_row);

	/* What is free where they are, once they are gone. */
	if (list->page != OPS_SPG_ROOT)
		here = page->free;
	for (int i = 0; i < count - 1 && list->page != OPS_SPG_ROOT; i++)
		here += list->entry[i]->bytes - OPS_SPG_PLACEHOLDER;

	bytes = palloc0(out.nNodes * sizeof(int));
	goes = palloc0(out.nNodes * sizeof(bool));
	for (int i = 0; i < count; i++)
	{
		if (out.mapTuplesToNodes[i] < 0 ||
			out.mapTuplesToNodes[i] >= out.nNodes)
			elog(ERROR, "inconsistent result of SPGiST picksplit function");
		if (i < count - 1 || with_row)
			bytes[out.mapTuplesToNodes[i]] += size[i];
	}
	if (!with_row)
		total -= size[count - 1];
	if (total > here)
	{
		int			free;

		there = ops_spg_page_with_room(&tree->pages, Min(total, OPS_SPG_PAGE));
		free = tree->pages.page[there].free;
		page = &tree->pages.page[list->page];
		if (choose_pages(bytes, &out, here, free, goes) < 0 && with_row)
		{
			with_row = false;
			bytes[out.mapTuplesToNodes[count - 1]] -= size[count - 1];
			choose_pages(bytes, &out, here, free, goes);
		}
	}

	/* A page that held nothing else starts anew. */
	for (int i = 0; i < count - 1; i++)
		ops_spg_remove(page, list->entry[i]->bytes);
	if (page->entries == 0)
	{
		page->free = OPS_SPG_PAGE;
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
		shorten(tree, list->entry[i], out.leafTupleDatums[i]);
		ops_spg_put(&tree->pages.page[node->page], list->entry[i]->bytes);
		append(tree, node, list->entry[i]);
	}
	if (there >= 0)
		ops_spg_used_page(&tree->pages, there);
	ops_spg_used_page(&tree->pages, list->page);
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
	if (out->nodeLabels)
	{
		Datum		label = out->nodeLabels[node];

		out->nodeLabels = palloc(ALIKE_NODES * sizeof(Datum));
		for (int i = 0; i < ALIKE_NODES; i++)
			out->nodeLabels[i] = label;
	}
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
	node->labels = copy_labels(out->nodeLabels, out->nNodes);
	tree->inner_bytes += bytes_of_inner(tree, node);
	MemoryContextSwitchTo(before);
}
