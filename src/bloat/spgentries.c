/*-------------------------------------------------------------------------
 *
 * spgentries.c
 *	  Entries of an SP-GiST index, for playing its build.
 *
 * Only operator classes are played whose functions are known to be harmless,
 * as in gistentries.c.  Leaves keep the value as it is, or of a text what
 * follows the way down to it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "bloat/model.h"
#include "bloat/roworder.h"
#include "bloat/spgbuild.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "core/compat.h"
#include "utils/typcache.h"

/* More entries are never kept, nor much more of texts, and no longer ones. */
#define MAX_KEPT			131072
#define MAX_TEXT_BYTES		(32 * 1024 * 1024)
#define MAX_TEXT			2000

static bool is_harmless(const char *opclass, Oid type);
static bool entry_is_sound(const OpsSpgEntries *entries, SpGistLeafTuple item,
						   Size length);
static Datum whole_text(SpGistLeafTuple item, const char *way,
						int way_length);
static uint32 row_number(const ItemPointerData * row);

/*
 * Get ready to keep entries, if the build of this index can be played.
 */
void
ops_spg_entries_init(OpsSpgEntries *entries, Relation index)
{
	NameData	opclass;

	memset(entries, 0, sizeof(OpsSpgEntries));
	entries->chance = PG_UINT32_MAX;
	ops_model_opclass(index, &opclass);
	if (!is_harmless(NameStr(opclass), TupleDescAttr(index->rd_att, 0)->atttypid))
		return;

	/* The relation cache may drop its own at any time. */
	entries->cache = palloc(sizeof(SpGistCache));
	*entries->cache = *spgGetCache(index);
	entries->suffixes = entries->cache->attLeafType.type == TEXTOID;
	entries->space = 1024;
	entries->entry = palloc(entries->space * sizeof(OpsSpgEntry));

	/* What a leaf tuple takes is only known if it has nothing else. */
	if (entries->suffixes && RelationGetNumberOfAttributes(index) > 1)
		entries->cache = NULL;
}

static bool
is_harmless(const char *opclass, Oid type)
{
	static const char *const harmless[] = {
		"quad_point_ops", "kd_point_ops", "box_ops", "poly_ops", "inet_ops",
		"text_ops"
	};

	for (int i = 0; i < lengthof(harmless); i++)
	{
		if (strcmp(opclass, harmless[i]) == 0)
			return true;
	}

	/* Ranges may have functions of their owner, and bounds of any length. */
	if (strcmp(opclass, "range_ops") == 0 && type < FirstNormalObjectId)
	{
		TypeCacheEntry *range = lookup_type_cache(type, TYPECACHE_RANGE_INFO);

		return range->rngelemtype && range->rngelemtype->typlen > 0;
	}
	return false;
}

/*
 * Whether no other entry is kept.
 */
bool
ops_spg_entries_full(const OpsSpgEntries *entries)
{
	return entries->count == MAX_KEPT ||
		entries->text_bytes > MAX_TEXT_BYTES;
}

/*
 * Give up all but the first ones.
 */
void
ops_spg_entries_cut(OpsSpgEntries *entries, int count)
{
	for (int i = count; entries->suffixes && i < entries->count; i++)
	{
		void	   *value = DatumGetPointer(entries->entry[i].value);

		entries->text_bytes -= VARSIZE(value);
		pfree(value);
	}
	entries->count = count;
}

/*
 * Keep a copy of an entry; the way leads to where it is.
 */
void
ops_spg_entries_add(OpsSpgEntries *entries, const OpsBloatMeasure *measure,
					SpGistLeafTuple item, Size length, const char *way,
					int way_length)
{
	OpsSpgEntry *entry;

	if (entries->cache == NULL || ops_spg_entries_full(entries) ||
		!entry_is_sound(entries, item, length) || way_length > MAX_TEXT)
		return;
	if (entries->count == entries->space)
	{
		entries->space *= 2;
		entries->entry = repalloc(entries->entry,
								  entries->space * sizeof(OpsSpgEntry));
	}
	entry = &entries->entry[entries->count++];
	entry->row = item->heapPtr;
	entry->odds.odds = measure->roots ?
		ops_bloat_root_odds(measure->roots, &entry->row) : 1;
	entry->odds.list = entries->nlists;
	entry->odds.region = entries->nregions;
	entry->size = item->size;
	if (entries->suffixes)
	{
		entry->value = whole_text(item, way, way_length);
		entries->text_bytes += VARSIZE(DatumGetPointer(entry->value));
	}
	else
	{
		SpGistLeafTuple copy = palloc(length);

		memcpy(copy, item, length);
		entry->value = fetch_att(SGLTDATAPTR(copy),
								 entries->cache->attLeafType.attbyval,
								 entries->cache->attLeafType.attlen);
	}
}

/*
 * Keep a copy of an entry, maybe, with its whole value.
 */
void
ops_spg_entries_add_some(OpsSpgEntries *entries,
						 const OpsBloatMeasure *measure, SpGistLeafTuple item,
						 Size length)
{
	if (entries->cache && row_number(&item->heapPtr) <= entries->chance)
		ops_spg_entries_add(entries, measure, item, length, NULL, 0);
}

/*
 * Sharpen the odds by what is known of neighbours.
 */
void
ops_spg_entries_weigh(OpsSpgEntries *entries, const OpsBloatMeasure *measure)
{
	if (measure->roots && entries->count > 0)
		ops_odds_weigh(&entries->entry[0].odds, entries->count,
					   sizeof(OpsSpgEntry), measure->roots);
}

/*
 * Keep fewer of them, if there are many.
 */
void
ops_spg_entries_thin_out(OpsSpgEntries *entries)
{
	int			kept = 0;

	if (entries->count < MAX_KEPT - MaxIndexTuplesPerPage)
		return;
	entries->chance /= 2;
	for (int i = 0; i < entries->count; i++)
	{
		if (row_number(&entries->entry[i].row) <= entries->chance)
			entries->entry[kept++] = entries->entry[i];
	}
	entries->count = kept;
}

/*
 * Whether the value lies within the entry.
 */
static bool
entry_is_sound(const OpsSpgEntries *entries, SpGistLeafTuple item, Size length)
{
	Size		offset = SGLTHDRSZ(SGLT_GET_HASNULLMASK(item));
	const char *value = (const char *) item + offset;
	int			fixed = entries->cache->attLeafType.attlen;

	if (item->size != length || length != MAXALIGN(length) ||
		length < SGDTSIZE || offset >= length)
		return false;
	if (fixed > 0)
		return offset + fixed <= length;
	if (fixed != -1 || VARATT_IS_EXTERNAL(value) ||
		VARATT_IS_COMPRESSED(value) || offset + VARSIZE_ANY(value) > length)
		return false;
	if (entries->suffixes)
		return VARSIZE_ANY(value) >= (VARATT_IS_1B(value) ?
									  VARHDRSZ_SHORT : VARHDRSZ) &&
			VARSIZE_ANY_EXHDR(value) <= MAX_TEXT;
	return VARSIZE_ANY(value) > VARHDRSZ_SHORT;
}

static Datum
whole_text(SpGistLeafTuple item, const char *way, int way_length)
{
	struct varlena *suffix = (struct varlena *) SGLTDATAPTR(item);
	int			suffix_length = VARSIZE_ANY_EXHDR(suffix);
	struct varlena *whole = palloc(VARHDRSZ + way_length + suffix_length);

	SET_VARSIZE(whole, VARHDRSZ + way_length + suffix_length);
	if (way_length > 0)
		memcpy(VARDATA(whole), way, way_length);
	memcpy(VARDATA(whole) + way_length, VARDATA_ANY(suffix), suffix_length);
	return PointerGetDatum(whole);
}

/*
 * Those that lead to a row, in the order of rows; of those of unknown fate,
 * about this share.  All if that is 1.  More than so many are thinned out.
 */
OpsSpgEntry **
ops_spg_entries_pick(const OpsSpgEntries *entries, double share, double most,
					 int *count)
{
	OpsRowEntry *picked = palloc(Max(entries->count, 1) * sizeof(OpsRowEntry));
	OpsSpgEntry **rows;
	int			found = 0;
	int			kept = 0;

	for (int i = 0; i < entries->count; i++)
	{
		OpsSpgEntry *entry = &entries->entry[i];

		if (share < 1 &&
			murmurhash32(row_number(&entry->row)) >=
			entry->odds.odds * share * PG_UINT32_MAX)
			continue;
		picked[found++] = ops_row_entry(&entry->row, entry);
	}
	for (int i = 0; i < found; i++)
	{
		OpsSpgEntry *entry = picked[i].entry;

		if (found <= most ||
			row_number(&entry->row) <= most / found * entries->chance)
			picked[kept++] = picked[i];
	}
	ops_row_entries_sort(picked, kept);

	rows = palloc(Max(kept, 1) * sizeof(OpsSpgEntry *));
	for (int i = 0; i < kept; i++)
		rows[i] = picked[i].entry;
	pfree(picked);
	*count = kept;
	return rows;
}

/*
 * A number that is any, but always the same.
 */
static uint32
row_number(const ItemPointerData * row)
{
	return murmurhash32(ItemPointerGetBlockNumberNoCheck(row) * 311 +
						ItemPointerGetOffsetNumberNoCheck(row));
}
