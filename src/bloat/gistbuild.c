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
 * Therefore a small index is built in memory from entries of the sample, in
 * the order of their rows, with the operator class's own functions.  It has
 * as many rows as the whole one, halved a number of times: then it is at the
 * same point between one splitting of all pages and the next.
 *
 * Only operator classes are played whose functions are known to be harmless:
 * no code of users, and no keys that a corrupt page can make them read beyond
 * the end of.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/gist_private.h"
#include "bloat/gistbuild.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/pg_prng.h"
#include "core/compat.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Entries that are kept, and that are played: the price goes by these. */
#define MAX_KEPT			12288
#define MAX_PLAYED			8192
#define MAX_PLAYED_IF_LARGE	4096
#define LARGE				(30 * 1024 * 1024 / BLCKSZ)

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

static bool is_harmless(Relation index);
static bool key_is_harmless(const char *opclass, Oid type);
static bool entry_is_sound(Relation index, IndexTuple entry, Size length);
static uint32 entry_number(IndexTuple entry);
static void thin_out(OpsGistEntries *entries);
static int	most_played(Relation index);
static int	compare_rows(const void *a, const void *b);
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
 * Get ready to keep entries, if the build of this index can be played.
 */
void
ops_gist_entries_init(OpsGistEntries *entries, Relation index)
{
	memset(entries, 0, sizeof(OpsGistEntries));
	entries->chance = PG_UINT32_MAX;
	if (is_harmless(index))
		entries->entry = palloc(2 * MAX_KEPT * sizeof(IndexTuple));
}

static bool
is_harmless(Relation index)
{
	oidvector  *classes;
	Datum		datum;
	bool		isnull;
	bool		harmless = true;

	datum = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
							Anum_pg_index_indclass, &isnull);
	classes = (oidvector *) DatumGetPointer(datum);
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		HeapTuple	tuple = SearchSysCache1(CLAOID,
											ObjectIdGetDatum(classes->values[i]));

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator class %u",
				 classes->values[i]);
		harmless = harmless &&
			key_is_harmless(NameStr(((Form_pg_opclass) GETSTRUCT(tuple))->opcname),
							TupleDescAttr(index->rd_att, i)->atttypid);
		ReleaseSysCache(tuple);
	}
	return harmless;
}

/*
 * Names of operator classes are enough: only superusers create any.
 *
 * Ranges may have functions of their owner, and bounds of any length.
 */
static bool
key_is_harmless(const char *opclass, Oid type)
{
	static const char *const harmless[] = {
		"point_ops", "box_ops", "poly_ops", "circle_ops", "inet_ops",
		"tsvector_ops", "gist_trgm_ops",
		"gist_oid_ops", "gist_int2_ops", "gist_int4_ops", "gist_int8_ops",
		"gist_float4_ops", "gist_float8_ops", "gist_cash_ops",
		"gist_timestamp_ops", "gist_timestamptz_ops", "gist_time_ops",
		"gist_timetz_ops", "gist_date_ops", "gist_interval_ops",
		"gist_macaddr_ops", "gist_macaddr8_ops", "gist_inet_ops",
		"gist_cidr_ops", "gist_uuid_ops", "gist_enum_ops", "gist_bool_ops"
	};

	if (strcmp(opclass, "range_ops") == 0)
		return type < FirstNormalObjectId &&
			lookup_type_cache(type, TYPECACHE_RANGE_INFO)->rngelemtype &&
			lookup_type_cache(type, TYPECACHE_RANGE_INFO)->rngelemtype->typlen > 0;
	for (int i = 0; i < lengthof(harmless); i++)
	{
		if (strcmp(opclass, harmless[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Keep a copy of an entry, maybe.
 */
void
ops_gist_entries_add(OpsGistEntries *entries, Relation index,
					 IndexTuple entry, Size length)
{
	IndexTuple	copy;

	if (entries->entry == NULL || entry_number(entry) > entries->chance ||
		!entry_is_sound(index, entry, length))
		return;
	if (entries->count == MAX_KEPT)
		thin_out(entries);
	copy = palloc(length);
	memcpy(copy, entry, length);
	entries->entry[entries->count++] = copy;
}

/*
 * Whether all columns lie within the entry.
 */
static bool
entry_is_sound(Relation index, IndexTuple entry, Size length)
{
	TupleDesc	desc = RelationGetDescr(index);
	uint8	   *nulls = (uint8 *) ((char *) entry + sizeof(IndexTupleData));
	Size		offset = IndexInfoFindDataOffset(entry->t_info);

	if (IndexTupleSize(entry) != length)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *value;

		if (IndexTupleHasNulls(entry) && att_isnull(i, nulls))
			continue;
		if (offset >= length)
			return false;
		value = (const char *) entry + offset;
		if (attribute->attlen == -1)
		{
			if (!VARATT_NOT_PAD_BYTE(value))
				offset = att_align_nominal(offset, attribute->attalign);
			value = (const char *) entry + offset;
			if (offset >= length || VARATT_IS_EXTERNAL(value) ||
				(!VARATT_IS_1B(value) && offset + VARHDRSZ > length) ||
				VARSIZE_ANY(value) < (VARATT_IS_1B(value) ?
									  VARHDRSZ_SHORT : VARHDRSZ))
				return false;
			offset += VARSIZE_ANY(value);
		}
		else if (attribute->attlen > 0)
			offset = att_align_nominal(offset, attribute->attalign) +
				attribute->attlen;
		else
			return false;
		if (offset > length)
			return false;
	}
	return true;
}

/*
 * A number that is any, but always the same.
 */
static uint32
entry_number(IndexTuple entry)
{
	return murmurhash32(ItemPointerGetBlockNumberNoCheck(&entry->t_tid) * 311 +
						ItemPointerGetOffsetNumberNoCheck(&entry->t_tid));
}

static void
thin_out(OpsGistEntries *entries)
{
	int			kept = 0;

	entries->chance /= 2;
	for (int i = 0; i < entries->count; i++)
	{
		if (entry_number(entries->entry[i]) <= entries->chance)
			entries->entry[kept++] = entries->entry[i];
		else
			pfree(entries->entry[i]);
	}
	entries->count = kept;
}

/*
 * Take in those of another set, so that all are as likely to be here.
 */
void
ops_gist_entries_merge(OpsGistEntries *entries, OpsGistEntries *others)
{
	while (entries->chance > others->chance)
		thin_out(entries);
	while (others->chance > entries->chance)
		thin_out(others);
	for (int i = 0; i < others->count; i++)
		entries->entry[entries->count++] = others->entry[i];
	others->count = 0;
}

/*
 * Build an index of so many rows, halved until there are enough entries.
 */
void
ops_gist_build(const OpsGistEntries *entries, Relation index, double rows,
			   uint64 seed, OpsGistBuilt *built)
{
	MemoryContext before = CurrentMemoryContext;
	MemoryContext context;
	pg_prng_state random = pg_global_prng_state;
	IndexTuple *played;
	int			limit = Min(entries->count, most_played(index));
	int			nplayed = 0;
	double		most;

	memset(built, 0, sizeof(OpsGistBuilt));
	if (entries->entry == NULL || limit == 0)
		return;
	while (rows > limit)
	{
		rows /= 2;
		built->halvings++;
	}

	context = AllocSetContextCreate(before, "operations_runbook GiST build",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	played = palloc(entries->count * sizeof(IndexTuple));
	most = Min(rows / entries->count, 1) * entries->chance;
	for (int i = 0; i < entries->count; i++)
	{
		if (entry_number(entries->entry[i]) <= most)
			played[nplayed++] = entries->entry[i];
	}
	qsort(played, nplayed, sizeof(IndexTuple), compare_rows);

	/* Among pages that are as good, the server tosses a coin. */
	pg_prng_seed(&pg_global_prng_state, seed);
	PG_TRY();
	{
		play(index, played, nplayed, built);
	}
	PG_FINALLY();
	{
		pg_global_prng_state = random;
	}
	PG_END_TRY();

	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
}

static int
most_played(Relation index)
{
	int			most = RelationGetNumberOfBlocks(index) >= LARGE ?
	MAX_PLAYED_IF_LARGE : MAX_PLAYED;

	/* Comparing signatures of words takes long. */
	if (TupleDescAttr(index->rd_att, 0)->atttypid == GTSVECTOROID)
		most /= 4;
	return most;
}

static int
compare_rows(const void *a, const void *b)
{
	return ItemPointerCompare(&(*(const IndexTuple *) a)->t_tid,
							  &(*(const IndexTuple *) b)->t_tid);
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
