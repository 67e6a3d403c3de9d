/*-------------------------------------------------------------------------
 *
 * spgregion.c
 *	  Parts of an SP-GiST index, with all that is in them.
 *
 * How a build splits pages goes by what lies close together, so that entries
 * from all over the index would not do, see gistregion.c.  What belongs
 * together is below the same inner tuple here.  A way is taken down from the
 * root, to some entry that was seen or, if leaves do not keep whole values, at
 * random; of the tuples on it, the highest is taken with so little below it
 * that all of that can be read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/spgist.h"
#include "bloat/model.h"
#include "bloat/spgbuild.h"
#include "common/pg_prng.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

/* Tuples that are read at most, whatever is below them. */
#define MAX_READ			8000

/* Levels of inner tuples; there could be more, but not many. */
#define MAX_LEVELS			200

/* Ways down that are tried, and tuples on these. */
#define MAX_WAYS			12
#define MAX_ABOVE			1024

/* Share of the entries that could be taken in, from which on it is enough. */
#define ENOUGH				0.6

/*
 * Regions that there are at least, if they are not the whole index: what was
 * deleted may have been of other regions.
 */
#define LEAST_REGIONS		3

/* Redirections in a row. */
#define MAX_REDIRECTED		4

/* An inner tuple on the way down. */
typedef struct Step
{
	ItemPointerData tid;
	SpGistInnerTuple tuple;
	int			way_length;		/* that leads to it */
	int			node;			/* that was taken */
} Step;

typedef struct Region
{
	OpsSpgEntries *entries;
	const OpsBloatMeasure *measure;
	double		share;			/* of entries of unknown fate that is wanted */
	double		found;			/* that are wanted */
	double		most;
	double		most_of_one;	/* region */
	FmgrInfo   *choose;
	pg_prng_state random;
	int			nread;
	int			nabove;
	ItemPointerData top[OPS_SPG_REGIONS];	/* inner tuples below which all
											 * was taken in */
	ItemPointerData above[MAX_ABOVE];	/* inner tuples that what was taken in
										 * is below, or that are its top */
	StringInfoData way;			/* bytes that lead to where we are */
} Region;

static bool is_enough(const Region *region);
static bool is_exhausted(const Region *region);
static void read_from(Region *region, const OpsSpgEntry *guide);
static int	go_down(Region *region, Step *step, const OpsSpgEntry *guide);
static int	choose_node(Region *region, SpGistInnerTuple tuple,
						const OpsSpgEntry *guide, int *level);
static bool is_above(const Region *region, const ItemPointerData * tid);
static bool is_taken(const Region *region, const Step *step, int nsteps);
static void read_nodes(Region *region, const Step *step, bool others,
					   int level);
static void read_below(Region *region, ItemPointerData tid, int level);
static SpGistInnerTuple read_tuple(Region *region, ItemPointerData tid);
static SpGistInnerTuple copy_inner(Region *region, void *item, Size length);
static void read_list(Region *region, Page page, OffsetNumber offset,
					  bool is_root);
static bool inner_is_sound(const Region *region, SpGistInnerTuple tuple,
						   Size length);
static bool find_node(Region *region, const Step *step, int number,
					  ItemPointerData * child);

/*
 * Add entries of some regions, no more than so many; of all rows if these are
 * no more.
 */
void
ops_spg_region(OpsSpgEntries *entries, const OpsBloatMeasure *measure,
			   const OpsSpgEntries *guides, double share, double rows,
			   int most)
{
	Region		region = {
		.entries = entries,
		.measure = measure,
		.share = share,
		.most = most,
		.most_of_one = rows <= most ? most : most / LEAST_REGIONS,
		.choose = index_getprocinfo(measure->rel, 1, SPGIST_CHOOSE_PROC),
	};

	pg_prng_seed(&region.random, measure->seed);
	initStringInfo(&region.way);
	for (int i = 0; i < MAX_WAYS && !is_enough(&region); i++)
	{
		const OpsSpgEntry *guide = NULL;

		if (guides->count > 0)
			guide = &guides->entry[(int) (i * 0.618 * guides->count) %
								   guides->count];
		read_from(&region, guide);
	}
}

static bool
is_enough(const Region *region)
{
	const OpsSpgEntries *entries = region->entries;

	return (entries->nregions > 0 && entries->region[0].whole) ||
		entries->nregions == OPS_SPG_REGIONS ||
		is_exhausted(region) ||
		(entries->nregions >= LEAST_REGIONS &&
		 region->found >= region->most * ENOUGH);
}

/*
 * Whether there is no place for more entries, or too much was read for them.
 */
static bool
is_exhausted(const Region *region)
{
	return region->nread >= MAX_READ || ops_spg_entries_full(region->entries);
}

/*
 * Go down somewhere, and read around.
 */
static void
read_from(Region *region, const OpsSpgEntry *guide)
{
	OpsSpgEntries *entries = region->entries;
	Step		step[MAX_LEVELS];
	int			nsteps = go_down(region, step, guide);
	int			top = nsteps;
	double		before = region->found;

	/* The index is but a leaf. */
	if (nsteps == 0 && region->nread == 1)
	{
		entries->region[entries->nregions].level = 0;
		entries->region[entries->nregions++].whole = true;
	}
	if (is_taken(region, step, nsteps))
		return;
	for (int i = nsteps - 1; i >= 0 && !is_above(region, &step[i].tid); i--)
	{
		int			count = entries->count;
		double		found = region->found;

		read_nodes(region, &step[i], i < nsteps - 1, i);
		if (region->found - before > region->most_of_one ||
			region->found > region->most || is_exhausted(region))
		{
			ops_spg_entries_cut(entries, count);
			region->found = found;
			break;
		}
		top = i;
	}
	if (top < nsteps)
	{
		OpsSpgRegion *taken = &entries->region[entries->nregions];

		region->top[entries->nregions++] = step[top].tid;
		taken->level = entries->suffixes ? step[top].way_length : top;
		taken->whole = top == 0;
		for (int i = 0; i <= top && region->nabove < MAX_ABOVE; i++)
			region->above[region->nabove++] = step[i].tid;
	}
}

/*
 * The inner tuples on a way down, to where it ends.
 */
static int
go_down(Region *region, Step *step, const OpsSpgEntry *guide)
{
	ItemPointerData tid;
	int			level = 0;
	int			nsteps = 0;

	ItemPointerSet(&tid, SPGIST_ROOT_BLKNO, FirstOffsetNumber);
	resetStringInfo(&region->way);
	for (; nsteps < MAX_LEVELS; nsteps++)
	{
		Step	   *here = &step[nsteps];
		int			count = region->entries->count;
		double		found = region->found;
		int			nodes;

		here->tid = tid;
		here->way_length = region->way.len;
		here->tuple = read_tuple(region, tid);
		if (here->tuple == NULL)
		{
			/* What is below is read again, but for a lonely root. */
			if (nsteps > 0 || region->nread > 1)
			{
				ops_spg_entries_cut(region->entries, count);
				region->found = found;
			}
			break;
		}
		nodes = here->tuple->nNodes;
		here->node = nodes > 0 ?
			choose_node(region, here->tuple, guide, &level) : 0;
		for (int i = 0; i < nodes &&
			 !find_node(region, here, here->node, &tid); i++)
			here->node = (here->node + 1) % nodes;
		if (nodes == 0 || !find_node(region, here, here->node, &tid))
			break;
	}
	return nsteps;
}

/*
 * The node where the guide would belong, else any.
 */
static int
choose_node(Region *region, SpGistInnerTuple tuple, const OpsSpgEntry *guide,
			int *level)
{
	const SpGistCache *cache = region->entries->cache;
	int			any = (int) (pg_prng_uint64(&region->random) % tuple->nNodes);
	spgChooseOut out = {0};
	spgChooseIn in = {
		.level = *level,
		.allTheSame = tuple->allTheSame,
		.hasPrefix = tuple->prefixSize > 0,
		.nNodes = tuple->nNodes,
	};

	if (guide == NULL || tuple->allTheSame)
		return any;
	in.datum = in.leafDatum = guide->value;
	if (in.hasPrefix)
		in.prefixDatum = fetch_att(_SGITDATA(tuple),
								   cache->attPrefixType.attbyval,
								   cache->attPrefixType.attlen);
	FunctionCall2Coll(region->choose,
					  region->measure->rel->rd_indcollation[0],
					  PointerGetDatum(&in), PointerGetDatum(&out));
	if (out.resultType != spgMatchNode || out.result.matchNode.nodeN < 0 ||
		out.result.matchNode.nodeN >= tuple->nNodes)
		return any;
	*level += out.result.matchNode.levelAdd;
	return out.result.matchNode.nodeN;
}

/*
 * Whether part of what is below a tuple was taken in, or all of it.
 */
static bool
is_above(const Region *region, const ItemPointerData * tid)
{
	for (int i = 0; i < region->nabove; i++)
	{
		if (ItemPointerEquals((ItemPointer) & region->above[i],
							  (ItemPointer) tid))
			return true;
	}
	return false;
}

/*
 * Whether a way down leads into what was taken in.
 */
static bool
is_taken(const Region *region, const Step *step, int nsteps)
{
	for (int i = 0; i < nsteps; i++)
	{
		for (int j = 0; j < region->entries->nregions; j++)
		{
			if (ItemPointerEquals((ItemPointer) & region->top[j],
								  (ItemPointer) & step[i].tid))
				return true;
		}
	}
	return false;
}

/*
 * Read what is below all nodes of a tuple, or all but the one that was taken.
 */
static void
read_nodes(Region *region, const Step *step, bool others, int level)
{
	int			nnodes = step->tuple->nNodes;

	for (int i = others ? 1 : 0; i < nnodes; i++)
	{
		ItemPointerData child;

		if (region->found > region->most || is_exhausted(region))
			return;
		if (find_node(region, step, (step->node + i) % nnodes, &child))
			read_below(region, child, level + 1);
	}
}

/*
 * Read all that a downlink leads to.
 */
static void
read_below(Region *region, ItemPointerData tid, int level)
{
	Step		step = {.way_length = region->way.len};

	if (level >= MAX_LEVELS)
		return;
	step.tuple = read_tuple(region, tid);
	if (step.tuple)
	{
		read_nodes(region, &step, false, level);
		pfree(step.tuple);
	}
}

/*
 * What a downlink leads to: a copy of an inner tuple; NULL if it is a list of
 * entries, which is taken in, or nothing.
 */
static SpGistInnerTuple
read_tuple(Region *region, ItemPointerData tid)
{
	const OpsBloatMeasure *measure = region->measure;
	SpGistInnerTuple copy = NULL;

	for (int i = 0; i < MAX_REDIRECTED; i++)
	{
		BlockNumber block = ItemPointerGetBlockNumberNoCheck(&tid);
		OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(&tid);
		Buffer		buffer;
		Page		page;
		bool		redirected = false;

		if (block <= SPGIST_METAPAGE_BLKNO || block >= measure->nblocks)
			break;
		CHECK_FOR_INTERRUPTS();
		region->nread++;
		buffer = ReadBufferExtended(measure->rel, MAIN_FORKNUM, block,
									RBM_NORMAL, measure->ring);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		if (ops_page_is_sound(page, sizeof(SpGistPageOpaqueData)) &&
			SpGistPageGetOpaque(page)->spgist_page_id == SPGIST_PAGE_ID &&
			offset >= FirstOffsetNumber &&
			offset <= PageGetMaxOffsetNumber(page))
		{
			Size		length;
			SpGistDeadTuple item = ops_page_item(page, offset, &length);

			if (item == NULL)
				;
			else if (item->tupstate == SPGIST_REDIRECT && length >= SGDTSIZE)
			{
				tid = item->pointer;
				redirected = true;
			}
			else if (SpGistPageIsLeaf(page))
				read_list(region, page, offset, SpGistBlockIsRoot(block));
			else if (item->tupstate == SPGIST_LIVE)
				copy = copy_inner(region, item, length);
		}
		UnlockReleaseBuffer(buffer);
		if (!redirected)
			break;
	}
	return copy;
}

static SpGistInnerTuple
copy_inner(Region *region, void *item, Size length)
{
	SpGistInnerTuple copy = palloc(length);

	memcpy(copy, item, length);
	if (inner_is_sound(region, copy, length))
		return copy;
	pfree(copy);
	return NULL;
}

/*
 * Take in a list of entries.  On the root all are one, without links.
 */
static void
read_list(Region *region, Page page, OffsetNumber offset, bool is_root)
{
	OpsSpgEntries *entries = region->entries;
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	int			first = entries->count;

	for (int i = 0; i < last && offset >= FirstOffsetNumber && offset <= last;
		 i++)
	{
		Size		length;
		SpGistLeafTuple item = ops_page_item(page, offset, &length);

		if (item == NULL || item->tupstate != SPGIST_LIVE)
			break;
		offset = is_root ? offset + 1 : SGLT_GET_NEXTOFFSET(item);
		ops_spg_entries_add(entries, region->measure, item, length,
							region->way.data, region->way.len);
	}
	entries->nlists++;
	for (int i = first; i < entries->count; i++)
		region->found += region->share == 1 ? 1 :
			Min(entries->entry[i].odds.odds * region->share, 1);
}

/*
 * Whether prefix and nodes lie within the tuple.
 */
static bool
inner_is_sound(const Region *region, SpGistInnerTuple tuple, Size length)
{
	bool		texts = region->entries->suffixes;
	int			fixed = region->entries->cache->attPrefixType.attlen;
	const char *prefix = _SGITDATA(tuple);
	Size		offset = SGITHDRSZ + tuple->prefixSize;

	if (tuple->size != length || offset > length || offset != MAXALIGN(offset))
		return false;
	if (tuple->prefixSize > 0 && fixed > 0 && tuple->prefixSize < fixed)
		return false;
	if (tuple->prefixSize > 0 && fixed <= 0 &&
		(fixed != -1 || VARATT_IS_EXTERNAL(prefix) ||
		 VARATT_IS_COMPRESSED(prefix) ||
		 VARSIZE_ANY(prefix) > tuple->prefixSize ||
		 VARSIZE_ANY(prefix) < (VARATT_IS_1B(prefix) ?
								VARHDRSZ_SHORT : VARHDRSZ)))
		return false;
	for (int i = 0; i < tuple->nNodes; i++)
	{
		SpGistNodeTuple node = (SpGistNodeTuple) ((char *) tuple + offset);
		Size		least = texts ? SGNTHDRSZ + sizeof(Datum) :
		sizeof(SpGistNodeTupleData);

		if (offset + sizeof(SpGistNodeTupleData) > length ||
			IndexTupleSize(node) < least ||
			IndexTupleSize(node) != MAXALIGN(IndexTupleSize(node)))
			return false;
		offset += IndexTupleSize(node);
	}
	return offset <= length;
}

/*
 * Where a node of a tuple leads to, and the way there; false if nowhere.
 */
static bool
find_node(Region *region, const Step *step, int number, ItemPointerData * child)
{
	SpGistInnerTuple tuple = step->tuple;
	SpGistNodeTuple node = SGITNODEPTR(tuple);

	for (int i = 0; i < number; i++)
		node = (SpGistNodeTuple) ((char *) node + IndexTupleSize(node));
	*child = node->t_tid;
	if (!ItemPointerIsValid(child))
		return false;

	region->way.len = step->way_length;
	if (region->entries->suffixes)
	{
		int16		label = DatumGetInt16(*(Datum *) SGNTDATAPTR(node));

		if (tuple->prefixSize > 0)
			appendBinaryStringInfo(&region->way,
								   VARDATA_ANY(_SGITDATA(tuple)),
								   VARSIZE_ANY_EXHDR(_SGITDATA(tuple)));

		/* A value that ends here, or a tuple put in between, has none. */
		if (label >= 0)
			appendStringInfoChar(&region->way, (char) label);
	}
	return true;
}
