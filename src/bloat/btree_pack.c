/*-------------------------------------------------------------------------
 *
 * btree_pack.c
 *	  The leaf pages that a build of a B-tree would fill, entry by entry.
 *
 * A build (nbtsort.c) closes a leaf page once its free space is below what
 * the fillfactor leaves, and then moves the page's last item on to the next
 * page; a copy of it, truncated, stays as the high key.  How large the high
 * key comes out does not change when pages close, but is what the inner pages
 * above have to hold.
 *
 * The entries packed here come from pages that are not neighbours.  A group
 * of equal keys that goes on past the end of its page is charged for its heap
 * pointers only, as if it went on in full posting lists; its last piece, on
 * some other page, is charged as a group of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/nbtree.h"
#include "access/tupmacs.h"

#include "bloat/btree_pack.h"

/* What posting lists are kept to by a build, whatever the fillfactor. */
#define MAX_POSTING_SIZE \
	(MAXALIGN_DOWN(BLCKSZ * 10 / 100) - sizeof(ItemIdData))

/* An empty page with the line pointer of its high key set aside. */
#define EMPTY_PAGE_SPACE \
	((int) (BLCKSZ - SizeOfPageHeaderData - \
			MAXALIGN(sizeof(BTPageOpaqueData)) - sizeof(ItemIdData)))

/* A high key that only the heap pointer tells from the item before it. */
#define TIEBREAKER_SIZE ((int) MAXALIGN(sizeof(ItemPointerData)))

static inline void add_item(OpsBtreePack *pack, const OpsBtreeGroup *group,
							int size,
							int extra);
static void close_page(OpsBtreePack *pack);
static int	pivot_size(OpsBtreePack *pack);
static int	distinct_columns(OpsBtreePack *pack, int *ends, bool *nulls);
static int	key_columns(OpsBtreePack *pack, IndexTuple tuple, int size,
						int *begins, int *ends, bool *nulls);

void
ops_btree_pack_init(OpsBtreePack *pack, Relation rel, bool dedup)
{
	memset(pack, 0, sizeof(*pack));
	pack->rel = rel;
	pack->dedup = dedup;
	pack->truncates = IndexRelationGetNumberOfAttributes(rel) > 1;
	pack->reserve = BTGetTargetPageFreeSpace(rel);
	pack->free = EMPTY_PAGE_SPACE;
	pack->usual = EMPTY_PAGE_SPACE - pack->reserve;
}

int
ops_btree_posting_pointers(const OpsBtreePack *pack, int key_size)
{
	int			room = (int) MAXALIGN_DOWN(MAX_POSTING_SIZE) - key_size;

	if (!pack->dedup || room < 2 * (int) sizeof(ItemPointerData))
		return 1;
	return room / (int) sizeof(ItemPointerData);
}

/*
 * Adds the items that a build makes of a group of equal keys.
 */
void
ops_btree_pack_group(OpsBtreePack *pack, const OpsBtreeGroup *group)
{
	int			rest = group->pointers;
	int			most;
	int			full;

	if (rest == 1 && !group->continues)
	{
		add_item(pack, group, group->key_size, 0);
		return;
	}

	most = ops_btree_posting_pointers(pack, group->key_size);
	full = (int) MAXALIGN(group->key_size + most * sizeof(ItemPointerData));
	if (most == 1)
	{
		while (rest-- > 0)
			add_item(pack, group, group->key_size, 0);
		return;
	}

	for (; rest >= most; rest -= most)
		add_item(pack, group, full, full - group->key_size);
	if (group->continues)
	{
		pack->pending += rest * (full + (int) sizeof(ItemIdData)) / most;
		if (pack->pending >= full + (int) sizeof(ItemIdData))
		{
			pack->pending -= full + (int) sizeof(ItemIdData);
			add_item(pack, group, full, full - group->key_size);
		}
	}
	else if (rest == 1)
		add_item(pack, group, group->key_size, 0);
	else if (rest > 1)
	{
		int			size = (int) MAXALIGN(group->key_size +
										  rest * sizeof(ItemPointerData));

		add_item(pack, group, size, size - group->key_size);
	}
}

/*
 * As many as fit are put on a page at once.  Whatever closes the page goes
 * through add_item().
 */
void
ops_btree_pack_alike(OpsBtreePack *pack, IndexTuple key, int key_size,
					 int count)
{
	int			space = key_size + (int) sizeof(ItemIdData);
	int			limit = Max(key_size + TIEBREAKER_SIZE, pack->reserve);
	OpsBtreeGroup group = {.key = key,.key_size = key_size,.pointers = 1};

	while (count > 0)
	{
		int			room = pack->free - (int) sizeof(ItemIdData) - limit;
		int			more = room < 0 ? 0 : Min(room / space + 1, count - 1);

		if (pack->nitems >= 2 && pack->last_extra == 0 && more > 0)
		{
			pack->free -= more * space;
			pack->nitems += more;
			count -= more;
			pack->last_size = key_size;
		}
		add_item(pack, &group, key_size, 0);
		count--;
	}
}

void
ops_btree_pack_forget(OpsBtreePack *pack)
{
	pack->key = NULL;
	pack->previous_key = NULL;
}

/*
 * Leaf pages so far, the one that is being filled as a share of a page.
 */
double
ops_btree_pack_pages(const OpsBtreePack *pack)
{
	double		content = EMPTY_PAGE_SPACE - pack->free + pack->pending;

	return pack->closed + Min(content / pack->usual, 1.0);
}

static inline void
add_item(OpsBtreePack *pack, const OpsBtreeGroup *group, int size, int extra)
{
	int			space = pack->free - (int) sizeof(ItemIdData);

	if (pack->nitems >= 2 &&
		(space < size + TIEBREAKER_SIZE ||
		 space + pack->last_extra < pack->reserve))
		close_page(pack);

	pack->free -= size + (int) sizeof(ItemIdData);
	pack->nitems++;
	pack->last_size = size;
	pack->last_extra = extra;

	pack->previous_key = pack->key;
	pack->previous_size = pack->key_size;
	pack->key = group->key;
	pack->key_size = group->key_size;
}

/*
 * The last item moves on to the next page.
 */
static void
close_page(OpsBtreePack *pack)
{
	int			moved = pack->last_size + (int) sizeof(ItemIdData);

	if (pack->previous_key != NULL)
	{
		pack->pivots++;
		pack->pivot_bytes += pivot_size(pack);
	}
	pack->usual = EMPTY_PAGE_SPACE - pack->free - moved;
	pack->closed++;
	pack->free = EMPTY_PAGE_SPACE - moved;
	pack->nitems = 1;
}

/*
 * Size of the high key that tells the last item from the one before it.
 */
static int
pivot_size(OpsBtreePack *pack)
{
	int			nkeys = IndexRelationGetNumberOfKeyAttributes(pack->rel);
	int			ends[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	bool		any_null = false;
	int			kept;
	int			size;

	if (!pack->truncates)
	{
		bool		same = pack->key_size == pack->previous_size &&
		memcmp((char *) pack->key + sizeof(ItemPointerData) +
			   sizeof(pack->key->t_info),
			   (char *) pack->previous_key + sizeof(ItemPointerData) +
			   sizeof(pack->key->t_info),
			   pack->key_size - sizeof(IndexTupleData)) == 0;

		return pack->key_size + (same ? TIEBREAKER_SIZE : 0);
	}

	kept = distinct_columns(pack, ends, nulls);
	if (kept == 0)
		return pack->key_size;
	for (int i = 0; i < Min(kept, nkeys); i++)
		any_null |= nulls[i];
	size = (int) MAXALIGN(sizeof(IndexTupleData) +
						  (any_null ? sizeof(IndexAttributeBitMapData) : 0)) +
		ends[Min(kept, nkeys) - 1];
	size = (int) MAXALIGN(size);
	return size + (kept > nkeys ? TIEBREAKER_SIZE : 0);
}

/*
 * Leading columns that tell the last two keys apart, one more than there are
 * if none does, 0 if that cannot be said; and where each ends in the last key.
 */
static int
distinct_columns(OpsBtreePack *pack, int *ends, bool *nulls)
{
	int			nkeys = IndexRelationGetNumberOfKeyAttributes(pack->rel);
	int			begins[INDEX_MAX_KEYS];
	int			before_begins[INDEX_MAX_KEYS];
	int			before_ends[INDEX_MAX_KEYS];
	bool		before_nulls[INDEX_MAX_KEYS];
	char	   *key = (char *) pack->key + IndexInfoFindDataOffset(pack->key->t_info);
	char	   *before = (char *) pack->previous_key +
	IndexInfoFindDataOffset(pack->previous_key->t_info);

	if (!key_columns(pack, pack->key, pack->key_size, begins, ends, nulls) ||
		!key_columns(pack, pack->previous_key, pack->previous_size,
					 before_begins, before_ends, before_nulls))
		return 0;

	for (int i = 0; i < nkeys; i++)
	{
		int			size = ends[i] - begins[i];

		if (nulls[i] != before_nulls[i])
			return i + 1;
		if (!nulls[i] &&
			(size != before_ends[i] - before_begins[i] ||
			 memcmp(key + begins[i], before + before_begins[i], size) != 0))
			return i + 1;
	}
	return nkeys + 1;
}

/*
 * Where the key columns of an entry begin and end, from the start of its
 * data; false if they do not fit into the entry.
 */
static int
key_columns(OpsBtreePack *pack, IndexTuple tuple, int size, int *begins,
			int *ends, bool *nulls)
{
	TupleDesc	descriptor = RelationGetDescr(pack->rel);
	int			nkeys = IndexRelationGetNumberOfKeyAttributes(pack->rel);
	int			header = (int) IndexInfoFindDataOffset(tuple->t_info);
	char	   *data = (char *) tuple + header;
	uint8	   *bitmap = (uint8 *) ((char *) tuple + sizeof(IndexTupleData));
	int			offset = 0;

	size -= header;
	for (int i = 0; i < nkeys; i++)
	{
		Form_pg_attribute column = TupleDescAttr(descriptor, i);

		begins[i] = ends[i] = offset;
		nulls[i] = IndexTupleHasNulls(tuple) && att_isnull(i, bitmap);
		if (nulls[i])
			continue;
		if (offset >= size)
			return false;
		offset = (int) att_align_pointer(offset, column->attalign,
										 column->attlen, data + offset);
		if (offset >= size)
			return false;
		begins[i] = offset;
		if (column->attlen > 0)
			offset += column->attlen;
		else if (column->attlen == -2)
			offset += (int) strnlen(data + offset, size - offset) + 1;
		else if (VARATT_IS_1B(data + offset))
			offset += VARATT_IS_1B_E(data + offset) ? size + 1 :
				VARSIZE_1B(data + offset);
		else if (size - offset < VARHDRSZ)
			return false;
		else
			offset += (int) Min(VARSIZE_4B(data + offset), (uint32) size + 1);
		if (offset > size)
			return false;
		ends[i] = offset;
	}
	return true;
}

/*
 * Each inner page begins with an item that has no key, and is closed as a
 * leaf page is, but at a fillfactor of its own.
 */
double
ops_btree_pack_inner(const OpsBtreePack *pack, const OpsBtreePack *other,
					 double leaves, bool whole)
{
	int			filled = EMPTY_PAGE_SPACE - (int) sizeof(ItemIdData) -
	BLCKSZ * (100 - BTREE_NONLEAF_FILLFACTOR) / 100 -
	(int) (sizeof(IndexTupleData) + sizeof(ItemIdData));
	double		pivots = pack->pivots + other->pivots;
	double		pivot = pivots > 0 ?
	(pack->pivot_bytes + other->pivot_bytes) / pivots : pack->key_size;
	double		fanout = filled / (pivot + sizeof(ItemIdData));
	double		pages = 0;

	/*
	 * The item that makes the page full is the one that moves on: a page
	 * keeps what fits below the limit, and the first.  Of items of different
	 * sizes half a one more is over the limit.
	 */
	if (pivot == MAXALIGN((int) pivot))
		fanout = floor(fanout) + 1;
	else
		fanout += 0.5;
	fanout = Max(fanout, 2);

	while (leaves > 1)
	{
		leaves /= fanout;
		if (whole || leaves < 1)
			leaves = ceil(leaves);
		pages += leaves;
	}
	return pages;
}
